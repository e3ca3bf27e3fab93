#include "policy/quota.h"

#include <stdlib.h>

#include "msa/base/list.h"
#include "msa/base/table.h"

/* Both kinds of record are found by a 64-bit id and forgotten from the cold end. */
struct record {
    struct table_entry entry;
    struct list by_use; /* first: least recently used */
    uint64_t id;
};

struct records {
    struct table table;
    struct list by_use;
    size_t max;
};

struct window {
    int64_t began_ms;
    uint32_t used;
};

struct account {
    struct record record;
    struct window messages;
    struct window recipients;
};

struct reservation {
    struct record record;
    uint64_t account;
    uint32_t recipient_count;
    int64_t messages_began_ms; /* given back only into the very windows it was taken from */
    int64_t recipients_began_ms;
};

struct quota {
    struct records accounts;
    struct records reservations;
    uint64_t last_reservation;
};

/* ---- records ---- */

static struct view key_of(const uint64_t *id)
{
    return view_of((const char *)id, sizeof *id);
}

static void records_init(struct records *r, size_t max)
{
    table_init(&r->table);
    list_init(&r->by_use);
    r->max = max;
}

static struct record *records_find(const struct records *r, uint64_t id)
{
    struct table_entry *e = table_find(&r->table, key_of(&id));
    return e ? CONTAINER_OF(e, struct record, entry) : NULL;
}

/* `record` is the first member of what is freed. */
static void records_drop(struct records *r, struct record *record)
{
    table_remove(&r->table, &record->entry);
    list_remove(&record->by_use);
    free(record);
}

/* Takes `record` over; NULL when it could not be kept. */
static struct record *records_add(struct records *r, struct record *record, uint64_t id)
{
    if (!record)
        return NULL;
    if (r->table.count >= r->max)
        records_drop(r, LIST_FIRST(&r->by_use, struct record, by_use));
    record->id = id;
    record->entry.key = key_of(&record->id);
    if (table_insert(&r->table, &record->entry) < 0) {
        free(record);
        return NULL;
    }
    list_append(&r->by_use, &record->by_use);
    return record;
}

static void records_fini(struct records *r)
{
    struct record *record, *tmp;
    LIST_FOREACH(record, tmp, &r->by_use, struct record, by_use)
        records_drop(r, record);
    table_fini(&r->table);
}

/* ---- quota ---- */

struct quota *quota_new(size_t account_max, size_t reservation_max)
{
    struct quota *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    records_init(&q->accounts, account_max);
    records_init(&q->reservations, reservation_max);
    return q;
}

void quota_free(struct quota **q)
{
    if (!*q)
        return;
    records_fini(&(*q)->accounts);
    records_fini(&(*q)->reservations);
    free(*q);
    *q = NULL;
}

static struct account *account_of(struct quota *q, uint64_t id)
{
    struct record *record = records_find(&q->accounts, id);
    if (!record)
        record = records_add(&q->accounts, calloc(1, sizeof(struct account)), id);
    if (!record)
        return NULL;
    list_remove(&record->by_use);
    list_append(&q->accounts.by_use, &record->by_use);
    return CONTAINER_OF(record, struct account, record);
}

static void window_turn(struct window *w, const struct config_rate *rate, int64_t now_ms)
{
    if (w->used == 0 || now_ms - w->began_ms >= rate->window_ms)
        *w = (struct window){.began_ms = now_ms};
}

static bool window_has_room(const struct window *w, const struct config_rate *rate, uint32_t n)
{
    return rate->limit == 0 || (n <= rate->limit && w->used <= rate->limit - n);
}

static uint64_t reserve(struct quota *q, const struct account *a, uint32_t recipient_count)
{
    struct record *record = records_add(
        &q->reservations, calloc(1, sizeof(struct reservation)), ++q->last_reservation);
    if (!record)
        return 0;
    struct reservation *r = CONTAINER_OF(record, struct reservation, record);
    r->account = a->record.id;
    r->recipient_count = recipient_count;
    r->messages_began_ms = a->messages.began_ms;
    r->recipients_began_ms = a->recipients.began_ms;
    return record->id;
}

static struct quota_answer full(const struct window *w, const struct config_rate *rate,
                                int64_t now_ms, bool is_by_recipients)
{
    return (struct quota_answer){
        .is_by_recipients = is_by_recipients,
        .wait_ms = w->began_ms + rate->window_ms - now_ms,
    };
}

struct quota_answer quota_take(struct quota *q, const struct config_rate *messages,
                               const struct config_rate *recipients, const struct quota_ask *ask)
{
    if (messages->limit == 0 && recipients->limit == 0)
        return (struct quota_answer){.is_allowed = true};
    struct account *a = account_of(q, ask->account);
    if (!a)
        return (struct quota_answer){.is_allowed = true};
    window_turn(&a->messages, messages, ask->now_ms);
    window_turn(&a->recipients, recipients, ask->now_ms);
    if (!window_has_room(&a->messages, messages, 1))
        return full(&a->messages, messages, ask->now_ms, false);
    if (!window_has_room(&a->recipients, recipients, ask->recipient_count))
        return full(&a->recipients, recipients, ask->now_ms, true);
    a->messages.used++;
    a->recipients.used += ask->recipient_count;
    return (struct quota_answer){.is_allowed = true,
                                 .reservation = reserve(q, a, ask->recipient_count)};
}

static void give_back(struct window *w, int64_t began_ms, uint32_t n)
{
    if (w->began_ms == began_ms)
        w->used -= n < w->used ? n : w->used;
}

void quota_settle(struct quota *q, uint64_t reservation, bool is_kept)
{
    struct record *record = records_find(&q->reservations, reservation);
    if (!record)
        return;
    struct reservation *r = CONTAINER_OF(record, struct reservation, record);
    struct record *of = records_find(&q->accounts, r->account);
    if (!is_kept && of) {
        struct account *a = CONTAINER_OF(of, struct account, record);
        give_back(&a->messages, r->messages_began_ms, 1);
        give_back(&a->recipients, r->recipients_began_ms, r->recipient_count);
    }
    records_drop(&q->reservations, record);
}

size_t quota_account_count(const struct quota *q)
{
    return q->accounts.table.count;
}
