#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

TestSuite(conn, .timeout = 20, .init = cf_set_up, .fini = cf_tear_down);

/* All that can be read now; "" if nothing, NULL at the end of the stream. */
static const char *raw_read(int fd)
{
    static char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n == 0)
        return NULL;
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* ---- both ways ---- */

Test(conn, bytes_pass_both_ways_in_order)
{
    struct end a = {0}, b = {0};
    cf_pair(&a, &b);
    cf_write(&a, "EHLO ");
    cf_write(&a, "me\r\n");
    cf_turns(2);
    cr_assert(cf_has(&b, "EHLO me\r\n"));
    cf_write(&b, "250 ok\r\n");
    cf_turns(2);
    cr_assert(cf_has(&a, "250 ok\r\n"));
    cr_assert_eq(a.drained_count, 1);
    cf_end_fini(&a);
    cf_end_fini(&b);
}

Test(conn, replies_of_a_turn_leave_in_one_write)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    cf_write(&a, "250-one\r\n");
    cf_write(&a, "250 two\r\n");
    cr_assert_eq(conn_output_len(a.c), 18);
    cr_assert_str_eq(raw_read(raw), "", "nothing leaves inside the call");
    cf_turns(1);
    cr_assert_str_eq(raw_read(raw), "250-one\r\n250 two\r\n");
    cr_assert_eq(conn_output_len(a.c), 0);
    cf_end_fini(&a);
    close(raw);
}

Test(conn, idle_connection_holds_no_buffers)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    size_t idle_bytes = conn_memory_bytes(a.c);
    cr_assert_leq(idle_bytes, 600);
    cf_write(&a, "220 hello\r\n");
    cr_assert_gt(conn_memory_bytes(a.c), idle_bytes);
    cf_raw_write(raw, "NOOP\r\n");
    cf_turns(2);
    cr_assert(cf_has(&a, "NOOP\r\n"));
    cr_assert_eq(conn_memory_bytes(a.c), idle_bytes);
    cf_end_fini(&a);
    close(raw);
}

static void take_lines(struct end *e)
{
    struct buf *in = conn_in(e->c);
    size_t n;
    while ((n = view_find(buf_view(in), '\n')) < buf_len(in)) {
        buf_add(&e->got, view_slice(buf_view(in), 0, n + 1));
        buf_take(in, n + 1);
    }
}

Test(conn, half_a_line_waits_for_the_rest)
{
    struct end a = {.on_input = take_lines};
    int raw = cf_end_and_raw(&a);
    const char *text = "first\r\nsecond\r\nthird\r\n";
    for (const char *p = text; *p; p++) {
        cf_raw_write(raw, (char[]){*p, '\0'});
        cf_turns(1);
    }
    cr_assert(cf_has(&a, text));
    cf_raw_write(raw, "fourth\r\nfif");
    cf_turns(1);
    cr_assert_eq(buf_len(conn_in(a.c)), 3);
    cr_assert_leq(conn_memory_bytes(a.c), 600);
    cf_raw_write(raw, "th\r\n");
    cf_turns(1);
    cr_assert(cf_has(&a, "first\r\nsecond\r\nthird\r\nfourth\r\nfifth\r\n"));
    cf_end_fini(&a);
    close(raw);
}

/* ---- back-pressure ---- */

static int unread_bytes(int fd)
{
    int n = 0;
    cr_assert_eq(ioctl(fd, FIONREAD, &n), 0);
    return n;
}

Test(conn, reading_rests_at_high_water_and_goes_on)
{
    struct end a = {.is_leaving_input = true};
    int raw = cf_end_and_raw(&a);
    char *text = malloc(20000);
    for (int i = 0; i < 20000; i++)
        text[i] = (char)('a' + i % 26);
    cr_assert_eq(send(raw, text, 20000, 0), 20000);
    cf_turns(5);
    cr_assert_eq(a.input_count, 1);
    struct buf *in = conn_in(a.c);
    cr_assert_eq(buf_len(in), 8192);
    buf_add(&a.got, view_slice(buf_view(in), 0, 100));
    buf_take(in, 100);
    cf_turns(3);
    cr_assert_eq(buf_len(conn_in(a.c)), 8192, "the room was filled again");
    a.is_leaving_input = false;
    in = conn_in(a.c);
    buf_add(&a.got, buf_view(in));
    buf_take(in, buf_len(in));
    cf_turns(10);
    cr_assert(view_eq(buf_view(&a.got), view_of(text, 20000)));
    free(text);
    cf_end_fini(&a);
    close(raw);
}

Test(conn, stopped_reading_leaves_bytes_to_the_kernel)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    conn_read_stop(a.c);
    cf_raw_write(raw, "later\r\n");
    cf_turns(3);
    cr_assert_eq(a.input_count, 0);
    cr_assert_eq(unread_bytes(raw), 0);
    conn_read_start(a.c);
    cf_turns(2);
    cr_assert(cf_has(&a, "later\r\n"));
    cf_end_fini(&a);
    close(raw);
}

