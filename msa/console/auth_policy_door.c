/* The door for POP and IMAP servers. Mail can be read while policy is away: then
 * everybody may.
 *
 * Of each connection one question is under way, and there are so many connections and no more (http.c): a policy
 * that is slow piles up nothing. */
#include "msa/console/console_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/console/auth_policy.h"
#include "msa/console/problem.h"

#define COMPLAINT_MS 60000 /* one line a minute says as much as all of them */
#define WITHIN_MS    800   /* with auth's second it is less than the two that mail servers wait */

/* ---- answers ---- */

static void answer(struct http_request *r, int status)
{
    char text[48];
    if (status == AUTH_POLICY_GO_ON) {
        http_answer_fixed(r, 200, "application/json", VIEW_LIT("{\"status\":0,\"msg\":\"\"}"));
        return;
    }
    snprintf(text, sizeof text, "{\"status\":%d,\"msg\":\"\"}", status);
    http_answer(r, 200, "application/json", view_cstr(text));
}

static void answer_ok(struct http_request *r)
{
    http_answer_fixed(r, 200, "application/json", VIEW_LIT("{\"status\":\"ok\"}"));
}

void auth_policy_complain(struct console *c, const char *why)
{
    if (log_is_due(&c->complaints.unanswered_ms, COMPLAINT_MS))
        log_msg(LOG_LEVEL_WARN, "auth-policy-unanswered",
                "%s; POP and IMAP sign-ins are let through", why);
}

static void go_on_unanswered(struct console *c, struct http_request *r, const char *why)
{
    auth_policy_complain(c, why);
    if (auth_policy_command(http_request_query(r, "command")) == AUTH_POLICY_REPORT)
        answer_ok(r);
    else
        answer(r, AUTH_POLICY_GO_ON);
}

void auth_policy_refuse_stranger(struct console *c, struct http_request *r)
{
    struct log_line l;
    if (log_is_due(&c->complaints.refused_ms, COMPLAINT_MS)) {
        log_begin(&l, LOG_LEVEL_WARN, "auth-policy-refused");
        log_ip(&l, "ip", http_request_ip(r));
        log_end(&l);
    }
    problem_answer(r, 403, "the token is missing or wrong");
}

/* ---- one question ---- */

struct asking {
    struct console *console;
    struct http_request *request;
    struct console_naming naming;
    struct auth_policy_question question;
};

static void finish(struct asking *a)
{
    auth_policy_question_fini(&a->question);
    free(a);
}

static void go_on(struct asking *a, const char *why)
{
    go_on_unanswered(a->console, a->request, why);
    finish(a);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct asking *a = arg;
    struct msg_policy_mailbox_answer said;
    (void)err;
    if (!m) {
        go_on(a, "policy is away");
        return;
    }
    if (msg_policy_mailbox_answer_decode(m->payload, &said) < 0) {
        go_on(a, "policy's answer does not decode");
        return;
    }
    if (a->question.kind == MAILBOX_MAY_IT)
        answer(a->request, auth_policy_status(said.is_allowed, said.delay_ms));
    else
        answer_ok(a->request);
    finish(a);
}

static void on_name(void *arg, const struct console_name *name)
{
    struct asking *a = arg;
    const struct auth_policy_question *q = &a->question;
    struct chan *policy = console_peer(a->console, ROLE_POLICY);
    const struct msg_policy_mailbox_ask m = {
        .kind = (uint8_t)q->kind,
        .account = name->account,
        .created_ms = name->created_ms,
        .login = name->status == 200 ? name->login : q->login,
        .client_ip = q->ip,
        .protocol = q->protocol,
        .program = q->program,
        .password_hash = q->password_hash,
    };
    if (name->status != 200 && !console_name_is_nobodys(name))
        go_on(a, name->detail);
    else if (!policy || CHAN_ASK(policy, policy_mailbox_ask, &m, WITHIN_MS, on_answer, a, NULL) < 0)
        go_on(a, "policy is away");
}

static void serve_question(struct console *c, struct http_request *r, enum auth_policy_command command)
{
    struct asking *a = calloc(1, sizeof *a);
    if (!a) {
        go_on_unanswered(c, r, msa_strerror(MSA_ENOMEM));
        return;
    }
    *a = (struct asking){.console = c, .request = r};
    int err = auth_policy_question(http_request_body(r), command, &a->question);
    if (err == MSA_OK) {
        console_find_name(c, &a->naming, a->question.login, on_name, a);
        return;
    }
    if (err == MSA_EINVAL)
        problem_answer(r, 400, "this is no question of an auth-policy client");
    else if (command == AUTH_POLICY_REPORT)
        answer_ok(r);
    else
        answer(r, AUTH_POLICY_GO_ON);
    finish(a);
}

/* Without a token only our own host may ask; the configuration sees to it that nobody
 * else can. */
bool auth_policy_may_ask(const struct console *c, const struct http_request *r)
{
    struct view token = view_cstr(c->config->console.auth_policy_token);
    if (token.n == 0)
        return ipaddr_is_loopback(http_request_ip(r));
    return auth_policy_has_token(http_request_header(r, "X-API-Key"),
                                 http_request_header(r, "Authorization"), token);
}

void console_auth_policy(struct console *c, struct http_request *r)
{
    enum auth_policy_command command =
        auth_policy_command(http_request_query(r, "command"));
    if (!auth_policy_may_ask(c, r))
        auth_policy_refuse_stranger(c, r);
    else if (command == AUTH_POLICY_PING)
        answer_ok(r);
    else if (http_request_method(r) != HTTP_POST)
        problem_answer(r, 405, "this command takes another method");
    else if (command == AUTH_POLICY_RESET)
        problem_answer(r, 403, "who is shut out is let in by the support desk: msactl restriction release");
    else if (command == AUTH_POLICY_NONE)
        problem_answer(r, 400, "this is no question of an auth-policy client");
    else
        serve_question(c, r, command);
}
