#include "policy/engine/rule.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/codec.h"
#include "msa/base/table.h"
#include "policy/engine/record.h"

#define DAY_S    86400u
#define ROOM_MAX DISTINCT_MAX

static const char *const count_names[COUNT_KIND_COUNT] = {
    [COUNT_MESSAGES] = "messages",
    [COUNT_RECIPIENTS] = "recipients",
    [COUNT_NEW_RECIPIENTS] = "new-recipients",
    [COUNT_BYTES] = "bytes",
    [COUNT_SESSIONS] = "sessions",
    [COUNT_SENDING] = "sending",
    [COUNT_REJECTED_RECIPIENTS] = "rejected-recipients",
    [COUNT_LOGINS] = "logins",
    [COUNT_FAILURES] = "failures",
    [COUNT_FAILED_ACCOUNTS] = "failed-accounts",
    [COUNT_PASSWORDS] = "passwords",
    [COUNT_COUNTRIES] = "countries",
    [COUNT_NETWORKS] = "networks",
    [COUNT_ADDRESSES] = "addresses",
    [COUNT_ACCOUNTS] = "accounts",
    [COUNT_SWITCHES] = "switches",
    [COUNT_SPEED] = "speed",
    [COUNT_REFUSALS] = "refusals",
    [COUNT_BLOCKS] = "blocks",
    [COUNT_SENDERS] = "senders",
    [COUNT_SPAM_REFUSALS] = "spam-refusals",
};

static const char *const subject_names[PER_KIND_COUNT] = {
    [PER_ACCOUNT] = "account",
    [PER_ADDRESS] = "address",
    [PER_NETWORK] = "network",
    [PER_ACCOUNT_NETWORK] = "account+network",
    [PER_ACCOUNT_COUNTRY] = "account+country",
    [PER_FINGERPRINT] = "fingerprint",
    [PER_DOMAIN] = "domain",
    [PER_DESTINATION] = "destination",
    [PER_EVERYONE] = "everyone",
};

const char *rule_count_name(enum rule_count count)
{
    return count < COUNT_KIND_COUNT ? count_names[count] : "?";
}

const char *rule_subject_name(enum rule_subject per)
{
    return per < PER_KIND_COUNT ? subject_names[per] : "?";
}

uint16_t country_code(struct view text)
{
    if (text.n != 2 || !ascii_is_alpha(text.p[0]) || !ascii_is_alpha(text.p[1]))
        return COUNTRY_NONE;
    return (uint16_t)((text.p[0] & 0x5f) << 8 | (text.p[1] & 0x5f)); /* upper case */
}

void country_text(uint16_t code, char out[3])
{
    out[0] = code ? (char)(code >> 8) : '?';
    out[1] = code ? (char)(code & 0xff) : '?';
    out[2] = '\0';
}

bool rule_is_used_up(enum rule_count count)
{
    return count <= COUNT_SENDING;
}

bool rule_is_distinct(enum rule_count count)
{
    switch (count) {
    case COUNT_FAILED_ACCOUNTS:
    case COUNT_PASSWORDS:
    case COUNT_COUNTRIES:
    case COUNT_NETWORKS:
    case COUNT_ADDRESSES:
    case COUNT_ACCOUNTS:
    case COUNT_BLOCKS:
    case COUNT_SENDERS:
        return true;
    default:
        return false;
    }
}

/* ---- which events concern a rule ---- */

#define BIT(kind) ((uint8_t)(1u << (kind)))

/* What a decision does later in the message's life than it was counted. */
#define LASTING_ACTIONS                                                          \
    (THEN_SCORE | THEN_POOL | THEN_ALIGN | THEN_DELAY | THEN_HOLD | THEN_DEFER | \
     THEN_REFUSE)

static bool is_of_failures(enum rule_count count)
{
    return count == COUNT_FAILURES || count == COUNT_FAILED_ACCOUNTS ||
           count == COUNT_PASSWORDS;
}

