#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/io/listener.h"

TestSuite(listener, .timeout = 20, .init = cf_set_up, .fini = cf_tear_down);

static struct ipaddr address(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    struct ipaddr a;
    uint16_t port;
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    cr_assert(ipaddr_from_sockaddr((struct sockaddr *)&ss, &a, &port));
    return port;
}

/* ---- what a listener hands out ---- */

static int accepted_fds[128];
static int accepted_count;
static struct ipaddr accepted_from;
static struct listener *listener;
static bool is_freeing, is_pausing;

static void on_accept(void *arg, int fd, const struct ipaddr *remote, uint16_t port)
{
    (void)arg;
    cr_assert_neq(port, 0);
    cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    accepted_fds[accepted_count++] = fd;
    accepted_from = *remote;
    if (is_freeing)
        listener_free(&listener);
    if (is_pausing)
        listener_pause(listener);
}

static uint16_t listen_on(const char *text)
{
    struct ipaddr a = address(text);
    int fd;
    cr_assert_eq(listener_open(&a, 0, &fd), MSA_OK);
    uint16_t port = port_of(fd);
    listener = listener_new(cf_loop, fd, on_accept, NULL);
    cr_assert_not_null(listener);
    return port;
}

/* A bare client; the connection is made by the kernel, accepted or not. */
static int dial(const char *text, uint16_t port)
{
    struct ipaddr a = address(text);
    struct sockaddr_storage ss;
    socklen_t len = ipaddr_to_sockaddr(&a, port, &ss);
    int fd = socket(((struct sockaddr *)&ss)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
    return fd;
}

static void close_accepted(void)
{
    while (accepted_count > 0)
        close(accepted_fds[--accepted_count]);
}

Test(listener, connections_are_handed_out)
{
    uint16_t port = listen_on("127.0.0.1");
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = dial("127.0.0.1", port);
    cf_until(&accepted_count, 3);
    struct ipaddr local = address("127.0.0.1");
    cr_assert(ipaddr_eq(&accepted_from, &local));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    close_accepted();
    listener_free(&listener);
    cr_assert_null(listener);
}

Test(listener, ipv6_has_its_own_port_space)
{
    uint16_t port = listen_on("::1");
    struct ipaddr v4 = address("127.0.0.1");
    int fd4;
    cr_assert_eq(listener_open(&v4, port, &fd4), MSA_OK);
    close(fd4);
    int fd = dial("::1", port);
    cf_until(&accepted_count, 1);
    close(fd);
    close_accepted();
    listener_free(&listener);
}

Test(listener, pause_leaves_connections_to_the_backlog)
{
    uint16_t port = listen_on("127.0.0.1");
    listener_pause(listener);
    int fd = dial("127.0.0.1", port);
    cf_turns(3);
    cr_assert_eq(accepted_count, 0);
    listener_resume(listener);
    cf_until(&accepted_count, 1);
    close(fd);
    close_accepted();
    listener_free(&listener);
}

Test(listener, pause_in_the_callback_takes_effect_at_once)
{
    uint16_t port = listen_on("127.0.0.1");
    int one = dial("127.0.0.1", port), two = dial("127.0.0.1", port);
    is_pausing = true;
    cf_until(&accepted_count, 1);
    cf_turns(3);
    cr_assert_eq(accepted_count, 1);
    listener_resume(listener);
    cf_until(&accepted_count, 2);
    close(one);
    close(two);
    close_accepted();
    listener_free(&listener);
}

Test(listener, may_be_freed_in_its_callback)
{
    uint16_t port = listen_on("127.0.0.1");
    int one = dial("127.0.0.1", port), two = dial("127.0.0.1", port);
    is_freeing = true;
    cf_until(&accepted_count, 1);
    cf_turns(3);
    cr_assert_eq(accepted_count, 1);
    cr_assert_null(listener);
    close(one);
    close(two);
    close_accepted();
}

Test(listener, port_that_is_taken_is_an_error)
{
    uint16_t port = listen_on("127.0.0.1");
    struct ipaddr a = address("127.0.0.1");
    int fd = 99;
    cr_assert_eq(listener_open(&a, port, &fd), MSA_EIO);
    cr_assert_eq(errno, EADDRINUSE);
    cr_assert_eq(fd, -1);
    listener_free(&listener);
}

/* ---- no descriptors left ---- */

Test(listener, without_descriptors_it_sheds_one_and_rests)
{
    uint16_t port = listen_on("127.0.0.1");
    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = dial("127.0.0.1", port);
    int next = dup(0);
    close(next);
    struct rlimit old, none;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cf_turns(3);
    cr_assert_eq(accepted_count, 0);
    char c;
    cr_assert_eq(recv(fds[0], &c, 1, 0), 0, "the first was closed");
    cr_assert_eq(recv(fds[1], &c, 1, MSG_DONTWAIT), -1, "the second waits");
    clock_advance_for_test(999);
    cf_turns(2);
    cr_assert_eq(recv(fds[1], &c, 1, MSG_DONTWAIT), -1);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    clock_advance_for_test(1);
    cf_until(&accepted_count, 3);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    close_accepted();
    listener_free(&listener);
}

/* ---- the other side: outgoing connections ---- */

static const struct conn_limits limits = {.input_max_bytes = 4096, .output_max_bytes = 4096};

static void dial_out(struct end *e, const char *to, uint16_t port, const char *from)
{
    struct ipaddr remote = address(to), source;
    if (from)
        source = address(from);
    buf_init(&e->got, 4096);
    e->is_in_call = true;
    e->c = conn_new_outgoing(cf_loop, &remote, port, from ? &source : NULL, &limits, &cf_events, e);
    cr_assert_not_null(e->c);
    e->is_in_call = false;
}

Test(listener, outgoing_connection_comes_up_and_talks)
{
    struct end out = {0}, in = {0};
    uint16_t port = listen_on("127.0.0.1");
    dial_out(&out, "127.0.0.1", port, "127.0.0.3");
    cf_write(&out, "early\r\n"); /* kept until it is up */
    cf_until(&out.connected_count, 1);
    cf_until(&accepted_count, 1);
    cf_accept(&in, accepted_fds[0]);
    cf_until(&in.input_count, 1);
    cr_assert(cf_has(&in, "early\r\n"));
    struct ipaddr source = address("127.0.0.3"), server = address("127.0.0.1");
    cr_assert(ipaddr_eq(conn_remote(in.c), &source));
    cr_assert(ipaddr_eq(conn_local(in.c), &server));
    cr_assert(ipaddr_eq(conn_remote(out.c), &server));
    cr_assert(ipaddr_eq(conn_local(out.c), &source));
    cr_assert_eq(conn_local_port(in.c), port);
    cr_assert_eq(conn_remote_port(out.c), port);
    cr_assert_eq(conn_remote_port(in.c), conn_local_port(out.c));
    cf_end_fini(&out);
    cf_end_fini(&in);
    listener_free(&listener);
}

Test(listener, refused_connection_is_an_event)
{
    struct end out = {0};
    uint16_t port = listen_on("127.0.0.1");
    listener_free(&listener);
    dial_out(&out, "127.0.0.1", port, NULL);
    cf_until(&out.closed_count, 1);
    cr_assert_eq(out.end, CONN_END_CONNECT);
    cr_assert_str_eq(out.error, "Connection refused");
    cr_assert_eq(out.connected_count, 0);
    cf_end_fini(&out);
}

Test(listener, impossible_source_is_an_event_too)
{
    struct end out = {0};
    uint16_t port = listen_on("127.0.0.1");
    dial_out(&out, "127.0.0.1", port, "192.0.2.77");
    cf_until(&out.closed_count, 1);
    cr_assert_eq(out.end, CONN_END_CONNECT);
    cr_assert_neq(out.error[0], '\0');
    cf_end_fini(&out);
    listener_free(&listener);
}

Test(listener, closing_before_it_is_up_is_silent)
{
    struct end out = {0};
    uint16_t port = listen_on("127.0.0.1");
    dial_out(&out, "127.0.0.1", port, NULL);
    conn_close(&out.c);
    cf_turns(3);
    cr_assert_eq(out.connected_count + out.closed_count, 0);
    cf_end_fini(&out);
    listener_free(&listener);
    close_accepted();
}

/* A reset on TCP: the peer closes with our bytes unread. */
Test(listener, reset_is_reported)
{
    struct end in = {0};
    uint16_t port = listen_on("127.0.0.1");
    int fd = dial("127.0.0.1", port);
    cf_until(&accepted_count, 1);
    cf_accept(&in, accepted_fds[0]);
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    cf_until(&in.closed_count, 1);
    cr_assert_eq(in.end, CONN_END_RESET);
    cr_assert_str_eq(in.error, "Connection reset by peer");
    cf_end_fini(&in);
    listener_free(&listener);
}
