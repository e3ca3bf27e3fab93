/* A POP or IMAP server asks whether a password is right: auth says whether it is, policy what follows, as at an AUTH over
 * SMTP, with the same lockouts and overseas block, counted together. Where policy is away, who has the right password
 * reads his mail, as at the auth-policy door.
 *
 * On this host the auth-policy door serves it; a server elsewhere comes through TLS, with the token, so that no password
 * goes in clear over a network. */
#include "msa/console/console_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/console/auth_policy.h"
#include "msa/console/problem.h"
#include "msa/mail/login.h"

#define VERIFIES_MAX 128 /* each costs auth a key derivation, which mail waits for, too */

/* Every refusal takes so long, so that it does not show that a locked account's password was right, which may be
 * remembered and known faster. No longer: the server has a worker waiting, and delays who fails itself. */
#define REFUSAL_MS 500

struct verifying {
    struct console *console;
    struct http_request *request;
    struct timer timer;
    json_t *judge; /* arguments of mailbox.judge */
    int64_t began_ms;
    int delay_s;
    bool is_good;
    char login[LOGIN_SIZE];   /* in its one form, "" for what is no name */
    char app[20];             /* the app password that it was, "": none */
    char used_today_from[3];
    bool is_used_today;
};

/* ---- the answer ---- */

static void end(struct verifying *v)
{
    v->console->verifies--;
    json_decref(v->judge);
    free(v);
}

static void answer_refused(void *arg)
{
    struct verifying *v = arg;
    http_answer(v->request, 200, "application/json", VIEW_LIT("{\"status\":\"refused\"}"));
    end(v);
}

static void refuse(struct verifying *v)
{
    int64_t least_ms = v->console->config->auth.failure_delay_ms;
    least_ms = least_ms < REFUSAL_MS ? least_ms : REFUSAL_MS;
    least_ms -= clock_mono_ms() - v->began_ms;
    timer_init(&v->timer, answer_refused, v);
    if (least_ms <= 0 || timer_start(&v->timer, v->console->loop, least_ms) < 0)
        answer_refused(v);
}

static void answer_unavailable(struct verifying *v, const char *why)
{
    problem_answer(v->request, 503, why);
    end(v);
}

static void answer_ok(struct verifying *v)
{
    json_t *o = json_pack("{s:s, s:s}", "status", "ok", "login", v->login);
    if (o && v->delay_s > 0)
        json_object_set_new(o, "delay", json_integer(v->delay_s));
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (text)
        http_answer(v->request, 200, "application/json", view_cstr(text));
    else
        problem_answer(v->request, 503, "out of memory");
    free(text);
    end(v);
}

/* ---- questions ---- */

static bool ask(struct verifying *v, const char *op, const json_t *args, console_answer_fn *fn, void *arg)
{
    char *text = json_dumps(args, JSON_COMPACT);
    if (!text)
        return false;
    console_ask(v->console, console_op_find(view_cstr(op)), http_request_actor(v->request), view_cstr(text), fn, arg);
    secret_wipe(text, strlen(text));
    free(text);
    return true;
}

static void on_noted(void *arg, unsigned status, struct view json)
{
    (void)arg, (void)status, (void)json; /* lost: the next use is written */
}

static void note_use(struct verifying *v, const char *country)
{
    if (v->app[0] == '\0' || (v->is_used_today && strcmp(v->used_today_from, country) == 0))
        return;
    json_t *args = json_pack("{s:s, s:s, s:s}", "login", v->login, "id", v->app, "country", country);
    if (args)
        (void)ask(v, "app-password.used", args, on_noted, NULL);
    json_decref(args);
}

/* ---- policy's word ---- */

/* False: it is none. */
static bool take_verdict(const json_t *o, int *verdict_out)
{
    const json_t *allow = json_object_get(o, "allow");
    json_int_t delay_ms = json_integer_value(json_object_get(o, "delay_ms"));
    delay_ms = delay_ms < 0 ? 0 : delay_ms > UINT32_MAX ? UINT32_MAX : delay_ms;
    *verdict_out = auth_policy_status(json_is_true(allow), (uint32_t)delay_ms);
    return json_is_boolean(allow);
}

