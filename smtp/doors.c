/* The listening sockets, and the trusted fronts before them. Behind a load balancer a connection begins with a
 * PROXY header, which is read off the bare descriptor, byte for byte, before anything else looks at it:
 * what comes next may be a TLS handshake that belongs to OpenSSL alone. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/proxy.h"
#include "smtp/worker.h"

#define PROXY_HEADER_MAX 1024

struct door {
    struct list link;
    struct worker *worker;
    struct listener *listener; /* NULL: closed by a reload; sessions still point to the name */
    struct ipaddr ip;
    uint16_t port;
    char name[IPC_NAME_MAX + 1];
};

/* A connection whose PROXY header is not yet complete. */
struct front {
    struct list link;
    struct door *door;
    struct watch *watch;
    struct timer timer;
    struct smtp_arrival arrival; /* of the front itself */
    size_t seen_bytes;
    int fd;
};

/* NULL: a reload has taken the listener out of the configuration. */
static const struct config_listener *find_listener(const struct door *d)
{
    const struct config *c = d->worker->site.config;
    for (uint32_t i = 0; i < c->listener_count; i++)
        if (view_eq(view_cstr(c->listeners[i].name), view_cstr(d->name)))
            return &c->listeners[i];
    return NULL;
}

static bool is_listed(const struct config_prefixes *list, const struct ipaddr *ip)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (ipprefix_contains(&list->items[i], ip))
            return true;
    return false;
}

static unsigned flags_of(const struct config_listener *l, const struct ipaddr *peer)
{
    unsigned flags = 0;
    if (l->mode == CONFIG_SUBMISSIONS)
        flags |= SMTP_IMPLICIT_TLS;
    if (l->auth_without_tls)
        flags |= SMTP_AUTH_IN_CLEAR;
    if (is_listed(&l->xclient_from, peer))
        flags |= SMTP_MAY_XCLIENT;
    return flags;
}

/* ---- PROXY --------------------------------------------------------------------------------------- */

static void front_free(struct front *f)
{
    list_remove(&f->link);
    watch_free(&f->watch);
    timer_stop(&f->timer);
    if (f->fd != -1)
        close(f->fd);
    free(f);
}

static void front_fail(struct front *f, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_WARN, "proxy-refused");
    log_ip(&l, "ip", &f->arrival.ip);
    log_str(&l, "listener", f->door->name);
    log_str(&l, "text", why);
    log_end(&l);
    front_free(f);
}

/* The header's own bytes leave the socket, no more. */
static bool swallow(int fd, size_t n)
{
    char header[PROXY_HEADER_MAX];
    return n <= sizeof header && recv(fd, header, n, 0) == (ssize_t)n;
}

static void front_done(struct front *f, const struct proxy_header *h)
{
    struct worker *w = f->door->worker;
    struct smtp_arrival arrival = f->arrival;
    int fd = f->fd;
    if (!h->is_local) {
        arrival.ip = h->source;
        arrival.port = h->source_port;
    }
    f->fd = -1;
    front_free(f);
    smtp_client_accept(w, fd, &arrival);
}

/* A descriptor with unread bytes is always ready: it shall be so only when there are more of them. */
static void front_wait_for_more(struct front *f, size_t seen)
{
    int at_least = (int)seen + 1;
    if (seen <= f->seen_bytes ||
        setsockopt(f->fd, SOL_SOCKET, SO_RCVLOWAT, &at_least, sizeof at_least) == -1)
        front_fail(f, "closed before its header"); /* ready without more: the end of the stream */
    else
        f->seen_bytes = seen;
}

static bool restore_low_water(int fd)
{
    int one = 1;
    return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one) == 0;
}

static enum proxy_versions versions(const struct config_listener *l)
{
    switch (l->proxy_protocol) {
    case CONFIG_PROXY_V1: return PROXY_V1;
    case CONFIG_PROXY_V2: return PROXY_V2;
    case CONFIG_PROXY_NO:
    case CONFIG_PROXY_ANY: break;
    }
    return PROXY_ANY;
}

