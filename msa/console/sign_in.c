/* Signing in at a page. A customer's password is checked by auth and judged by policy as an AUTH over SMTP is: the same
 * counters, lockouts, delays and overseas block, and one reply for whatever speaks against it, after the same time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/secret.h"
#include "msa/console/api_call.h"
#include "msa/console/audit.h"
#include "msa/console/event_streams.h"

static const char *const wrong = "the login or the password is wrong, or it may not sign in now";
static const char *const no_code = "give the code that your authenticator shows, too";
static const char *const wrong_code = "this is not the code that your authenticator shows now";

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
    event_streams_recheck(call->console);
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
    if (status == 429)
        caller_say_wait(call->console, call->request);
    if (status == 429)
        api_fail(call, status, NULL, "too many tokens from this address were none");
    else if (status >= 500)
        api_fail(call, status, NULL, "auth is away");
    else
        api_fail(call, 401, "sign-in", wrong);
}

/* ---- by login and password ---- */

static void on_password(struct api_call *call, const struct password_outcome *outcome)
{
    struct session_owner owner = {.who = WHO_CUSTOMER, .scopes = UINT64_MAX};
    memcpy(owner.name, outcome->login, sizeof owner.name);
    if (outcome->is_allowed) {
        begin_session(call, &owner);
        return;
    }
    if (outcome->status != 0) {
        api_fail(call, 503, NULL, "signing in is not possible now: try again later");
        return;
    }
    log_sign_in(call, false, owner.name);
    if (outcome->is_code_asked)
        api_fail(call, 401, "code-needed", json_object_get(call->args, "code") ? wrong_code : no_code);
    else
        api_fail(call, 401, "sign-in", wrong);
}

void api_session_begin(struct api_call *call)
{
    const json_t *token = json_object_get(call->args, "token");
    bool has_login = json_object_get(call->args, "login") && json_object_get(call->args, "password");
    if (http_request_door(call->request) != HTTP_DOOR_WEB)
        api_fail(call, 403, NULL, "sessions are for browsers: this socket knows you by your user id");
    else if (token && !json_object_get(call->args, "login") && !json_object_get(call->args, "password") &&
             !json_object_get(call->args, "code"))
        caller_check_token(call->console, view_cstr(json_string_value(token)), http_request_ip(call->request),
                           on_token, call);
    else if (has_login && !token)
        password_check(call, json_string_value(json_object_get(call->args, "login")),
                       json_string_value(json_object_get(call->args, "password")), false, on_password);
    else
        api_fail(call, 422, "invalid-member", "give 'login' and 'password', or 'token'");
}
