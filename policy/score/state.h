/* Inside of the score role: what its loop owns. */
#ifndef POLICY_SCORE_STATE_H
#define POLICY_SCORE_STATE_H

#include "msa/ipc/admin.h"
#include "msa/ipc/role.h"
#include "policy/score/jobs.h"

struct score {
    struct loop *loop;
    const struct config *config;
    struct score_jobs *jobs; /* NULL before the first configuration */
    struct timer drain_timer;
    role_drained_fn *drained; /* NULL: not draining */
    void *drained_arg;
};

/* ops.c: the handler of IPC_admin_ask. */
int score_on_admin(void *owner, struct chan *c, struct chan_message *m);

#endif
