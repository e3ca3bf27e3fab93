/* Signing in at a page. A customer's password is checked by auth and judged by policy as an AUTH over SMTP is: the same
 * counters, lockouts, delays and overseas block, and one reply for whatever speaks against it, after the same time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/secret.h"
#include "msa/console/api_call.h"
#include "msa/console/audit.h"

#define SIGN_INS_AT_ONCE_MAX 32 /* each costs auth a key derivation, which mail waits for, too */
#define DELAY_MAX_MS         30000

static const char *const wrong = "the login or the password is wrong, or it may not sign in now";

/* ---- what is said of a session ---- */

static json_t *scopes_json(uint64_t scopes)
{
    json_t *list = json_array();
    for (unsigned i = 1; i < SCOPE_COUNT; i++)
        if (scopes & api_scope_bit((enum api_scope)i))
            json_array_append_new(list, json_string(api_scope_name((enum api_scope)i)));
    return list;
}

static json_t *describe(const struct caller *caller)
{
    json_t *o = json_pack("{s:s, s:s}", "role", api_who_name(caller->who ? caller->who : WHO_ANYBODY), "actor",
                          caller->actor);
    if (!o || caller->who == 0)
        return o;
    if (caller->who == WHO_CUSTOMER)
        json_object_set_new(o, "login", json_string(caller->name));
    else
        json_object_set_new(o, "scopes", scopes_json(caller->scopes));
    if (caller->is_by_cookie) {
        json_object_set_new(o, "csrf_token", json_string(caller->csrf));
        json_object_set_new(o, "idle_ms", json_integer(SESSION_IDLE_MS));
    }
    return o;
}

void api_session_show(struct api_call *call)
{
    api_answer(call, 200, describe(&call->caller));
}

/* ---- cookies ---- */

static void set_cookie(struct http_request *r, const char *value, bool is_end)
{
    char text[160];
    snprintf(text, sizeof text, CALLER_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", value,
             is_end ? "; Max-Age=0" : "");
    http_add_header(r, "Set-Cookie", view_cstr(text));
    secret_wipe(text, sizeof text);
}

void api_session_end(struct api_call *call)
{
    struct web_session *s = caller_session(call->console, call->request);
    if (s && call->caller.is_by_cookie)
        web_sessions_end(&call->console->sessions, s);
    set_cookie(call->request, "", true);
    api_answer(call, 200, json_pack("{s:b}", "ended", 1));
}

/* ---- a session begins ---- */

static void log_sign_in(const struct api_call *call, bool is_allowed, const char *who)
{
    struct log_line l;
    if (is_allowed)
        log_begin(&l, LOG_LEVEL_INFO, "console-sign-in");
    else
        log_begin(&l, LOG_LEVEL_INFO, "console-sign-in-refused");
    log_str(&l, "user", who);
    log_ip(&l, "ip", http_request_ip(call->request));
    log_end(&l);
}

/* Whatever session the browser came with ends: nobody can have planted the new one's name. */
static void begin_session(struct api_call *call, const struct session_owner *owner)
{
    struct console *c = call->console;
    char cookie[SESSION_SECRET_MAX];
    struct web_session *before = caller_session(c, call->request);
    if (before)
        web_sessions_end(&c->sessions, before);
    struct web_session *s = web_sessions_begin(&c->sessions, owner, clock_mono_ms(), cookie);
    if (!s) {
        api_fail(call, 503, NULL, "out of memory");
        return;
    }
    set_cookie(call->request, cookie, false);
    secret_wipe(cookie, sizeof cookie);
    log_sign_in(call, true, owner->name);
    struct caller caller = {.who = owner->who, .scopes = owner->scopes, .is_by_cookie = true};
    (void)view_to_cstr(view_cstr(owner->name), caller.name, sizeof caller.name);
    (void)view_to_cstr(view_cstr(s->csrf), caller.csrf, sizeof caller.csrf);
    snprintf(caller.actor, sizeof caller.actor, "%s:%.100s", caller.who == WHO_CUSTOMER ? "customer" : "token",
             owner->name);
    api_answer(call, 201, describe(&caller));
}

/* ---- by a token ---- */

static void on_token(void *arg, const struct caller *caller, unsigned status)
{
    struct api_call *call = arg;
    struct session_owner owner = {.who = caller->who, .scopes = caller->scopes};
    (void)view_to_cstr(view_cstr(caller->name), owner.name, sizeof owner.name);
    if (status == 0 && (caller->who & WHO_DESK)) {
        begin_session(call, &owner);
        return;
    }
    log_sign_in(call, false, NULL);
    if (status >= 500)
        api_fail(call, status, NULL, "auth is away");
    else
        api_fail(call, 401, "sign-in", wrong);
}

/* ---- by login and password ---- */

