/* Sending: frames gather in one buffer and leave once at the end of the turn.
 *
 * Descriptors travel in the order of their frames. The kernel hands all descriptors of one sendmsg over with
 * whichever of its bytes is read first, so a sendmsg with those of several frames holds these frames whole
 * (see BATCH_BYTES_MAX): a receiver that has read all of it has a frame for each descriptor. Twenty questions with a body
 * each are one system call here, and wake the other side once. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/ipc/chan_private.h"

#define KEEP_BYTES      65536 /* an empty output buffer of more gives its memory back */
#define RETRY_AFTER_MS  20

static void on_retry(void *arg)
{
    chan_flush(arg);
}

void chan_send_init(struct chan *c)
{
    buf_init_secret(&c->out, CHAN_OUTPUT_MAX);
    list_init(&c->parcels);
    timer_init(&c->retry, on_retry, c);
}

static void parcel_free(struct chan *c, struct parcel *p)
{
    for (unsigned i = 0; i < p->fd_count; i++)
        close(p->fds[i]);
    c->parcel_fd_count -= p->fd_count;
    list_remove(&p->link);
    free(p);
}

void chan_send_fini(struct chan *c)
{
    struct parcel *p, *next;
    LIST_FOREACH(p, next, &c->parcels, struct parcel, link)
        parcel_free(c, p);
    timer_stop(&c->retry);
    buf_fini(&c->out);
}

/* ---- building a frame ---- */

struct buf *chan_begin(struct chan *c, enum ipc_type type, uint64_t id)
{
    const struct ipc_rule *rule = ipc_rule_of(type);
    MSA_ASSERT(rule && (rule->senders & c->set.self) && (rule->receivers & c->set.peer));
    MSA_ASSERT(!c->draft.is_on);
    if (buf_len(&c->out) > CHAN_OUTPUT_MAX - FRAME_MAX_BYTES)
        chan_break(c, "it takes nothing any more");
    c->draft = (struct draft){.is_on = true, .offset = buf_len(&c->out), .type = type};
    if (!chan_is_open(c))
        c->draft.err = MSA_ECLOSED;
    c->out.failed = false;
    put_u32(&c->out, 0); /* set by chan_end, as is the count of descriptors */
    put_u16(&c->out, (uint16_t)type);
    put_u16(&c->out, 0);
    put_u64(&c->out, id);
    return &c->out;
}

/* True when one more descriptor can be kept; else the frame is lost. */
static bool make_parcel(struct chan *c)
{
    struct draft *d = &c->draft;
    MSA_ASSERT(d->is_on);
    MSA_ASSERT((d->parcel ? d->parcel->fd_count : 0) < ipc_rule_of(d->type)->max_fds);
    if (!d->parcel) {
        d->parcel = calloc(1, sizeof *d->parcel);
        if (d->parcel)
            list_init(&d->parcel->link);
    }
    if (d->parcel && c->parcel_fd_count < CHAN_FDS_QUEUED_MAX)
        return true;
    d->err = MSA_EFULL;
    return false;
}

void chan_give_fd(struct chan *c, int fd)
{
    if (!make_parcel(c)) {
        close(fd);
        return;
    }
    struct parcel *p = c->draft.parcel;
    p->fds[p->fd_count++] = fd;
    c->parcel_fd_count++;
}

void chan_attach_fd(struct chan *c, int fd)
{
    int copy = make_parcel(c) ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy == -1)
        c->draft.err = MSA_EFULL;
    else
        chan_give_fd(c, copy);
}

static void set_le(struct chan *c, size_t offset, uint32_t n, size_t width)
{
    char *at = c->out.data + c->out.start + offset;
    for (size_t i = 0; i < width; i++)
        at[i] = (char)(n >> (8 * i));
}

static void on_send(void *arg)
{
    struct chan *c = arg;
    loop_hook_remove(&c->hook);
    chan_flush(c);
}

