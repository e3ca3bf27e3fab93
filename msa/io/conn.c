/* A connection's life: made, connected, closed. Reading, writing and TLS have their own files.
 *
 * Phases, all changed in few places:
 *   CONNECTING → OPEN → TLS_SOON → HANDSHAKE → OPEN → CLOSING → LINGER → DEAD, and DEAD from anywhere
 * An end that happened is noted in c->end first and reported by conn_report_end, behind the input that came before. */
#include "msa/io/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/io/conn_private.h"
#include "msa/io/loop_private.h"

#define PATIENCE_MS 5000
#define LINGER_BYTES_MAX (16 << 20) /* more than both kernels' buffers hold */

static const char *const end_names[] = {
    [CONN_END_NONE] = "none",
    [CONN_END_EOF] = "eof",
    [CONN_END_TRUNCATED] = "truncated",
    [CONN_END_RESET] = "reset",
    [CONN_END_CONNECT] = "connect",
    [CONN_END_TLS] = "tls",
    [CONN_END_NO_MEMORY] = "no-memory",
    [CONN_END_FILE] = "file",
};

const char *conn_end_name(enum conn_end end)
{
    return (unsigned)end < sizeof end_names / sizeof end_names[0] ? end_names[end] : "?";
}

/* ---- what the socket is watched for ---- */

static unsigned wanted_when_open(const struct conn *c)
{
    unsigned wanted = 0;
    if ((c->is_reading && !c->is_full && c->end == CONN_END_NONE) || c->write_wants_read)
        wanted |= IO_READ;
    if (c->is_blocked || c->read_wants_write)
        wanted |= IO_WRITE;
    return wanted;
}

static unsigned wanted(const struct conn *c)
{
    switch ((enum conn_phase)c->phase) {
    case CONN_CONNECTING: return c->end == CONN_END_NONE ? IO_WRITE : 0;
    case CONN_OPEN: return wanted_when_open(c);
    case CONN_HANDSHAKE: return c->is_blocked ? IO_WRITE : IO_READ;
    case CONN_TLS_SOON: return c->is_blocked ? IO_WRITE : 0;
    case CONN_CLOSING:
        return (c->is_blocked ? IO_WRITE : 0u) | (c->write_wants_read ? IO_READ : 0u);
    case CONN_LINGER: return IO_READ;
    case CONN_DEAD: break;
    }
    return 0;
}

void conn_update_watch(struct conn *c, bool is_exact)
{
    if (c->phase == CONN_DEAD)
        return;
    unsigned interest = wanted(c) | (is_exact ? 0 : c->interest);
    if (interest == c->interest)
        return;
    c->interest = (uint8_t)interest;
    watch_set(c->watch, interest);
}

/* ---- ends ---- */

void conn_set_end(struct conn *c, enum conn_end end, const char *error)
{
    if (c->end != CONN_END_NONE)
        return;
    c->end = (uint8_t)end;
    if (error && !c->error)
        c->error = strdup(error); /* without memory the log has less to say */
}

bool conn_has_failed(const struct conn *c)
{
    return c->end != CONN_END_NONE && c->end != CONN_END_EOF && c->end != CONN_END_TRUNCATED;
}

static void on_free(void *arg)
{
    struct conn *c = arg;
    loop_hook_remove(&c->hook);
    buf_fini(&c->in);
    buf_fini(&c->out);
    conn_tls_facts_drop(c);
    free(c->error);
    free(c);
}

void conn_die(struct conn *c)
{
    if (c->phase == CONN_DEAD)
        return;
    c->phase = CONN_DEAD;
    watch_free(&c->watch);
    conn_tls_free(c);
    if (c->fd != -1)
        close(c->fd);
    c->fd = -1;
    timer_stop(&c->patience);
    loop_hook_remove(&c->soon);
    if (c->file) {
        buf_fini(&c->file->behind);
        free(c->file);
        c->file = NULL;
    }
    loop_hook_add(c->loop, LOOP_STAGE_FREE, &c->hook, on_free, c);
}

/* The owner may still look at conn_in and conn_error in on_closed. */
void conn_report_end(struct conn *c)
{
    const struct conn_events *events = c->events;
    enum conn_end end = (enum conn_end)c->end;
    conn_die(c);
    c->events = NULL;
    if (events)
        events->on_closed(c->owner, end);
}

/* ---- making ---- */

