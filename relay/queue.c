#include "relay/queue.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "relay/queue_impl.h"

#define NAMES_MAX 4096

static const char *const state_names[QUEUE_STATE_COUNT] = {
    [QUEUE_WAITING] = "waiting",
    [QUEUE_READY] = "ready",
    [QUEUE_ACTIVE] = "active",
    [QUEUE_HELD] = "held",
};

const char *queue_state_name(enum queue_state state)
{
    return state < QUEUE_STATE_COUNT ? state_names[state] : "?";
}

static bool is_due_before(const struct heap_node *a, const struct heap_node *b)
{
    return CONTAINER_OF(a, struct queue_entry, due)->due_ms < CONTAINER_OF(b, struct queue_entry, due)->due_ms;
}

struct queue *queue_new(void)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    table_init(&q->by_id);
    table_init(&q->accounts);
    table_init(&q->lanes);
    heap_init(&q->by_due, is_due_before);
    q->expiry_ms = INT64_MAX;
    return q;
}

static void free_entry(struct queue_entry *e, void *arg)
{
    queue_remove(arg, e);
}

void queue_free(struct queue **q)
{
    if (!*q)
        return;
    queue_each(*q, free_entry, *q);
    for (size_t i = 0; i < (*q)->pool_count; i++) {
        if ((*q)->pools[i])
            queue_turns_fini(&(*q)->pools[i]->turns);
        free((*q)->pools[i]);
    }
    for (size_t i = 0; i < (*q)->name_count; i++)
        free((*q)->names[i]);
    free((*q)->pools);
    free((*q)->names);
    heap_fini(&(*q)->by_due);
    table_fini(&(*q)->by_id);
    table_fini(&(*q)->accounts);
    table_fini(&(*q)->lanes);
    free(*q);
    *q = NULL;
}

/* ---- names ---- */

