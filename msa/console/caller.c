/* Who asks: by the socket's credentials, by a bearer token, by a session's cookie. Tokens are known to auth; what it
 * said of one is believed for half a minute, and forgotten at once when one is taken back here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/console/api_call.h"

#define ALL_SCOPES UINT64_MAX
#define BEARER     "Bearer "

/* ---- what is remembered of tokens ---- */

static struct console_token *slot_of(struct console *c, const uint8_t digest[SESSION_DIGEST_BYTES])
{
    return &c->tokens[(digest[0] | digest[1] << 8) % CONSOLE_TOKENS_MAX];
}

static const struct console_token *recall(struct console *c, struct view token)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    console_digest(token, digest);
    const struct console_token *t = slot_of(c, digest);
    bool is_it = t->until_ms > clock_mono_ms() && memcmp(t->digest, digest, sizeof digest) == 0;
    return is_it ? t : NULL;
}

static uint64_t scopes_of(struct view text)
{
    uint64_t scopes = 0;
    if (text.n == 0)
        return ALL_SCOPES;
    while (text.n > 0)
        scopes |= api_scope_bit(api_scope_named(view_cut(&text, ' ')));
    return scopes;
}

static struct view text_of(const json_t *o, const char *key)
{
    return view_cstr(json_string_value(json_object_get(o, key)));
}

/* False: auth's answer is none that we know. */
static bool remember(struct console *c, struct view token, struct view json)
{
    struct console_token t = {.until_ms = clock_mono_ms() + CONSOLE_TOKEN_KEPT_MS};
    json_t *o = json_loadb(json.p, json.n, 0, NULL);
    int64_t expires_ms = json_integer_value(json_object_get(o, "expires_ms"));
    int64_t left_ms = expires_ms - clock_wall_ms();
    t.who = api_who_named(text_of(o, "role"));
    t.scopes = scopes_of(text_of(o, "scopes"));
    bool is_good = t.who != 0 && left_ms > 0 && view_to_cstr(text_of(o, "id"), t.id, sizeof t.id);
    json_decref(o);
    if (!is_good)
        return false;
    if (left_ms < CONSOLE_TOKEN_KEPT_MS)
        t.until_ms = clock_mono_ms() + left_ms;
    console_digest(token, t.digest);
    *slot_of(c, t.digest) = t;
    return true;
}

/* ---- a token ---- */

struct token_question {
    struct console *console;
    struct ipaddr ip; /* none: not a client's */
    caller_fn *fn;
    void *arg;
    char token[CONSOLE_TOKEN_TEXT_MAX + 1];
};

static void by_token(const struct console_token *t, caller_fn *fn, void *arg)
{
    struct caller caller = {.who = t->who, .scopes = t->scopes};
    snprintf(caller.actor, sizeof caller.actor, "token:%s", t->id);
    snprintf(caller.name, sizeof caller.name, "%s", t->id);
    fn(arg, &caller, 0);
}

static void by_nobody(unsigned status, caller_fn *fn, void *arg)
{
    static const struct caller nobody;
    fn(arg, &nobody, status);
}

static void note_bad(struct console *c, const struct ipaddr *ip)
{
    struct log_line l;
    if (!bad_tokens_note(&c->bad_tokens, ip, clock_mono_ms()))
        return;
    log_begin(&l, LOG_LEVEL_WARN, "console-bad-tokens");
    log_ip(&l, "ip", ip);
    log_num(&l, "count", BAD_TOKENS_MAX);
    log_end(&l);
}

static void on_checked(void *arg, unsigned status, struct view json)
{
    struct token_question q = *(struct token_question *)arg;
    struct view token = view_cstr(q.token);
    secret_wipe(arg, sizeof q);
    free(arg);
    if (status == 200 && remember(q.console, token, json)) {
        by_token(recall(q.console, token), q.fn, q.arg);
    } else {
        if (status < 500)
            note_bad(q.console, &q.ip);
        by_nobody(status >= 500 ? status : 401, q.fn, q.arg);
    }
    secret_wipe(q.token, sizeof q.token);
}

static void ask_auth(struct console *c, struct view token, const struct ipaddr *ip, caller_fn *fn, void *arg)
{
    struct token_question *q = NULL;
    json_t *args = json_pack("{s:s%}", "token", token.p, token.n);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    if (text)
        q = calloc(1, sizeof *q);
    if (q) {
        *q = (struct token_question){.console = c, .ip = *ip, .fn = fn, .arg = arg};
        (void)view_to_cstr(token, q->token, sizeof q->token);
        console_ask(c, console_op_find(VIEW_LIT("token.check")), VIEW_LIT("console"), view_cstr(text),
                    on_checked, q);
    } else {
        by_nobody(args ? 503 : 401, fn, arg); /* no UTF-8: no token */
    }
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
    json_decref(args);
}

