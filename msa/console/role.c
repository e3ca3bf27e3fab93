/* The console process: its peers, its doors, its end. */
#include "msa/console/console.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/console/console_private.h"
#include "msa/console/event_streams.h"
#include "msa/console/postfix_door.h"

/* ---- peers ---- */

/* Of several processes the first: what only one of them does, it does. */
struct chan *console_peer(const struct console *c, enum role role)
{
    struct chan *first = NULL;
    for (size_t i = 0; i < c->peer_count; i++)
        if (chan_peer(c->peers[i]) == role && (!first || chan_peer_index(c->peers[i]) < chan_peer_index(first)))
            first = c->peers[i];
    return first;
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

static bool is_https(struct view name)
{
    return view_eq(name, VIEW_LIT(CONSOLE_HTTPS));
}

/* The control socket has no address. */
static enum http_door kind_of(struct view name, const struct ipaddr *ip, uint16_t port)
{
    if (ipaddr_is_none(ip) && port == 0)
        return HTTP_DOOR_CONTROL;
    if (is_https(name) || view_eq(name, VIEW_LIT(CONSOLE_HTTP)))
        return HTTP_DOOR_WEB;
    return view_eq(name, VIEW_LIT(CONSOLE_AUTH_POLICY)) ? HTTP_DOOR_AUTH_POLICY
                                                        : HTTP_DOOR_METRICS;
}

static const struct tls_certificate *certificate_of(const struct console *c, struct view name)
{
    return is_https(name) && c->certificate_count > 0 ? &c->certificates[0] : NULL;
}

/* Behind TLS or not at all. */
static struct http_server *serve_at(struct console *c, struct view name, const struct ipaddr *ip, uint16_t port,
                                    int fd)
{
    const struct tls_certificate *certificate = certificate_of(c, name);
    if (!is_https(name) || certificate)
        return http_server_new(c->loop, fd, kind_of(name, ip, port), certificate, console_route, c);
    close(fd);
    return NULL;
}

static bool is_postfix(struct view name)
{
    return view_eq(name, VIEW_LIT(CONSOLE_POSTFIX));
}

static bool open_http(struct console *c, struct view name, const struct ipaddr *ip, uint16_t port, int fd)
{
    struct console_door *d = find_door(c, ip, port) ? NULL : free_door(c);
    if (d)
        d->server = serve_at(c, name, ip, port, fd);
    else
        close(fd);
    if (!d || !d->server)
        return false;
    d->ip = *ip;
    d->port = port;
    return true;
}

static void console_take_listener(void *state, struct view name, const struct ipaddr *ip,
                                  uint16_t port, int fd)
{
    struct console *c = state;
    struct log_line l;
    if (is_postfix(name) ? postfix_doors_open(c->postfix, ip, port, fd) == MSA_OK
                         : open_http(c, name, ip, port, fd))
        return;
    log_begin(&l, LOG_LEVEL_ERROR, "console-no-door");
    log_view(&l, "listener", name);
    log_end(&l);
}

static void console_drop_listener(void *state, struct view name, const struct ipaddr *ip,
                                  uint16_t port)
{
    struct console *c = state;
    struct console_door *d = is_postfix(name) ? NULL : find_door(c, ip, port);
    if (is_postfix(name))
        postfix_doors_close(c->postfix, ip, port);
    if (!d)
        return;
    http_server_refuse_new(d->server);
    d->is_closed = true;
}

/* Certificates are read when a server begins: another one takes over the socket, and the old one goes with its
 * last request. */
static void renew_tls(struct console *c)
{
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++) {
        struct console_door *d = &c->doors[i];
        if (!d->server || d->is_closed || !http_server_is_tls(d->server))
            continue;
        int fd = http_server_take_listener(d->server);
        http_server_end_streams(d->server);
        d->is_closed = true;
        if (fd != -1)
            console_take_listener(c, VIEW_LIT(CONSOLE_HTTPS), &d->ip, d->port, fd);
    }
}

/* ---- life ---- */

#define SESSIONS_LOOK_MS 60000

static void on_sessions_timer(void *arg)
{
    struct console *c = arg;
    web_sessions_expire(&c->sessions, clock_mono_ms());
    (void)timer_start(&c->sessions_timer, c->loop, SESSIONS_LOOK_MS); /* was on: cannot fail */
}

/* OpenSSL reads its configuration file at its first use, which must be before the sandbox closes. */
static void warm_up(void)
{
    uint8_t unused[SESSION_DIGEST_BYTES];
    console_digest(VIEW_LIT("warm-up"), unused);
}

/* Passwords come as JSON, from pages and from mail servers. */
static void free_wiped(void *p)
{
    if (p)
        secret_wipe(p, malloc_usable_size(p));
    free(p);
}

static int console_open(const struct role_env *env, void **state_out)
{
    json_set_alloc_funcs(malloc, free_wiped); /* before the first use */
    struct console *c = calloc(1, sizeof *c);
    *state_out = c;
    if (!c)
        return MSA_ENOMEM;
    c->loop = env->loop;
    c->postfix = postfix_doors_new(c);
    if (!c->postfix)
        return MSA_ENOMEM;
    web_sessions_init(&c->sessions);
    if (getrandom(&c->bad_tokens.key, sizeof c->bad_tokens.key, 0) != (ssize_t)sizeof c->bad_tokens.key)
        return MSA_EIO;
    event_streams_init(c);
    timer_init(&c->sessions_timer, on_sessions_timer, c);
    warm_up();
    return MSA_OK;
}

static int console_take_config(void *state, const struct role_config *next, char *why_not,
                               size_t why_not_size)
{
    struct console *c = state;
    (void)why_not, (void)why_not_size;
    c->config = next->config;
    c->certificates = next->certificates;
    c->certificate_count = next->certificate_count;
    renew_tls(c);
    return MSA_OK;
}

static int console_serve(void *state)
{
    struct console *c = state;
    return timer_start(&c->sessions_timer, c->loop, SESSIONS_LOOK_MS);
}

#define DRAIN_LOOK_MS 50

static size_t waiting(const struct console *c)
{
    size_t n = postfix_doors_waiting(c->postfix);
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

static void end_door(struct console_door *d)
{
    if (!d->server)
        return;
    if (!d->is_closed)
        http_server_refuse_new(d->server);
    http_server_end_streams(d->server);
}

static void console_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct console *c = state;
    (void)within_ms; /* the supervisor keeps the time */
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++)
        end_door(&c->doors[i]);
    postfix_doors_drain(c->postfix);
    c->drained = done;
    c->drained_arg = arg;
    timer_init(&c->drain_timer, on_drain_timer, c);
    on_drain_timer(c);
}

static void console_close(void **state)
{
    struct console *c = *state;
    timer_stop(&c->drain_timer);
    timer_stop(&c->sessions_timer);
    for (size_t i = 0; i < CONSOLE_DOORS_MAX; i++)
        http_server_free(&c->doors[i].server);
    postfix_doors_free(&c->postfix);
    event_streams_fini(c);
    web_sessions_fini(&c->sessions);
    console_forget_tokens(c);
    free(c);
    *state = NULL;
}

/* Nobody asks console anything; answers come by id. */
static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_news_tell] = event_streams_on_event,
};

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
