/* The score process: questions in, jobs, answers out. The body comes as a descriptor, to be read by offset and never
 * written. Everything here runs in the loop's thread. */
#include "policy/score/score.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "policy/score/state.h"

/* ---- questions ------------------------------------------------------------------------------- */

/* A neutral score says "not scored": policy must not take it for a clean bill. */
static void answer_neutral(struct score *s, struct chan *c, uint64_t question)
{
    const struct msg_score_answer answer = {
        .score_milli = s->config->score.neutral_score_milli,
        .findings = VIEW_LIT("busy:score 0"),
    };
    CHAN_SEND(c, score_answer, question, &answer);
}

static void answer(void *arg, const void *peer, uint64_t question, const struct score_verdict *v)
{
    struct buf findings;
    (void)arg;
    buf_init(&findings, IPC_FINDINGS_MAX);
    findings_write(v->findings, &findings);
    const struct msg_score_answer a = {
        .is_scored = v->is_scored,
        .score_milli = v->score_milli,
        .findings = buf_view(&findings),
        .fingerprints = view_of((const char *)v->fingerprints->numbers,
                                v->fingerprints->count * sizeof v->fingerprints->numbers[0]),
        .added_header = v->added_header,
        .action = (uint8_t)v->action,
        .text = v->text,
    };
    CHAN_SEND((struct chan *)peer, score_answer, question, &a);
    buf_fini(&findings);
}

static int on_score(void *owner, struct chan *c, struct chan_message *m)
{
    struct score *s = owner;
    struct msg_score_ask ask;
    if (msg_score_ask_decode(m->payload, &ask) < 0 || m->fd_count != 1)
        return MSA_EPROTO;
    if (score_jobs_start(s->jobs, &ask, chan_take_fd(m, 0), answer, s, c, m->id) < 0)
        answer_neutral(s, c, m->id);
    return MSA_OK;
}

static int on_drop(void *owner, struct chan *c, struct chan_message *m)
{
    struct score *s = owner;
    struct msg_score_drop drop;
    if (msg_score_drop_decode(m->payload, &drop) < 0)
        return MSA_EPROTO;
    score_jobs_drop(s->jobs, c, drop.question);
    return MSA_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int score_open(const struct role_env *env, void **state_out)
{
    struct score *s = calloc(1, sizeof *s);
    *state_out = s;
    if (!s)
        return MSA_ENOMEM;
    s->loop = env->loop;
    s->index = env->index;
    s->state_dir = env->state_dir;
    return MSA_OK;
}

static void use_model(void *arg, struct shared_model *model)
{
    struct score *s = arg;
    score_jobs_set_model(s->jobs, model);
}

/* Once, before the sandbox closes. */
static int open_all(struct score *s, const struct config *config)
{
    const char *why;
    s->jobs = score_jobs_new(s->loop, config);
    if (s->jobs)
        score_jobs_set_teller(s->jobs, &s->news);
    s->knowledge = s->jobs ? knowledge_new(s->loop, s->state_dir, use_model, s) : NULL;
    if (!s->knowledge)
        return MSA_ENOMEM;
    if (s->index > 0 || !knowledge_tokens(s->knowledge, &why))
        return MSA_OK;
    s->trainer = trainer_new(s->loop, s->knowledge);
    return s->trainer ? MSA_OK : MSA_ENOMEM;
}

/* The number of threads is that of the start, all else is in force for the messages that come now. */
static int score_take_config(void *state, const struct role_config *next, char *why_not,
                             size_t why_not_size)
{
    struct score *s = state;
    int err = s->knowledge ? MSA_OK : open_all(s, next->config);
    if (err == MSA_OK)
        err = score_jobs_configure(s->jobs, next->config);
    if (err < 0)
        snprintf(why_not, why_not_size, "%s", msa_strerror(err));
    else
        s->config = next->config;
    return err;
}

static int score_serve(void *state)
{
    struct score *s = state;
    int err = score_jobs_serve(s->jobs);
    if (err == MSA_OK)
        err = knowledge_serve(s->knowledge);
    return err == MSA_OK && s->trainer ? trainer_serve(s->trainer) : err;
}

static void score_peer_up(void *state, struct chan *c)
{
    struct score *s = state;
    news_peer_up(&s->news, c); /* all others are known by their first question */
}

static void score_peer_down(void *state, struct chan *c)
{
    struct score *s = state;
    news_peer_down(&s->news, c);
    score_jobs_drop_peer(s->jobs, c);
    if (s->trainer)
        trainer_drop_peer(s->trainer, c);
}

/* ---- drain and close ------------------------------------------------------------------------- */

static void end_drain(void *arg)
{
    struct score *s = arg;
    role_drained_fn *drained = s->drained;
    s->drained = NULL;
    timer_stop(&s->drain_timer);
    if (drained)
        drained(s->drained_arg, score_jobs_counts(s->jobs).open);
}

/* Sessions that drain still ask: what comes is scored to the end. */
static void score_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct score *s = state;
    s->drained = done;
    s->drained_arg = arg;
    timer_init(&s->drain_timer, end_drain, s);
    if (timer_start(&s->drain_timer, s->loop, within_ms) < 0)
        end_drain(s);
    else
        score_jobs_when_idle(s->jobs, end_drain, s);
}

static void score_close(void **state)
{
    struct score *s = *state;
    timer_stop(&s->drain_timer);
    trainer_free(&s->trainer);
    knowledge_free(&s->knowledge); /* which may give the jobs one more model */
    score_jobs_free(&s->jobs);
    free(s);
    *state = NULL;
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_score_ask] = on_score,
    [IPC_score_drop] = on_drop,
    [IPC_admin_ask] = score_on_admin,
};

const struct role_ops score_role = {
    .role = ROLE_SCORE,
    .open = score_open,
    .take_config = score_take_config,
    .serve = score_serve,
    .peer_up = score_peer_up,
    .peer_down = score_peer_down,
    .handlers = handlers,
    .drain = score_drain,
    .close = score_close,
};
