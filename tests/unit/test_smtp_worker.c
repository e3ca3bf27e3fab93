#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/listener.h"
#include "smtp/smtp.h"
#include "smtp/worker.h"

/* The role as its process runs it: real sockets and channels; the other roles answer from this file. */
TestSuite(smtp_worker, .timeout = 20);

#define PEER_COUNT 4

static struct {
    struct loop *loop;
    struct config *config;
    void *state;
    uint16_t port;
    struct chan *near[PEER_COUNT]; /* the role's ends */
    struct chan *far[PEER_COUNT];  /* policy, auth, score, relay */
    bool is_relay_silent;
    uint64_t accept_id; /* of the silent relay's question */
    struct ipaddr connected_ip;
    unsigned disconnects;
    unsigned kept;
    unsigned drained;
    uint32_t left_over;
} t;

static const enum role peers[PEER_COUNT] = {ROLE_POLICY, ROLE_AUTH, ROLE_SCORE, ROLE_RELAY};
enum { POLICY, AUTH, SCORE, RELAY };

/* ---- the other roles ----------------------------------------------------------------------------- */

static int on_connect(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_policy_connect_ask ask;
    const struct msg_policy_connect_answer a = {.country = VIEW_LIT("JP")};
    (void)owner;
    cr_assert_eq(msg_policy_connect_ask_decode(m->payload, &ask), 0);
    t.connected_ip = ask.client_ip;
    CHAN_SEND(c, policy_connect_answer, m->id, &a);
    return MSA_OK;
}

#define ALLOW(fn, answer)                                                                          \
    static int fn(void *owner, struct chan *c, struct chan_message *m)                             \
    {                                                                                              \
        (void)owner;                                                                               \
        CHAN_SEND(c, answer, m->id, &(const struct msg_##answer){.verdict = VERDICT_ALLOW});       \
        return MSA_OK;                                                                             \
    }
ALLOW(on_login, policy_login_answer)
ALLOW(on_mail, policy_mail_answer)
ALLOW(on_quota, policy_quota_answer)
ALLOW(on_route, policy_route_answer)

static int on_settle(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_policy_settle a;
    (void)owner, (void)c;
    cr_assert_eq(msg_policy_settle_decode(m->payload, &a), 0);
    t.kept += a.is_kept;
    return MSA_OK;
}

static int on_disconnect(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c, (void)m;
    t.disconnects++;
    return MSA_OK;
}

static int on_auth_start(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_auth_start ask;
    (void)owner;
    cr_assert_eq(msg_auth_start_decode(m->payload, &ask), 0);
    const struct msg_auth_done a = {
        .session = ask.session,
        .result = AUTH_OK,
        .account = 7,
        .login = VIEW_LIT("taro@example.jp"),
    };
    CHAN_SEND(c, auth_done, 0, &a);
    return MSA_OK;
}

static int on_body_ask(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_relay_body_ask ask;
    (void)owner;
    cr_assert_eq(msg_relay_body_ask_decode(m->payload, &ask), 0);
    const struct msg_relay_body_answer a = {.is_large = ask.is_large};
    msg_relay_body_answer_encode(&a, chan_begin(c, IPC_relay_body_answer, m->id));
    for (unsigned i = 0; i < ask.count; i++)
        chan_give_fd(c, memfd_create("body", MFD_CLOEXEC));
    cr_assert_eq(chan_end(c), MSA_OK);
    return MSA_OK;
}

static int on_accept(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_relay_accept_ask ask;
    const struct msg_relay_accept_answer a = {.result = RELAY_QUEUED, .code = 250};
    (void)owner;
    cr_assert_eq(msg_relay_accept_ask_decode(m->payload, &ask), 0);
    cr_assert_eq(m->fd_count, 0, "it is small enough for the question");
    cr_assert_gt(ask.body.n, 0);
    t.accept_id = m->id;
    if (!t.is_relay_silent)
        CHAN_SEND(c, relay_accept_answer, m->id, &a);
    return MSA_OK;
}

static chan_handler_fn *const far_handlers[PEER_COUNT][IPC_TYPE_COUNT] = {
    [POLICY] = {[IPC_policy_connect_ask] = on_connect,
                [IPC_policy_login_ask] = on_login,
                [IPC_policy_mail_ask] = on_mail,
                [IPC_policy_quota_ask] = on_quota,
                [IPC_policy_route_ask] = on_route,
                [IPC_policy_settle] = on_settle,
                [IPC_policy_disconnect] = on_disconnect},
    [AUTH] = {[IPC_auth_start] = on_auth_start},
    [RELAY] = {[IPC_relay_body_ask] = on_body_ask, [IPC_relay_accept_ask] = on_accept},
};

static void on_near_closed(void *owner, struct chan *c)
{
    for (int i = 0; i < PEER_COUNT; i++)
        if (t.near[i] == c) {
            smtp_role.peer_down(owner, c);
            chan_free(&t.near[i]);
        }
}

static void on_far_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
}

static void link_peer(int i)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    const struct chan_settings near = {
        .loop = t.loop, .self = ROLE_SMTP, .peer = peers[i], .handlers = smtp_role.handlers,
        .on_closed = on_near_closed, .owner = t.state,
    };
    const struct chan_settings far = {
        .loop = t.loop, .self = peers[i], .peer = ROLE_SMTP, .handlers = far_handlers[i],
        .on_closed = on_far_closed,
    };
    t.near[i] = chan_new(fds[0], &near);
    t.far[i] = chan_new(fds[1], &far);
    smtp_role.peer_up(t.state, t.near[i]);
}