uint16_t queue_name_of(struct queue *q, struct view pool_name)
{
    for (size_t i = 0; i < q->name_count; i++) {
        if (view_eq(view_cstr(q->names[i]), pool_name))
            return (uint16_t)i;
    }
    char *copy = q->name_count < NAMES_MAX ? strndup(pool_name.p ? pool_name.p : "", pool_name.n) : NULL;
    char **grown = copy ? realloc(q->names, (q->name_count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(copy);
        return 0;
    }
    q->names = grown;
    q->names[q->name_count] = copy;
    return (uint16_t)q->name_count++;
}

struct view queue_pool_name(const struct queue *q, uint16_t name)
{
    return name < q->name_count ? view_cstr(q->names[name]) : VIEW_EMPTY;
}

/* ---- destinations ---- */

void queue_set_hooks(struct queue *q, const struct queue_hooks *hooks)
{
    q->hooks = *hooks;
}

void queue_wait_init(struct queue_wait *w)
{
    *w = (struct queue_wait){0};
    list_init(&w->lanes);
}

/* ---- states ---- */

/* When something next happens to it by the passing of time alone. */
static int64_t due_of(const struct queue *q, const struct queue_entry *e)
{
    int64_t due = q->expiry_ms < INT64_MAX - e->since_ms ? e->since_ms + q->expiry_ms : INT64_MAX;
    if (!e->is_noticed && q->notice_ms > 0 && e->since_ms + q->notice_ms < due)
        due = e->since_ms + q->notice_ms;
    if ((e->state == QUEUE_WAITING || e->is_rest_waiting) && e->next_ms < due)
        due = e->next_ms;
    return due;
}

static void leave_state(struct queue *q, struct queue_entry *e)
{
    q->pools[e->pool]->counts.by_state[e->state]--;
    if (e->state == QUEUE_READY)
        queue_parts_leave(q, e);
    heap_remove(&q->by_due, &e->due);
}

static void enter_state(struct queue *q, struct queue_entry *e, enum queue_state state)
{
    e->state = (uint8_t)state;
    q->pools[e->pool]->counts.by_state[state]++;
    if (state == QUEUE_READY)
        queue_parts_enter(q, e);
    else if (state != QUEUE_ACTIVE) /* whoever takes it has to know */
        e->is_rest_waiting = false;
    if (state == QUEUE_WAITING || state == QUEUE_READY) {
        e->due_ms = due_of(q, e);
        heap_insert(&q->by_due, &e->due);
    }
}

static void change_state(struct queue *q, struct queue_entry *e, enum queue_state state)
{
    leave_state(q, e);
    enter_state(q, e, state);
}

void queue_set_waiting(struct queue *q, struct queue_entry *e, int64_t next_ms)
{
    leave_state(q, e);
    e->next_ms = next_ms;
    enter_state(q, e, QUEUE_WAITING);
}

void queue_set_ready(struct queue *q, struct queue_entry *e)
{
    leave_state(q, e);
    e->is_rest_waiting = false;
    enter_state(q, e, QUEUE_READY);
}

void queue_set_ready_in_part(struct queue *q, struct queue_entry *e, int64_t next_ms)
{
    leave_state(q, e);
    e->is_rest_waiting = true;
    e->next_ms = next_ms;
    enter_state(q, e, QUEUE_READY);
}

void queue_set_waits(struct queue *q, struct queue_entry *e, struct queue_wait *const *waits,
                     uint32_t count)
{
    bool is_ready = e->state == QUEUE_READY;
    if (is_ready) {
        queue_parts_leave(q, e);
        e->state = QUEUE_ACTIVE; /* for a moment */
    }
    queue_parts_set(q, e, waits, count);
    if (is_ready) {
        e->state = QUEUE_READY;
        queue_parts_enter(q, e);
    }
}

void queue_set_active(struct queue *q, struct queue_entry *e)
{
    change_state(q, e, QUEUE_ACTIVE);
}

void queue_set_held(struct queue *q, struct queue_entry *e)
{
    change_state(q, e, QUEUE_HELD);
}

static void join_account(struct queue *q, struct queue_entry *e, struct queue_account *home)
{
    e->home = home;
    e->pool = (uint16_t)home->key.pool;
    list_append(&home->entries, &e->in_account);
    q->pools[e->pool]->counts.bytes += e->bytes;
}

static void leave_account(struct queue *q, struct queue_entry *e)
{
    q->pools[e->pool]->counts.bytes -= e->bytes;
    queue_parts_clear(q, e);
    list_remove(&e->in_account);
    queue_account_drop_if_empty(q, e->home);
}

/* What it waits for it has to find out again: destinations are those of a pool. */
int queue_set_pool(struct queue *q, struct queue_entry *e, uint16_t pool)
{
    enum queue_state state = e->state;
    struct queue_account *home = pool == e->pool ? NULL : queue_account_of(q, e->account, pool);
    if (!home)
        return pool == e->pool ? MSA_OK : MSA_ENOMEM;
    leave_state(q, e);
    leave_account(q, e);
    e->state = QUEUE_ACTIVE;
    join_account(q, e, home);
    queue_parts_set(q, e, NULL, 0);
    enter_state(q, e, state);
    return MSA_OK;
}

/* ---- entries ---- */

static struct queue_entry *insert_entry(struct queue *q, uint64_t id)
{
    struct queue_entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->id = id;
    e->by_id.key = view_of((const char *)&e->id, sizeof e->id);
    /* The heap gets its place now, so that no change of state can fail later. */
    if (heap_reserve(&q->by_due, q->by_id.count + 1) < 0 ||
        table_insert(&q->by_id, &e->by_id) < 0) {
        free(e);
        return NULL;
    }
    return e;
}

struct queue_entry *queue_add(struct queue *q, const struct queue_facts *facts)
{
    struct queue_account *home = queue_account_of(q, facts->account, facts->pool);
    struct queue_entry *e = home ? insert_entry(q, facts->id) : NULL;
    if (home && !e)
        queue_account_drop_if_empty(q, home);
    if (!e)
        return NULL;
    e->account = facts->account;
    e->bytes = facts->bytes;
    e->since_ms = facts->since_ms;
    e->next_ms = facts->next_ms;
    e->attempt_count = facts->attempt_count;
    e->name = facts->name;
    e->is_noticed = facts->is_noticed;
    e->is_large = facts->is_large;
    e->held_for = facts->held_for;
    e->due.place = HEAP_NOWHERE;
    e->state = QUEUE_ACTIVE;
    list_init(&e->in_account);
    join_account(q, e, home);
    queue_parts_set(q, e, facts->waits, facts->wait_count);
    enter_state(q, e, facts->state);
    return e;
}

struct queue_entry *queue_find(const struct queue *q, uint64_t id)
{
    struct table_entry *found = table_find(&q->by_id, view_of((const char *)&id, sizeof id));
    return found ? CONTAINER_OF(found, struct queue_entry, by_id) : NULL;
}

void queue_remove(struct queue *q, struct queue_entry *e)
{
    leave_state(q, e);
    leave_account(q, e);
    table_remove(&q->by_id, &e->by_id);
    free(e);
}

/* ---- time ---- */

static void refresh_due(struct queue_entry *e, void *arg)
{
    struct queue *q = arg;
    if (e->state != QUEUE_WAITING && e->state != QUEUE_READY)
        return;
    heap_remove(&q->by_due, &e->due);
    e->due_ms = due_of(q, e);
    heap_insert(&q->by_due, &e->due);
}

static struct queue_entry *first_due(const struct queue *q)
{
    struct heap_node *node = heap_first(&q->by_due);
    return node ? CONTAINER_OF(node, struct queue_entry, due) : NULL;
}

enum queue_due queue_next_due(struct queue *q, int64_t now_ms, struct queue_entry **out)
{
    struct queue_entry *e = first_due(q);
    *out = e;
    if (!e || e->due_ms > now_ms)
        return QUEUE_DUE_NOTHING;
    if (now_ms - e->since_ms >= q->expiry_ms) {
        queue_set_active(q, e);
        return QUEUE_DUE_EXPIRY;
    }
    if (!e->is_noticed && q->notice_ms > 0 && now_ms - e->since_ms >= q->notice_ms) {
        e->is_noticed = true;
        refresh_due(e, q);
        return QUEUE_DUE_NOTICE;
    }
    MSA_ASSERT(e->state == QUEUE_WAITING || e->is_rest_waiting);
    if (e->is_rest_waiting)
        queue_set_waits(q, e, NULL, 0); /* the rest goes elsewhere */
    queue_set_ready(q, e);
    return QUEUE_DUE_ATTEMPT;
}

int64_t queue_wait_ms(const struct queue *q, int64_t now_ms)
{
    const struct queue_entry *e = first_due(q);
    if (!e || e->due_ms == INT64_MAX)
        return -1;
    return e->due_ms > now_ms ? e->due_ms - now_ms : 0;
}

void queue_set_ages(struct queue *q, int64_t expiry_ms, int64_t notice_ms)
{
    q->expiry_ms = expiry_ms;
    q->notice_ms = notice_ms;
    queue_each(q, refresh_due, q);
}

/* ---- all of them ---- */

struct each {
    queue_each_fn *fn;
    void *arg;
};

static void call_each(struct table_entry *entry, void *arg)
{
    struct each *each = arg;
    each->fn(CONTAINER_OF(entry, struct queue_entry, by_id), each->arg);
}

void queue_each(struct queue *q, queue_each_fn *fn, void *arg)
{
    struct each each = {fn, arg};
    table_each(&q->by_id, call_each, &each);
}

void queue_each_of(struct queue *q, uint64_t account, queue_each_fn *fn, void *arg)
{
    for (size_t i = 0; i < q->pool_count; i++) {
        struct queue_account *home = queue_account_find(q, account, (uint16_t)i);
        if (!home)
            continue;
        /* The account goes with its last entry: the one behind is looked up before each call. */
        struct list *at = home->entries.next, *next;
        for (bool is_last = false; !is_last; at = next) {
            next = at->next;
            is_last = next == &home->entries;
            fn(CONTAINER_OF(at, struct queue_entry, in_account), arg);
        }
    }
}

static void add_counts(struct queue_counts *sum, const struct queue_counts *counts)
{
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        sum->by_state[i] += counts->by_state[i];
    sum->bytes += counts->bytes;
}

void queue_count_pool(const struct queue *q, uint16_t pool, struct queue_counts *out)
{
    *out = (struct queue_counts){0};
    if (pool < q->pool_count && q->pools[pool])
        add_counts(out, &q->pools[pool]->counts);
}

void queue_count_all(const struct queue *q, struct queue_counts *out)
{
    *out = (struct queue_counts){0};
    for (size_t i = 0; i < q->pool_count; i++) {
        if (q->pools[i])
            add_counts(out, &q->pools[i]->counts);
    }
}
