/* What operators and policy say about queued messages: hold, release, flush, delete. */
#ifndef RELAY_HOLD_H
#define RELAY_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/state.h"

/* Holds one entry for these reasons (bits of enum hold_reason), or takes them away, in the index at once and on disk
 * soon. It is let go with the last reason. While it is being delivered a hold takes effect when it comes back. True:
 * that changed whether it is held. */
bool hold_entry(struct relay *r, struct queue_entry *e, unsigned reasons, bool is_held);
void hold_now(struct relay *r, struct queue_entry *e); /* what is put back and was to be held */
/* Everything of an account that has not left, clients' messages under way included; the number. */
uint32_t hold_account(struct relay *r, uint64_t account, unsigned reasons, bool is_held);

/* Tries now, whatever the schedule says; not what is held or under way. With all of them it leaves what its sender wants
 * to go later (FUTURERELEASE). */
void hold_flush(struct relay *r, struct queue_entry *e);
uint32_t hold_flush_all(struct relay *r);

/* Removes a message. `why`, a sentence, is told to its sender in a bounce; NULL: nothing is. MSA_OK, MSA_EAGAIN: it is
 * being delivered, or another failure with nothing done. */
int hold_delete(struct relay *r, struct queue_entry *e, const char *why);

/* A damaged record goes to the table of damaged ones. */
void hold_set_aside(struct relay *r, uint64_t id);

#endif