static void take_addresses(struct conn *c)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    if (getpeername(c->fd, (struct sockaddr *)&ss, &len) == 0)
        ipaddr_from_sockaddr((struct sockaddr *)&ss, &c->remote, &c->remote_port);
    len = sizeof ss;
    if (getsockname(c->fd, (struct sockaddr *)&ss, &len) == 0)
        ipaddr_from_sockaddr((struct sockaddr *)&ss, &c->local, &c->local_port);
}

static void on_connectable(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        error = errno;
    if (error) {
        conn_set_end(c, CONN_END_CONNECT, strerror(error));
        conn_report_end(c);
        return;
    }
    c->phase = CONN_OPEN;
    take_addresses(c);
    if (buf_len(&c->out) > 0)
        conn_flush_soon(c);
    c->events->on_connected(c->owner);
}

static void on_ready_open(struct conn *c, unsigned ready)
{
    if (((ready & IO_WRITE) && c->is_blocked) || ((ready & IO_READ) && c->write_wants_read))
        conn_flush(c);
    if (c->phase != CONN_OPEN)
        return;
    if ((ready & IO_READ) || ((ready & IO_WRITE) && c->read_wants_write))
        conn_read(c, true);
}

/* Reading that is stopped and started again before anything comes costs no system call: the watch goes only
 * when it has reported bytes that nobody wants. */
static void on_ready(void *arg, unsigned ready)
{
    struct conn *c = arg;
    bool was_reading = c->is_reading || c->phase != CONN_OPEN;
    switch ((enum conn_phase)c->phase) {
    case CONN_CONNECTING: on_connectable(c); break;
    case CONN_OPEN: on_ready_open(c, ready); break;
    case CONN_HANDSHAKE: conn_tls_handshake(c); break;
    case CONN_TLS_SOON:
    case CONN_CLOSING: conn_flush(c); break;
    case CONN_LINGER: conn_linger_read(c); break;
    case CONN_DEAD: break;
    }
    conn_update_watch(c, !was_reading || c->is_reading || c->phase != CONN_OPEN);
}

static void on_impatient(void *arg)
{
    conn_die(arg);
}

/* NULL: out of memory, fd closed. */
static struct conn *conn_new(struct loop *loop, int fd, enum conn_phase phase,
                             const struct conn_limits *limits, const struct conn_events *events,
                             void *owner)
{
    struct conn *c = calloc(1, sizeof *c);
    unsigned interest = phase == CONN_CONNECTING ? IO_WRITE : IO_READ;
    struct watch *watch = c ? watch_new(loop, fd, interest, on_ready, c) : NULL;
    if (!watch) {
        free(c);
        close(fd);
        return NULL;
    }
    c->loop = loop;
    c->watch = watch;
    c->interest = (uint8_t)interest;
    c->fd = fd;
    c->phase = (uint8_t)phase;
    c->events = events;
    c->owner = owner;
    c->input_max_bytes = limits->input_max_bytes;
    c->is_reading = true;
    buf_init_secret(&c->in, limits->input_max_bytes);
    buf_init_secret(&c->out, limits->output_max_bytes);
    timer_init(&c->patience, on_impatient, c);
    fcntl(fd, F_SETFL, O_NONBLOCK); /* a socket has no other flag to keep */
    /* Fails on what is not TCP, in tests. Replies are gathered already, so Nagle could only delay them. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return c;
}

struct conn *conn_new_accepted(struct loop *loop, int fd, const struct conn_limits *limits,
                               const struct conn_events *events, void *owner)
{
    struct conn *c = conn_new(loop, fd, CONN_OPEN, limits, events, owner);
    if (c)
        take_addresses(c);
    return c;
}

static int bind_source(int fd, const struct ipaddr *source)
{
    struct sockaddr_storage ss;
    socklen_t len = ipaddr_to_sockaddr(source, 0, &ss);
    /* The port is chosen at connect, by the pair of ends: otherwise one source has 28,000 in all. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    return bind(fd, (struct sockaddr *)&ss, len);
}

static int start_connect(int fd, const struct ipaddr *remote, uint16_t port,
                         const struct ipaddr *source)
{
    struct sockaddr_storage ss;
    socklen_t len = ipaddr_to_sockaddr(remote, port, &ss);
    if (source && !ipaddr_is_none(source) && bind_source(fd, source) == -1)
        return errno;
    if (connect(fd, (struct sockaddr *)&ss, len) == -1 && errno != EINPROGRESS)
        return errno;
    return 0;
}

/* `error`: that of connect(2), or 0. */
static struct conn *new_connecting(struct loop *loop, int fd, int error, const struct conn_limits *limits,
                                   const struct conn_events *events, void *owner)
{
    struct conn *c = conn_new(loop, fd, CONN_CONNECTING, limits, events, owner);
    if (c && error) {
        conn_set_end(c, CONN_END_CONNECT, strerror(error));
        conn_update_watch(c, true); /* a socket that never began to connect is "writable" */
        conn_read_soon(c);
    }
    return c;
}

struct conn *conn_new_outgoing(struct loop *loop, const struct ipaddr *remote, uint16_t port,
                               const struct ipaddr *source, const struct conn_limits *limits,
                               const struct conn_events *events, void *owner)
{
    int family = ipaddr_is_v4(remote) ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return NULL;
    int error = start_connect(fd, remote, port, source);
    struct conn *c = new_connecting(loop, fd, error, limits, events, owner);
    if (!c)
        return NULL;
    c->remote = *remote;
    c->remote_port = port;
    return c;
}

/* A Unix socket is connected at once, or not at all: EAGAIN says that the listener's backlog is full. */
static int connect_unix(int fd, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof to.sun_path)
        return ENAMETOOLONG;
    memcpy(to.sun_path, path, n);
    return connect(fd, (struct sockaddr *)&to, sizeof to) == -1 ? errno : 0;
}