static uint8_t heard(const struct rule *r)
{
    bool needs_content = r->when.has_min_score || r->per == PER_FINGERPRINT;
    switch (r->count) {
    case COUNT_MESSAGES:
    case COUNT_RECIPIENTS:
    case COUNT_NEW_RECIPIENTS:
        return BIT(needs_content ? EVENT_CONTENT : EVENT_MESSAGE);
    case COUNT_BYTES:
        return BIT(EVENT_CONTENT);
    case COUNT_SESSIONS:
        return BIT(r->per == PER_ADDRESS || r->per == PER_NETWORK ? EVENT_CONNECT
                                                                  : EVENT_LOGIN);
    case COUNT_SENDING:
        return BIT(EVENT_TRANSACTION);
    case COUNT_REJECTED_RECIPIENTS:
    case COUNT_SPAM_REFUSALS:
        return BIT(EVENT_REJECTED);
    case COUNT_REFUSALS:
    case COUNT_SENDERS:
        return BIT(EVENT_MESSAGE);
    case COUNT_FAILURES:
    case COUNT_FAILED_ACCOUNTS:
    case COUNT_PASSWORDS:
        return BIT(EVENT_LOGIN_FAILED);
    case COUNT_ACCOUNTS:
        return BIT(needs_content ? EVENT_CONTENT : EVENT_LOGIN);
    case COUNT_LOGINS:
    case COUNT_COUNTRIES:
    case COUNT_NETWORKS:
    case COUNT_ADDRESSES:
    case COUNT_BLOCKS:
    case COUNT_SWITCHES:
    case COUNT_SPEED:
        return BIT(EVENT_LOGIN);
    case COUNT_KIND_COUNT:
        break;
    }
    return 0;
}

/* A sign goes on to hold while its window does: one of the account or address for their
 * messages; one of failed sign-ins for further sign-ins and greetings, but never for the
 * messages of the victim. A speed is of one moment. */
static uint8_t held_for(const struct rule *r)
{
    if (rule_is_used_up(r->count) || r->count == COUNT_SPEED ||
        !(r->actions & LASTING_ACTIONS))
        return 0;
    uint8_t later = is_of_failures(r->count) ? BIT(EVENT_CONNECT) | BIT(EVENT_LOGIN)
                                             : BIT(EVENT_MESSAGE) | BIT(EVENT_CONTENT);
    return later & (uint8_t)~r->hears;
}

/* A lock shuts out sign-ins, and messages if it was for messages. */
static uint8_t locked(const struct rule *r)
{
    if (!(r->actions & THEN_LOCK))
        return 0;
    bool is_of_messages = rule_is_used_up(r->count) ||
                          r->count == COUNT_REJECTED_RECIPIENTS ||
                          r->count == COUNT_SPAM_REFUSALS ||
                          r->count == COUNT_REFUSALS || r->count == COUNT_SENDERS;
    return (uint8_t)(BIT(EVENT_LOGIN) | BIT(EVENT_LOGIN_FAILED) |
                     (is_of_messages ? BIT(EVENT_TRANSACTION) | BIT(EVENT_MESSAGE) : 0));
}

/* ---- conditions ---- */

static bool origin_matches(const struct rule_when *w, const struct event *e)
{
    if (w->origin == FROM_HOME && !e->is_home)
        return false;
    if (w->origin == FROM_OVERSEAS && e->is_home)
        return false;
    if (w->country_count == 0)
        return true;
    for (unsigned i = 0; i < w->country_count; i++)
        if (w->countries[i] == e->place.country)
            return true;
    return false;
}

static bool mailbox_matches(enum rule_mailbox asked, enum rule_mailbox is)
{
    return asked == MAILBOX_ANY || asked == is ||
           (asked == MAILBOX_NOT_HERE && is == MAILBOX_ELSEWHERE);
}

static bool block_matches(enum rule_block asked, enum rule_block is)
{
    return asked == BLOCK_ANY || asked == is ||
           (asked == BLOCK_UNFAMILIAR && is == BLOCK_STRANGE);
}

static bool habits_match(const struct rule *r, const struct circumstances *c)
{
    const struct rule_when *w = &r->when;
    if (!mailbox_matches(w->mailbox, c->mailbox) || !block_matches(w->block, c->block))
        return false;
    for (unsigned i = 0; i < w->also_count && i < ALSO_MAX; i++)
        if (r->also[i] >= RULES_MAX || !(c->also[r->also[i] / 64] >> r->also[i] % 64 & 1))
            return false;
    return true;
}

static bool account_matches(const struct rule_when *w, const struct event *e)
{
    bool is_listed = w->class_count == 0;
    for (unsigned i = 0; i < w->class_count && !is_listed; i++)
        is_listed = view_eq(w->classes[i], e->account_class);
    if (!is_listed)
        return false;
    if (w->younger_than_ms > 0 &&
        (e->account_age_ms < 0 || e->account_age_ms >= w->younger_than_ms))
        return false;
    return w->older_than_ms == 0 || e->account_age_ms < 0 ||
           e->account_age_ms >= w->older_than_ms;
}