static void on_judged(void *arg, unsigned status, struct view json)
{
    struct verifying *v = arg;
    int verdict;
    json_t *o = status == 200 ? json_loadb(json.n ? json.p : "", json.n, 0, NULL) : NULL;
    const char *country = json_string_value(json_object_get(o, "country"));
    if (!take_verdict(o, &verdict)) {
        auth_policy_complain(v->console, "policy is away or does not understand the question");
        verdict = v->is_good ? AUTH_POLICY_GO_ON : AUTH_POLICY_REFUSE;
    }
    if (v->is_good && verdict != AUTH_POLICY_REFUSE) {
        v->delay_s = verdict;
        note_use(v, country ? country : "");
        answer_ok(v);
    } else {
        refuse(v);
    }
    json_decref(o);
}

/* ---- auth's word ---- */

static void copy(const json_t *from, const char *key, char *out, size_t size)
{
    (void)view_to_cstr(view_cstr(json_string_value(json_object_get(from, key))), out, size);
}

static void take_checked(struct verifying *v, const json_t *o)
{
    static const char *const told[] = {"account", "created_ms", "is_good", "is_uncounted", "wrong_password"};
    v->is_good = json_is_true(json_object_get(o, "is_good"));
    v->is_used_today = json_object_get(o, "used_today_from") != NULL;
    copy(o, "login", v->login, sizeof v->login);
    copy(o, "app", v->app, sizeof v->app);
    copy(o, "used_today_from", v->used_today_from, sizeof v->used_today_from);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        json_object_set(v->judge, told[i], json_object_get(o, told[i]));
    if (v->login[0]) /* what is no name stays as it was typed, for the counters */
        json_object_set(v->judge, "login", json_object_get(o, "login"));
}

static void on_checked(void *arg, unsigned status, struct view json)
{
    struct verifying *v = arg;
    json_t *o = status == 200 ? json_loadb(json.n ? json.p : "", json.n, 0, NULL) : NULL;
    bool is_answer = json_is_boolean(json_object_get(o, "is_good"));
    if (is_answer)
        take_checked(v, o);
    json_decref(o);
    if (!is_answer)
        answer_unavailable(v, "auth is away: no password can be checked now");
    else if (!ask(v, "mailbox.judge", v->judge, on_judged, v))
        answer_unavailable(v, "out of memory");
}

/* ---- the question ---- */

static void begin(struct console *c, struct http_request *r)
{
    json_t *check, *judge;
    struct verifying *v = c->verifies < VERIFIES_MAX ? calloc(1, sizeof *v) : NULL;
    if (!v) {
        problem_answer(r, 503, "too many passwords are being checked at this moment");
        return;
    }
    int err = auth_policy_verify_args(http_request_body(r), &check, &judge);
    *v = (struct verifying){.console = c, .request = r, .judge = judge, .began_ms = clock_mono_ms()};
    c->verifies++;
    if (err == MSA_EINVAL) {
        problem_answer(r, 400, "give 'login', 'password', 'remote' and 'protocol': imap, pop3, sieve or smtp");
        end(v);
    } else if (err < 0 || !ask(v, "app-password.check", check, on_checked, v)) {
        answer_unavailable(v, "out of memory");
    }
    json_decref(check);
}

/* In clear only our own host may ask; and where browsers come, through TLS or a proxy on our host, the token is needed. */
static bool may_verify(const struct console *c, const struct http_request *r)
{
    bool has_token = view_cstr(c->config->console.auth_policy_token).n > 0;
    if (http_request_door(r) == HTTP_DOOR_WEB && !has_token)
        return false;
    return (http_request_is_tls(r) || ipaddr_is_loopback(http_request_ip(r))) && auth_policy_may_ask(c, r);
}

void console_verify(struct console *c, struct http_request *r)
{
    if (may_verify(c, r))
        begin(c, r);
    else
        auth_policy_refuse_stranger(c, r);
}
