/* Webhooks: policy has an event for a program of the operator; relay, which alone may
 * connect, calls it. One attempt for each question; policy tries again. Signed over time
 * and body, so that the program knows who calls and can refuse what is old:
 *
 *   Msad-Event: suspended
 *   Msad-Delivery: 0qh3qd0000001                    the same when it is tried again
 *   Msad-Signature: t=1780000000,v1=<hex of HMAC-SHA256(secret, "1780000000.<body>")> */
#ifndef RELAY_WEBHOOK_H
#define RELAY_WEBHOOK_H

#include "relay/state.h"

int webhook_on_ask(void *owner, struct chan *c,
                   struct chan_message *m); /* owner is the relay */

/* Before the resolver in force is given up: who waits for a name is told that nothing
 * came of it. */
void webhook_forget_names(struct relay *r);
/* Policy is gone, or the role ends: nobody wants the answers. */
void webhook_forget_all(struct relay *r);

#define WEBHOOK_SIGNATURE_SIZE 112 /* with NUL */

/* What stands behind "Msad-Signature: ". MSA_OK or MSA_ENOMEM. */
int webhook_sign(struct view secret, int64_t at_s, struct view body,
                 char out[WEBHOOK_SIGNATURE_SIZE]);

#endif
