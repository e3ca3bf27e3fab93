#include "relay/queue_lane.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "relay/queue_impl.h"

#define POOLS_STEP 16

/* ---- pools and accounts ---- */

struct queue_pool *queue_pool_at(const struct queue *q, uint16_t pool)
{
    return pool < q->pool_count ? q->pools[pool] : NULL;
}

struct queue_pool *queue_pool_of(struct queue *q, uint16_t pool)
{
    if (pool >= q->pool_count) {
        size_t count = (size_t)pool + POOLS_STEP;
        struct queue_pool **grown = realloc(q->pools, count * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + q->pool_count, 0, (count - q->pool_count) * sizeof *grown);
        q->pools = grown;
        q->pool_count = count;
    }
    if (!q->pools[pool]) {
        q->pools[pool] = calloc(1, sizeof **q->pools);
        if (q->pools[pool])
            queue_turns_init(&q->pools[pool]->turns);
    }
    return q->pools[pool];
}

struct queue_account *queue_account_find(const struct queue *q, uint64_t account, uint16_t pool)
{
    uint64_t key[2] = {account, pool};
    struct table_entry *found = table_find(&q->accounts, view_of((const char *)key, sizeof key));
    return found ? CONTAINER_OF(found, struct queue_account, by_key) : NULL;
}

static void lane_init(struct queue_lane *lane, struct queue_account *account, struct queue_wait *wait)
{
    lane->key.account = account;
    lane->key.wait = wait;
    lane->by_key.key = view_of((const char *)&lane->key, sizeof lane->key);
    list_init(&lane->parts);
    list_init(&lane->place);
}

struct queue_account *queue_account_of(struct queue *q, uint64_t account, uint16_t pool)
{
    struct queue_account *a = queue_account_find(q, account, pool);
    struct queue_pool *p = a ? NULL : queue_pool_of(q, pool);
    if (a || !p || queue_turns_reserve(&p->turns, p->account_count + 1) < 0)
        return a;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->key.account = account;
    a->key.pool = pool;
    a->by_key.key = view_of((const char *)&a->key, sizeof a->key);
    a->turn.node.place = HEAP_NOWHERE;
    list_init(&a->entries);
    list_init(&a->open);
    lane_init(&a->free, a, NULL);
    if (table_insert(&q->accounts, &a->by_key) < 0) {
        free(a);
        return NULL;
    }
    p->account_count++;
    return a;
}

void queue_account_drop_if_empty(struct queue *q, struct queue_account *a)
{
    if (!list_is_empty(&a->entries))
        return;
    MSA_ASSERT(list_is_empty(&a->open) && a->free.ref_count == 0);
    queue_pool_at(q, (uint16_t)a->key.pool)->account_count--;
    table_remove(&q->accounts, &a->by_key);
    free(a);
}

static struct queue_pool *pool_of(const struct queue *q, const struct queue_lane *lane)
{
    return queue_pool_at(q, (uint16_t)lane->key.account->key.pool);
}

/* ---- lanes that may be taken from ---- */

static void open_lane(struct queue *q, struct queue_lane *lane)
{
    struct queue_account *a = lane->key.account;
    if (list_is_empty(&a->open))
        queue_turns_join(&pool_of(q, lane)->turns, &a->turn);
    list_append(&a->open, &lane->place);
}

static void close_lane(struct queue *q, struct queue_lane *lane)
{
    struct queue_account *a = lane->key.account;
    list_remove(&lane->place);
    if (list_is_empty(&a->open))
        queue_turns_leave(&pool_of(q, lane)->turns, &a->turn);
}

/* ---- waiting for room ---- */

static void grant(struct queue *q, struct queue_lane *lane)
{
    list_remove(&lane->place);
    lane->is_granted = true;
    pool_of(q, lane)->takeable_count++;
    open_lane(q, lane);
    q->hooks.woken(q->hooks.arg, (uint16_t)lane->key.account->key.pool);
}

void queue_wait_serve(struct queue *q, struct queue_wait *w)
{
    while (!list_is_empty(&w->lanes) && q->hooks.take(q->hooks.arg, w))
        grant(q, CONTAINER_OF(w->lanes.next, struct queue_lane, place));
}

static void park(struct queue *q, struct queue_lane *lane)
{
    list_append(&lane->key.wait->lanes, &lane->place);
    queue_wait_serve(q, lane->key.wait);
}

static void end_grant(struct queue *q, struct queue_lane *lane)
{
    lane->is_granted = false;
    pool_of(q, lane)->takeable_count--;
    close_lane(q, lane);
}

/* ---- parts ---- */

static struct queue_lane *lane_of(struct queue *q, struct queue_account *a, struct queue_wait *wait)
{
    if (!wait)
        return &a->free;
    struct queue_lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL;
    lane_init(lane, a, wait);
    struct table_entry *found = table_find(&q->lanes, lane->by_key.key);
    if (!found && table_insert(&q->lanes, &lane->by_key) == MSA_OK) {
        wait->lane_count++;
        return lane;
    }
    free(lane);
    return found ? CONTAINER_OF(found, struct queue_lane, by_key) : NULL;
}

