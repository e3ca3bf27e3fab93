/* DKIM signatures on what is about to be sent: relay/dkim does the work in threads, this gives it messages and puts
 * the fields in front of them. A signature is made anew for each attempt, is sent as the first bytes of the message,
 * and is never stored.
 *
 * Deliveries of the queue are fetched ahead of the links that will want them, as many per pool as it may have
 * links (within bounds), so that no link waits for a signature. Without a key in the configuration nothing of this
 * happens. A message that should be signed and cannot be is never sent: it is tried again later.
 *
 * The loop's thread only. */
#ifndef RELAY_SIGNING_H
#define RELAY_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "relay/pool.h"
#include "relay/state.h"

struct signing;

struct signing_counts { /* messages, per attempt, since the start */
    uint64_t signed_count;
    uint64_t unsigned_count; /* there is no key for their From */
    uint64_t failed_count;
};

struct signing *signing_new(struct relay *r); /* NULL: out of memory */
/* The threads. MSA_OK or MSA_ENOMEM. */
int signing_start(struct signing *s, unsigned thread_count);
/* While the pools are still there: waits for what is being signed, and gives all deliveries back, NOT_TRIED. */
void signing_free(struct signing **s);

/* What a configuration means for it. NULL with a text in `why_not`. */
struct signing_plan;
struct signing_plan *signing_plan_new(const struct config *config, uint32_t pool_count, char *why_not,
                                      size_t size);
void signing_plan_free(struct signing_plan **plan); /* NULL is fine */
/* Takes it over, when r->pools are already the new ones. What was fetched ahead goes back to the queue; what is being
 * signed for a client goes on with the key that it began with. */
void signing_set_plan(struct signing *s, struct signing_plan *plan);

/* True when there are keys: then a message goes through signing_begin before a pool gets it. */
bool signing_is_on(const struct signing *s);

/* Called once, in the loop, never from inside signing_begin. MSA_OK: `m` carries its signature, or there is no key for
 * it. */
typedef void signing_done_fn(void *arg, int err);
/* `m` stays the caller's and may not be changed or freed before `done`. MSA_OK; or MSA_EFULL or MSA_ENOMEM with
 * nothing begun. */
int signing_begin(struct signing *s, struct message *m, signing_done_fn *done, void *arg);

/* schedule_next and schedule_ready for pools, with signatures (`arg`: the relay). */
struct delivery *signing_next(void *arg, struct pool *p);
uint64_t signing_ready(void *arg, const struct pool *p);

/* By the minute: what has been ready for long (its pool has no link any more) goes back to the queue. */
void signing_give_back_old(struct signing *s);

void signing_get_counts(const struct signing *s, struct signing_counts *out);

#endif
