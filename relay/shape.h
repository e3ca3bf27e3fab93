/* Shaping: how much may go to which destination, in each pool. A destination is a configured group of domains, or a
 * domain by itself under the limits of `default`; what has no limits costs nothing here.
 *
 *      recipient → domain → gate (gate.h) of its destination in this pool; no gate: no limits
 *
 * Whoever begins a transaction asks shape_admit which of the message's recipients may go now: it takes what they need from
 * their gates and marks the others as left out of this attempt. The passes it gives stand for what was taken, and
 * are given back when the transaction is over. That is the only way to a transaction, for the queue and for clients, so
 * no limit is exceeded by either.
 *
 * What is ready in the queue and waits for room stands at its gates (queue.h); room that comes free, by the end of a
 * transaction or by time, goes to the first of those.
 *
 * Gates outlive a reload with what is under way and what was used. One loop's thread. */
#ifndef RELAY_SHAPE_H
#define RELAY_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "msa/io/loop.h"
#include "relay/gate.h"
#include "relay/message.h"
#include "relay/queue.h"

#define SHAPE_DOMAINS_MAX 10000 /* by themselves, in a pool; those beyond share the limits of one */

struct shapes; /* of all pools */
struct shape;  /* of one configured pool */

struct shape_gate {
    struct gate gate;
    struct queue_wait wait;
    struct table_entry by_name;
    struct shape *shape;
    struct timer timer;  /* when time makes room */
    uint64_t serial;     /* of the admission that looked last */
    uint32_t pass;       /* and what it has there; SHAPE_NO_PASS */
    bool is_group;       /* a configured one */
    bool is_current;     /* and still so */
    char *key;           /* the name, with a "=" before it for a group */
};

#define SHAPE_NO_PASS UINT32_MAX

struct shape_pass {
    struct shape_gate *gate;
    uint32_t rcpt_count;
};

/* What a transaction holds. All zero: nothing. */
struct shape_passes {
    struct shape_pass *items;
    uint32_t count;
};

/* Something of the pool with this number in the queue got room; or, with `shape`, the pool as a whole may send again. */
struct shape_events {
    void (*woken)(void *arg, uint16_t pool);
    void (*open)(void *arg, const struct shape *shape);
    void *arg;
};

/* Becomes the queue's hooks. Freed before the loop, after the queue and every pass. NULL: out of memory. */
struct shapes *shapes_new(struct loop *loop, struct queue *q, const struct shape_events *events);
void shapes_free(struct shapes **all);

/* From now on the limits are those of `config`, which outlives them. MSA_OK or MSA_ENOMEM. */
int shapes_configure(struct shapes *all, const struct config *config);
/* Forgets gates that nobody would miss; now and then. */
void shapes_sweep(struct shapes *all);

/* That of the pool called `name`; NULL: there are no limits in it. */
struct shape *shapes_find(const struct shapes *all, struct view name);

/* May the pool send at all just now? If not, `open` says when. */
bool shape_is_open(struct shape *s);

struct shape_ask {
    struct queue_wait *granted; /* the asker has room there; used or given back in any case. NULL: nowhere */
    bool is_whole;              /* all that could go, or nothing */
    bool is_rest_waiting;       /* those with an answer from before take no part */
};

/* Marks which recipients are left out and gives the number of the others; 0: nothing may be sent and nothing is held.
 * `s` NULL: no limits. */
uint32_t shape_admit(struct shape *s, struct message *m, const struct shape_ask *ask,
                     struct shape_passes *out);

/* The transaction is over, or never began. The passes are all zero then; again is fine. */
void shape_release(struct shape_passes *p, bool was_sent);

/* Room that queue_take gave, given back without an admission. NULL is fine. */
void shape_give_up(struct queue_wait *granted);

/* Where the pending recipients wait for room, for queue_set_waits, and the number; without those who have an answer from
 * before if `is_rest_waiting`. `s` NULL: none. */
uint32_t shape_waits(struct shape *s, const struct message *m, bool is_rest_waiting,
                     struct queue_wait *out[QUEUE_PARTS_MAX]);

/* For figures. */
const char *shape_gate_name(const struct shape_gate *g);
typedef void shape_each_fn(const struct shape_gate *g, void *arg);
void shape_each(const struct shape *s, shape_each_fn *fn, void *arg);
/* The name of the recipient's destination: that of a configured one, else the domain; into `out`. */
void shape_destination(const struct shapes *all, struct view path, char out[256], bool *is_group);

#endif
