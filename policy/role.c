/* The policy process: questions come in, decisions go out. State is the settings in force and the
 * counters; nothing is written to disk. */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ipc/admin.h"
#include "policy/decide.h"
#include "policy/quota.h"

#define ACCOUNTS_MAX     200000
#define RESERVATIONS_MAX 100000

enum question { ASKED_CONNECT, ASKED_LOGIN, ASKED_MAIL, ASKED_QUOTA, ASKED_ROUTE, QUESTION_COUNT };

static const char *const question_names[QUESTION_COUNT] = {
    [ASKED_CONNECT] = "connect",
    [ASKED_LOGIN] = "login",
    [ASKED_MAIL] = "mail",
    [ASKED_QUOTA] = "quota",
    [ASKED_ROUTE] = "route",
};

struct counts {
    uint64_t asked;
    uint64_t refused; /* every verdict but allow */
};

struct policy {
    const struct config *config;
    struct quota *quota;
    struct counts counts[QUESTION_COUNT];
    uint64_t failed_logins;
    uint64_t disconnects;
    uint64_t outcomes;
};

static void count(struct policy *p, enum question question, enum policy_verdict verdict)
{
    p->counts[question].asked++;
    if (verdict != VERDICT_ALLOW)
        p->counts[question].refused++;
}

/* ---- questions of a session ---- */

static int on_connect(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_connect_ask ask;
    if (msg_policy_connect_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct decision d = decide_connect(&p->config->policy);
    count(p, ASKED_CONNECT, d.verdict);
    struct msg_policy_connect_answer answer = {.verdict = (uint8_t)d.verdict,
                                               .text = view_cstr(d.text)};
    CHAN_SEND(c, policy_connect_answer, m->id, &answer);
    return MSA_OK;
}

static int on_login(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_login_ask ask;
    if (msg_policy_login_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct decision d = decide_login(&p->config->policy, &ask);
    count(p, ASKED_LOGIN, d.verdict);
    p->failed_logins += ask.result != AUTH_OK;
    struct msg_policy_login_answer answer = {
        .verdict = (uint8_t)d.verdict,
        .may_score_content = true,
        .text = view_cstr(d.text),
    };
    CHAN_SEND(c, policy_login_answer, m->id, &answer);
    return MSA_OK;
}

static int on_mail(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_mail_ask ask;
    if (msg_policy_mail_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct decision d = decide_mail(&p->config->policy, &ask);
    count(p, ASKED_MAIL, d.verdict);
    struct msg_policy_mail_answer answer = {.verdict = (uint8_t)d.verdict,
                                            .text = view_cstr(d.text)};
    CHAN_SEND(c, policy_mail_answer, m->id, &answer);
    return MSA_OK;
}

/* More recipients in one message than a whole window may have: to come again later would not help. */
static bool is_hopeless(const struct config_rate *recipients, uint32_t recipient_count)
{
    return recipients->limit > 0 && recipient_count > recipients->limit;
}

static int on_quota(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    const struct config_policy *settings = &p->config->policy;
    struct msg_policy_quota_ask ask;
    char text[128] = "";
    if (msg_policy_quota_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct quota_ask one = {.account = ask.account, .recipient_count = ask.recipient_count,
                            .now_ms = clock_mono_ms()};
    struct quota_answer q = quota_take(p->quota, &settings->messages, &settings->recipients, &one);
    enum policy_verdict verdict = VERDICT_ALLOW;
    if (is_hopeless(&settings->recipients, ask.recipient_count)) {
        verdict = VERDICT_REFUSE;
        snprintf(text, sizeof text, "at most %u recipients are allowed at a time",
                 settings->recipients.limit);
    } else if (!q.is_allowed) {
        verdict = VERDICT_DEFER;
        snprintf(text, sizeof text, "too many %s, try again in %u minutes",
                 q.is_by_recipients ? "recipients" : "messages", (unsigned)(q.wait_ms / 60000 + 1));
    }
    count(p, ASKED_QUOTA, verdict);
    struct msg_policy_quota_answer answer = {.verdict = (uint8_t)verdict,
                                             .reservation = q.reservation,
                                             .text = view_cstr(text)};
    CHAN_SEND(c, policy_quota_answer, m->id, &answer);
    return MSA_OK;
}

static int on_route(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_route_ask ask;
    if (msg_policy_route_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct route r = decide_route(&p->config->policy, &ask);
    count(p, ASKED_ROUTE, r.decision.verdict);
    struct msg_policy_route_answer answer = {
        .verdict = (uint8_t)r.decision.verdict,
        .pool = view_cstr(r.pool),
        .is_held = r.is_held,
        .sender_field = (uint8_t)r.sender_field,
        .text = view_cstr(r.decision.text),
    };
    CHAN_SEND(c, policy_route_answer, m->id, &answer);
    return MSA_OK;
}

/* ---- what is only told ---- */

static int on_settle(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_settle settle;
    (void)c;
    if (msg_policy_settle_decode(m->payload, &settle) < 0)
        return MSA_EPROTO;
    quota_settle(p->quota, settle.reservation, settle.is_kept);
    return MSA_OK;
}

static int on_disconnect(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_disconnect disconnect;
    (void)c;
    if (msg_policy_disconnect_decode(m->payload, &disconnect) < 0)
        return MSA_EPROTO;
    p->disconnects++;
    return MSA_OK;
}

static int on_outcome(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_relay_outcome outcome;
    (void)c;
    if (msg_relay_outcome_decode(m->payload, &outcome) < 0)
        return MSA_EPROTO;
    p->outcomes++;
    return MSA_OK;
}

/* ---- console ---- */

static json_t *counts_of(const struct policy *p)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < QUESTION_COUNT; i++)
        json_object_set_new(all, question_names[i],
                            json_pack("{s:I, s:I}", "asked", (json_int_t)p->counts[i].asked,
                                      "refused", (json_int_t)p->counts[i].refused));
    return all;
}

static void op_status(void *state, const struct admin_call *call)
{
    const struct policy *p = state;
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:o, s:I, s:I, s:I, s:I}", "questions", counts_of(p), "failed_logins",
                          (json_int_t)p->failed_logins, "disconnects", (json_int_t)p->disconnects,
                          "outcomes", (json_int_t)p->outcomes, "counted_accounts",
                          (json_int_t)quota_account_count(p->quota)));
}

