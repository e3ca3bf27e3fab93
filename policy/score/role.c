/* The score process. The body comes as a descriptor, to be read by offset and never written. */
#include "policy/score/score.h"

#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/ipc/admin.h"

struct score {
    const struct config *config;
    uint64_t asked;
    uint64_t bytes;
};

/* A neutral score says "not scored": policy must not take it for a clean bill. */
static int on_score(void *owner, struct chan *c, struct chan_message *m)
{
    struct score *s = owner;
    struct msg_score_ask ask;
    if (msg_score_ask_decode(m->payload, &ask) < 0 || m->fd_count != 1)
        return MSA_EPROTO;
    s->asked++;
    s->bytes += ask.body_bytes;
    struct msg_score_answer answer = {
        .is_scored = false,
        .score_milli = s->config->score.neutral_score_milli,
    };
    CHAN_SEND(c, score_answer, m->id, &answer);
    return MSA_OK;
}

static void op_status(void *state, const struct admin_call *call)
{
    const struct score *s = state;
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:I, s:I, s:I}", "asked", (json_int_t)s->asked, "scored",
                          (json_int_t)0, "bytes", (json_int_t)s->bytes));
}

static const struct admin_op ops[] = {
    {"score.status", op_status, false},
};

static int on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(ops, sizeof ops / sizeof ops[0], owner, c, m);
}

static int score_open(const struct role_env *env, void **state_out)
{
    (void)env;
    *state_out = calloc(1, sizeof(struct score));
    return *state_out ? MSA_OK : MSA_ENOMEM;
}

static int score_take_config(void *state, const struct role_config *next, char *why_not,
                             size_t why_not_size)
{
    struct score *s = state;
    (void)why_not, (void)why_not_size;
    s->config = next->config;
    return MSA_OK;
}

static int score_serve(void *state)
{
    (void)state;
    return MSA_OK;
}

static void score_peer(void *state, struct chan *c)
{
    (void)state, (void)c;
}

static void score_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    (void)state, (void)within_ms;
    done(arg, 0);
}

static void score_close(void **state)
{
    free(*state);
    *state = NULL;
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_score_ask] = on_score,
    [IPC_admin_ask] = on_admin,
};

const struct role_ops score_role = {
    .role = ROLE_SCORE,
    .open = score_open,
    .take_config = score_take_config,
    .serve = score_serve,
    .peer_up = score_peer,
    .peer_down = score_peer,
    .handlers = handlers,
    .drain = score_drain,
    .close = score_close,
};