void caller_check_token(struct console *c, struct view token, const struct ipaddr *ip, caller_fn *fn, void *arg)
{
    const struct console_token *known = token.n <= CONSOLE_TOKEN_TEXT_MAX ? recall(c, token) : NULL;
    if (known) {
        by_token(known, fn, arg);
    } else if (bad_tokens_wait_s(&c->bad_tokens, ip, clock_mono_ms()) > 0) {
        by_nobody(429, fn, arg);
    } else if (token.n == 0 || token.n > CONSOLE_TOKEN_TEXT_MAX) {
        note_bad(c, ip);
        by_nobody(401, fn, arg);
    } else {
        ask_auth(c, token, ip, fn, arg);
    }
}

void caller_say_wait(struct console *c, struct http_request *r)
{
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)bad_tokens_wait_s(&c->bad_tokens, http_request_ip(r), clock_mono_ms()));
    http_add_header(r, "Retry-After", view_cstr(text));
}

void console_forget_tokens(struct console *c)
{
    secret_wipe(c->tokens, sizeof c->tokens);
}

/* ---- a cookie ---- */

/* The value of ours; empty when there is none, or two of them. */
static struct view cookie_value(struct view header)
{
    struct view found = VIEW_EMPTY;
    unsigned count = 0;
    while (header.n > 0) {
        struct view pair = view_trim(view_cut(&header, ';')), name = view_cut(&pair, '=');
        if (!view_eq(name, VIEW_LIT(CALLER_COOKIE)))
            continue;
        found = pair;
        count++;
    }
    return count == 1 ? found : VIEW_EMPTY;
}

struct web_session *caller_session(struct console *c, struct http_request *r)
{
    return web_sessions_find(&c->sessions, cookie_value(http_request_header(r, "Cookie")), clock_mono_ms());
}

static void by_cookie(struct console *c, struct http_request *r, caller_fn *fn, void *arg)
{
    struct caller caller = {0};
    const struct web_session *s = caller_session(c, r);
    if (s) {
        caller.who = s->owner.who;
        caller.scopes = s->owner.scopes;
        caller.is_by_cookie = true;
        (void)view_to_cstr(view_cstr(s->owner.name), caller.name, sizeof caller.name);
        (void)view_to_cstr(view_cstr(s->csrf), caller.csrf, sizeof caller.csrf);
        struct view shown = view_slice(view_cstr(s->owner.name), 0, HTTP_ACTOR_MAX - 12);
        snprintf(caller.actor, sizeof caller.actor, "%s:%.*s", caller.who == WHO_CUSTOMER ? "customer" : "token",
                 (int)shown.n, shown.p);
    }
    fn(arg, &caller, 0);
}

/* ---- */

static bool is_listed(const struct config_numbers *uids, uint32_t uid)
{
    for (uint32_t i = 0; i < uids->count; i++)
        if (uids->items[i] == uid)
            return true;
    return false;
}

unsigned caller_by_socket(const struct console *c, const struct http_request *r)
{
    const struct config_console *s = &c->config->console;
    uint32_t uid = http_request_uid(r);
    if (is_listed(&s->support_uids, uid))
        return WHO_SUPPORT;
    if (is_listed(&s->portal_uids, uid))
        return WHO_PORTAL;
    return is_listed(&s->operator_uids, uid) || http_request_is_ours(r) ? WHO_OPERATOR : 0;
}

static void by_socket(const struct console *c, const struct http_request *r, caller_fn *fn, void *arg)
{
    struct caller caller = {.who = caller_by_socket(c, r), .scopes = ALL_SCOPES};
    (void)view_to_cstr(http_request_actor(r), caller.actor, sizeof caller.actor);
    fn(arg, &caller, 0);
}

static bool is_bearer(struct view authorization)
{
    return view_has_prefix_nocase(authorization, VIEW_LIT(BEARER));
}

static struct view token_of(struct view authorization)
{
    return view_trim(view_slice(authorization, sizeof BEARER - 1, authorization.n));
}

void caller_copy_token(const struct http_request *r, char out[CONSOLE_TOKEN_TEXT_MAX + 1])
{
    struct view authorization = http_request_header(r, "Authorization");
    out[0] = '\0';
    if (http_request_door(r) != HTTP_DOOR_CONTROL && is_bearer(authorization))
        (void)view_to_cstr(token_of(authorization), out, CONSOLE_TOKEN_TEXT_MAX + 1);
}

void caller_identify(struct console *c, struct http_request *r, caller_fn *fn, void *arg)
{
    struct view authorization = http_request_header(r, "Authorization");
    if (http_request_door(r) == HTTP_DOOR_CONTROL)
        by_socket(c, r, fn, arg);
    else if (is_bearer(authorization))
        caller_check_token(c, token_of(authorization), http_request_ip(r), fn, arg);
    else if (authorization.n > 0)
        by_nobody(401, fn, arg);
    else
        by_cookie(c, r, fn, arg);
}