Test(conn, read_start_reports_what_is_buffered_in_the_next_turn)
{
    struct end a = {.is_leaving_input = true};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "one\r\ntwo\r\n");
    cf_turns(1);
    cr_assert_eq(a.input_count, 1);
    conn_read_stop(a.c);
    cf_turns(2);
    a.is_leaving_input = false;
    a.is_in_call = true;
    conn_read_start(a.c);
    a.is_in_call = false;
    cf_turns(1);
    cr_assert(cf_has(&a, "one\r\ntwo\r\n"));
    cf_turns(3);
    cr_assert_eq(a.input_count, 2);
    cf_end_fini(&a);
    close(raw);
}

Test(conn, output_beyond_its_limit_is_refused_whole)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    char *text = calloc(1, (1u << 20) + 1);
    cr_assert_eq(conn_write(a.c, view_of(text, (1u << 20) + 1)), MSA_ETOOBIG);
    cr_assert_eq(conn_output_len(a.c), 0);
    cr_assert_eq(conn_write(a.c, view_of(text, 1u << 20)), MSA_OK);
    cf_turns(2);
    cr_assert_gt(conn_output_len(a.c), 0, "more than the socket takes");
    cr_assert_eq(a.drained_count, 0);
    size_t total = 0;
    for (int i = 0; i < 1000 && total < 1u << 20; i++) {
        ssize_t n = recv(raw, text, 1u << 20, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
        cf_turns(1);
    }
    cr_assert_eq(total, 1u << 20);
    cr_assert_eq(a.drained_count, 1);
    free(text);
    cf_end_fini(&a);
    close(raw);
}

/* ---- files ---- */

static char body[700001];

static int memory_file(size_t n)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    for (size_t i = 0; i < n; i++)
        body[i] = (char)(i * 7 + i / 256);
    cr_assert_eq(write(fd, body, n), (ssize_t)n);
    return fd;
}

Test(conn, file_goes_between_what_was_written_before_and_after)
{
    struct end a = {0}, b = {0};
    cf_pair(&a, &b);
    int fd = memory_file(sizeof body);
    cf_write(&a, "before");
    cr_assert_eq(conn_write_file(a.c, fd, 1, 700000), MSA_OK);
    cr_assert_eq(conn_write_file(a.c, fd, 0, 1), MSA_EAGAIN);
    cf_write(&a, "after");
    cr_assert_eq(conn_output_len(a.c), 700000 + 11);
    cf_until(&a.drained_count, 1);
    cf_turns(100);
    cr_assert_eq(buf_len(&b.got), 700000 + 11);
    struct view got = buf_view(&b.got);
    cr_assert(view_has_prefix(got, VIEW_LIT("before")));
    cr_assert(view_eq(view_slice(got, got.n - 5, got.n), VIEW_LIT("after")));
    cr_assert(view_eq(view_slice(got, 6, 700006), view_of(body + 1, 700000)));
    cr_assert_eq(a.drained_count, 1);
    cr_assert_eq(conn_output_len(a.c), 0);
    cr_assert_leq(conn_memory_bytes(a.c), 600);
    close(fd);
    cf_end_fini(&a);
    cf_end_fini(&b);
}

Test(conn, file_that_is_too_short_ends_the_connection)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    int fd = memory_file(100);
    cr_assert_eq(conn_write_file(a.c, fd, 0, 101), MSA_OK);
    cf_turns(3);
    cr_assert_eq(a.closed_count, 1);
    cr_assert_eq(a.end, CONN_END_FILE);
    close(fd);
    cf_end_fini(&a);
    close(raw);
}

Test(conn, close_does_not_use_a_file_that_nobody_keeps_open)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    int fd = memory_file(sizeof body);
    cr_assert_eq(conn_write_file(a.c, fd, 0, sizeof body), MSA_OK);
    cf_turns(1);
    conn_close(&a.c);
    close(fd);
    cf_turns(1);
    shutdown(raw, SHUT_WR);
    cr_assert_eq(send(raw, "x", 1, MSG_NOSIGNAL), -1);
    cf_end_fini(&a);
    close(raw);
}

/* ---- ends ---- */

Test(conn, descriptor_is_made_non_blocking)
{
    struct end a = {0};
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    cf_accept(&a, fds[0]);
    cr_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    cf_end_fini(&a);
    close(fds[1]);
}

Test(conn, end_of_the_stream_comes_behind_the_input)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "QUIT\r\n");
    close(raw);
    cf_turns(2);
    cr_assert(cf_has(&a, "QUIT\r\n"));
    cr_assert_eq(a.closed_count, 1);
    cr_assert_eq(a.end, CONN_END_EOF);
    cf_end_fini(&a);
}