int chan_end(struct chan *c)
{
    struct draft d = c->draft;
    MSA_ASSERT(d.is_on);
    c->draft = (struct draft){0};
    size_t frame_bytes = buf_len(&c->out) - d.offset;
    if (d.err == MSA_OK && (buf_failed(&c->out) || frame_bytes > FRAME_MAX_BYTES))
        d.err = MSA_ETOOBIG;
    if (d.err < 0) {
        buf_truncate(&c->out, d.offset);
        c->out.failed = false;
        if (d.parcel)
            parcel_free(c, d.parcel);
        return d.err;
    }
    set_le(c, d.offset, (uint32_t)(frame_bytes - FRAME_HEADER_BYTES), 4);
    if (d.parcel) {
        set_le(c, d.offset + 6, d.parcel->fd_count, 2);
        d.parcel->at_byte = c->sent_bytes + d.offset;
        list_append(&c->parcels, &d.parcel->link);
    }
    if (!loop_hook_is_on(&c->hook))
        loop_hook_add(c->set.loop, LOOP_STAGE_SEND, &c->hook, on_send, c);
    return MSA_OK;
}

/* ---- writing ---- */

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(BATCH_FDS_MAX * sizeof(int))];
};

/* What the next sendmsg takes. */
struct batch {
    size_t bytes;
    unsigned parcel_count;
    unsigned fd_count;
    int fds[BATCH_FDS_MAX];
};

static void batch_add(struct batch *b, const struct parcel *p)
{
    memcpy(b->fds + b->fd_count, p->fds, p->fd_count * sizeof(int));
    b->fd_count += p->fd_count;
    b->parcel_count++;
}

/* A frame with descriptors that stands first may be of any length; others join it, or the bytes before
 * them, as long as all of it is small. */
static void plan(struct chan *c, struct batch *b)
{
    struct parcel *p, *next;
    size_t len = buf_len(&c->out);
    b->bytes = len;
    b->parcel_count = b->fd_count = 0;
    LIST_FOREACH(p, next, &c->parcels, struct parcel, link) {
        bool is_last = p->link.next == &c->parcels;
        size_t begin = (size_t)(p->at_byte - c->sent_bytes);
        size_t end = is_last ? len : (size_t)(next->at_byte - c->sent_bytes);
        bool fits = end <= BATCH_BYTES_MAX && b->fd_count + p->fd_count <= BATCH_FDS_MAX;
        if (begin > 0 && !fits) {
            b->bytes = begin;
            return;
        }
        batch_add(b, p);
        b->bytes = end;
    }
}

static void put_fds(struct msghdr *msg, union control *control, const struct batch *b)
{
    memset(control, 0, sizeof *control);
    msg->msg_control = control->bytes;
    msg->msg_controllen = CMSG_SPACE(b->fd_count * sizeof(int));
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(b->fd_count * sizeof(int));
    memcpy(CMSG_DATA(cmsg), b->fds, b->fd_count * sizeof(int));
}

static ssize_t send_some(struct chan *c)
{
    struct batch b;
    union control control;
    plan(c, &b);
    struct iovec iov = {.iov_base = c->out.data + c->out.start, .iov_len = b.bytes};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (b.fd_count > 0)
        put_fds(&msg, &control, &b);
    ssize_t n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (unsigned i = 0; n > 0 && i < b.parcel_count; i++)
        parcel_free(c, LIST_FIRST(&c->parcels, struct parcel, link));
    return n;
}

/* ETOOMANYREFS: as many descriptors are under way as this user may have open. The socket stays
 * writable, so only time can tell. */
static void wait_to_send(struct chan *c)
{
    if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM) {
        if (timer_start(&c->retry, c->set.loop, RETRY_AFTER_MS) < 0)
            chan_break(c, "out of memory");
    } else if (errno == EAGAIN) {
        watch_set(c->watch, c->is_freed ? 0 : IO_READ | IO_WRITE);
    } else {
        chan_break(c, errno == EPIPE || errno == ECONNRESET ? NULL : strerror(errno));
    }
}

void chan_flush(struct chan *c)
{
    while (c->is_open && buf_len(&c->out) > 0) {
        ssize_t n = send_some(c);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1) {
            wait_to_send(c);
            return;
        }
        c->sent_bytes += (uint64_t)n;
        buf_take(&c->out, (size_t)n);
    }
    if (!c->is_open)
        return;
    watch_set(c->watch, c->is_freed ? 0 : IO_READ);
    if (c->out.cap > KEEP_BYTES)
        buf_release(&c->out);
}