/* ---- the role ------------------------------------------------------------------------------------ */

static void turns(int n)
{
    while (n-- > 0)
        loop_run_once(t.loop, false);
}

static uint16_t listen_here(void)
{
    struct ipaddr any;
    struct sockaddr_in sin;
    socklen_t len = sizeof sin;
    int fd;
    cr_assert(ipaddr_parse(VIEW_LIT("127.0.0.1"), &any));
    cr_assert_eq(listener_open(&any, 0, &fd), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    smtp_role.take_listener(t.state, VIEW_LIT("test"), &any, ntohs(sin.sin_port), fd);
    return ntohs(sin.sin_port);
}

static void begin(const char *listener, const char *more)
{
    char text[2000], why[256];
    struct config_errors errors;
    snprintf(text, sizeof text,
             "hostname mx.example.jp; listener test { address 127.0.0.1:1587; auth_without_tls yes; %s }\n"
             "tls { certificate { cert_file /a.pem; key_file /a.key; } }\n"
             "pool main { smarthost 192.0.2.25:25; }\n%s",
             listener, more);
    log_set_level(LOG_LEVEL_ERROR);
    config_errors_init(&errors);
    cr_assert_eq(config_parse_text(view_cstr(text), "test", &t.config, &errors), 0, "%s",
                 errors.count ? errors.items[0].text : "");
    config_errors_fini(&errors);
    t.loop = loop_new();
    const struct role_env env = {.loop = t.loop};
    const struct role_config rc = {.config = t.config};
    cr_assert_eq(smtp_role.open(&env, &t.state), 0);
    cr_assert_eq(smtp_role.take_config(t.state, &rc, why, sizeof why), 0);
    cr_assert_eq(smtp_role.serve(t.state), 0);
    for (int i = 0; i < PEER_COUNT; i++)
        link_peer(i);
    t.port = listen_here();
    turns(5);
}

static void end(void)
{
    for (int i = 0; i < PEER_COUNT; i++)
        if (t.near[i]) {
            smtp_role.peer_down(t.state, t.near[i]);
            chan_free(&t.near[i]);
        }
    turns(2);
    smtp_role.close(&t.state);
    for (int i = 0; i < PEER_COUNT; i++)
        if (t.far[i])
            chan_free(&t.far[i]);
    turns(2);
    loop_free(&t.loop);
    config_free(&t.config);
}

/* ---- clients ------------------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(t.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&sin, sizeof sin) == -1)
        cr_assert_eq(errno, EINPROGRESS);
    turns(3);
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until `wanted` stands in it; the same buffer each time. */
static const char *hear(int fd, const char *wanted)
{
    static char got[8192];
    size_t n = 0;
    got[0] = '\0';
    for (int i = 0; i < 400 && !strstr(got, wanted); i++) {
        turns(1);
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (r == 0)
            break;
        n += r > 0 ? (size_t)r : 0;
        got[n] = '\0';
        if (r < 0)
            usleep(500); /* the kernel's own loop back to us */
    }
    cr_assert(strstr(got, wanted), "expected %s, heard: %s", wanted, got);
    return got;
}

static bool is_cut(int fd)
{
    char byte[512];
    for (int i = 0; i < 400; i++) {
        turns(1);
        ssize_t r = recv(fd, byte, sizeof byte, 0);
        if (r == 0 || (r == -1 && errno == ECONNRESET))
            return true;
        usleep(500);
    }
    return false;
}

static int sign_in(void)
{
    int fd = dial();
    hear(fd, "220 ");
    say(fd, "EHLO client.example\r\n");
    hear(fd, "250 HELP");
    say(fd, "AUTH PLAIN AAAA\r\n");
    hear(fd, "235 ");
    return fd;
}

static struct worker *worker(void)
{
    return t.state;
}

/* ---- tests --------------------------------------------------------------------------------------- */

Test(smtp_worker, message_through_sockets_and_channels)
{
    begin("", "");
    int fd = sign_in();
    say(fd, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(fd, "354 ");
    say(fd, "Subject: a\r\n\r\nx\r\n.\r\nQUIT\r\n");
    hear(fd, "221 ");
    close(fd);
    turns(20);
    cr_assert_eq(t.kept, 1);
    cr_assert_eq(t.disconnects, 1);
    cr_assert_eq(worker()->places.session_count, 0);
    cr_assert(list_is_empty(&worker()->clients) && list_is_empty(&worker()->over));
    end();
}

/* 40 messages need more descriptors than are kept ready. */
Test(smtp_worker, many_sessions_at_once)
{
    int fds[40];
    begin("", "limits { sessions_per_address 100; preauth_sessions_per_address 100; }");
    for (int i = 0; i < 40; i++)
        fds[i] = sign_in();
    for (int i = 0; i < 40; i++)
        say(fds[i], "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    for (int i = 0; i < 40; i++)
        hear(fds[i], "354 ");
    for (int i = 0; i < 40; i++)
        say(fds[i], "Subject: a\r\n\r\nx\r\n.\r\n");
    for (int i = 0; i < 40; i++)
        hear(fds[i], "250 2.0.0 Ok");
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    turns(50);
    cr_assert_eq(t.kept, 40);
    cr_assert_eq(worker()->places.session_count, 0);
    end();
}

Test(smtp_worker, half_closed_client_gets_its_reply)
{
    begin("", "");
    int fd = sign_in();
    say(fd, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(fd, "354 ");
    t.is_relay_silent = true;
    say(fd, "Subject: a\r\n\r\nx\r\n.\r\n");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 50 && t.accept_id == 0; i++) {
        turns(1);
        usleep(500);
    }
    turns(5);
    const struct msg_relay_accept_answer a = {.result = RELAY_QUEUED, .code = 250};
    CHAN_SEND(t.far[RELAY], relay_accept_answer, t.accept_id, &a);
    hear(fd, "250 2.0.0 Ok");
    close(fd);
    end();
}

Test(smtp_worker, client_that_vanishes_while_relay_works_is_counted)
{
    const struct linger at_once = {.l_onoff = 1};
    begin("", "");
    int fd = sign_in();
    say(fd, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(fd, "354 ");
    t.is_relay_silent = true;
    say(fd, "Subject: a\r\n\r\nx\r\n.\r\n");
    for (int i = 0; i < 50 && t.accept_id == 0; i++) {
        turns(1);
        usleep(500);
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd); /* RST */
    turns(5);
    const struct msg_relay_accept_answer a = {.result = RELAY_QUEUED, .code = 250};
    CHAN_SEND(t.far[RELAY], relay_accept_answer, t.accept_id, &a);
    for (int i = 0; i < 50 && t.disconnects == 0; i++) {
        turns(1);
        usleep(500);
    }
    cr_assert_eq(t.kept, 1);
    cr_assert_eq(t.disconnects, 1);
    end();
}

Test(smtp_worker, lost_policy_is_451_and_comes_back)
{
    begin("", "");
    int fd = sign_in();
    chan_free(&t.far[POLICY]);
    turns(5);
    cr_assert_null(t.near[POLICY]);
    say(fd, "MAIL FROM:<taro@example.jp>\r\n");
    hear(fd, "451 4.3.0");
    link_peer(POLICY);
    say(fd, "MAIL FROM:<taro@example.jp>\r\n");
    hear(fd, "250 2.1.0");
    close(fd);
    end();
}

Test(smtp_worker, relay_lost_with_a_message_is_451)
{
    begin("", "");
    int fd = sign_in();
    say(fd, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(fd, "354 ");
    t.is_relay_silent = true;
    say(fd, "Subject: a\r\n\r\nx\r\n.\r\n");
    for (int i = 0; i < 50 && t.accept_id == 0; i++) {
        turns(1);
        usleep(500);
    }
    chan_free(&t.far[RELAY]);
    hear(fd, "451 4.3.0");
    say(fd, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(fd, "452 4.3.1");
    close(fd);
    end();
}

Test(smtp_worker, kill_reaches_the_sessions_of_the_account_alone)
{
    const struct msg_policy_kill other = {.account = 8}, ours = {.account = 7};
    begin("", "");
    int fd = sign_in(), stranger = dial();
    hear(stranger, "220 ");
    CHAN_SEND(t.far[POLICY], policy_kill, 0, &other);
    turns(5);
    say(fd, "NOOP\r\n");
    hear(fd, "250 ");
    CHAN_SEND(t.far[POLICY], policy_kill, 0, &ours);
    hear(fd, "421 4.7.0 The account has been stopped");
    cr_assert(is_cut(fd));
    say(stranger, "NOOP\r\n");
    hear(stranger, "250 ");
    close(fd);
    close(stranger);
    end();
}

Test(smtp_worker, too_many_from_one_address_are_told)
{
    begin("", "limits { sessions_per_address 10; preauth_sessions_per_address 2; }");
    int a = dial(), b = dial();
    hear(a, "220 ");
    hear(b, "220 ");
    int c = dial();
    hear(c, "421 4.7.0 Too many connections from your address");
    cr_assert(is_cut(c));
    close(c);
    say(a, "EHLO x\r\nAUTH PLAIN AAAA\r\n");
    hear(a, "235 "); /* no stranger any more */
    c = dial();
    hear(c, "220 ");
    close(a);
    close(b);
    close(c);
    end();
}

/* ---- PROXY --------------------------------------------------------------------------------------- */

static const char proxied[] = "proxy_protocol any; proxy_from 127.0.0.1;";

static void expect_client(const char *ip)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(&t.connected_ip, text);
    cr_assert_str_eq(text, ip);
}

Test(smtp_worker, proxy_header_says_who_comes)
{
    begin(proxied, "");
    int fd = dial();
    say(fd, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 587\r\n");
    hear(fd, "220 ");
    expect_client("203.0.113.9");
    close(fd);
    end();
}

Test(smtp_worker, proxy_header_in_pieces)
{
    static const char header[] = "PROXY TCP6 2001:db8::9 2001:db8::1 4711 587\r\n";
    begin(proxied, "");
    int fd = dial();
    for (size_t i = 0; header[i]; i++) {
        const char one[2] = {header[i], '\0'};
        say(fd, one);
        turns(2);
    }
    hear(fd, "220 ");
    expect_client("2001:db8::9");
    close(fd);
    end();
}

Test(smtp_worker, proxy_header_of_a_health_check_keeps_the_front)
{
    begin(proxied, "");
    int fd = dial();
    say(fd, "PROXY UNKNOWN\r\n");
    hear(fd, "220 ");
    expect_client("127.0.0.1");
    close(fd);
    end();
}

Test(smtp_worker, client_that_skips_the_proxy_header_is_cut)
{
    begin(proxied, "");
    int fd = dial();
    say(fd, "EHLO x\r\n");
    cr_assert(is_cut(fd));
    close(fd);
    end();
}

Test(smtp_worker, front_that_hangs_up_in_its_header_leaves_nothing)
{
    begin(proxied, "");
    int fd = dial();
    say(fd, "PROXY TCP4 203");
    turns(3);
    close(fd);
    for (int i = 0; i < 50 && !list_is_empty(&worker()->fronts); i++) {
        turns(1);
        usleep(500);
    }
    cr_assert(list_is_empty(&worker()->fronts));
    end();
}

Test(smtp_worker, unlisted_front_is_cut)
{
    begin("proxy_protocol v1; proxy_from 192.0.2.0/24;", "");
    int fd = dial();
    cr_assert(is_cut(fd));
    close(fd);
    end();
}

/* ---- drain --------------------------------------------------------------------------------------- */

static void on_drained(void *arg, uint32_t left_over)
{
    (void)arg;
    t.drained++;
    t.left_over = left_over;
}

Test(smtp_worker, drain_ends_idle_sessions_and_waits_for_messages)
{
    begin("", "");
    int idle = sign_in(), busy = sign_in();
    say(busy, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(busy, "354 ");
    smtp_role.drain(t.state, 10000, on_drained, NULL);
    hear(idle, "421 4.3.2");
    cr_assert_eq(t.drained, 0);
    say(busy, "Subject: a\r\n\r\nx\r\n.\r\n");
    hear(busy, "421 4.3.2");
    turns(3);
    cr_assert_eq(t.drained, 1);
    cr_assert_eq(t.left_over, 0);
    close(idle);
    close(busy);
    end();
}

Test(smtp_worker, drain_has_an_end)
{
    begin("", "");
    int busy = sign_in();
    say(busy, "MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n");
    hear(busy, "354 ");
    smtp_role.drain(t.state, 0, on_drained, NULL);
    hear(busy, "421 4.3.2");
    turns(3);
    cr_assert_eq(t.drained, 1);
    close(busy);
    end();
}