static void stop_and_take(struct end *e)
{
    struct buf *in = conn_in(e->c);
    buf_add(&e->got, buf_view(in));
    buf_take(in, buf_len(in));
    conn_read_stop(e->c);
}

Test(conn, half_closed_peer_gets_its_answer_while_reading_is_stopped)
{
    struct end a = {.on_input = stop_and_take};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "QUIT\r\n");
    shutdown(raw, SHUT_WR);
    cf_turns(4);
    cr_assert_eq(a.closed_count, 0);
    cf_write(&a, "221 bye\r\n");
    cf_turns(1);
    cr_assert_str_eq(raw_read(raw), "221 bye\r\n");
    conn_read_start(a.c);
    cf_turns(2);
    cr_assert_eq(a.end, CONN_END_EOF);
    cf_end_fini(&a);
    close(raw);
}

Test(conn, last_words_of_a_peer_that_reset_are_read)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "421 too many\r\n");
    close(raw);
    cf_write(&a, "EHLO me\r\n"); /* fails at the end of this turn */
    cf_turns(2);
    cr_assert(cf_has(&a, "421 too many\r\n"));
    cr_assert_eq(a.closed_count, 1);
    cf_end_fini(&a);
}

Test(conn, close_writes_what_is_queued_and_waits_for_the_peer)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    cf_write(&a, "221 bye\r\n");
    conn_close(&a.c);
    cr_assert_null(a.c);
    cf_turns(1);
    cr_assert_str_eq(raw_read(raw), "221 bye\r\n");
    cr_assert_null(raw_read(raw), "FIN");
    cf_raw_write(raw, "still talking\r\n");
    cf_turns(1);
    cf_raw_write(raw, "still talking\r\n");
    close(raw);
    cf_turns(2);
    cr_assert_eq(a.closed_count, 0);
    cr_assert_eq(a.input_count, 0);
    cf_end_fini(&a);
}

Test(conn, close_is_bounded_in_time)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    char *text = calloc(1, 1u << 20);
    cr_assert_eq(conn_write(a.c, view_of(text, 1u << 20)), MSA_OK); /* more than the socket takes */
    conn_close(&a.c);
    cf_turns(3);
    clock_advance_for_test(4999);
    cf_turns(2);
    cr_assert_eq(send(raw, "x", 1, MSG_NOSIGNAL), 1, "still there");
    clock_advance_for_test(1);
    cf_turns(2);
    cr_assert_eq(send(raw, "x", 1, MSG_NOSIGNAL), -1);
    free(text);
    cf_end_fini(&a);
    close(raw);
}

/* A peer that goes on sending into the closed connection costs no more than a few buffers' worth of reading. */
Test(conn, close_is_bounded_in_octets)
{
    struct end a = {0};
    int raw = cf_end_and_raw(&a);
    char *text = calloc(1, 1u << 16);
    size_t sent_bytes = 0;
    cf_write(&a, "bye\r\n");
    conn_close(&a.c);
    for (;;) {
        ssize_t n = send(raw, text, 1u << 16, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == -1 && errno != EAGAIN)
            break;
        sent_bytes += n > 0 ? (size_t)n : 0;
        cr_assert_leq(sent_bytes, 24u << 20);
        cf_turns(1);
    }
    cr_assert_geq(sent_bytes, 16u << 20);
    free(text);
    cf_end_fini(&a);
    close(raw);
}

static void abort_in_event(struct end *e)
{
    conn_abort(&e->c);
}

Test(conn, owner_may_abort_in_any_event)
{
    struct end a = {.on_input = abort_in_event};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "one\r\ntwo\r\n");
    cf_write(&a, "never sent\r\n");
    cf_turns(3);
    cr_assert_eq(a.input_count, 1);
    cr_assert_eq(a.closed_count, 0);
    cr_assert_null(raw_read(raw));
    cf_end_fini(&a);
    close(raw);
}

static void close_in_event(struct end *e)
{
    conn_write(e->c, VIEW_LIT("500 no\r\n"));
    conn_close(&e->c);
}

Test(conn, owner_may_close_in_any_event_with_input_left)
{
    struct end a = {.on_input = close_in_event};
    int raw = cf_end_and_raw(&a);
    cf_raw_write(raw, "GET / HTTP/1.1\r\n");
    cf_turns(3);
    cr_assert_str_eq(raw_read(raw), "500 no\r\n");
    cr_assert_null(raw_read(raw));
    cr_assert_eq(a.input_count, 1);
    close(raw);
    cf_turns(2);
    cf_end_fini(&a);
}

/* ---- names ---- */

Test(conn, ends_have_names)
{
    cr_assert_str_eq(conn_end_name(CONN_END_NONE), "none");
    cr_assert_str_eq(conn_end_name(CONN_END_TRUNCATED), "truncated");
    cr_assert_str_eq(conn_end_name(CONN_END_FILE), "file");
    cr_assert_str_eq(conn_end_name((enum conn_end)99), "?");
}
