/* Within the index: accounts, their lanes, and whose turn it is. A lane holds what an account has ready towards one
 * destination that is limited, or towards all that are not (wait NULL); a message to several destinations
 * stands in the lane of each.
 *
 *      free lane:  ready at once                                  ┐ lanes that may be taken from stand in their
 *      other lane: WAITING FOR ROOM ──granted──→ ready for one ───┤ account's list, accounts that have such a
 *                      └──── in its wait's ring ←── taken ────────┘ lane in their pool's turns
 *
 * Room that a destination has is given to the first lane of its ring at once, so a blocked destination is
 * looked at once per message that it takes and never per message that waits. */
#ifndef RELAY_QUEUE_LANE_H
#define RELAY_QUEUE_LANE_H

#include "relay/queue.h"
#include "relay/queue_turns.h"

struct queue_lane {
    struct table_entry by_key;
    struct {
        struct queue_account *account;
        struct queue_wait *wait; /* NULL: the free lane, part of the account */
    } key;
    struct list parts; /* ready ones */
    struct list place; /* in the account's list or the wait's ring, or nowhere */
    uint32_t ref_count; /* parts that belong here, ready or not */
    bool is_granted;
};

/* One pool and account. Lives while it has entries. */
struct queue_account {
    struct table_entry by_key;
    struct {
        uint64_t account;
        uint64_t pool;
    } key;
    struct queue_turn turn;
    struct list entries;
    struct list open; /* of lanes that may be taken from */
    struct queue_lane free;
};

struct queue_pool {
    struct queue_turns turns;
    struct queue_counts counts;
    uint64_t takeable_count; /* ready parts in free lanes, and grants */
    size_t account_count;
};

/* The pool's own, made when first used; NULL without memory. */
struct queue_pool *queue_pool_of(struct queue *q, uint16_t pool);
struct queue_pool *queue_pool_at(const struct queue *q, uint16_t pool); /* NULL: never used */

struct queue_account *queue_account_find(const struct queue *q, uint64_t account, uint16_t pool);
struct queue_account *queue_account_of(struct queue *q, uint64_t account, uint16_t pool); /* NULL: no memory */
void queue_account_drop_if_empty(struct queue *q, struct queue_account *a);

/* Gives `e` its parts towards `waits`, in the account that is its home; not while it is READY. Without memory it
 * gets one free part. */
void queue_parts_set(struct queue *q, struct queue_entry *e, struct queue_wait *const *waits,
                     uint32_t count);
void queue_parts_clear(struct queue *q, struct queue_entry *e);

/* READY begins and ends. */
void queue_parts_enter(struct queue *q, struct queue_entry *e);
void queue_parts_leave(struct queue *q, struct queue_entry *e);

#endif
