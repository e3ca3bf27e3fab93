/* The door for POP and IMAP servers. Mail can be read while policy is away: then
 * everybody may. */
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

/* ---- answers ---- */

static void answer(struct http_request *r, int status)
{
    char text[48];
    snprintf(text, sizeof text, "{\"status\":%d,\"msg\":\"\"}", status);
    http_answer(r, 200, "application/json", view_cstr(text));
}

static void answer_ok(struct http_request *r)
{
    http_answer(r, 200, "application/json", VIEW_LIT("{\"status\":\"ok\"}"));
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
    bool is_report;
};

static void on_answer(void *arg, unsigned code, struct view json)
{
    struct asking a = *(struct asking *)arg;
    int status = AUTH_POLICY_GO_ON;
    free(arg);
    if (code == 503 || code == 504)
        go_on_unanswered(a.console, a.request, "auth or policy is away");
    else if (code != 200 || (!a.is_report && !auth_policy_status(json, &status)))
        go_on_unanswered(a.console, a.request, "auth or policy does not understand the question");
    else if (a.is_report)
        answer_ok(a.request);
    else
        answer(a.request, status);
}

static void ask_policy(struct console *c, struct http_request *r, bool is_report, json_t *args)
{
    if (!is_report) /* and not somebody who wants to know */
        json_object_set_new(args, "is_sign_in", json_true());
    const struct console_op *op =
        console_op_find(is_report ? VIEW_LIT("mailbox.report") : VIEW_LIT("mailbox.allow"));
    struct asking *a = calloc(1, sizeof *a);
    char *text = json_dumps(args, JSON_COMPACT);
    if (a && text) {
        *a = (struct asking){c, r, is_report};
        console_ask(c, op, http_request_actor(r), view_cstr(text), on_answer, a);
    } else {
        free(a);
        go_on_unanswered(c, r, msa_strerror(MSA_ENOMEM));
    }
    free(text);
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

static void serve_question(struct console *c, struct http_request *r, enum auth_policy_command command)
{
    json_t *args = NULL;
    int err = auth_policy_args(http_request_body(r), command, &args);
    if (err == MSA_OK)
        ask_policy(c, r, command == AUTH_POLICY_REPORT, args);
    else if (err == MSA_ENOENT && command == AUTH_POLICY_REPORT)
        answer_ok(r);
    else if (err == MSA_ENOENT)
        answer(r, AUTH_POLICY_GO_ON);
    else if (err == MSA_EINVAL)
        problem_answer(r, 400, "this is no question of an auth-policy client");
    else
        go_on_unanswered(c, r, msa_strerror(err));
    json_decref(args);
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
