/* Which request does what. A path is compared as a whole; the operations of the API stand in ops.c. */
#include "msa/console/api_call.h"

#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/console/autoconfig.h"
#include "msa/console/forwarded.h"
#include "msa/console/metrics.h"
#include "msa/console/problem.h"

#define API    API_PREFIX "/"
#define PLAIN  "text/plain; charset=utf-8"
#define JSON   "application/json"

typedef void route_fn(struct console *c, struct http_request *r);

/* ---- health ---- */

/* Alive: this process runs its loop. */
static void on_healthz(struct console *c, struct http_request *r)
{
    (void)c;
    http_answer(r, 200, PLAIN, VIEW_LIT("ok\n"));
}

static void on_readyz(struct console *c, struct http_request *r)
{
    struct buf missing;
    buf_init(&missing, 1024);
    for (size_t i = 0; i < console_status_count; i++)
        if (!console_peer(c, console_statuses[i].role))
            buf_addf(&missing, "%s is away\n", role_name(console_statuses[i].role));
    if (buf_len(&missing) == 0)
        http_answer(r, 200, PLAIN, VIEW_LIT("ready\n"));
    else
        http_answer(r, 503, PLAIN, buf_view(&missing));
    buf_fini(&missing);
}

/* ---- all roles ---- */

static void answer_status(struct http_request *r, json_t *statuses)
{
    char *text = json_dumps(statuses, JSON_COMPACT | JSON_SORT_KEYS);
    if (text)
        http_answer(r, 200, JSON, view_cstr(text));
    else
        problem_answer(r, 503, "out of memory");
    free(text);
}

static bool wants_openmetrics(const struct http_request *r)
{
    struct view accept = http_request_header(r, "Accept");
    while (accept.n > 0) {
        struct view one = view_trim(view_cut(&accept, ','));
        if (view_eq_nocase(view_trim(view_cut(&one, ';')), VIEW_LIT("application/openmetrics-text")))
            return true;
    }
    return false;
}

static void answer_metrics(struct http_request *r, json_t *statuses)
{
    struct buf text;
    bool is_open = wants_openmetrics(r);
    buf_init(&text, METRICS_MAX);
    metrics_write(statuses, is_open, &text);
    if (buf_failed(&text))
        problem_answer(r, 503, "out of memory");
    else
        http_answer(r, 200, is_open ? METRICS_TYPE : METRICS_TEXT_TYPE, buf_view(&text));
    buf_fini(&text);
}

static void on_metrics(struct console *c, struct http_request *r)
{
    fanout_start(c, r, answer_metrics);
}

void api_status(struct api_call *call)
{
    struct http_request *r = call->request;
    struct console *c = call->console;
    api_end(call);
    fanout_start(c, r, answer_status);
}

/* ---- the API ---- */

/* The control socket takes operations by their name, too. */
static void on_api(struct console *c, struct http_request *r)
{
    const struct console_op *op = NULL;
    struct view path = http_request_path(r);
    if (http_request_door(r) == HTTP_DOOR_CONTROL && http_request_method(r) == HTTP_POST)
        op = console_op_find(view_slice(path, sizeof API - 1, path.n));
    if (op && !console_op_is_internal(op) && caller_by_socket(c, r) == WHO_OPERATOR)
        console_op(c, r, op);
    else
        api_handle(c, r);
}

/* ---- the table ---- */

#define CONTROL (1u << HTTP_DOOR_CONTROL)
#define METRICS (1u << HTTP_DOOR_METRICS)
#define AUTH_POLICY (1u << HTTP_DOOR_AUTH_POLICY)
#define WEB (1u << HTTP_DOOR_WEB)
#define ANY_METHOD HTTP_METHOD_COUNT

