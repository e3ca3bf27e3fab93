#include "policy/engine/habits.h"

#include <stddef.h>

#include "policy/engine/windows.h"

/* Mail programs ask every few minutes; one note in ten minutes says the same. */
#define ACCESS_NOTE_MS 600000

static struct cell_distinct *account_cell(struct subjects *s, uint32_t id)
{
    struct record *account = subjects_find(s, PER_ACCOUNT, 0);
    struct cell *c = account ? record_find(account, id, CELL_DISTINCT) : NULL;
    return c ? c->of.distinct : NULL;
}

/* ---- read ---- */

/* Where nobody reports POP and IMAP accesses, or not any more, their absence says
 * nothing. */
static bool is_reported(struct subjects *s)
{
    struct record *everyone = subjects_find(s, PER_EVERYONE, 0);
    struct cell *feed =
        everyone ? record_find(everyone, CELL_ID_MAILBOX_FEED, CELL_DISTINCT) : NULL;
    return feed && cell_distinct_at(feed->of.distinct, s->set->mailbox_lately_ms,
                                    s->event->at_ms) > 0;
}

/* At home near is the same block of addresses: a phone's network changes all the time,
 * and a thief next door is as much at home as the owner. Abroad it is the country. */
static bool has_read_near(struct subjects *s, const struct cell_distinct *blocks)
{
    const struct event *e = s->event;
    int64_t lately_ms = s->set->mailbox_lately_ms;
    if (cell_distinct_has(blocks, subject_block_hash(s->set, &e->ip), lately_ms,
                          e->at_ms))
        return true;
    const struct cell_distinct *countries =
        e->is_home ? NULL : account_cell(s, CELL_ID_MAILBOX_COUNTRIES);
    return countries &&
           cell_distinct_has(countries, e->place.country, lately_ms, e->at_ms);
}

/* Who reads on the web, or forwards all, is never seen reading: that he is not seen here
 * either makes him no thief. */
static enum rule_mailbox mailbox_of(struct subjects *s)
{
    const struct cell_distinct *blocks = account_cell(s, CELL_ID_MAILBOX_BLOCKS);
    if (!blocks || !is_reported(s))
        return MAILBOX_NOT_HERE;
    if (has_read_near(s, blocks))
        return MAILBOX_HERE;
    return cell_distinct_at(blocks, s->set->mailbox_habit_ms, s->event->at_ms) > 0
               ? MAILBOX_ELSEWHERE
               : MAILBOX_NOT_HERE;
}

static enum rule_block block_of(struct subjects *s)
{
    const struct event *e = s->event;
    const struct cell_distinct *good = account_cell(s, CELL_ID_GOOD_BLOCKS);
    if (!good || !cell_familiar_any(good, e->at_ms))
        return BLOCK_UNFAMILIAR;
    return cell_familiar_has(good, subject_block_hash(s->set, &e->ip), e->at_ms)
               ? BLOCK_FAMILIAR
               : BLOCK_STRANGE;
}

void habits_read(struct subjects *s, struct circumstances *out)
{
    enum event_kind kind = s->event->kind;
    out->mailbox = s->set->asks_mailbox[kind] ? mailbox_of(s) : MAILBOX_NOT_HERE;
    out->block = s->set->asks_block[kind] ? block_of(s) : BLOCK_UNFAMILIAR;
}

bool habits_is_good_network(struct subjects *s)
{
    const struct cell_distinct *good = account_cell(s, CELL_ID_GOOD_NETWORKS);
    return good && cell_good_has(good, subject_network_hash(s->set, &s->event->ip),
                                 s->event->at_ms);
}

/* ---- learn ---- */

static void note_use(struct record *account, uint32_t cell_id, unsigned room,
                     uint32_t what, int64_t now_ms)
{
    struct cell *c = record_get(account, cell_id, CELL_DISTINCT);
    if (!c)
        return;
    cell_good_add(c->of.distinct, room, what, now_ms);
    account->is_changed = true;
}

static bool note_access(struct record *rec, uint32_t cell_id, unsigned room,
                        uint32_t what, int64_t now_ms)
{
    struct cell *c = record_get(rec, cell_id, CELL_DISTINCT);
    if (!c || cell_distinct_has(c->of.distinct, what, ACCESS_NOTE_MS, now_ms))
        return false;
    cell_distinct_add(c->of.distinct, room, what, now_ms);
    rec->is_changed = true;
    return true;
}

static void learn_sign_in(struct subjects *s, struct record *account)
{
    const struct event *e = s->event;
    note_use(account, CELL_ID_GOOD_NETWORKS, NETWORKS_MAX,
             subject_network_hash(s->set, &e->ip), e->at_ms);
    note_use(account, CELL_ID_GOOD_BLOCKS, BLOCKS_MAX, subject_block_hash(s->set, &e->ip),
             e->at_ms);
}

static void learn_mailbox(struct subjects *s, struct record *account)
{
    const struct event *e = s->event;
    struct record *everyone = subjects_find(s, PER_EVERYONE, 0);
    uint32_t block = subject_block_hash(s->set, &e->ip);
    /* The password was good there: locks spare this network as after a sign-in here. */
    if (note_access(account, CELL_ID_MAILBOX_BLOCKS, BLOCKS_MAX, block, e->at_ms))
        learn_sign_in(s, account);
    if (!e->is_home && e->place.country != COUNTRY_NONE)
        note_access(account, CELL_ID_MAILBOX_COUNTRIES, COUNTRIES_MAX, e->place.country,
                    e->at_ms);
    if (everyone)
        note_access(everyone, CELL_ID_MAILBOX_FEED, 1, 1, e->at_ms);
}

static void learn_recipients(const struct event *e, struct record *account)
{
    struct cell *c = record_get(account, CELL_ID_KNOWN_RECIPIENTS, CELL_KNOWN);
    for (uint32_t i = 0; c && i < e->recipients; i++) {
        if (cell_known_has(c->of.known, e->recipient_hashes[i]))
            continue;
        cell_known_add(c->of.known, e->recipient_hashes[i]);
        account->is_changed = true;
    }
}

void habits_learn(struct subjects *s)
{
    const struct event *e = s->event;
    struct record *account = subjects_find(s, PER_ACCOUNT, 0);
    bool has_ip = !ipaddr_is_none(&e->ip);
    if (!account)
        return;
    if (e->kind == EVENT_LOGIN && has_ip)
        learn_sign_in(s, account);
    if (e->kind == EVENT_MAILBOX && has_ip)
        learn_mailbox(s, account);
    if (e->kind == EVENT_MESSAGE && e->recipient_hashes)
        learn_recipients(e, account);
}
