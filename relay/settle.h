/* What follows from an attempt, or from time: progress on disk, the next attempt, notices. Shared by the queue's
 * deliveries and by clients' messages that go to the queue. */
#ifndef RELAY_SETTLE_H
#define RELAY_SETTLE_H

#include "relay/bounce.h"
#include "relay/change.h"
#include "relay/delivery.h"
#include "relay/schedule.h"

/* Why a message is given up that the smarthost did not refuse. */
struct settle_reason {
    const char *status; /* "4.4.7" */
    const char *why;    /* a sentence */
};

/* Adds to `c` the notices that the states of `m` call for: failures, and successes where the next server does not
 * speak DSN. `reason` may be NULL: the answers say it. MSA_OK or negative. */
int settle_add_notices(struct relay *r, struct change *c, const struct message *m,
                       const struct settle_reason *reason, bool was_dsn_spoken);

/* Counts an attempt and sets when the next one is: later, or at once when the smarthost only asked for fewer
 * recipients at a time. */
void settle_plan_retry(const struct relay *r, struct message *m);

/* ACTIVE entries whose message could not be read, for good or for now. */
void settle_unreadable(struct relay *r, struct queue_entry *e, int err);
void settle_expire(struct relay *r, struct queue_entry *e); /* an ACTIVE entry */
void settle_send_delay_notice(struct relay *r, struct queue_entry *e);
/* Fails every pending recipient, tells the sender if `is_returned`, removes the message. The entry is
 * ACTIVE. MSA_OK, or negative with nothing done. */
int settle_give_up(struct relay *r, struct queue_entry *e, const struct settle_reason *reason,
                   bool is_returned);

/* Puts an ACTIVE entry back where it belongs; the time is that of the wall clock. */
void settle_put_back(struct relay *r, struct queue_entry *e, int64_t next_attempt_ms);

#endif
