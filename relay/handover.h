/* ACCEPT: a client waits while its message goes to the smarthost or to the disk.
 *
 *      immediate ─→ trying ──250 for all──→ DELIVERED, the smarthost's text
 *                     │ └───5xx for all───→ REFUSED, the smarthost's reply, nothing kept
 *                     ├── anything else ──→ committing what is left ─→ QUEUED
 *                     └── deadline ───────→ committing all of it (the smarthost still has it: whatever it says later
 *                                           becomes progress of the queued message) ─→ QUEUED
 *      queue, held, not yet, no smarthost ─→ committing ─→ QUEUED, or FAILED with a 4xx
 *
 * 250 is said only after the smarthost's or after the commit. A connection lost behind the final dot commits the
 * message: it may arrive twice, it is never lost (RFC 1047). */
#ifndef RELAY_HANDOVER_H
#define RELAY_HANDOVER_H

#include "relay/state.h"

/* chan_handler_fn of relay_accept_ask; owner is the relay. */
int handover_on_ask(void *owner, struct chan *c, struct chan_message *m);

/* A session worker is gone: nobody waits for these answers any more. */
void handover_forget_chan(struct relay *r, const struct chan *c);
void handover_forget_all(struct relay *r); /* the same for every worker */

/* Marks what is under way for an account, so that it is held if it comes to the queue; the number. */
uint32_t handover_hold_account(struct relay *r, uint64_t account, unsigned reasons, bool is_held);

#endif
