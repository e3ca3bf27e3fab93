/* Which request does what. A path is compared as a whole; the operations of the API stand in ops.c. */
#include "msa/console/console_private.h"

#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/console/metrics.h"
#include "msa/console/problem.h"

#define API    "/api/v1/"
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

static void answer_metrics(struct http_request *r, json_t *statuses)
{
    struct buf text;
    buf_init(&text, METRICS_MAX);
    metrics_write(statuses, &text);
    if (buf_failed(&text))
        problem_answer(r, 503, "out of memory");
    else
        http_answer(r, 200, METRICS_TYPE, buf_view(&text));
    buf_fini(&text);
}

static void on_status(struct console *c, struct http_request *r)
{
    fanout_start(c, r, answer_status);
}

static void on_metrics(struct console *c, struct http_request *r)
{
    fanout_start(c, r, answer_metrics);
}

/* ---- one role ---- */

static void on_op_answer(void *arg, unsigned status, struct view json)
{
    if (status >= 400)
        problem_answer_json(arg, status, json);
    else
        http_answer(arg, status, JSON, json);
}

static void on_op(struct console *c, struct http_request *r)
{
    struct view path = http_request_path(r), body = http_request_body(r);
    const struct console_op *op = console_op_find(view_slice(path, sizeof API - 1, path.n));
    if (!op)
        problem_answer(r, 404, "there is no such operation");
    else if (body.n > op->body_max_bytes)
        problem_answer(r, 413, "the arguments are longer than this operation takes");
    else
        console_ask(c, op, http_request_actor(r), body, on_op_answer, r);
}

/* ---- the table ---- */

#define CONTROL (1u << HTTP_DOOR_CONTROL)
#define METRICS (1u << HTTP_DOOR_METRICS)
#define AUTH_POLICY (1u << HTTP_DOOR_AUTH_POLICY)

static const struct route {
    const char *path;
    bool is_prefix;
    enum http_method method;
    unsigned doors;
    route_fn *fn;
} routes[] = {
    {"/healthz", false, HTTP_GET, CONTROL | METRICS, on_healthz},
    {"/readyz", false, HTTP_GET, CONTROL | METRICS, on_readyz},
    {"/metrics", false, HTTP_GET, CONTROL | METRICS, on_metrics},
    {API "status", false, HTTP_GET, CONTROL, on_status},
    {API, true, HTTP_POST, CONTROL, on_op},
    {"/", false, HTTP_POST, AUTH_POLICY, console_auth_policy},
};

static bool is_at(const struct route *route, struct view path)
{
    struct view at = view_cstr(route->path);
    return route->is_prefix ? view_has_prefix(path, at) : view_eq(path, at);
}

void console_route(void *console, struct http_request *r)
{
    bool is_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];
        if (!(route->doors & (1u << http_request_door(r))) || !is_at(route, http_request_path(r)))
            continue;
        is_known = true;
        if (route->method == http_request_method(r)) {
            route->fn(console, r);
            return;
        }
    }
    if (is_known)
        problem_answer(r, 405, "this path takes another method");
    else
        problem_answer(r, 404, "there is nothing at this path");
}
