#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

TestSuite(chan_fds, .timeout = 20, .init = fx_set_up, .fini = fx_tear_down);


static int body_count;
static int body_fds[64];

static int on_body_answer_like(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    cr_assert_eq(chan_take_fd(m, m->fd_count), -1);
    for (unsigned i = 0; i < m->fd_count; i++)
        body_fds[body_count++] = chan_take_fd(m, i);
    return MSA_OK;
}

static chan_handlers score_handlers = {[IPC_score_ask] = on_body_answer_like};

/* A pipe's read end for each number, which tells which descriptor came. */
static int numbered_fd(int number)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], &number, sizeof number), (ssize_t)sizeof number);
    close(fds[1]);
    return fds[0];
}

static int number_of(int fd)
{
    int number = -1;
    cr_assert_eq(read(fd, &number, sizeof number), (ssize_t)sizeof number);
    close(fd);
    return number;
}

Test(chan_fds, descriptors_stay_with_their_frames_in_order)
{
    int fds[2];
    int before = fx_open_fd_count();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fx.smtp = fx_end_new(fds[0], ROLE_SMTP, ROLE_SCORE, fx_smtp_handlers);
    struct chan *score = fx_end_new(fds[1], ROLE_SCORE, ROLE_SMTP, score_handlers);
    for (int i = 0; i < 40; i++) {
        char login[320];
        memset(login, 'x', sizeof login);
        struct msg_score_ask m = {.login = view_of(login, (size_t)(i * 7)), .message = (uint64_t)i};
        msg_score_ask_encode(&m, chan_ask_begin(fx.smtp, IPC_score_ask));
        int fd = i % 3 ? numbered_fd(i) : -1; /* every third without */
        if (fd != -1)
            chan_attach_fd(fx.smtp, fd);
        cr_assert_eq(chan_ask_end(fx.smtp, 1000, NULL, NULL, &(uint64_t){0}), MSA_OK);
        if (fd != -1)
            close(fd); /* the channel has its own */
    }
    fx_turns(60);
    cr_assert_eq(body_count, 26);
    for (int i = 0, k = 0; i < 40; i++) {
        if (i % 3 == 0)
            continue;
        cr_assert_eq(fcntl(body_fds[k], F_GETFD), FD_CLOEXEC);
        cr_assert_eq(number_of(body_fds[k++]), i);
    }
    for (uint32_t slot = 0; slot < 40; slot++)
        chan_ask_cancel(fx.smtp, UINT64_C(1) << 32 | slot);
    chan_free(&score);
    chan_free(&fx.smtp);
    fx_turns(2);
    loop_free(&fx.loop);
    cr_assert_leq(fx_open_fd_count(), before);
    fx.loop = loop_new();
}

/* Twenty sessions that ask in one turn wake the other side once. */
Test(chan_fds, small_frames_leave_together)
{
    char bytes[32768];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    fx.smtp = fx_end_and_raw(ROLE_SMTP, ROLE_SCORE, fx_smtp_handlers);
    for (int i = 0; i < 20; i++) {
        struct msg_score_ask m = {.message = (uint64_t)i};
        int fd = numbered_fd(i);
        msg_score_ask_encode(&m, chan_ask_begin(fx.smtp, IPC_score_ask));
        chan_attach_fd(fx.smtp, fd);
        cr_assert_eq(chan_ask_end(fx.smtp, 1000, NULL, NULL, &(uint64_t){0}), MSA_OK);
        close(fd);
    }
    fx_turns(1);
    cr_assert_gt(recvmsg(fx.raw, &msg, 0), 20 * 16);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cr_assert_eq(cmsg->cmsg_len, CMSG_LEN(20 * sizeof(int)));
    for (int i = 0; i < 20; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(cmsg) + i * (int)sizeof fd, sizeof fd);
        cr_assert_eq(number_of(fd), i);
    }
    for (uint32_t slot = 0; slot < 20; slot++)
        chan_ask_cancel(fx.smtp, UINT64_C(1) << 32 | slot);
}

