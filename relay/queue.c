#include "relay/queue.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "relay/queue_heap.h"

#define NAMES_MAX  4096
#define POOLS_STEP 16

/* One pool and account. Lives while it has entries. */
struct queue_lane {
    struct table_entry by_key;
    struct {
        uint64_t account;
        uint64_t pool;
    } key;
    struct list in_ring; /* of lanes with something ready */
    struct list entries;
    struct list ready;
};

struct pool_state {
    struct list ring;
    struct queue_counts counts;
};

struct queue {
    struct table by_id;
    struct table lanes;
    struct queue_heap heap;
    struct pool_state **pools; /* by number, made when first used; list heads must not move */
    size_t pool_count;
    char **names;
    size_t name_count;
    int64_t expiry_ms;
    int64_t notice_ms;
};

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

struct queue *queue_new(void)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    table_init(&q->by_id);
    table_init(&q->lanes);
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
    for (size_t i = 0; i < (*q)->pool_count; i++)
        free((*q)->pools[i]);
    for (size_t i = 0; i < (*q)->name_count; i++)
        free((*q)->names[i]);
    free((*q)->pools);
    free((*q)->names);
    queue_heap_fini(&(*q)->heap);
    table_fini(&(*q)->by_id);
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

/* ---- pools and lanes ---- */

static struct pool_state *pool_of(struct queue *q, uint16_t pool)
{
    if (pool >= q->pool_count) {
        size_t count = (size_t)pool + POOLS_STEP;
        struct pool_state **grown = realloc(q->pools, count * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + q->pool_count, 0, (count - q->pool_count) * sizeof *grown);
        q->pools = grown;
        q->pool_count = count;
    }
    if (!q->pools[pool]) {
        q->pools[pool] = calloc(1, sizeof **q->pools);
        if (q->pools[pool])
            list_init(&q->pools[pool]->ring);
    }
    return q->pools[pool];
}

static struct queue_lane *find_lane(const struct queue *q, uint64_t account, uint16_t pool)
{
    uint64_t key[2] = {account, pool};
    struct table_entry *found = table_find(&q->lanes, view_of((const char *)key, sizeof key));
    return found ? CONTAINER_OF(found, struct queue_lane, by_key) : NULL;
}

static struct queue_lane *lane_of(struct queue *q, uint64_t account, uint16_t pool)
{
    struct queue_lane *lane = find_lane(q, account, pool);
    if (lane || !pool_of(q, pool))
        return lane;
    lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane->key.account = account;
    lane->key.pool = pool;
    lane->by_key.key = view_of((const char *)&lane->key, sizeof lane->key);
    list_init(&lane->in_ring);
    list_init(&lane->entries);
    list_init(&lane->ready);
    if (table_insert(&q->lanes, &lane->by_key) < 0) {
        free(lane);
        return NULL;
    }
    return lane;
}

static void drop_empty_lane(struct queue *q, struct queue_lane *lane)
{
    if (!list_is_empty(&lane->entries))
        return;
    table_remove(&q->lanes, &lane->by_key);
    free(lane);
}

static void leave_lane(struct queue *q, struct queue_entry *e)
{
    list_remove(&e->in_lane);
    drop_empty_lane(q, e->lane);
}

/* ---- states ---- */

/* When something next happens to it by the passing of time alone. */
static int64_t due_of(const struct queue *q, const struct queue_entry *e)
{
    int64_t due = q->expiry_ms < INT64_MAX - e->since_ms ? e->since_ms + q->expiry_ms : INT64_MAX;
    if (!e->is_noticed && q->notice_ms > 0 && e->since_ms + q->notice_ms < due)
        due = e->since_ms + q->notice_ms;
    if (e->state == QUEUE_WAITING && e->next_ms < due)
        due = e->next_ms;
    return due;
}

static void leave_state(struct queue *q, struct queue_entry *e)
{
    q->pools[e->pool]->counts.by_state[e->state]--;
    if (e->state == QUEUE_READY) {
        list_remove(&e->ready);
        if (list_is_empty(&e->lane->ready))
            list_remove(&e->lane->in_ring);
    }
    queue_heap_remove(&q->heap, e);
}

