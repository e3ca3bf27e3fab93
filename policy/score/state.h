/* Inside of the score role: what its loop owns. */
#ifndef POLICY_SCORE_STATE_H
#define POLICY_SCORE_STATE_H

#include "msa/ipc/admin.h"
#include "msa/ipc/role.h"
#include "policy/score/jobs.h"
#include "policy/score/trainer.h"

struct score {
    struct loop *loop;
    struct news_teller news;
    unsigned index;
    const char *state_dir;
    const struct config *config;
    struct score_jobs *jobs; /* NULL before the first configuration */
    struct knowledge *knowledge; /* NULL before the first configuration */
    struct trainer *trainer;     /* of the first process; NULL: there is no database */
    struct timer drain_timer;
    role_drained_fn *drained; /* NULL: not draining */
    void *drained_arg;
};

/* ops.c: the handler of IPC_admin_ask. */
int score_on_admin(void *owner, struct chan *c, struct chan_message *m);

/* ops_learn.c */
extern const struct admin_op score_learn_ops[];
extern const size_t score_learn_op_count;

#endif