static void release_lane(struct queue *q, struct queue_lane *lane)
{
    if (--lane->ref_count > 0 || !lane->key.wait)
        return;
    lane->key.wait->lane_count--;
    table_remove(&q->lanes, &lane->by_key);
    free(lane);
}

static void set_part(struct queue_part *part, struct queue_entry *e, struct queue_lane *lane)
{
    part->entry = e;
    part->lane = lane;
    list_init(&part->link);
    lane->ref_count++;
}

static bool set_parts(struct queue *q, struct queue_entry *e, struct queue_wait *const *waits,
                      uint32_t count)
{
    if (count > 1)
        e->more = calloc(count - 1, sizeof *e->more);
    if (count > 1 && !e->more)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct queue_lane *lane = lane_of(q, e->home, waits[i]);
        if (!lane)
            return false;
        set_part(i == 0 ? &e->part : &e->more[e->more_count++], e, lane);
    }
    return true;
}

void queue_parts_clear(struct queue *q, struct queue_entry *e)
{
    if (e->part.lane)
        release_lane(q, e->part.lane);
    e->part.lane = NULL;
    for (uint8_t i = 0; i < e->more_count; i++)
        release_lane(q, e->more[i].lane);
    free(e->more);
    e->more = NULL;
    e->more_count = 0;
}

void queue_parts_set(struct queue *q, struct queue_entry *e, struct queue_wait *const *waits,
                     uint32_t count)
{
    static struct queue_wait *const nothing[1] = {NULL};
    MSA_ASSERT(e->state != QUEUE_READY && count <= QUEUE_PARTS_MAX);
    queue_parts_clear(q, e);
    if (count > 0 && set_parts(q, e, waits, count))
        return;
    queue_parts_clear(q, e);
    (void)set_parts(q, e, nothing, 1); /* allocates nothing */
}

static void enter_part(struct queue *q, struct queue_part *part)
{
    struct queue_lane *lane = part->lane;
    bool was_empty = list_is_empty(&lane->parts);
    list_append(&lane->parts, &part->link);
    if (!lane->key.wait) {
        pool_of(q, lane)->takeable_count++;
        if (was_empty)
            open_lane(q, lane);
    } else {
        lane->key.wait->part_count++;
        if (was_empty)
            park(q, lane);
    }
}

static void leave_part(struct queue *q, struct queue_part *part)
{
    struct queue_lane *lane = part->lane;
    if (list_is_empty(&part->link))
        return; /* it was taken */
    list_remove(&part->link);
    bool is_empty = list_is_empty(&lane->parts);
    if (!lane->key.wait) {
        pool_of(q, lane)->takeable_count--;
        if (is_empty)
            close_lane(q, lane);
        return;
    }
    lane->key.wait->part_count--;
    if (is_empty && lane->is_granted) {
        end_grant(q, lane);
        q->hooks.give_back(q->hooks.arg, lane->key.wait);
    } else if (is_empty) {
        list_remove(&lane->place);
    }
}

void queue_parts_enter(struct queue *q, struct queue_entry *e)
{
    enter_part(q, &e->part);
    for (uint8_t i = 0; i < e->more_count; i++)
        enter_part(q, &e->more[i]);
}

void queue_parts_leave(struct queue *q, struct queue_entry *e)
{
    leave_part(q, &e->part);
    for (uint8_t i = 0; i < e->more_count; i++)
        leave_part(q, &e->more[i]);
}

/* ---- taking ---- */

/* The lane's next one comes after the account's other lanes; a grant was for one. */
static void move_on(struct queue *q, struct queue_lane *lane)
{
    struct queue_account *a = lane->key.account;
    bool has_more = !list_is_empty(&lane->parts);
    if (lane->key.wait) {
        lane->key.wait->part_count--;
        end_grant(q, lane);
        if (has_more)
            park(q, lane);
        return;
    }
    pool_of(q, lane)->takeable_count--;
    if (has_more) {
        list_remove(&lane->place);
        list_append(&a->open, &lane->place);
    } else {
        close_lane(q, lane);
    }
}

struct queue_entry *queue_take(struct queue *q, uint16_t pool, struct queue_wait **granted_out)
{
    struct queue_pool *p = queue_pool_at(q, pool);
    struct queue_turn *turn = p ? queue_turns_first(&p->turns) : NULL;
    *granted_out = NULL;
    if (!turn)
        return NULL;
    struct queue_account *a = CONTAINER_OF(turn, struct queue_account, turn);
    struct queue_lane *lane = CONTAINER_OF(a->open.next, struct queue_lane, place);
    struct queue_part *part = CONTAINER_OF(lane->parts.next, struct queue_part, link);
    struct queue_entry *e = part->entry;
    queue_turns_charge(&p->turns, turn, 1);
    *granted_out = lane->key.wait;
    list_remove(&part->link);
    move_on(q, lane);
    queue_set_active(q, e);
    return e;
}

void queue_charge(struct queue *q, struct queue_entry *e, uint64_t rcpt_count)
{
    queue_turns_charge(&queue_pool_at(q, e->pool)->turns, &e->home->turn, rcpt_count);
}

uint64_t queue_takeable_count(const struct queue *q, uint16_t pool)
{
    const struct queue_pool *p = queue_pool_at(q, pool);
    return p ? p->takeable_count : 0;
}
