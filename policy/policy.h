/* policy: decides. The only process that knows rules and counters; it sees no password and no body.
 *
 * role.c takes the questions and gives the answers, decide.c knows what the answer is, quota.c counts. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "msa/ipc/role.h"

extern const struct role_ops policy_role;

#endif
