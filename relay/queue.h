/* The index of queued messages in memory: what is due when, what is ready for which pool, and whose
 * turn it is. Everything else stays on disk until a message is sent.
 *
 *      WAITING ──due──→ READY ──take──→ ACTIVE ──→ removed, or WAITING, READY, HELD again
 *         └────hold────────┴── HELD ──release──→ READY
 *
 * queue_take gives each account of a pool the same number of recipients: one with a hundred thousand messages delays
 * another's one message by one. What is ready for a destination without room stands aside until room is given to it
 * (struct queue_wait), fairly among accounts, too. A heap orders what has to happen by time (attempt,
 * delay notice, expiry). No call but queue_each, queue_each_of and queue_set_ages looks at more than a few
 * entries; the others cost O(log n) at most, however many wait for room.
 *
 * Times are clock_mono_ms, so a step of the wall clock neither expires nor delays anything. */
#ifndef RELAY_QUEUE_H
#define RELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/heap.h"
#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/base/view.h"

enum queue_state {
    QUEUE_WAITING = 0,
    QUEUE_READY,
    QUEUE_ACTIVE, /* somebody delivers, bounces or removes it */
    QUEUE_HELD,
    QUEUE_STATE_COUNT,
};

const char *queue_state_name(enum queue_state state);

struct queue_account;
struct queue_lane;

/* A destination with limits, as the index knows it: who waits for room there. Embedded in whatever keeps the
 * limits, which may free it while lane_count is 0. */
struct queue_wait {
    struct list lanes;   /* of lanes that wait, in order */
    uint64_t part_count; /* messages that are ready for it, with room or without */
    uint64_t lane_count; /* that know it */
};

#define QUEUE_PARTS_MAX 32

/* A message as it stands in one lane. */
struct queue_part {
    struct list link; /* while READY */
    struct queue_lane *lane;
    struct queue_entry *entry;
};

struct queue_entry {
    struct table_entry by_id;
    struct list in_account; /* of all entries of its pool and account */
    struct queue_account *home;
    struct queue_part part;  /* the first, often the only one */
    struct queue_part *more; /* NULL: none */
    uint64_t id;
    uint64_t account;
    uint64_t bytes;
    int64_t since_ms; /* its age counts from here */
    int64_t next_ms;  /* of the next attempt, while WAITING */
    int64_t due_ms;   /* where `due` stands */
    struct heap_node due;
    uint32_t attempt_count;
    uint16_t pool;
    uint16_t name;    /* of its pool in the envelope: queue_pool_name */
    uint8_t state;    /* enum queue_state */
    bool is_noticed;  /* the delay notice is out */
    bool is_large;
    uint8_t held_for; /* bits of enum hold_reason; while ACTIVE: whoever gives it back leaves it HELD */
    bool is_released; /* since_ms is of that, perhaps not yet on disk */
    bool is_rest_waiting; /* READY, but for some recipients only from next_ms on */
    uint8_t more_count;
};

struct queue;

struct queue *queue_new(void); /* NULL: out of memory */
void queue_free(struct queue **q);

/* How the index asks for room. Called from inside calls of this header; may not call it. */
struct queue_hooks {
    bool (*take)(void *arg, struct queue_wait *w);      /* room for one message? then it is taken */
    void (*give_back)(void *arg, struct queue_wait *w); /* who got it has gone without using it */
    void (*woken)(void *arg, uint16_t pool);            /* room was given to something of this pool */
    void *arg;
};
void queue_set_hooks(struct queue *q, const struct queue_hooks *hooks);

void queue_wait_init(struct queue_wait *w);
/* There may be room again: gives it to those who wait, in turn. */
void queue_wait_serve(struct queue *q, struct queue_wait *w);
/* What an entry is known to wait for, QUEUE_PARTS_MAX at most; a NULL stands for all destinations without limits, and so
 * does a count of 0. It is a hint: whoever takes the message looks at what it really needs. From any state. */