static void on_front_input(void *arg, unsigned ready)
{
    struct front *f = arg;
    const struct config_listener *l = find_listener(f->door);
    struct proxy_header h;
    char seen[PROXY_HEADER_MAX];
    (void)ready;
    ssize_t n = recv(f->fd, seen, sizeof seen, MSG_PEEK);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || !l) {
        front_fail(f, "closed before its header");
        return;
    }
    int err = proxy_parse(view_of(seen, (size_t)n), versions(l), &h);
    if (err == MSA_EAGAIN && (size_t)n < sizeof seen)
        front_wait_for_more(f, (size_t)n);
    else if (err != MSA_OK)
        front_fail(f, "malformed header");
    else if (!swallow(f->fd, h.length) || !restore_low_water(f->fd))
        front_fail(f, "closed before its header");
    else
        front_done(f, &h);
}

static void on_front_late(void *arg)
{
    front_fail(arg, "no header in time");
}

static void front_begin(struct door *d, int fd, const struct smtp_arrival *arrival)
{
    struct worker *w = d->worker;
    struct front *f = calloc(1, sizeof *f);
    if (!f) {
        close(fd);
        return;
    }
    *f = (struct front){.door = d, .fd = fd, .arrival = *arrival};
    list_append(&w->fronts, &f->link);
    timer_init(&f->timer, on_front_late, f);
    f->watch = watch_new(w->loop, fd, IO_READ, on_front_input, f);
    if (!f->watch ||
        timer_start(&f->timer, w->loop, w->site.config->deadlines.proxy_header_ms) != MSA_OK)
        front_free(f);
}

/* ---- doors --------------------------------------------------------------------------------------- */

static void on_accept(void *arg, int fd, const struct ipaddr *remote, uint16_t port)
{
    struct door *d = arg;
    const struct config_listener *l = find_listener(d);
    if (!l) {
        close(fd);
        return;
    }
    const struct smtp_arrival arrival = {
        .ip = *remote,
        .port = port,
        .listener = d->name,
        .flags = flags_of(l, remote),
    };
    if (l->proxy_protocol == CONFIG_PROXY_NO)
        smtp_client_accept(d->worker, fd, &arrival);
    else if (is_listed(&l->proxy_from, remote))
        front_begin(d, fd, &arrival);
    else
        close(fd); /* whoever may say where others come from is listed */
}

static struct door *find_door(struct worker *w, struct view name, const struct ipaddr *ip,
                              uint16_t port)
{
    struct door *d, *next;
    LIST_FOREACH(d, next, &w->doors, struct door, link)
        if (view_eq(view_cstr(d->name), name) && ipaddr_eq(&d->ip, ip) && d->port == port)
            return d;
    return NULL;
}

static struct door *add_door(struct worker *w, struct view name, const struct ipaddr *ip,
                             uint16_t port)
{
    struct door *d = calloc(1, sizeof *d);
    if (!d || !view_to_cstr(name, d->name, sizeof d->name)) {
        free(d);
        return NULL;
    }
    d->worker = w;
    d->ip = *ip;
    d->port = port;
    list_append(&w->doors, &d->link);
    return d;
}

/* One that was closed before is used again, so that reloads do not pile them up. */
void doors_open(struct worker *w, struct view name, const struct ipaddr *ip, uint16_t port, int fd)
{
    struct door *d = find_door(w, name, ip, port);
    if (!d)
        d = add_door(w, name, ip, port);
    if (!d || d->listener)
        close(fd);
    else
        d->listener = listener_new(w->loop, fd, on_accept, d);
}

void doors_close_one(struct worker *w, struct view name, const struct ipaddr *ip, uint16_t port)
{
    struct door *d = find_door(w, name, ip, port);
    if (d)
        listener_free(&d->listener);
}

void doors_close(struct worker *w)
{
    struct door *d, *next;
    struct front *f;
    LIST_FOREACH(d, next, &w->doors, struct door, link)
        listener_free(&d->listener);
    while ((f = LIST_FIRST(&w->fronts, struct front, link)) != NULL)
        front_free(f);
}

/* Sessions point to their door's name: call it when there are none. */
void doors_free(struct worker *w)
{
    struct door *d;
    while ((d = LIST_FIRST(&w->doors, struct door, link)) != NULL) {
        list_remove(&d->link);
        listener_free(&d->listener);
        free(d);
    }
}