struct sign_in {
    struct api_call *call;
    char login[SESSION_LOGIN_MAX + 1];
    int64_t began_ms;
    bool is_allowed;
    unsigned status; /* of a role that is away; 0: both answered */
};

static void finish(struct sign_in *s)
{
    struct api_call *call = s->call;
    struct session_owner owner = {.who = WHO_CUSTOMER, .scopes = UINT64_MAX};
    memcpy(owner.name, s->login, sizeof owner.name);
    bool is_allowed = s->is_allowed;
    unsigned status = s->status;
    if (!is_allowed && status == 0)
        log_sign_in(call, false, s->login);
    free(s);
    if (is_allowed)
        begin_session(call, &owner);
    else if (status != 0)
        api_fail(call, 503, NULL, "signing in is not possible now: try again later");
    else
        api_fail(call, 401, "sign-in", wrong);
}

static void on_waited(void *arg)
{
    finish(arg);
}

static void finish_after(struct sign_in *s, int64_t delay_ms)
{
    s->call->console->sign_ins--; /* who waits costs nobody anything */
    int64_t since_ms = clock_mono_ms() - s->began_ms;
    int64_t least_ms = s->is_allowed ? 0 : s->call->console->config->auth.failure_delay_ms - since_ms;
    delay_ms = delay_ms > least_ms ? delay_ms : least_ms;
    delay_ms = delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;
    timer_init(&s->call->timer, on_waited, s);
    if (delay_ms <= 0 || timer_start(&s->call->timer, s->call->console->loop, delay_ms) < 0)
        finish(s);
}

static void on_judged(void *arg, unsigned status, struct view json)
{
    struct sign_in *s = arg;
    json_t *o = json_loadb(json.n ? json.p : "", json.n, 0, NULL);
    s->is_allowed = status == 200 && json_is_true(json_object_get(o, "allow"));
    s->status = status == 200 && !json_is_true(json_object_get(o, "defer")) ? 0 : 503;
    int64_t delay_ms = json_integer_value(json_object_get(o, "delay_ms"));
    json_decref(o);
    finish_after(s, delay_ms);
}

static void ask(struct sign_in *s, const char *op, json_t *args, console_answer_fn *fn)
{
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (text) {
        console_ask(s->call->console, console_op_find(view_cstr(op)), VIEW_LIT("console"), view_cstr(text), fn, s);
        secret_wipe(text, strlen(text));
    } else {
        s->status = 503;
        finish_after(s, 0);
    }
    free(text);
}

/* Policy hears of every outcome: it counts failures, and has the last word on success. */
static void on_verified(void *arg, unsigned status, struct view json)
{
    struct sign_in *s = arg;
    char ip[IPADDR_TEXT_MAX];
    json_t *o = json_loadb(json.n ? json.p : "", json.n, 0, NULL);
    const char *login = json_string_value(json_object_get(o, "login"));
    if (status != 200 || !login) {
        json_decref(o);
        s->status = 503;
        finish_after(s, 0);
        return;
    }
    (void)view_to_cstr(view_cstr(login), s->login, sizeof s->login);
    ipaddr_format(http_request_ip(s->call->request), ip);
    json_object_set_new(o, "ip", json_string(ip));
    struct view agent = view_slice(http_request_header(s->call->request, "User-Agent"), 0, 200);
    json_t *program = json_stringn(agent.n ? agent.p : "", agent.n);
    json_object_set_new(o, "program", program ? program : json_string(""));
    ask(s, "sign_in.judge", o, on_judged);
}

static void by_password(struct api_call *call)
{
    struct console *c = call->console;
    struct sign_in *s = c->sign_ins < SIGN_INS_AT_ONCE_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        http_add_header(call->request, "Retry-After", VIEW_LIT("5"));
        api_fail(call, 429, NULL, "too many sign in at this moment: try again in some seconds");
        return;
    }
    c->sign_ins++;
    s->call = call;
    s->began_ms = clock_mono_ms();
    ask(s, "sign_in.verify",
        json_pack("{s:O, s:O}", "login", json_object_get(call->args, "login"), "password",
                  json_object_get(call->args, "password")),
        on_verified);
}

void api_session_begin(struct api_call *call)
{
    const json_t *token = json_object_get(call->args, "token");
    bool has_login = json_object_get(call->args, "login") && json_object_get(call->args, "password");
    if (http_request_door(call->request) != HTTP_DOOR_WEB)
        api_fail(call, 403, NULL, "sessions are for browsers: this socket knows you by your user id");
    else if (token && !json_object_get(call->args, "login") && !json_object_get(call->args, "password"))
        caller_check_token(call->console, view_cstr(json_string_value(token)), on_token, call);
    else if (has_login && !token)
        by_password(call);
    else
        api_fail(call, 422, "invalid-member", "give 'login' and 'password', or 'token'");
}