/* Each frame of its own descriptor, of every length, with more before and between than one batch takes. */
Test(chan_fds, batches_keep_the_order)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fx.smtp = fx_end_new(fds[0], ROLE_SMTP, ROLE_SCORE, fx_smtp_handlers);
    struct chan *score = fx_end_new(fds[1], ROLE_SCORE, ROLE_SMTP, score_handlers);
    static char recipients[50000];
    for (int i = 0; i < 60; i++) {
        struct msg_score_ask m = {.message = (uint64_t)i};
        m.recipients = view_of(recipients, (size_t)(i * i * 13 % 50000));
        int fd = numbered_fd(i);
        msg_score_ask_encode(&m, chan_ask_begin(fx.smtp, IPC_score_ask));
        chan_attach_fd(fx.smtp, fd);
        cr_assert_eq(chan_ask_end(fx.smtp, 1000, NULL, NULL, &(uint64_t){0}), MSA_OK);
        close(fd);
    }
    fx_turns(200);
    cr_assert_eq(fx.seen.closed_count, 0);
    cr_assert_eq(body_count, 60);
    for (int i = 0; i < 60; i++)
        cr_assert_eq(number_of(body_fds[i]), i);
    for (uint32_t slot = 0; slot < 60; slot++)
        chan_ask_cancel(fx.smtp, UINT64_C(1) << 32 | slot);
    chan_free(&score);
}

static int refuse(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    return m->fd_count > 0 ? MSA_OK : MSA_EPROTO;
}

static chan_handlers leaving_handlers = {[IPC_score_ask] = refuse};

Test(chan_fds, descriptors_that_a_handler_leaves_are_closed)
{
    struct chan *score = fx_end_and_raw(ROLE_SCORE, ROLE_SMTP, leaving_handlers);
    struct buf b;
    buf_init(&b, 100);
    int before = fx_open_fd_count();
    for (int i = 0; i < 5; i++)
        fx_raw_send_fds(fx_frame(&b, 0, IPC_score_ask, 1, 9), 1);
    fx_turns(6);
    cr_assert_eq(fx.seen.closed_count, 0);
    cr_assert_eq(fx_open_fd_count(), before);
    chan_free(&score);
    buf_fini(&b);
}

struct stray {
    const char *name;
    unsigned announced;
    unsigned sent;
};

static const struct stray strays[] = {
    {"announced, not there", 1, 0},
    {"there, not announced", 0, 1},
    {"more there than announced", 1, 2},
    {"more than a message may carry", 1, CHAN_FDS_MAX + 1},
};

Test(chan_fds, descriptors_that_do_not_match_close_the_channel_and_leak_nothing)
{
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++) {
        memset(&fx.seen, 0, sizeof fx.seen);
        struct chan *score = fx_end_and_raw(ROLE_SCORE, ROLE_SMTP, leaving_handlers);
        int before = fx_open_fd_count();
        struct view v = fx_frame(&b, 0, IPC_score_ask, strays[i].announced, 9);
        if (strays[i].sent)
            fx_raw_send_fds(v, strays[i].sent);
        else
            fx_raw_send(v);
        fx_turns(2);
        cr_assert_eq(fx.seen.closed_count, 1, "%s", strays[i].name);
        chan_free(&score);
        fx_turns(1);
        cr_assert_eq(fx_open_fd_count(), before - 1, "%s", strays[i].name);
        fx_close_raw();
    }
    buf_fini(&b);
}

Test(chan_fds, unsent_descriptors_are_bounded_and_closed_with_the_channel)
{
    int before = fx_open_fd_count();
    fx.smtp = fx_end_and_raw(ROLE_SMTP, ROLE_SCORE, fx_smtp_handlers);
    struct msg_score_ask m = {0};
    int sent_count = 0;
    int err = MSA_OK;
    while (err == MSA_OK && sent_count < 2 * CHAN_FDS_QUEUED_MAX) {
        msg_score_ask_encode(&m, chan_ask_begin(fx.smtp, IPC_score_ask));
        chan_attach_fd(fx.smtp, fx.raw);
        err = chan_ask_end(fx.smtp, 1000, NULL, NULL, &(uint64_t){0});
        sent_count += err == MSA_OK;
    }
    cr_assert_eq(err, MSA_EFULL);
    cr_assert_leq(sent_count, CHAN_FDS_QUEUED_MAX);
    for (uint32_t slot = 0; slot < (uint32_t)sent_count; slot++)
        chan_ask_cancel(fx.smtp, UINT64_C(1) << 32 | slot);
    chan_free(&fx.smtp);
    fx_turns(1);
    cr_assert_eq(fx_open_fd_count(), before + 1);
}