struct conn *conn_new_outgoing_unix(struct loop *loop, const char *path, const struct conn_limits *limits,
                                    const struct conn_events *events, void *owner)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return NULL;
    return new_connecting(loop, fd, connect_unix(fd, path), limits, events, owner);
}

/* ---- closing ---- */

/* All has left: say so and wait for the peer. Closing with input unread, or before what is under way
 * has come, would send a reset, and that takes the last reply away from some peers. */
void conn_begin_linger(struct conn *c)
{
    MSA_ASSERT(c->phase == CONN_CLOSING);
    if (c->ssl && !c->is_tls_broken && !conn_tls_shutdown(c))
        return;
    conn_tls_free(c);
    c->write_wants_read = false;
    if (c->is_linger_pointless || shutdown(c->fd, SHUT_WR) == -1) {
        conn_die(c);
        return;
    }
    c->phase = CONN_LINGER;
    c->linger_left_bytes = LINGER_BYTES_MAX;
    conn_update_watch(c, true);
}

static void on_loop_end(void *arg)
{
    conn_die(arg);
}

void conn_close(struct conn **c)
{
    struct conn *old = *c;
    *c = NULL;
    if (!old || old->phase == CONN_DEAD)
        return;
    old->events = NULL;
    if (old->phase == CONN_CONNECTING || old->phase == CONN_HANDSHAKE || conn_has_failed(old) ||
        old->file || /* nobody keeps its descriptor open any more */
        timer_start(&old->patience, old->loop, PATIENCE_MS) < 0) {
        conn_die(old);
        return;
    }
    if (old->phase == CONN_TLS_SOON)
        conn_tls_free(old); /* never begun: the rest leaves in clear, as it was queued */
    old->is_linger_pointless = old->end != CONN_END_NONE;
    old->phase = CONN_CLOSING;
    /* Nobody will read from it any more, so this hook is free; and nobody owns it, should the loop end. */
    loop_hook_add(old->loop, LOOP_STAGE_END, &old->soon, on_loop_end, old);
    conn_flush_soon(old);
}

void conn_abort(struct conn **c)
{
    struct conn *old = *c;
    *c = NULL;
    if (!old)
        return;
    old->events = NULL;
    conn_die(old);
}

/* ---- accessors ---- */

const char *conn_error(const struct conn *c)
{
    return c->error ? c->error : "";
}

const struct ipaddr *conn_remote(const struct conn *c)
{
    return &c->remote;
}

uint16_t conn_remote_port(const struct conn *c)
{
    return c->remote_port;
}

const struct ipaddr *conn_local(const struct conn *c)
{
    return &c->local;
}

uint16_t conn_local_port(const struct conn *c)
{
    return c->local_port;
}

static size_t buf_memory(const struct buf *b)
{
    return b->is_lent ? 0 : b->cap;
}

size_t conn_memory_bytes(const struct conn *c)
{
    size_t n = sizeof *c + watch_memory_bytes() + buf_memory(&c->in) + buf_memory(&c->out);
    if (c->facts)
        n += sizeof *c->facts;
    if (c->file)
        n += sizeof *c->file + buf_memory(&c->file->behind);
    return n;
}
