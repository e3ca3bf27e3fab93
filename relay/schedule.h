/* When queued messages are tried, and what becomes of them: the index is filled at the start, pools are given
 * their next message, answers become progress on disk, later attempts, bounces. */
#ifndef RELAY_SCHEDULE_H
#define RELAY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"
#include "relay/state.h"

/* Reads the spool into the index. MSA_OK or negative with a log line. */
int schedule_load(struct relay *r);
/* The configuration has changed: ages, and every entry's pool. */
void schedule_reconfigure(struct relay *r);

/* A message that is durable enters the index: held, waiting or ready as its fields say; with `is_active` it is being
 * delivered already and its delivery will end in schedule_on_done. MSA_OK or negative. */
int schedule_add(struct relay *r, const struct message *m, bool is_active);

/* The entry's pool has something to do. */
void schedule_wake(const struct relay *r, const struct queue_entry *e);

/* shape_events: `arg` is the relay. */
void schedule_on_woken(void *arg, uint16_t pool);
void schedule_on_open(void *arg, const struct shape *shape);

/* The limits that hold in the pool, or NULL. */
struct shape *schedule_shape_of(const struct relay *r, const struct pool *p);
/* Tells the index where the entry waits for room, from its message. */
void schedule_set_waits(struct relay *r, struct queue_entry *e, const struct message *m, bool is_rest_waiting);

/* pool_ready_fn and pool_next_fn: `arg` is the relay. */
uint64_t schedule_ready(void *arg, const struct pool *p);
struct delivery *schedule_next(void *arg, struct pool *p);
/* delivery_done_fn of what schedule_next gave, and of a client's delivery whose message went to the queue
 * meanwhile: d->arg is the relay, `d` and its message are freed here. */
void schedule_on_done(struct delivery *d, enum delivery_end end);

/* Milliseconds until attempt number `attempt_count` + 1: the configured wait, a tenth more or less by
 * `random` (any number), so that what failed together does not come back together. */
int64_t schedule_wait_ms(const struct config_durations *retry, uint32_t attempt_count, uint32_t random);

/* Starts the timer for what is due next. */
void schedule_rearm(struct relay *r);

#endif
