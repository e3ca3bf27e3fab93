/* A channel against a hostile sender: whatever comes, in whatever pieces, the receiver lives, a question is
 * answered exactly once, and a handler sees only what the sender may send. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ipc/chan.h"
#include "tests/fuzz/fuzz.h"

static int answered_count, closed_count;

static int on_any(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    const struct ipc_rule *rule = ipc_rule_of(m->type);
    must(rule && (rule->senders & ROLE_POLICY) && (rule->receivers & ROLE_SMTP));
    must(m->payload.n <= CHAN_PAYLOAD_MAX && m->fd_count == 0);
    return m->payload.n % 7 == 6 ? MSA_EPROTO : MSA_OK;
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    (void)arg;
    answered_count++;
    must((m != NULL) == (err == MSA_OK));
    must(!m || m->type == IPC_policy_mail_answer);
}

static void on_closed(void *owner, struct chan *c)
{
    (void)owner;
    must(!chan_is_open(c));
    closed_count++;
}

static void feed(struct loop *loop, int fd, struct view in)
{
    size_t piece = fuzz_take_piece(&in);
    while (in.n > 0 && closed_count == 0) {
        struct view v = view_slice(in, 0, piece);
        ssize_t n = send(fd, v.p, v.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            break;
        in = view_slice(in, (size_t)n, in.n);
        loop_run_once(loop, false);
    }
    close(fd);
    for (int i = 0; i < 8; i++)
        loop_run_once(loop, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const chan_handlers handlers = {[IPC_policy_kill] = on_any, [IPC_admin_ask] = on_any};
    int fds[2];
    log_set_level(LOG_LEVEL_ERROR);
    clock_set_for_test(1000000, 1700000000000);
    struct loop *loop = loop_new();
    must(loop && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    struct chan_settings set = {.loop = loop, .self = ROLE_SMTP, .peer = ROLE_POLICY,
                                .handlers = handlers, .on_closed = on_closed};
    struct chan *c = chan_new(fds[0], &set);
    struct msg_policy_mail_ask ask = {.session = 1};
    must(c && CHAN_ASK(c, policy_mail_ask, &ask, 1000, on_answer, NULL, NULL) == MSA_OK);
    answered_count = closed_count = 0;
    feed(loop, fds[1], fuzz_view(data, size));
    must(closed_count == 1 && answered_count == 1);
    chan_free(&c);
    loop_free(&loop);
    return 0;
}
