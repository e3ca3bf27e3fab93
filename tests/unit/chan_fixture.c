#include "chan_fixture.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"

struct chan_fixture fx = {.raw = -1};

static int on_kill(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner;
    struct msg_policy_kill k;
    cr_assert_eq(c, m->chan);
    if (msg_policy_kill_decode(m->payload, &k) < 0)
        return MSA_EPROTO;
    fx.seen.kill_count++;
    fx.seen.kill_account = k.account;
    view_to_cstr(k.text, fx.seen.kill_text, sizeof fx.seen.kill_text);
    if (fx.seen.is_freeing)
        chan_free(&fx.smtp);
    return MSA_OK;
}

static int on_quota_ask(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    fx.seen.ask_ids[fx.seen.ask_count++ % 8] = m->id;
    if (fx.seen.is_answering)
        fx_answer_quota(m->id, m->id);
    return MSA_OK;
}

static void on_closed(void *owner, struct chan *c)
{
    (void)owner;
    cr_assert_not(chan_is_open(c));
    fx.seen.closed_count++;
}

chan_handlers fx_smtp_handlers = {[IPC_policy_kill] = on_kill};
chan_handlers fx_policy_handlers = {[IPC_policy_quota_ask] = on_quota_ask};

struct chan *fx_end_new(int fd, enum role self, enum role peer, chan_handler_fn *const *handlers)
{
    struct chan_settings set = {.loop = fx.loop, .self = self, .peer = peer, .peer_index = 3,
                                .handlers = handlers, .on_closed = on_closed};
    struct chan *c = chan_new(fd, &set);
    cr_assert_not_null(c);
    return c;
}

void fx_set_up(void)
{
    clock_set_for_test(1000000, 1700000000000);
    fx.loop = loop_new();
}

void fx_close_raw(void)
{
    if (fx.raw != -1)
        close(fx.raw);
    fx.raw = -1;
}

void fx_tear_down(void)
{
    chan_free(&fx.smtp);
    chan_free(&fx.policy);
    loop_free(&fx.loop);
    fx_close_raw();
}

void fx_set_up_pair(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fx.smtp = fx_end_new(fds[0], ROLE_SMTP, ROLE_POLICY, fx_smtp_handlers);
    fx.policy = fx_end_new(fds[1], ROLE_POLICY, ROLE_SMTP, fx_policy_handlers);
}

struct chan *fx_end_and_raw(enum role self, enum role peer, chan_handler_fn *const *handlers)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fx.raw = fds[1];
    return fx_end_new(fds[0], self, peer, handlers);
}

void fx_set_up_raw(void)
{
    fx.smtp = fx_end_and_raw(ROLE_SMTP, ROLE_POLICY, fx_smtp_handlers);
}

void fx_turns(int count)
{
    while (count-- > 0)
        loop_run_once(fx.loop, false);
}

int fx_send_kill(uint64_t account, const char *text)
{
    struct msg_policy_kill k = {.account = account, .text = view_cstr(text)};
    return CHAN_SEND(fx.policy, policy_kill, 0, &k);
}

void fx_answer_quota(uint64_t id, uint64_t reservation)
{
    struct msg_policy_quota_answer a = {.reservation = reservation};
    cr_assert_eq(CHAN_SEND(fx.policy, policy_quota_answer, id, &a), MSA_OK);
}

struct view fx_frame(struct buf *b, uint32_t length, unsigned type, unsigned fds, uint64_t id)
{
    buf_reset(b);
    put_u32(b, length);
    put_u16(b, (uint16_t)type);
    put_u16(b, (uint16_t)fds);
    put_u64(b, id);
    return buf_view(b);
}

struct view fx_kill_frame(struct buf *b, uint64_t account, const char *text)
{
    struct msg_policy_kill k = {.account = account, .text = view_cstr(text)};
    fx_frame(b, (uint32_t)(8 + 4 + strlen(text)), IPC_policy_kill, 0, 0);
    msg_policy_kill_encode(&k, b);
    return buf_view(b);
}

void fx_raw_send(struct view v)
{
    cr_assert_eq(send(fx.raw, v.p, v.n, MSG_NOSIGNAL), (ssize_t)v.n);
}

void fx_raw_send_fds(struct view v, unsigned count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(32 * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec iov = {.iov_base = (char *)(uintptr_t)v.p, .iov_len = v.n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
    memset(CMSG_DATA(cmsg), 0, count * sizeof(int));
    cr_assert_eq(sendmsg(fx.raw, &msg, MSG_NOSIGNAL), (ssize_t)v.n);
}

int fx_open_fd_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            count++;
    return count;
}
