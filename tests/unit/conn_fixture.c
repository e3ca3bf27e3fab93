#include "conn_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"

struct loop *cf_loop;

static const struct conn_limits limits = {.input_max_bytes = 8192, .output_max_bytes = 1u << 20};

static void on_connected(void *owner)
{
    struct end *e = owner;
    cr_assert_not(e->is_in_call);
    e->connected_count++;
}

static void on_tls_ready(void *owner)
{
    struct end *e = owner;
    cr_assert_not(e->is_in_call);
    cr_assert_not_null(conn_tls_facts(e->c));
    e->tls_ready_count++;
    if (e->on_tls_ready)
        e->on_tls_ready(e);
}

static void on_input(void *owner)
{
    struct end *e = owner;
    cr_assert_not(e->is_in_call);
    cr_assert_eq(e->closed_count, 0);
    e->input_count++;
    if (e->on_input) {
        e->on_input(e);
        return;
    }
    if (e->is_leaving_input)
        return;
    struct buf *in = conn_in(e->c);
    cr_assert_eq(buf_add(&e->got, buf_view(in)), MSA_OK);
    buf_take(in, buf_len(in));
}

static void on_output_drained(void *owner)
{
    struct end *e = owner;
    cr_assert_not(e->is_in_call);
    e->drained_count++;
}

static void on_closed(void *owner, enum conn_end end)
{
    struct end *e = owner;
    cr_assert_not(e->is_in_call);
    e->closed_count++;
    e->end = end;
    snprintf(e->error, sizeof e->error, "%s", conn_error(e->c));
    e->c = NULL;
}

const struct conn_events cf_events = {
    .on_connected = on_connected,
    .on_tls_ready = on_tls_ready,
    .on_input = on_input,
    .on_output_drained = on_output_drained,
    .on_closed = on_closed,
};

void cf_set_up(void)
{
    clock_set_for_test(1000000, 1700000000000);
    cf_loop = loop_new();
}

void cf_tear_down(void)
{
    loop_free(&cf_loop);
}

void cf_accept(struct end *e, int fd)
{
    buf_init(&e->got, 64u << 20);
    e->c = conn_new_accepted(cf_loop, fd, &limits, &cf_events, e);
    cr_assert_not_null(e->c);
}

void cf_pair(struct end *a, struct end *b)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    cf_accept(a, fds[0]);
    cf_accept(b, fds[1]);
}

int cf_end_and_raw(struct end *e)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    cf_accept(e, fds[0]);
    return fds[1];
}

void cf_end_fini(struct end *e)
{
    conn_abort(&e->c);
    buf_fini(&e->got);
}

void cf_turns(int count)
{
    while (count-- > 0)
        loop_run_once(cf_loop, false);
}

void cf_until(const int *counter, int want)
{
    while (*counter < want)
        loop_run_once(cf_loop, true);
}

void cf_write(struct end *e, const char *text)
{
    e->is_in_call = true;
    cr_assert_eq(conn_write(e->c, view_cstr(text)), MSA_OK);
    e->is_in_call = false;
}

bool cf_has(const struct end *e, const char *text)
{
    return view_eq(buf_view(&e->got), view_cstr(text));
}

void cf_raw_write(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}
