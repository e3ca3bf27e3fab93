/* The console process: its peers, its doors, its end. */
#include "msa/console/console.h"

#include <stdlib.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/console/console_private.h"

/* ---- peers ---- */

struct chan *console_peer(const struct console *c, enum role role)
{
    for (size_t i = 0; i < c->peer_count; i++)
        if (chan_peer(c->peers[i]) == role)
            return c->peers[i];
    return NULL;
}

static void console_peer_up(void *state, struct chan *peer)
{
    struct console *c = state;
    if (c->peer_count < CONSOLE_PEERS_MAX)
        c->peers[c->peer_count++] = peer;
}

static void console_peer_down(void *state, struct chan *peer)
{
    struct console *c = state;
    for (size_t i = 0; i < c->peer_count; i++) {
        if (c->peers[i] != peer)
            continue;
        c->peers[i] = c->peers[--c->peer_count];
        return;
    }
}

/* ---- doors ---- */

static struct console_door *find_door(struct console *c, const struct ipaddr *ip, uint16_t port)
{
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++) {
        struct console_door *d = &c->doors[i];
        if (d->server && !d->is_closed && ipaddr_eq(&d->ip, ip) && d->port == port)
            return d;
    }
    return NULL;
}

/* A free place; closed doors whose last question is answered make room. */
static struct console_door *free_door(struct console *c)
{
    struct console_door *found = NULL;
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++) {
        struct console_door *d = &c->doors[i];
        if (d->is_closed && http_server_waiting(d->server) == 0) {
            http_server_free(&d->server);
            d->is_closed = false;
        }
        if (!d->server && !found)
            found = d;
    }
    return found;
}

/* The control socket has no address. */
static enum http_door kind_of(struct view name, const struct ipaddr *ip, uint16_t port)
{
    if (ipaddr_is_none(ip) && port == 0)
        return HTTP_DOOR_CONTROL;
    return view_eq(name, VIEW_LIT(CONSOLE_AUTH_POLICY)) ? HTTP_DOOR_AUTH_POLICY
                                                        : HTTP_DOOR_METRICS;
}

static void console_take_listener(void *state, struct view name, const struct ipaddr *ip,
                                  uint16_t port, int fd)
{
    struct console *c = state;
    struct console_door *d = find_door(c, ip, port) ? NULL : free_door(c);
    if (d)
        d->server =
            http_server_new(c->loop, fd, kind_of(name, ip, port), console_route, c);
    else
        close(fd);
    if (d && d->server) {
        d->ip = *ip;
        d->port = port;
        return;
    }
    struct log_line l;
    log_begin(&l, LOG_LEVEL_ERROR, "console-no-door");
    log_view(&l, "listener", name);
    log_end(&l);
}

static void console_drop_listener(void *state, struct view name, const struct ipaddr *ip,
                                  uint16_t port)
{
    struct console_door *d = find_door(state, ip, port);
    (void)name;
    if (!d)
        return;
    http_server_refuse_new(d->server);
    d->is_closed = true;
}

/* ---- life ---- */

static int console_open(const struct role_env *env, void **state_out)
{
    struct console *c = calloc(1, sizeof *c);
    *state_out = c;
    if (!c)
        return MSA_ENOMEM;
    c->loop = env->loop;
    return MSA_OK;
}

static int console_take_config(void *state, const struct role_config *next, char *why_not,
                               size_t why_not_size)
{
    struct console *c = state;
    (void)why_not, (void)why_not_size;
    c->config = next->config;
    return MSA_OK;
}

static int console_serve(void *state)
{
    (void)state;
    return MSA_OK;
}

#define DRAIN_LOOK_MS 50

static size_t waiting(const struct console *c)
{
    size_t n = 0;
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++)
        n += c->doors[i].server ? http_server_waiting(c->doors[i].server) : 0;
    return n;
}

static void on_drain_timer(void *arg)
{
    struct console *c = arg;
    if (waiting(c) == 0)
        c->drained(c->drained_arg, 0);
    else
        timer_start(&c->drain_timer, c->loop, DRAIN_LOOK_MS); /* each question has its deadline */
}

static void console_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct console *c = state;
    (void)within_ms; /* the supervisor keeps the time */
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++)
        if (c->doors[i].server && !c->doors[i].is_closed)
            http_server_refuse_new(c->doors[i].server);
    c->drained = done;
    c->drained_arg = arg;
    timer_init(&c->drain_timer, on_drain_timer, c);
    on_drain_timer(c);
}

static void console_close(void **state)
{
    struct console *c = *state;
    timer_stop(&c->drain_timer);
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++)
        http_server_free(&c->doors[i].server);
    free(c);
    *state = NULL;
}

/* Nobody asks console anything; answers come by id. */
static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {0};

const struct role_ops console_role = {
    .role = ROLE_CONSOLE,
    .open = console_open,
    .take_config = console_take_config,
    .serve = console_serve,
    .take_listener = console_take_listener,
    .drop_listener = console_drop_listener,
    .peer_up = console_peer_up,
    .peer_down = console_peer_down,
    .handlers = handlers,
    .drain = console_drain,
    .close = console_close,
};
