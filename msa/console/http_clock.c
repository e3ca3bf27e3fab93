/* How long a peer may take: a time in all for each of header, body and answer. libmicrohttpd's own time-out begins
 * anew with each byte, so a peer that trickles would never be cut by it. */
#include <stdlib.h>
#include <sys/socket.h>

#include "msa/base/clock.h"
#include "msa/console/http_private.h"

#define SWEEP_MS 500

static const int64_t phase_ms[] = {
    [HTTP_PHASE_HEADER] = 10000, /* from the connection on, with the TLS handshake */
    [HTTP_PHASE_BODY] = 20000,
    [HTTP_PHASE_HANDLER] = 0, /* each question has a deadline of its own */
    [HTTP_PHASE_ANSWER] = 20000,
    [HTTP_PHASE_IDLE] = 30000, /* to the end of the next header */
};

void http_enter_phase(struct http_connection *c, enum http_phase phase)
{
    if (c)
        c->deadline_ms = phase_ms[phase] ? clock_mono_ms() + phase_ms[phase] : 0;
}

static void begin(struct http_server *s, struct MHD_Connection *connection, void **socket)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_connection *c = info ? calloc(1, sizeof *c) : NULL;
    *socket = c;
    if (!c)
        return; /* libmicrohttpd's own time-out holds */
    c->fd = info->connect_fd;
    http_enter_phase(c, HTTP_PHASE_HEADER);
    if (list_is_empty(&s->connections))
        (void)timer_start(&s->sweep_timer, s->loop, SWEEP_MS);
    list_append(&s->connections, &c->link);
}

void http_on_connection(void *cls, struct MHD_Connection *connection, void **socket,
                        enum MHD_ConnectionNotificationCode code)
{
    struct http_connection *c = *socket;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        begin(cls, connection, socket);
        return;
    }
    http_run_soon(cls); /* full, it looks for new connections again only at its next run */
    if (c) {
        list_remove(&c->link);
        free(c);
        *socket = NULL;
    }
}

/* The descriptor stays libmicrohttpd's, which sees the end of the stream and closes it. */
void http_on_sweep(void *server)
{
    struct http_server *s = server;
    struct http_connection *c, *next;
    int64_t now_ms = clock_mono_ms();
    bool is_cut = false;
    LIST_FOREACH(c, next, &s->connections, struct http_connection, link) {
        if (c->deadline_ms == 0 || c->deadline_ms > now_ms)
            continue;
        (void)shutdown(c->fd, SHUT_RDWR);
        c->deadline_ms = 0;
        is_cut = true;
    }
    if (!list_is_empty(&s->connections))
        (void)timer_start(&s->sweep_timer, s->loop, SWEEP_MS);
    if (is_cut)
        http_run_soon(s);
}