static const struct route {
    const char *path;
    bool is_prefix;
    unsigned method; /* an enum http_method, or ANY_METHOD */
    unsigned doors;
    route_fn *fn;
} routes[] = {
    {"/healthz", false, HTTP_GET, CONTROL | METRICS | WEB, on_healthz},
    {"/readyz", false, HTTP_GET, CONTROL | METRICS | WEB, on_readyz},
    {"/metrics", false, HTTP_GET, CONTROL | METRICS, on_metrics},
    {API, true, ANY_METHOD, CONTROL | WEB, on_api},
    {"/verify", false, HTTP_POST, AUTH_POLICY | WEB, console_verify},
    {"/", true, HTTP_GET, WEB, console_page},
    {"/", false, HTTP_POST, AUTH_POLICY, console_auth_policy},
    {"/", false, HTTP_GET, AUTH_POLICY, console_auth_policy}, /* ?command=ping */
};

/* What a browser is told of everything that comes from here: nothing is framed, nothing is loaded from elsewhere, no
 * address of ours is told to others. */
static void add_browser_rules(struct http_request *r)
{
    bool is_api = view_has_prefix(http_request_path(r), VIEW_LIT(API));
    http_add_header(r, "Content-Security-Policy",
                    is_api ? VIEW_LIT("default-src 'none'; frame-ancestors 'none'")
                           : VIEW_LIT("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                      "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
                                      "frame-ancestors 'none'"));
    http_add_header(r, "Referrer-Policy", VIEW_LIT("no-referrer"));
    http_add_header(r, "X-Frame-Options", VIEW_LIT("DENY"));
    http_add_header(r, "Cross-Origin-Opener-Policy", VIEW_LIT("same-origin"));
    http_add_header(r, "Cross-Origin-Resource-Policy", VIEW_LIT("same-origin"));
    if (http_request_is_tls(r))
        http_add_header(r, "Strict-Transport-Security", VIEW_LIT("max-age=31536000"));
}

static bool is_at(const struct route *route, struct view path)
{
    struct view at = view_cstr(route->path);
    return route->is_prefix ? view_has_prefix(path, at) : view_eq(path, at);
}

#define FORWARDED_MAX 16384 /* no header is longer */

static void take_forwarded(const struct console *c, struct http_request *r)
{
    struct buf said;
    const struct config_console *config = &c->config->console;
    if (!forwarded_is_proxy(config, http_request_ip(r)))
        return;
    buf_init(&said, FORWARDED_MAX);
    http_request_header_all(r, config->proxy_header == CONFIG_PROXY_FORWARDED ? "Forwarded" : "X-Forwarded-For", &said);
    struct ipaddr client = forwarded_client(config, http_request_ip(r), buf_view(&said));
    if (!buf_failed(&said))
        http_request_come_from(r, &client);
    buf_fini(&said);
}

/* A connection that requests of several clients may come through carries one of them: what a proxy takes for the end
 * of a request, and libmicrohttpd does not (a bare LF, a NUL), then leads to nobody else's. */
static void end_with_this(const struct console *c, struct http_request *r)
{
    if (!http_request_is_tls(r) || forwarded_is_proxy(&c->config->console, http_request_ip(r)))
        http_add_header(r, "Connection", VIEW_LIT("close"));
}

void console_route(void *console, struct http_request *r)
{
    bool is_known = false;
    const char *why_not = http_request_door(r) == HTTP_DOOR_WEB ? guard_host(console, r) : NULL;
    if (http_request_door(r) == HTTP_DOOR_CONTROL && caller_by_socket(console, r) == 0) {
        problem_answer(r, 403, "this socket is for root, msad's own user, members of its group, and listed user ids");
        return;
    }
    if (http_request_door(r) == HTTP_DOOR_WEB) {
        end_with_this(console, r);
        take_forwarded(console, r);
        add_browser_rules(r);
    }
    if (http_request_door(r) == HTTP_DOOR_WEB && autoconfig_is_path(http_request_path(r))) {
        console_autoconfig(console, r); /* at names of its own, for programs: no cookie, nothing to bind anew */
        return;
    }
    if (why_not) {
        problem_answer(r, 421, why_not);
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];
        if (!(route->doors & (1u << http_request_door(r))) || !is_at(route, http_request_path(r)))
            continue;
        is_known = true;
        if (route->method == ANY_METHOD || route->method == http_request_method(r)) {
            route->fn(console, r);
            return;
        }
    }
    if (is_known)
        problem_answer(r, 405, "this path takes another method");
    else
        problem_answer(r, 404, "there is nothing at this path");
}
