/* Input: from the socket into the loop's block, which is lent to conn_in while the owner looks at it; only
 * what he leaves there (half a line) is kept in memory of the connection's own. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "msa/base/err.h"
#include "msa/io/conn_private.h"

#define LINGER_READS_MAX 16 /* a turn's share of throwing away */

/* ---- one read ---- */

static ssize_t read_clear(struct conn *c, char *at, size_t want)
{
    ssize_t n;
    do
        n = recv(c->fd, at, want, 0);
    while (n == -1 && errno == EINTR);
    if (n == 0)
        conn_set_end(c, CONN_END_EOF, NULL);
    else if (n == -1 && errno != EAGAIN)
        conn_set_end(c, CONN_END_RESET, strerror(errno));
    return n > 0 ? n : -1;
}

/* ---- one round ---- */

static size_t room(const struct conn *c)
{
    size_t len = buf_len(&c->in);
    size_t allowed = len < c->input_max_bytes ? c->input_max_bytes - len : 0;
    size_t at_once = c->in.is_lent ? buf_room(&c->in) : LOOP_INPUT_BYTES;
    return allowed < at_once ? allowed : at_once;
}

/* True if it stopped for want of room, so that more may be waiting, under TLS where no poll can see it. */
static bool fill(struct conn *c)
{
    if (buf_len(&c->in) <= LOOP_INPUT_BYTES / 2)
        buf_lend(&c->in, loop_input_block(c->loop), LOOP_INPUT_BYTES);
    do {
        size_t want = room(c);
        if (want == 0)
            return true;
        char *at = buf_reserve(&c->in, want);
        if (!at) {
            conn_set_end(c, CONN_END_NO_MEMORY, NULL);
            return false;
        }
        ssize_t n = c->ssl ? conn_tls_read(c, at, want) : read_clear(c, at, want);
        if (n <= 0)
            return false;
        buf_commit(&c->in, (size_t)n);
    } while (conn_tls_has_pending(c));
    return false;
}

static bool may_report_end(const struct conn *c)
{
    bool is_end_of_input = c->end == CONN_END_EOF || c->end == CONN_END_TRUNCATED;
    return c->end != CONN_END_NONE && (c->is_reading || !is_end_of_input);
}

static void after_input(struct conn *c, bool has_more)
{
    if (!c->events) { /* the owner has let go */
        buf_fini(&c->in);
        return;
    }
    if (buf_settle(&c->in) < 0)
        conn_set_end(c, CONN_END_NO_MEMORY, NULL);
    if (buf_len(&c->in) == 0)
        buf_release(&c->in);
    if (c->phase == CONN_OPEN && may_report_end(c)) {
        conn_report_end(c);
        return;
    }
    if (room(c) == 0)
        c->is_full = true;
    else if (has_more)
        conn_read_soon(c);
}

void conn_read(struct conn *c, bool is_ready)
{
    bool is_forced = c->is_forced;
    c->is_forced = false;
    if (!c->is_reading) {
        if (may_report_end(c))
            conn_report_end(c);
        return;
    }
    c->is_full = false;
    c->read_wants_write = false;
    size_t before = buf_len(&c->in);
    if (conn_tls_has_pending(c))
        is_ready = true;
    /* After a failed write, too, what the peer said before it went is read: a 421, mostly. */
    bool can_read = c->end == CONN_END_RESET || (c->end == CONN_END_NONE && is_ready);
    bool has_more = can_read && fill(c);
    size_t after = buf_len(&c->in);
    if (after > before || (is_forced && after > 0))
        c->events->on_input(c->owner);
    after_input(c, has_more);
}

/* ---- from the loop ---- */

static void on_soon(void *arg)
{
    struct conn *c = arg;
    loop_hook_remove(&c->soon);
    if (c->phase == CONN_OPEN)
        conn_read(c, false);
    else if (c->end != CONN_END_NONE)
        conn_report_end(c);
    conn_update_watch(c, false);
}

void conn_read_soon(struct conn *c)
{
    if (!loop_hook_is_on(&c->soon))
        loop_hook_add(c->loop, LOOP_STAGE_WORK, &c->soon, on_soon, c);
}

void conn_linger_read(struct conn *c)
{
    for (int i = 0; i < LINGER_READS_MAX; i++) {
        ssize_t n = recv(c->fd, loop_input_block(c->loop), LOOP_INPUT_BYTES, 0);
        if (n == -1 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            conn_die(c);
            return;
        }
        if ((size_t)n >= c->linger_left_bytes) {
            conn_die(c); /* more than can have been on its way: it does not listen */
            return;
        }
        c->linger_left_bytes -= (uint32_t)n;
    }
}

/* ---- the owner's ---- */

struct buf *conn_in(struct conn *c)
{
    if (c->is_full && c->phase == CONN_OPEN)
        conn_read_soon(c);
    return &c->in;
}

void conn_read_stop(struct conn *c)
{
    c->is_reading = false;
}

void conn_read_start(struct conn *c)
{
    if (c->is_reading || c->phase == CONN_DEAD)
        return;
    c->is_reading = true;
    if (c->phase != CONN_OPEN)
        return;
    c->is_forced = buf_len(&c->in) > 0;
    if (c->is_forced || c->is_full || c->end != CONN_END_NONE || conn_tls_has_pending(c))
        conn_read_soon(c);
    else
        conn_update_watch(c, false);
}