static const struct admin_op ops[] = {
    {"policy.status", op_status, false},
};

static int on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(ops, sizeof ops / sizeof ops[0], owner, c, m);
}

/* ---- life ---- */

static void policy_close(void **state)
{
    struct policy *p = *state;
    if (p)
        quota_free(&p->quota);
    free(p);
    *state = NULL;
}

static int policy_open(const struct role_env *env, void **state_out)
{
    (void)env;
    struct policy *p = calloc(1, sizeof *p);
    *state_out = p;
    if (p)
        p->quota = quota_new(ACCOUNTS_MAX, RESERVATIONS_MAX);
    if (p && p->quota)
        return MSA_OK;
    policy_close(state_out);
    return MSA_ENOMEM;
}

static int policy_take_config(void *state, const struct role_config *next, char *why_not,
                              size_t why_not_size)
{
    struct policy *p = state;
    (void)why_not, (void)why_not_size;
    p->config = next->config;
    return MSA_OK;
}

static int policy_serve(void *state)
{
    (void)state;
    return MSA_OK;
}

static void policy_peer(void *state, struct chan *c)
{
    (void)state, (void)c; /* answers go where the question came from; nobody is remembered */
}

static void policy_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    (void)state, (void)within_ms; /* no question outlives the turn in which it came */
    done(arg, 0);
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_policy_connect_ask] = on_connect,
    [IPC_policy_login_ask] = on_login,
    [IPC_policy_mail_ask] = on_mail,
    [IPC_policy_quota_ask] = on_quota,
    [IPC_policy_route_ask] = on_route,
    [IPC_policy_settle] = on_settle,
    [IPC_policy_disconnect] = on_disconnect,
    [IPC_relay_outcome] = on_outcome,
    [IPC_admin_ask] = on_admin,
};

const struct role_ops policy_role = {
    .role = ROLE_POLICY,
    .open = policy_open,
    .take_config = policy_take_config,
    .serve = policy_serve,
    .peer_up = policy_peer,
    .peer_down = policy_peer,
    .handlers = handlers,
    .drain = policy_drain,
    .close = policy_close,
};
