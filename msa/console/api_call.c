#include "msa/console/api_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/secret.h"
#include "msa/console/audit.h"
#include "msa/console/event_streams.h"
#include "msa/console/problem.h"

#define JSON_TYPE "application/json"

/* ---- answers ---- */

void api_end(struct api_call *call)
{
    json_decref(call->args);
    json_decref(call->answer);
    timer_stop(&call->timer);
    secret_wipe(call, sizeof *call);
    free(call);
}

static void send_answer(void *arg)
{
    struct api_call *call = arg;
    char *text = call->answer ? json_dumps(call->answer, JSON_COMPACT) : NULL;
    if (!text)
        problem_answer(call->request, 503, "out of memory");
    else if (call->status >= 400)
        problem_answer_json(call->request, call->status, view_cstr(text));
    else
        http_answer(call->request, call->status, JSON_TYPE, view_cstr(text));
    free(text);
    api_end(call);
}

/* What reads somebody's mail asks why, and is recorded as a change is. */
static bool is_recorded(const struct api_route *route)
{
    if (!route->op || route->method != HTTP_GET)
        return route->op != NULL;
    for (const struct api_field *f = route->fields; f && f->name; f++)
        if (strcmp(f->name, API_WHY) == 0)
            return true;
    return false;
}

void api_answer(struct api_call *call, unsigned status, json_t *o)
{
    const struct api_route *route = call->match.route;
    call->status = status;
    call->answer = o;
    if (!route || !is_recorded(route) || call->caller.who == 0) {
        send_answer(call);
        return;
    }
    const struct audit_entry e = {
        .actor = view_cstr(call->caller.actor),
        .from = http_request_ip(call->request),
        .op = view_cstr(route->op),
        .target = view_cstr(call->target),
        .why = view_cstr(call->why),
        .status = status,
    };
    audit_add(call->console, &e, send_answer, call);
}

static json_t *problem_of(const char *kind, const char *detail)
{
    json_t *o = json_pack("{s:s}", "detail", detail);
    if (o && kind)
        json_object_set_new(o, "type", json_sprintf(PROBLEM_URN "%s", kind));
    return o;
}

/* Nothing was changed: there is nothing to record. */
static void refuse(struct api_call *call, unsigned status, json_t *o)
{
    call->status = status;
    call->answer = o;
    send_answer(call);
}

void api_fail(struct api_call *call, unsigned status, const char *kind, const char *detail)
{
    refuse(call, status, problem_of(kind, detail));
}

/* ---- what a customer sees of an answer ---- */

static bool is_named(const char *names, const char *name)
{
    struct view rest = view_cstr(names);
    while (rest.n > 0)
        if (view_eq(view_cut(&rest, ' '), view_cstr(name)))
            return true;
    return false;
}

static void drop_unnamed(json_t *o, const char *names)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(o, next, key, value) {
        if (!is_named(names, key))
            json_object_del(o, key);
    }
}

static void keep_shown(json_t *o, const char *names)
{
    const char *key;
    json_t *value, *item;
    size_t i;
    drop_unnamed(o, names);
    json_object_foreach(o, key, value) {
        json_array_foreach(value, i, item) {
            drop_unnamed(item, names);
        }
    }
}

/* ---- one operation ---- */

/* What the password or the token opened before it was changed is shut. */
static void after_change(struct api_call *call)
{
    const char *op = call->match.route->op;
    /* A customer's own session stays: it is by what he does here that he shuts out the others. */
    const struct web_session *own = call->caller.who == WHO_CUSTOMER && call->caller.is_by_cookie
                                        ? caller_session(call->console, call->request)
                                        : NULL;
    if (console_op_ends_sessions(console_op_find(view_cstr(op))))
        (void)web_sessions_end_of(&call->console->sessions, view_cstr(call->target), own);
    if (strcmp(op, "token.remove") == 0)
        console_forget_tokens(call->console);
    event_streams_recheck(call->console);
}

static void on_op_answer(void *arg, unsigned status, struct view json)
{
    struct api_call *call = arg;
    const struct api_route *route = call->match.route;
    json_t *o = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        o = json_object();
        status = status < 400 ? 502 : status;
    }
    if (status < 400 && json_object_get(call->args, "login"))
        audit_name_account(o, call->target, sizeof call->target);
    if (status < 400 && route->picks) {
        json_t *picked = json_pack("{s:O?}", route->picks, json_object_get(o, route->picks));
        json_decref(o);
        o = picked;
    }
    if (status < 400 && route->shown && call->caller.who == WHO_CUSTOMER)
        keep_shown(o, route->shown);
    if (status < 400)
        after_change(call);
    if (status < 400 && call->then)
        call->then(call, o);
    else
        api_answer(call, status, o);
}