static bool is_destination(const struct rule_when *w, const struct destination *d)
{
    for (unsigned i = 0; i < w->destination_count; i++)
        if (view_eq(w->destinations[i], d->domain))
            return true;
    return w->destination_count == 0;
}

uint32_t rule_recipients(const struct rule *r, const struct event *e, unsigned nth)
{
    uint64_t n = 0;
    if (r->per != PER_DESTINATION && r->when.destination_count == 0)
        return e->recipients;
    for (unsigned i = 0; i < e->destination_count; i++)
        if ((r->per != PER_DESTINATION || i == nth) &&
            is_destination(&r->when, &e->destinations[i]))
            n += e->destinations[i].recipients;
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* What a receiver refused is two things, which come in one event. */
static bool is_refusal_of(const struct rule *r, const struct event *e)
{
    if (e->kind != EVENT_REJECTED)
        return true;
    return r->count == COUNT_SPAM_REFUSALS ? e->spam_refusals > 0 : e->recipients > 0;
}

bool rule_matches(const struct rule *r, const struct event *e,
                  const struct circumstances *c, unsigned nth)
{
    const struct rule_when *w = &r->when;
    if (!is_refusal_of(r, e))
        return false;
    if (w->destination_count > 0 && rule_recipients(r, e, nth) == 0)
        return false;
    if (w->listener.n > 0 && !view_eq(w->listener, e->listener))
        return false;
    if (w->protocol.n > 0 && !view_eq(w->protocol, e->protocol))
        return false;
    if (e->recipients < w->min_recipients)
        return false;
    if (w->has_min_score && e->score_hundredths < w->min_score_hundredths)
        return false;
    return origin_matches(w, e) && account_matches(w, e) && habits_match(r, c);
}

uint32_t rule_limit_for(const struct rule *r, const struct event *e)
{
    for (unsigned i = 0; i < e->override_count; i++)
        if (e->overrides[i].rule_name_hash == r->name_hash)
            return e->overrides[i].limit;
    return r->limit;
}

/* The same in every process and on every day: cells are found by it. */
static uint32_t stable_hash(const void *p, size_t n)
{
    static const uint8_t key[16] = "msad rule cells";
    uint64_t h = siphash13(key, p, n);
    return (uint32_t)(h ^ h >> 32);
}

static void put_when(struct buf *b, const struct rule_when *w)
{
    put_u8(b, (uint8_t)w->origin);
    put_u32(b, w->country_count);
    for (unsigned i = 0; i < w->country_count; i++)
        put_u16(b, w->countries[i]);
    put_u32(b, w->class_count);
    for (unsigned i = 0; i < w->class_count; i++)
        put_bytes(b, w->classes[i]);
    put_i64(b, w->younger_than_ms);
    put_i64(b, w->older_than_ms);
    put_u8(b, (uint8_t)w->mailbox);
    put_u8(b, (uint8_t)w->block);
    put_u32(b, w->also_count);
    for (unsigned i = 0; i < w->also_count; i++)
        put_bytes(b, w->also[i]);
    put_bytes(b, w->listener);
    put_bytes(b, w->protocol);
    put_u32(b, w->destination_count);
    for (unsigned i = 0; i < w->destination_count; i++)
        put_bytes(b, w->destinations[i]);
    put_u32(b, w->min_recipients);
    put_u8(b, w->has_min_score);
    put_u32(b, (uint32_t)w->min_score_hundredths);
}

static uint32_t cell_id_of(uint32_t hash)
{
    return hash < CELL_ID_FIRST_OF_RULES ? hash + CELL_ID_FIRST_OF_RULES : hash;
}

uint32_t rule_name_hash(struct view name)
{
    return cell_id_of(stable_hash(name.p, name.n));
}

static void seal(struct rule *r)
{
    struct buf b;
    buf_init(&b, 65536);
    put_u8(&b, (uint8_t)r->count);
    put_u8(&b, (uint8_t)r->per);
    put_i64(&b, r->within_ms);
    put_when(&b, &r->when);
    if (r->count == COUNT_SPEED) /* noting a place replaces what the next rule would
                                    compare with */
        put_bytes(&b, r->name);
    struct view identity = buf_view(&b);
    r->cell_id = cell_id_of(stable_hash(identity.p, identity.n));
    r->name_hash = rule_name_hash(r->name);
    r->hears = heard(r);
    r->holds_for = held_for(r);
    r->locks = locked(r);
    buf_fini(&b);
}

/* A few more than the limit, so that the grounds show what else there was. */
#define ROOM_BEYOND_LIMIT 4

/* The first rule of a cell counts for all that share it, with room for the highest limit.
 */
static void share_cells(struct rule *rules, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t highest = 0;
        rules[i].is_counter = true;
        for (unsigned k = 0; k < count; k++) {
            if (rules[k].cell_id != rules[i].cell_id)
                continue;
            if (rules[k].limit > highest)
                highest = rules[k].limit;
            rules[i].is_counter = rules[i].is_counter && k >= i;
        }
        rules[i].room = (uint16_t)(highest < ROOM_MAX - ROOM_BEYOND_LIMIT
                                       ? highest + ROOM_BEYOND_LIMIT
                                       : ROOM_MAX);
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void index_rules(struct rule_set *set)
{
    for (unsigned i = 0; i < set->rule_count; i++) {
        const struct rule *r = &set->rules[i];
        uint8_t events = r->hears | r->holds_for | r->locks;
        for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            if (!(events & BIT(kind)))
                continue;
            set->taking_part[kind][set->taking_part_count[kind]++] = (uint8_t)i;
            set->asks_mailbox[kind] |= r->when.mailbox != MAILBOX_ANY;
            set->asks_block[kind] |= r->when.block != BLOCK_ANY;
            set->asks_also[kind] |= r->when.also_count > 0;
        }
        set->cell_ids[set->cell_id_count++] = r->cell_id;
        set->cell_ids[set->cell_id_count++] = r->name_hash;
    }
    qsort(set->cell_ids, set->cell_id_count, sizeof set->cell_ids[0], by_number);
}

/* Until the last window has run out, and with a lock until its doublings are forgotten.
 */
static void note_how_long(struct rule_set *set)
{
    for (unsigned per = 0; per < PER_KIND_COUNT; per++)
        set->keep_s[per] = 60;
    for (unsigned i = 0; i < set->rule_count; i++) {
        const struct rule *r = &set->rules[i];
        int64_t window_s = r->within_ms / 1000 + r->within_ms / 12000 + 60;
        if (r->spare > 0 && window_s < DAY_S)
            window_s = DAY_S;
        if (window_s > set->keep_s[r->per])
            set->keep_s[r->per] = (uint32_t)window_s;
    }
    if (set->keep_s[PER_ACCOUNT] < GOOD_FOR_DAYS * DAY_S)
        set->keep_s[PER_ACCOUNT] = GOOD_FOR_DAYS * DAY_S;
    set->keep_s[PER_EVERYONE] = UINT32_MAX;
}

static uint8_t position_of(const struct rule *rules, unsigned count, struct view name)
{
    for (unsigned i = 0; i < count; i++)
        if (rules[i].per == PER_ACCOUNT && view_eq(rules[i].name, name))
            return (uint8_t)i;
    return RULES_MAX;
}

static void resolve_also(struct rule_set *set, struct rule *rules, unsigned count)
{
    memset(set->is_also, 0, sizeof set->is_also);
    for (unsigned i = 0; i < count; i++) {
        const struct rule_when *w = &rules[i].when;
        for (unsigned k = 0; k < w->also_count && k < ALSO_MAX; k++) {
            rules[i].also[k] = position_of(rules, count, w->also[k]);
            if (rules[i].also[k] < RULES_MAX)
                set->is_also[rules[i].also[k]] = true;
        }
    }
}

void rules_seal(struct rule_set *set, struct rule *rules, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        seal(&rules[i]);
    share_cells(rules, count);
    resolve_also(set, rules, count);
    set->rules = rules;
    set->rule_count = count;
    set->cell_id_count = 0;
    memset(set->taking_part_count, 0, sizeof set->taking_part_count);
    memset(set->asks_mailbox, 0, sizeof set->asks_mailbox);
    memset(set->asks_block, 0, sizeof set->asks_block);
    memset(set->asks_also, 0, sizeof set->asks_also);
    index_rules(set);
    note_how_long(set);
}

bool rules_have_cell(const struct rule_set *set, uint32_t cell_id)
{
    return cell_id < CELL_ID_FIRST_OF_RULES ||
           bsearch(&cell_id, set->cell_ids, set->cell_id_count, sizeof set->cell_ids[0],
                   by_number);
}
