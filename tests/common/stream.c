#include "tests/common/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

enum io_result { IO_SOME = 1, IO_BLOCKED = 0, IO_CLOSED = -1 };

static void watch(struct stream *s)
{
    int want = 0;
    bool can_read = !s->is_held && buf_len(&s->in) + READ_BYTES <= STREAM_IN_MAX;
    if (can_read || s->is_handshaking)
        want |= EV_READ;
    if (s->is_connecting || s->ssl_wants_write || (buf_len(&s->out) > 0 && !s->is_handshaking))
        want |= EV_WRITE;
    if (s->is_connecting)
        want = EV_WRITE;
    if (want == (s->io.events & (EV_READ | EV_WRITE)) && ev_is_active(&s->io))
        return;
    ev_io_stop(s->loop, &s->io);
    ev_io_set(&s->io, s->fd, want);
    if (want != 0)
        ev_io_start(s->loop, &s->io);
}

static enum stream_verdict closed(struct stream *s, const char *why)
{
    ev_io_stop(s->loop, &s->io);
    return s->events->on_closed(s->arg, why);
}

/* What an SSL call that gave `rc` wants next. */
static enum io_result ssl_result(struct stream *s, int rc)
{
    int err = SSL_get_error(s->ssl, rc);
    s->ssl_wants_write = err == SSL_ERROR_WANT_WRITE;
    return err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE ? IO_BLOCKED : IO_CLOSED;
}

static enum io_result read_once(struct stream *s)
{
    char *at = buf_reserve(&s->in, READ_BYTES);
    if (!at)
        return IO_CLOSED;
    ssize_t n;
    if (s->ssl) {
        ERR_clear_error();
        n = SSL_read(s->ssl, at, READ_BYTES);
        if (n <= 0)
            return ssl_result(s, (int)n);
    } else {
        n = read(s->fd, at, READ_BYTES);
        if (n == -1 && (errno == EAGAIN || errno == EINTR))
            return IO_BLOCKED;
        if (n <= 0)
            return IO_CLOSED;
    }
    buf_commit(&s->in, (size_t)n);
    return IO_SOME;
}

static enum io_result write_once(struct stream *s)
{
    struct view v = buf_view(&s->out);
    ssize_t n;
    if (s->ssl) {
        ERR_clear_error();
        n = SSL_write(s->ssl, v.p, v.n < INT32_MAX ? (int)v.n : INT32_MAX);
        if (n <= 0)
            return ssl_result(s, (int)n);
    } else {
        n = send(s->fd, v.p, v.n, MSG_NOSIGNAL);
        if (n == -1 && (errno == EAGAIN || errno == EINTR))
            return IO_BLOCKED;
        if (n <= 0)
            return IO_CLOSED;
    }
    buf_take(&s->out, (size_t)n);
    return IO_SOME;
}

enum stream_verdict stream_flush(struct stream *s)
{
    if (s->is_connecting || s->is_handshaking || buf_len(&s->out) == 0)
        return STREAM_GO_ON;
    while (buf_len(&s->out) > 0) {
        enum io_result result = write_once(s);
        if (result == IO_CLOSED)
            return closed(s, "write failed");
        if (result == IO_BLOCKED)
            break;
        if (buf_len(&s->out) == 0 && s->events->on_drained &&
            s->events->on_drained(s->arg) == STREAM_GONE)
            return STREAM_GONE;
    }
    watch(s);
    return STREAM_GO_ON;
}

/* Reads until the socket, or OpenSSL behind it, has nothing more: data that lies decrypted inside
 * OpenSSL would not wake the loop again. */
static enum stream_verdict take_input(struct stream *s)
{
    while (!s->is_held && !s->is_handshaking && buf_len(&s->in) + READ_BYTES <= STREAM_IN_MAX) {
        enum io_result result = read_once(s);
        if (result == IO_CLOSED)
            return closed(s, "closed by the peer");
        if (result == IO_BLOCKED)
            break;
        if (s->events->on_input(s->arg) == STREAM_GONE || stream_flush(s) == STREAM_GONE)
            return STREAM_GONE;
        if (!s->ssl)
            break; /* the loop comes back; others want their turn */
    }
    watch(s);
    return STREAM_GO_ON;
}

static enum stream_verdict handshake(struct stream *s)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(s->ssl);
    if (rc != 1) {
        if (ssl_result(s, rc) == IO_CLOSED)
            return closed(s, "TLS handshake failed");
        watch(s);
        return STREAM_GO_ON;
    }
    s->is_handshaking = false;
    s->ssl_wants_write = false;
    if (s->events->on_ready(s->arg) == STREAM_GONE || stream_flush(s) == STREAM_GONE)
        return STREAM_GONE;
    return take_input(s);
}

static enum stream_verdict finish_connect(struct stream *s)
{
    int err = 0;
    socklen_t len = sizeof err;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err != 0)
        return closed(s, strerror(err));
    s->is_connecting = false;
    if (s->is_handshaking)
        return handshake(s);
    if (s->events->on_ready(s->arg) == STREAM_GONE || stream_flush(s) == STREAM_GONE)
        return STREAM_GONE;
    watch(s);
    return STREAM_GO_ON;
}

static void on_io(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct stream *s = io->data;
    (void)loop;
    if (s->is_connecting) {
        finish_connect(s);
    } else if (s->is_handshaking) {
        handshake(s);
    } else {
        if ((revents & EV_WRITE || s->ssl_wants_write) && stream_flush(s) == STREAM_GONE)
            return;
        if (revents & EV_READ || s->ssl)
            take_input(s);
        else
            watch(s);
    }
}

void stream_open(struct stream *s, struct ev_loop *loop, int fd, bool is_connecting,
                 const struct stream_events *events, void *arg)
{
    int on = 1;
    *s = (struct stream){
        .loop = loop, .fd = fd, .is_connecting = is_connecting, .events = events, .arg = arg};
    buf_init(&s->in, STREAM_IN_MAX);
    buf_init(&s->out, STREAM_OUT_MAX);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ev_init(&s->io, on_io);
    s->io.data = s;
    watch(s);
}

bool stream_start_tls(struct stream *s, SSL_CTX *ctx, bool is_server)
{
    s->ssl = SSL_new(ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1)
        return false;
    if (is_server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    s->is_handshaking = true;
    if (!is_server && !s->is_connecting)
        ev_feed_event(s->loop, &s->io, EV_WRITE); /* the client speaks first */
    watch(s);
    return true;
}

void stream_hold(struct stream *s, bool is_held)
{
    s->is_held = is_held;
    watch(s);
}

enum stream_verdict stream_resume(struct stream *s)
{
    s->is_held = false;
    if (buf_len(&s->in) > 0 && s->events->on_input(s->arg) == STREAM_GONE)
        return STREAM_GONE;
    if (stream_flush(s) == STREAM_GONE)
        return STREAM_GONE;
    if (s->ssl)
        return take_input(s);
    watch(s);
    return STREAM_GO_ON;
}

void stream_close(struct stream *s, bool reset)
{
    if (s->fd == -1)
        return;
    ev_io_stop(s->loop, &s->io);
    ev_clear_pending(s->loop, &s->io);
    if (s->ssl) {
        if (!reset && !s->is_handshaking) {
            ERR_clear_error();
            SSL_shutdown(s->ssl);
        }
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(s->fd);
    s->fd = -1;
    buf_fini(&s->in);
    buf_fini(&s->out);
}