void api_ask_op(struct api_call *call, const char *op)
{
    char *text = json_dumps(call->args, JSON_COMPACT);
    if (text)
        console_ask(call->console, console_op_find(view_cstr(op)), view_cstr(call->caller.actor),
                    view_cstr(text), on_op_answer, call);
    else
        api_fail(call, 503, NULL, "out of memory");
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

/* What is only being tried out is no customer's matter. */
void api_usage(struct api_call *call)
{
    if (call->caller.who == WHO_CUSTOMER)
        json_object_set_new(call->args, "is_enforced_only", json_true());
    api_ask_op(call, call->match.route->op);
}

/* ---- arguments ---- */

/* From the names of the API to those of the operation; what is the record's alone is taken out. */
static void rename_args(struct api_call *call)
{
    const struct api_route *route = call->match.route;
    json_t *why = json_object_get(call->args, API_WHY);
    (void)view_to_cstr(view_cstr(json_string_value(why)), call->why, sizeof call->why);
    for (const struct api_field *f = route->fields; f && f->name; f++) {
        json_t *value = json_object_get(call->args, f->name);
        if (!value || !f->arg)
            continue;
        if (f->arg[0])
            json_object_set(call->args, f->arg, value);
        json_object_del(call->args, f->name);
    }
    if (route->sets)
        json_object_set_new(call->args, route->sets, json_true());
}

static void name_target(struct api_call *call)
{
    static const char *const keys[] = {"login", "id", "ip", "role"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !call->target[0]; i++) {
        const json_t *value = json_object_get(call->args, keys[i]);
        (void)view_to_cstr(view_cstr(json_string_value(value)), call->target, sizeof call->target);
    }
}

/* A customer has one account. Others' are told from none by nothing. What the path names beside the login is looked
 * for in that account alone, by its operation. */
static bool is_own(const struct api_call *call)
{
    bool is_named = call->match.param_count == 0;
    for (size_t i = 0; i < call->match.param_count; i++) {
        struct view value = view_of(call->match.params[i].value, call->match.params[i].value_bytes);
        if (!view_eq(call->match.params[i].name, VIEW_LIT("login")))
            continue;
        if (!view_eq(value, VIEW_LIT("me")) && !view_eq(value, view_cstr(call->caller.name)))
            return false;
        is_named = true;
    }
    return is_named;
}

static bool is_json(struct view type)
{
    struct view media = view_trim(view_cut(&type, ';'));
    return view_eq_nocase(media, VIEW_LIT(JSON_TYPE));
}

static void fail_with(struct api_call *call, const struct api_fault *fault)
{
    json_t *o = problem_of(fault->status == 422 ? "invalid-member" : NULL, fault->detail);
    if (o && fault->member[0])
        json_object_set_new(o, "member", json_string(fault->member));
    refuse(call, fault->status, o);
}

static void run(struct api_call *call)
{
    struct http_request *r = call->request;
    struct api_fault fault;
    struct view body = http_request_body(r);
    if (body.n > 0 && !is_json(http_request_header(r, "Content-Type"))) {
        api_fail(call, 415, NULL, "the body is to be application/json, and its Content-Type to say so");
        return;
    }
    bool is_customer = call->caller.who == WHO_CUSTOMER;
    if (is_customer && !is_own(call)) {
        api_fail(call, 404, NULL, "there is no such account");
        return;
    }
    call->args = api_args(&call->match, call->caller.who, http_request_query_text(r), body, &fault);
    if (!call->args) {
        fail_with(call, &fault);
        return;
    }
    if (is_customer && call->match.param_count > 0) /* "me" is a name of it, too */
        json_object_set_new(call->args, "login", json_string(call->caller.name));
    rename_args(call);
    name_target(call);
    if (call->match.route->fn)
        call->match.route->fn(call);
    else if (call->match.route->way)
        call->match.route->way(call);
    else
        api_ask_op(call, call->match.route->op);
}

/* ---- may it? ---- */

static void refuse_stranger(struct api_call *call, unsigned status)
{
    if (status == 401)
        http_add_header(call->request, "WWW-Authenticate", VIEW_LIT("Bearer realm=\"msad\""));
    if (status == 429)
        caller_say_wait(call->console, call->request);
    api_fail(call, status, NULL,
             status == 401   ? "sign in first, or bring a token"
             : status == 429 ? "too many tokens from this address were none"
                             : "auth is away");
}

static void on_caller(void *arg, const struct caller *caller, unsigned status)
{
    struct api_call *call = arg;
    const struct api_route *route = call->match.route;
    const char *why_not = NULL;
    call->caller = *caller;
    bool is_change = route->method != HTTP_GET;
    if (status == 0 && is_change && http_request_door(call->request) == HTTP_DOOR_WEB)
        why_not = guard_origin(call->request);
    if (status == 0 && !why_not && is_change && caller->is_by_cookie && !route->is_open)
        why_not = guard_csrf(call->request, caller);
    if (status != 0)
        refuse_stranger(call, status);
    else if (why_not)
        api_fail(call, 403, "cross-site", why_not);
    else if (route->who & WHO_ANYBODY)
        run(call);
    else if (caller->who == 0)
        refuse_stranger(call, 401);
    else if (!(route->who & caller->who))
        api_fail(call, 403, "role", "this is not for your role");
    else if (route->scope != SCOPE_NONE && !(caller->scopes & api_scope_bit(route->scope)))
        api_fail(call, 403, "scope", "your token does not have the scope for this");
    else
        run(call);
}

/* ---- */

static void refuse_path(struct http_request *r, const struct api_match *m)
{
    char allow[64] = "";
    if (!m->is_path) {
        problem_answer(r, 404, "there is nothing at this path");
        return;
    }
    for (unsigned i = 0; i < HTTP_OTHER; i++) {
        size_t n = strlen(allow);
        if (m->methods & (1u << i))
            snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "",
                     http_method_name((enum http_method)i));
    }
    http_add_header(r, "Allow", view_cstr(allow));
    problem_answer(r, 405, "this path takes another method");
}

void api_handle(struct console *c, struct http_request *r)
{
    struct api_match m;
    api_match(http_request_method(r), http_request_path(r), &m);
    if (!m.route) {
        refuse_path(r, &m);
        return;
    }
    struct api_call *call = calloc(1, sizeof *call);
    if (!call) {
        problem_answer(r, 503, "out of memory");
        return;
    }
    call->console = c;
    call->request = r;
    call->match = m;
    caller_identify(c, r, on_caller, call);
}
