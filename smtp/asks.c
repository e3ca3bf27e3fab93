/* The session's questions over the channels. Each is cancelled when its session ends, so an answer's `arg` is
 * always a living client; AUTH's are one-way messages, which find their session by its id. */
#include <unistd.h>

#include "msa/base/err.h"
#include "smtp/score_answer.h"
#include "smtp/worker.h"

/* ---- questions and answers ----------------------------------------------------------------------- */

#define DEADLINE(s, name) ((s)->site->config->deadlines.name)

/* The answer's decoder, the engine's continuation. A NULL answer says that none came. */
#define ANSWER(fn, message, continuation)                                                          \
    static void fn(void *arg, struct chan_message *m, int err)                                     \
    {                                                                                              \
        struct smtp_client *c = arg;                                                                    \
        struct msg_##message a;                                                                    \
        bool is_good = err == MSA_OK && msg_##message##_decode(m->payload, &a) == MSA_OK;          \
        if (err == MSA_OK && !is_good)                                                             \
            chan_reject(m->chan, "malformed " #message);                                           \
        c->asked = NULL;                                                                           \
        continuation(&c->session, is_good ? &a : NULL);                                            \
        smtp_client_rearm(c);                                                                           \
    }

ANSWER(on_connect, policy_connect_answer, smtp_session_on_connect)
ANSWER(on_login, policy_login_answer, smtp_session_on_login)
ANSWER(on_mail, policy_mail_answer, smtp_session_on_mail)
ANSWER(on_quota, policy_quota_answer, smtp_session_on_quota)
ANSWER(on_route, policy_route_answer, smtp_session_on_route)
ANSWER(on_accept, relay_accept_answer, smtp_session_on_accept)

/* As the others; and what cannot be a score is worth as much as what cannot be decoded. */
static void on_score(void *arg, struct chan_message *m, int err)
{
    struct smtp_client *c = arg;
    struct msg_score_answer a;
    const char *why = NULL;
    if (err == MSA_OK)
        why = msg_score_answer_decode(m->payload, &a) == MSA_OK ? score_answer_fault(&a) : "malformed score_answer";
    if (why)
        chan_reject(m->chan, why);
    c->asked = NULL;
    smtp_session_on_score(&c->session, err == MSA_OK && !why ? &a : NULL);
    smtp_client_rearm(c);
}

static int note_question(struct smtp_client *c, struct chan *chan, int err)
{
    c->asked = err == MSA_OK ? chan : NULL;
    return err;
}

#define ASK(s, to, name, m, within_ms, fn)                                                         \
    struct smtp_client *c = smtp_client_of(s);                                                               \
    struct chan *to_chan = (to);                                                                   \
    if (!to_chan)                                                                                  \
        return MSA_ECLOSED;                                                                        \
    return note_question(c, to_chan, CHAN_ASK(to_chan, name, m, within_ms, fn, c, &c->ask_id))

int asks_connect(struct smtp_session *s, const struct msg_policy_connect_ask *m)
{
    ASK(s, smtp_client_of(s)->worker->policy, policy_connect_ask, m, DEADLINE(s, policy_answer_ms),
        on_connect);
}

int asks_login(struct smtp_session *s, const struct msg_policy_login_ask *m)
{
    ASK(s, smtp_client_of(s)->worker->policy, policy_login_ask, m, DEADLINE(s, policy_answer_ms),
        on_login);
}

int asks_mail(struct smtp_session *s, const struct msg_policy_mail_ask *m)
{
    ASK(s, smtp_client_of(s)->worker->policy, policy_mail_ask, m, DEADLINE(s, policy_answer_ms), on_mail);
}

int asks_quota(struct smtp_session *s, const struct msg_policy_quota_ask *m)
{
    ASK(s, smtp_client_of(s)->worker->policy, policy_quota_ask, m, DEADLINE(s, policy_answer_ms),
        on_quota);
}

int asks_route(struct smtp_session *s, const struct msg_policy_route_ask *m)
{
    ASK(s, smtp_client_of(s)->worker->policy, policy_route_ask, m, DEADLINE(s, policy_answer_ms),
        on_route);
}

/* In turn over those that are there. */
static struct chan *choose_score(struct worker *w)
{
    for (unsigned i = 0; i < WORKER_SCORES_MAX; i++) {
        w->next_score = (w->next_score + 1) % WORKER_SCORES_MAX;
        if (w->scores[w->next_score])
            return w->scores[w->next_score];
    }
    return NULL;
}

int asks_score(struct smtp_session *s, const struct msg_score_ask *m, int fd)
{
    struct smtp_client *c = smtp_client_of(s);
    struct chan *score = choose_score(c->worker);
    if (!score)
        return MSA_ECLOSED;
    msg_score_ask_encode(m, chan_ask_begin(score, IPC_score_ask));
    chan_attach_fd(score, fd);
    return note_question(c, score,
                         chan_ask_end(score, s->site->config->score.deadline_ms, on_score, c,
                                      &c->ask_id));
}

int asks_accept(struct smtp_session *s, const struct msg_relay_accept_ask *m, int fd)
{
    struct smtp_client *c = smtp_client_of(s);
    struct chan *relay = c->worker->relay;
    if (!relay) {
        if (fd != -1)
            close(fd);
        return MSA_ECLOSED;
    }
    msg_relay_accept_ask_encode(m, chan_ask_begin(relay, IPC_relay_accept_ask));
    if (fd != -1)
        chan_give_fd(relay, fd);
    return note_question(c, relay,
                         chan_ask_end(relay, DEADLINE(s, relay_answer_ms), on_accept, c,
                                      &c->ask_id));
}

/* A score costs something: who is asked for one has to hear that it is of no use any more. */
static void drop_question(struct chan *asked, uint64_t id)
{
    const struct msg_score_drop m = {.question = id};
    chan_ask_cancel(asked, id);
    if (chan_peer(asked) == ROLE_SCORE)
        CHAN_SEND(asked, score_drop, 0, &m);
}

void asks_cancel(struct smtp_session *s)
{
    struct smtp_client *c = smtp_client_of(s);
    stock_forget(&c->worker->stock, c);
    if (c->asked)
        drop_question(c->asked, c->ask_id);
    c->asked = NULL;
}

/* ---- statements ---------------------------------------------------------------------------------- */

void asks_settle(struct smtp_session *s, const struct msg_policy_settle *m)
{
    struct worker *w = smtp_client_of(s)->worker;
    if (w->policy)
        CHAN_SEND(w->policy, policy_settle, 0, m);
}

void asks_disconnect(struct smtp_session *s)
{
    struct worker *w = smtp_client_of(s)->worker;
    const struct msg_policy_disconnect m = {.session = s->id};
    if (w->policy)
        CHAN_SEND(w->policy, policy_disconnect, 0, &m);
}

/* ---- AUTH ---------------------------------------------------------------------------------------- */

int asks_auth_start(struct smtp_session *s, const struct msg_auth_start *m)
{
    struct worker *w = smtp_client_of(s)->worker;
    return w->auth ? CHAN_SEND(w->auth, auth_start, 0, m) : MSA_ECLOSED;
}

int asks_auth_step(struct smtp_session *s, const struct msg_auth_step *m)
{
    struct worker *w = smtp_client_of(s)->worker;
    return w->auth ? CHAN_SEND(w->auth, auth_step, 0, m) : MSA_ECLOSED;
}

void asks_auth_abort(struct smtp_session *s)
{
    struct worker *w = smtp_client_of(s)->worker;
    const struct msg_auth_abort m = {.session = s->id};
    if (w->auth)
        CHAN_SEND(w->auth, auth_abort, 0, &m);
}

int asks_on_challenge(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_auth_challenge a;
    (void)chan;
    if (msg_auth_challenge_decode(m->payload, &a) != MSA_OK)
        return MSA_EPROTO;
    struct smtp_client *c = smtp_client_find(w, a.session);
    if (!c) {
        w->site.late_answers++;
        return MSA_OK;
    }
    smtp_session_on_challenge(&c->session, &a);
    smtp_client_rearm(c);
    return MSA_OK;
}

int asks_on_auth_done(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_auth_done a;
    (void)chan;
    if (msg_auth_done_decode(m->payload, &a) != MSA_OK)
        return MSA_EPROTO;
    struct smtp_client *c = smtp_client_find(w, a.session);
    if (!c) {
        w->site.late_answers++;
        return MSA_OK;
    }
    smtp_session_on_auth_done(&c->session, &a);
    smtp_client_rearm(c);
    return MSA_OK;
}

int asks_on_revoked(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_auth_revoked a;
    struct smtp_client *c, *next;
    (void)chan;
    if (msg_auth_revoked_decode(m->payload, &a) != MSA_OK)
        return MSA_EPROTO;
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link) {
        if (!smtp_session_has_credential(&c->session, &a))
            continue;
        smtp_session_revoke(&c->session);
        smtp_client_rearm(c);
    }
    return MSA_OK;
}

/* Every session is looked at: a kill is rare, and an index by account would cost each idle session. */
int asks_on_kill(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_policy_kill a;
    struct smtp_client *c, *next;
    (void)chan;
    if (msg_policy_kill_decode(m->payload, &a) != MSA_OK)
        return MSA_EPROTO;
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link) {
        if (!smtp_session_is_of(&c->session, a.account))
            continue;
        smtp_session_kill(&c->session, a.text);
        smtp_client_rearm(c);
    }
    return MSA_OK;
}
