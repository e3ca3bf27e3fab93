/* What policy does for the console: the operations of the API. Each file has a table of its own. */
#ifndef POLICY_OPS_H
#define POLICY_OPS_H

#include "msa/ipc/admin.h"
#include "msa/ipc/chan.h"

chan_handler_fn policy_on_admin;

#define POLICY_OPS_RESTRICTION_COUNT 6
extern const struct admin_op policy_ops_restriction[POLICY_OPS_RESTRICTION_COUNT];

#define POLICY_OPS_MAILBOX_COUNT 3
extern const struct admin_op policy_ops_mailbox[POLICY_OPS_MAILBOX_COUNT];

#define POLICY_OPS_ACCOUNT_COUNT 7
extern const struct admin_op policy_ops_account[POLICY_OPS_ACCOUNT_COUNT];

#define POLICY_OPS_RULES_COUNT 3
extern const struct admin_op policy_ops_rules[POLICY_OPS_RULES_COUNT];

#define POLICY_OPS_SIGN_IN_COUNT 1
extern const struct admin_op policy_ops_sign_in[POLICY_OPS_SIGN_IN_COUNT];

#define POLICY_OPS_CONSOLE_COUNT 3
extern const struct admin_op policy_ops_console[POLICY_OPS_CONSOLE_COUNT];

#define POLICY_OPS_OUTCOME_COUNT 1
extern const struct admin_op policy_ops_outcome[POLICY_OPS_OUTCOME_COUNT];

#define POLICY_OPS_POSTFIX_COUNT 1
extern const struct admin_op policy_ops_postfix[POLICY_OPS_POSTFIX_COUNT];

/* 200 with `answer` (taken over) when all that was put is on the disk. */
struct policy;
void policy_reply_when_durable(struct policy *p, const struct admin_call *call, json_t *answer);

/* A peer is gone: what it asked for is done, but it hears no more of it. */
void policy_ops_account_drop_peer(struct policy *p, const struct chan *c);

#endif
