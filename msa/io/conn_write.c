/* Output: gathered, then written once at the end of the turn. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/io/conn_private.h"

#define FILE_PIECE_BYTES 65536
#define TURN_BYTES       (512u << 10) /* a fast reader of a large file leaves the loop to others after it */

/* ---- one write ---- */

static ssize_t write_clear(struct conn *c, const char *p, size_t n)
{
    ssize_t sent;
    do
        sent = send(c->fd, p, n, MSG_NOSIGNAL);
    while (sent == -1 && errno == EINTR);
    if (sent == -1 && errno != EAGAIN)
        conn_set_end(c, CONN_END_RESET, strerror(errno));
    else if (sent == -1)
        c->is_blocked = true;
    return sent;
}

/* ---- the file behind the buffer ---- */

static void end_file(struct conn *c)
{
    struct conn_file *f = c->file;
    c->file = NULL;
    struct view behind = buf_view(&f->behind);
    if (behind.n > 0 && buf_add(&c->out, behind) < 0)
        conn_set_end(c, CONN_END_NO_MEMORY, NULL);
    buf_fini(&f->behind);
    free(f);
}

static void read_piece(struct conn *c)
{
    struct conn_file *f = c->file;
    size_t want = f->left_bytes < FILE_PIECE_BYTES ? (size_t)f->left_bytes : FILE_PIECE_BYTES;
    if (want > c->out.max)
        want = c->out.max;
    char *at = buf_reserve(&c->out, want);
    if (!at) {
        conn_set_end(c, CONN_END_NO_MEMORY, NULL);
        return;
    }
    ssize_t n = pread(f->fd, at, want, (off_t)f->offset);
    if (n == -1 && errno == EINTR)
        return;
    if (n <= 0) {
        conn_set_end(c, CONN_END_FILE, n == -1 ? strerror(errno) : "it is shorter than announced");
        return;
    }
    buf_commit(&c->out, (size_t)n);
    f->offset += (uint64_t)n;
    f->left_bytes -= (uint64_t)n;
}

static void refill(struct conn *c)
{
    while (c->file && buf_len(&c->out) == 0 && !conn_has_failed(c)) {
        if (c->file->left_bytes > 0)
            read_piece(c);
        else
            end_file(c);
    }
}

/* ---- flushing ---- */

/* Nothing waits any more: what did the phase wait for? */
static void on_drained(struct conn *c)
{
    buf_release(&c->out);
    switch ((enum conn_phase)c->phase) {
    case CONN_TLS_SOON: conn_tls_begin(c); break;
    case CONN_CLOSING: conn_begin_linger(c); break;
    case CONN_OPEN:
        if (c->events->on_output_drained)
            c->events->on_output_drained(c->owner);
        break;
    default: break;
    }
}

static void on_failed(struct conn *c)
{
    buf_reset(&c->out);
    if (c->phase == CONN_CLOSING)
        conn_die(c);
    else
        conn_read_soon(c); /* what the peer said last comes first */
}

void conn_flush(struct conn *c)
{
    size_t written = 0;
    c->is_blocked = c->write_wants_read = false;
    for (refill(c); buf_len(&c->out) > 0 && written < TURN_BYTES; refill(c)) {
        struct view v = buf_view(&c->out);
        ssize_t n = c->ssl && c->phase != CONN_TLS_SOON ? conn_tls_write(c, v.p, v.n)
                                                        : write_clear(c, v.p, v.n);
        if (n <= 0)
            break;
        buf_take(&c->out, (size_t)n);
        written += (size_t)n;
    }
    if (conn_has_failed(c))
        on_failed(c);
    else if (buf_len(&c->out) > 0)
        c->is_blocked = c->is_blocked || !c->write_wants_read;
    else
        on_drained(c);
    conn_update_watch(c, false);
}

static void on_send(void *arg)
{
    struct conn *c = arg;
    loop_hook_remove(&c->hook);
    if (c->phase == CONN_OPEN || c->phase == CONN_TLS_SOON || c->phase == CONN_CLOSING)
        conn_flush(c);
}

void conn_flush_soon(struct conn *c)
{
    if (!loop_hook_is_on(&c->hook))
        loop_hook_add(c->loop, LOOP_STAGE_SEND, &c->hook, on_send, c);
}

/* ---- the owner's ---- */

static int check_writable(const struct conn *c)
{
    if (c->phase == CONN_TLS_SOON || c->phase == CONN_HANDSHAKE)
        return MSA_EAGAIN;
    return c->phase == CONN_OPEN || c->phase == CONN_CONNECTING ? MSA_OK : MSA_ECLOSED;
}

int conn_write(struct conn *c, struct view bytes)
{
    int err = check_writable(c);
    if (err < 0 || bytes.n == 0)
        return err;
    err = buf_add(c->file ? &c->file->behind : &c->out, bytes);
    if (err == MSA_OK && c->phase == CONN_OPEN)
        conn_flush_soon(c);
    return err;
}

int conn_write_file(struct conn *c, int fd, uint64_t offset, uint64_t len)
{
    int err = c->file ? MSA_EAGAIN : check_writable(c);
    if (err < 0)
        return err;
    struct conn_file *f = calloc(1, sizeof *f);
    if (!f)
        return MSA_ENOMEM;
    *f = (struct conn_file){.fd = fd, .offset = offset, .left_bytes = len};
    buf_init_secret(&f->behind, c->out.max);
    c->file = f;
    if (c->phase == CONN_OPEN)
        conn_flush_soon(c);
    return MSA_OK;
}

size_t conn_output_len(const struct conn *c)
{
    size_t n = buf_len(&c->out);
    if (c->file)
        n += (size_t)c->file->left_bytes + buf_len(&c->file->behind);
    return n;
}
