#include "policy/engine/rule.h"

#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/codec.h"
#include "msa/base/table.h"
#include "policy/engine/record.h"

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
};

static const char *const subject_names[PER_KIND_COUNT] = {
    [PER_ACCOUNT] = "account",
    [PER_ADDRESS] = "address",
    [PER_NETWORK] = "network",
    [PER_ACCOUNT_NETWORK] = "account+network",
    [PER_ACCOUNT_COUNTRY] = "account+country",
    [PER_FINGERPRINT] = "fingerprint",
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

bool rule_hears(const struct rule *r, enum event_kind kind)
{
    bool needs_content = r->when.has_min_score || r->per == PER_FINGERPRINT;
    switch (r->count) {
    case COUNT_MESSAGES:
    case COUNT_RECIPIENTS:
    case COUNT_NEW_RECIPIENTS:
        return kind == (needs_content ? EVENT_CONTENT : EVENT_MESSAGE);
    case COUNT_BYTES:
        return kind == EVENT_CONTENT;
    case COUNT_SESSIONS:
        return kind == (r->per == PER_ADDRESS || r->per == PER_NETWORK ? EVENT_CONNECT
                                                                       : EVENT_LOGIN);
    case COUNT_SENDING:
        return kind == EVENT_TRANSACTION;
    case COUNT_REJECTED_RECIPIENTS:
        return kind == EVENT_REJECTED;
    case COUNT_REFUSALS:
        return kind == EVENT_MESSAGE;
    case COUNT_FAILURES:
    case COUNT_FAILED_ACCOUNTS:
    case COUNT_PASSWORDS:
        return kind == EVENT_LOGIN_FAILED;
    case COUNT_ACCOUNTS:
        return kind == (needs_content ? EVENT_CONTENT : EVENT_LOGIN);
    case COUNT_LOGINS:
    case COUNT_COUNTRIES:
    case COUNT_NETWORKS:
    case COUNT_ADDRESSES:
    case COUNT_SWITCHES:
    case COUNT_SPEED:
        return kind == EVENT_LOGIN;
    case COUNT_KIND_COUNT:
        break;
    }
    return false;
}

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

static bool account_matches(const struct rule_when *w, const struct event *e,
                            bool has_mailbox_access)
{
    bool is_listed = w->class_count == 0;
    for (unsigned i = 0; i < w->class_count && !is_listed; i++)
        is_listed = view_eq(w->classes[i], e->account_class);
    if (!is_listed || (w->no_mailbox_access && has_mailbox_access))
        return false;
    if (w->younger_than_ms > 0 &&
        (e->account_age_ms < 0 || e->account_age_ms >= w->younger_than_ms))
        return false;
    return w->older_than_ms == 0 || e->account_age_ms < 0 ||
           e->account_age_ms >= w->older_than_ms;
}

bool rule_matches(const struct rule *r, const struct event *e, bool has_mailbox_access)
{
    const struct rule_when *w = &r->when;
    if (w->listener.n > 0 && !view_eq(w->listener, e->listener))
        return false;
    if (w->protocol.n > 0 && !view_eq(w->protocol, e->protocol))
        return false;
    if (w->has_min_score && e->score_hundredths < w->min_score_hundredths)
        return false;
    return origin_matches(w, e) && account_matches(w, e, has_mailbox_access);
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
    for (unsigned i = 0; i < w->country_count; i++)
        put_u16(b, w->countries[i]);
    put_u8(b, 0);
    for (unsigned i = 0; i < w->class_count; i++)
        put_bytes(b, w->classes[i]);
    put_i64(b, w->younger_than_ms);
    put_i64(b, w->older_than_ms);
    put_u8(b, w->no_mailbox_access);
    put_bytes(b, w->listener);
    put_bytes(b, w->protocol);
    put_u8(b, w->has_min_score);
    put_u32(b, (uint32_t)w->min_score_hundredths);
}

static uint32_t cell_id_of(uint32_t hash)
{
    return hash < CELL_ID_FIRST_OF_RULES ? hash + CELL_ID_FIRST_OF_RULES : hash;
}

static void seal(struct rule *r)
{
    struct buf b;
    buf_init(&b, 16384);
    put_u8(&b, (uint8_t)r->count);
    put_u8(&b, (uint8_t)r->per);
    put_i64(&b, r->within_ms);
    put_when(&b, &r->when);
    if (r->count == COUNT_SPEED)
        put_bytes(
            &b,
            r->name); /* noting a place replaces what the next rule would compare with */
    struct view identity = buf_view(&b);
    r->cell_id = cell_id_of(stable_hash(identity.p, identity.n));
    r->name_hash = cell_id_of(stable_hash(r->name.p, r->name.n));
    buf_fini(&b);
}

void rules_seal(struct rule *rules, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        seal(&rules[i]);
        rules[i].is_counter = true;
        for (unsigned before = 0; before < i && rules[i].is_counter; before++)
            rules[i].is_counter = rules[before].cell_id != rules[i].cell_id;
    }
}
