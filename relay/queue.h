/* The index of queued messages in memory: what is due when, what is ready for which pool, and whose
 * turn it is. Everything else stays on disk until a message is sent.
 *
 *      WAITING ──due──→ READY ──take──→ ACTIVE ──→ removed, or WAITING, READY, HELD again
 *         └────hold────────┴── HELD ──release──→ READY
 *
 * Ready messages stand in lanes, one per pool and account, and queue_take goes round the lanes of a
 * pool: an account with a hundred thousand messages delays another's one message by one. A heap orders what
 * has to happen by time (attempt, delay notice, expiry). No call but queue_each, queue_each_of and
 * queue_set_ages looks at more than a few entries.
 *
 * Times are clock_mono_ms, so a step of the wall clock neither expires nor delays anything. */
#ifndef RELAY_QUEUE_H
#define RELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct queue_lane;

struct queue_entry {
    struct table_entry by_id;
    struct list in_lane; /* of all entries of its pool and account */
    struct list ready;   /* in lane's ready list */
    struct queue_lane *lane;
    uint64_t id;
    uint64_t account;
    uint64_t bytes;
    int64_t since_ms; /* its age counts from here */
    int64_t next_ms;  /* of the next attempt, while WAITING */
    int64_t due_ms;   /* key in the heap */
    uint32_t heap_index;
    uint32_t attempt_count;
    uint16_t pool;
    uint16_t name;    /* of its pool in the envelope: queue_pool_name */
    uint8_t state;    /* enum queue_state */
    bool is_noticed;  /* the delay notice is out */
    bool is_large;
    uint8_t held_for; /* bits of enum hold_reason; while ACTIVE: whoever gives it back leaves it HELD */
};

struct queue;

struct queue *queue_new(void); /* NULL: out of memory */
void queue_free(struct queue **q);

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

/* The next ready message of `pool`, fairly among accounts; it is ACTIVE now. NULL: none. */
struct queue_entry *queue_take(struct queue *q, uint16_t pool);
bool queue_has_ready(const struct queue *q, uint16_t pool);

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