static void enter_state(struct queue *q, struct queue_entry *e, enum queue_state state)
{
    struct pool_state *pool = q->pools[e->pool];
    e->state = (uint8_t)state;
    pool->counts.by_state[state]++;
    if (state == QUEUE_READY) {
        if (list_is_empty(&e->lane->ready))
            list_append(&pool->ring, &e->lane->in_ring);
        list_append(&e->lane->ready, &e->ready);
    }
    if (state == QUEUE_WAITING || state == QUEUE_READY) {
        e->due_ms = due_of(q, e);
        queue_heap_insert(&q->heap, e);
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
    change_state(q, e, QUEUE_READY);
}

void queue_set_active(struct queue *q, struct queue_entry *e)
{
    change_state(q, e, QUEUE_ACTIVE);
}

void queue_set_held(struct queue *q, struct queue_entry *e)
{
    change_state(q, e, QUEUE_HELD);
}

static void join_lane(struct queue *q, struct queue_entry *e, struct queue_lane *lane)
{
    e->lane = lane;
    e->pool = (uint16_t)lane->key.pool;
    list_append(&lane->entries, &e->in_lane);
    q->pools[e->pool]->counts.bytes += e->bytes;
}

int queue_set_pool(struct queue *q, struct queue_entry *e, uint16_t pool)
{
    enum queue_state state = e->state;
    struct queue_lane *lane = pool == e->pool ? NULL : lane_of(q, e->account, pool);
    if (!lane)
        return pool == e->pool ? MSA_OK : MSA_ENOMEM;
    leave_state(q, e);
    q->pools[e->pool]->counts.bytes -= e->bytes;
    leave_lane(q, e);
    join_lane(q, e, lane);
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
    if (queue_heap_reserve(&q->heap, q->by_id.count + 1) < 0 ||
        table_insert(&q->by_id, &e->by_id) < 0) {
        free(e);
        return NULL;
    }
    return e;
}

struct queue_entry *queue_add(struct queue *q, const struct queue_facts *facts)
{
    struct queue_lane *lane = lane_of(q, facts->account, facts->pool);
    struct queue_entry *e = lane ? insert_entry(q, facts->id) : NULL;
    if (lane && !e)
        drop_empty_lane(q, lane);
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
    e->heap_index = QUEUE_HEAP_NONE;
    list_init(&e->in_lane);
    list_init(&e->ready);
    join_lane(q, e, lane);
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
    q->pools[e->pool]->counts.bytes -= e->bytes;
    leave_lane(q, e);
    table_remove(&q->by_id, &e->by_id);
    free(e);
}

struct queue_entry *queue_take(struct queue *q, uint16_t pool)
{
    if (!queue_has_ready(q, pool))
        return NULL;
    struct list *ring = &q->pools[pool]->ring;
    struct queue_lane *lane = CONTAINER_OF(ring->next, struct queue_lane, in_ring);
    struct queue_entry *e = CONTAINER_OF(lane->ready.next, struct queue_entry, ready);
    list_remove(&lane->in_ring);
    list_append(ring, &lane->in_ring); /* its account's next one comes after everybody else's */
    queue_set_active(q, e);
    return e;
}

bool queue_has_ready(const struct queue *q, uint16_t pool)
{
    return pool < q->pool_count && q->pools[pool] && !list_is_empty(&q->pools[pool]->ring);
}

/* ---- time ---- */

enum queue_due queue_next_due(struct queue *q, int64_t now_ms, struct queue_entry **out)
{
    struct queue_entry *e = queue_heap_first(&q->heap);
    *out = e;
    if (!e || e->due_ms > now_ms)
        return QUEUE_DUE_NOTHING;
    if (now_ms - e->since_ms >= q->expiry_ms) {
        queue_set_active(q, e);
        return QUEUE_DUE_EXPIRY;
    }
    if (!e->is_noticed && q->notice_ms > 0 && now_ms - e->since_ms >= q->notice_ms) {
        e->is_noticed = true;
        change_state(q, e, e->state);
        return QUEUE_DUE_NOTICE;
    }
    MSA_ASSERT(e->state == QUEUE_WAITING);
    queue_set_ready(q, e);
    return QUEUE_DUE_ATTEMPT;
}

int64_t queue_wait_ms(const struct queue *q, int64_t now_ms)
{
    const struct queue_entry *e = queue_heap_first(&q->heap);
    if (!e || e->due_ms == INT64_MAX)
        return -1;
    return e->due_ms > now_ms ? e->due_ms - now_ms : 0;
}

static void refresh_due(struct queue_entry *e, void *arg)
{
    struct queue *q = arg;
    if (e->state != QUEUE_WAITING && e->state != QUEUE_READY)
        return;
    queue_heap_remove(&q->heap, e);
    e->due_ms = due_of(q, e);
    queue_heap_insert(&q->heap, e);
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
        struct queue_lane *lane = find_lane(q, account, (uint16_t)i);
        if (!lane)
            continue;
        /* The lane goes with its last entry: the one behind is looked up before each call. */
        struct list *at = lane->entries.next, *next;
        for (bool is_last = false; !is_last; at = next) {
            next = at->next;
            is_last = next == &lane->entries;
            fn(CONTAINER_OF(at, struct queue_entry, in_lane), arg);
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
