/* Receiving: bytes to frames, frames to handlers. The sender is not trusted in anything.
 *
 * Descriptors come in the order of their frames, so a queue in which frames claim theirs from the front is
 * enough. Those of one batch may wait there for the rest of it, no more (chan_send.c). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ipc/chan_private.h"

#define ROUNDS_MAX 8 /* reads per turn, so that one busy channel does not keep the loop */

struct frame {
    uint32_t length;
    uint16_t type;
    uint16_t fd_count;
    uint64_t id;
};

/* Descriptors are closed by the loop that drops them, also where they were taken (-1). */
static void close_fds(const int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fds[i] != -1)
            close(fds[i]);
}

void chan_receive_fini(struct chan *c)
{
    close_fds(c->in_fds, c->in_fd_count);
    c->in_fd_count = 0;
    buf_fini(&c->in);
}

int chan_take_fd(struct chan_message *m, unsigned index)
{
    if (index >= m->fd_count)
        return -1;
    int fd = m->fds[index];
    m->fds[index] = -1;
    return fd;
}

/* ---- frames ---- */

static struct frame parse_header(const struct buf *in)
{
    struct reader r = reader_of(view_slice(buf_view(in), 0, FRAME_HEADER_BYTES));
    struct frame f = {.length = get_u32(&r)};
    f.type = get_u16(&r);
    f.fd_count = get_u16(&r);
    f.id = get_u64(&r);
    return f;
}

/* NULL if the frame may come, before any of its payload is waited for. */
static const char *why_not(const struct chan *c, const struct frame *f)
{
    const struct ipc_rule *rule = ipc_rule_of(f->type);
    if (!rule)
        return "it sent a message of unknown type";
    if (!(rule->senders & c->set.peer) || !(rule->receivers & c->set.self))
        return "it sent a message that is not its own to send";
    if (f->length > CHAN_PAYLOAD_MAX)
        return "it sent a frame that is too long";
    if (f->fd_count > rule->max_fds || f->fd_count > CHAN_FDS_MAX)
        return "it sent too many descriptors";
    if (f->fd_count > c->in_fd_count)
        return "descriptors that it announced are not there";
    return NULL;
}

static void claim_fds(struct chan *c, struct chan_message *m, unsigned count)
{
    memcpy(m->fds, c->in_fds, count * sizeof(int));
    m->fd_count = count;
    c->in_fd_count -= count;
    memmove(c->in_fds, c->in_fds + count, c->in_fd_count * sizeof(int));
}

static void hand_on(struct chan *c, struct chan_message *m)
{
    if (ipc_is_answer(m->type)) {
        if (!questions_answer(c, m))
            chan_break(c, "it answered what was not asked");
        return;
    }
    chan_handler_fn *handler = c->set.handlers[m->type];
    if (!handler)
        chan_break(c, "it sent a message that nobody expects");
    else if (handler(c->set.owner, c, m) < 0)
        chan_break(c, "it sent a malformed message");
}

static void dispatch(struct chan *c, const struct frame *f)
{
    struct chan_message m = {.type = (enum ipc_type)f->type, .id = f->id, .chan = c};
    size_t end = FRAME_HEADER_BYTES + (size_t)f->length;
    m.payload = view_slice(buf_view(&c->in), FRAME_HEADER_BYTES, end);
    claim_fds(c, &m, f->fd_count);
    hand_on(c, &m);
    close_fds(m.fds, m.fd_count);
    buf_take(&c->in, end);
}

/* Hands on all whole frames; the result is how many bytes the next one still needs. A handler may free
 * the channel, which is then still there until the end of the turn. */
static size_t take_frames(struct chan *c)
{
    while (chan_is_open(c)) {
        size_t have = buf_len(&c->in);
        if (have < FRAME_HEADER_BYTES)
            return FRAME_HEADER_BYTES - have;
        struct frame f = parse_header(&c->in);
        const char *why = why_not(c, &f);
        if (why) {
            chan_break(c, why);
            return 0;
        }
        size_t end = FRAME_HEADER_BYTES + (size_t)f.length;
        if (have < end)
            return end - have;
        dispatch(c, &f);
    }
    return 0;
}

/* ---- bytes ---- */

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(BATCH_FDS_MAX * sizeof(int))];
};

static void keep_fds(struct chan *c, struct msghdr *msg)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
            if (c->in_fd_count < 2 * BATCH_FDS_MAX)
                c->in_fds[c->in_fd_count++] = fd;
            else
                close(fd); /* its frame will miss it, and the channel ends */
        }
    }
}

/* Descriptors that belong to no frame, or more than the frame that has begun can have. To be asked where all
 * was read that came with them, which a read that found less than it wanted has done. */
static bool has_stray_fds(const struct chan *c)
{
    return c->in_fd_count > (buf_len(&c->in) > 0 ? CHAN_FDS_MAX : 0u);
}

/* Reads at most `want` bytes behind what is there. >0, 0 at the end, -1 with errno. */
static ssize_t receive_some(struct chan *c, size_t want)
{
    char *at = buf_reserve(&c->in, want);
    if (!at) {
        errno = ENOMEM;
        return -1;
    }
    union control control;
    struct iovec iov = {.iov_base = at, .iov_len = want};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n <= 0)
        return n;
    keep_fds(c, &msg);
    buf_commit(&c->in, (size_t)n);
    if (msg.msg_flags & MSG_CTRUNC) { /* more than allowed, or this process has too many open */
        errno = EMFILE;
        return -1;
    }
    return n;
}

static void receive_failed(struct chan *c, ssize_t n)
{
    if (n == 0 || errno == ECONNRESET)
        chan_break(c, buf_len(&c->in) > 0 ? "it ended inside a frame" : NULL);
    else if (errno == EMFILE)
        chan_break(c, "its descriptors could not be received");
    else if (errno != EAGAIN && errno != EINTR)
        chan_break(c, strerror(errno));
}

/* A frame that is not whole is read to its end and no further, so that the buffer never holds more than
 * one; anything else is read into the loop's block. */
void chan_receive(struct chan *c)
{
    size_t missing = buf_len(&c->in) > 0 ? take_frames(c) : 0;
    for (int round = 0; round < ROUNDS_MAX && chan_is_open(c); round++) {
        size_t want = missing;
        if (buf_len(&c->in) == 0) {
            buf_lend(&c->in, loop_input_block(c->set.loop), LOOP_INPUT_BYTES);
            want = LOOP_INPUT_BYTES;
        }
        ssize_t n = receive_some(c, want);
        if (n <= 0) {
            receive_failed(c, n);
            break;
        }
        missing = take_frames(c);
        if ((size_t)n < want && has_stray_fds(c))
            chan_break(c, "it sent descriptors without a message");
        if (buf_settle(&c->in) < 0)
            chan_break(c, "out of memory");
        if ((size_t)n < want)
            break;
    }
    buf_settle(&c->in);
    if (!c->is_open || buf_len(&c->in) == 0)
        buf_fini(&c->in);
}
