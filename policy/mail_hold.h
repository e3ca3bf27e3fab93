/* What an account has queued is held while it is suspended and let go when it is
 * released, however often relay has to be asked: what it did not answer is asked again. A
 * restart of this process remembers what is to be held, from the restrictions that stand;
 * a release whose answer it did not live to see is asked for by `msactl queue release`.
 */
#ifndef POLICY_MAIL_HOLD_H
#define POLICY_MAIL_HOLD_H

#include "policy/state.h"

void mail_hold_init(struct policy *p);
/* Relay's channel is gone, and with it the questions that were open. */
void mail_hold_fini(struct policy *p);

void mail_hold(struct policy *p, uint64_t account);
/* What is held for these reasons only, bits of enum hold_reason. */
void mail_let_go(struct policy *p, uint64_t account, unsigned reasons);

/* By timer: what failed is asked again. */
void mail_hold_retry(struct policy *p);
/* Relay has come (again). */
void mail_hold_tell_relay(struct policy *p);

#endif