void queue_set_waits(struct queue *q, struct queue_entry *e, struct queue_wait *const *waits,
                     uint32_t count);

/* Age at which a message expires, and at which its sender is told of the delay (0: never). Moves
 * everything that stands in the heap. */
void queue_set_ages(struct queue *q, int64_t expiry_ms, int64_t notice_ms);

/* The number of a pool's name as envelopes carry it; 0 once 4,096 names are known. */
uint16_t queue_name_of(struct queue *q, struct view pool_name);
struct view queue_pool_name(const struct queue *q, uint16_t name);

struct queue_facts {
    uint64_t id;
    uint64_t account;
    uint64_t bytes;
    int64_t since_ms;
    int64_t next_ms; /* with QUEUE_WAITING */
    uint32_t attempt_count;
    uint16_t pool;
    uint16_t name;
    enum queue_state state;
    bool is_noticed;
    bool is_large;
    uint8_t held_for; /* with QUEUE_HELD and QUEUE_ACTIVE */
    struct queue_wait *const *waits; /* as for queue_set_waits */
    uint32_t wait_count;
};

/* NULL: out of memory, or the id is there already. */
struct queue_entry *queue_add(struct queue *q, const struct queue_facts *facts);
struct queue_entry *queue_find(const struct queue *q, uint64_t id); /* NULL if absent */
void queue_remove(struct queue *q, struct queue_entry *e);          /* frees it */

/* Changes of state, from any state. */
void queue_set_waiting(struct queue *q, struct queue_entry *e, int64_t next_ms);
void queue_set_ready(struct queue *q, struct queue_entry *e);
void queue_set_active(struct queue *q, struct queue_entry *e);
void queue_set_held(struct queue *q, struct queue_entry *e);
/* After a reload; keeps the state. MSA_OK or MSA_ENOMEM with the entry where it was. */
int queue_set_pool(struct queue *q, struct queue_entry *e, uint16_t pool);

/* READY now for some recipients, and for the rest when next_ms has come (as QUEUE_DUE_ATTEMPT). */
void queue_set_ready_in_part(struct queue *q, struct queue_entry *e, int64_t next_ms);

/* The next ready message of `pool`, fairly among accounts; it is ACTIVE now, and room at *granted_out, if that is not
 * NULL, is the caller's. NULL: none. */
struct queue_entry *queue_take(struct queue *q, uint16_t pool, struct queue_wait **granted_out);
/* Its account got so many recipients beyond the one that queue_take counts. */
void queue_charge(struct queue *q, struct queue_entry *e, uint64_t rcpt_count);
/* How many could be taken now: an upper bound, but 0 only if there is none. */
uint64_t queue_takeable_count(const struct queue *q, uint16_t pool);

enum queue_due {
    QUEUE_DUE_NOTHING = 0,
    QUEUE_DUE_ATTEMPT, /* it is READY now */
    QUEUE_DUE_NOTICE,  /* it is marked as noticed now, its state is unchanged */
    QUEUE_DUE_EXPIRY,  /* it is ACTIVE now: bounce and remove it */
};

/* What has become due by `now_ms`, one thing per call. */
enum queue_due queue_next_due(struct queue *q, int64_t now_ms, struct queue_entry **out);
int64_t queue_wait_ms(const struct queue *q, int64_t now_ms); /* until something is due; -1: never */

/* `fn` may change or remove the entry that it is given and no other. */
typedef void queue_each_fn(struct queue_entry *e, void *arg);
void queue_each(struct queue *q, queue_each_fn *fn, void *arg);
void queue_each_of(struct queue *q, uint64_t account, queue_each_fn *fn, void *arg);

struct queue_counts {
    uint64_t by_state[QUEUE_STATE_COUNT];
    uint64_t bytes;
};

void queue_count_pool(const struct queue *q, uint16_t pool, struct queue_counts *out);
void queue_count_all(const struct queue *q, struct queue_counts *out);

#endif
