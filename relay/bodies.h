/* Descriptors that sessions write bodies to, and the answer to "is there room for more?". */
#ifndef RELAY_BODIES_H
#define RELAY_BODIES_H

#include "relay/state.h"

#define BODIES_SMALL_MAX (1u << 20) /* whatever queue.body_inline_limit says */

/* chan_handler_fn of relay_body_ask; owner is the relay. */
int bodies_on_ask(void *owner, struct chan *c, struct chan_message *m);

/* MSA_OK while mail can be taken. MSA_EFULL: the queue or the disk is full; MSA_EIO: a sync failed; MSA_EAGAIN: the role
 * is on its way out. The file system is asked once a second at most. */
int bodies_refusal(struct relay *r);

#endif
