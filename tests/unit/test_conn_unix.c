/* Connections to Unix sockets. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conn_fixture.h"
#include "msa/base/err.h"

static char path[64];
static int listener;

static void setup(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    cf_set_up();
    snprintf(path, sizeof path, "/tmp/test-conn-unix.%d", (int)getpid());
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(listener, 4), 0);
}

static void teardown(void)
{
    close(listener);
    unlink(path);
    cf_tear_down();
}

TestSuite(conn_unix, .timeout = 30, .init = setup, .fini = teardown);

static void connect_to(struct end *e, const char *where)
{
    static const struct conn_limits limits = {.input_max_bytes = 8192, .output_max_bytes = 8192};
    buf_init(&e->got, 65536);
    e->is_in_call = true;
    e->c = conn_new_outgoing_unix(cf_loop, where, &limits, &cf_events, e);
    e->is_in_call = false;
    cr_assert_not_null(e->c);
}

Test(conn_unix, connects_and_talks)
{
    struct end e = {0};
    char heard[16] = "";
    connect_to(&e, path);
    cf_until(&e.connected_count, 1);
    int fd = accept(listener, NULL, NULL);
    cf_write(&e, "hello");
    cf_turns(2);
    cr_assert_eq(read(fd, heard, sizeof heard), 5);
    cr_assert_str_eq(heard, "hello");
    cf_raw_write(fd, "there");
    cf_until(&e.input_count, 1);
    cr_assert(cf_has(&e, "there"));
    cr_assert(ipaddr_is_none(conn_remote(e.c)));
    close(fd);
    cf_until(&e.closed_count, 1);
    cr_assert_eq(e.end, CONN_END_EOF);
    cf_end_fini(&e);
}

Test(conn_unix, a_socket_that_is_not_there_is_an_event)
{
    struct end e = {0};
    connect_to(&e, "/nowhere/at/all");
    cf_until(&e.closed_count, 1);
    cr_assert_eq(e.end, CONN_END_CONNECT);
    cr_assert_str_eq(e.error, "No such file or directory");
    cf_end_fini(&e);
}

Test(conn_unix, a_path_that_is_too_long_is_an_event)
{
    char where[200];
    struct end e = {0};
    memset(where, 'a', sizeof where - 1);
    where[0] = '/';
    where[sizeof where - 1] = '\0';
    connect_to(&e, where);
    cf_until(&e.closed_count, 1);
    cr_assert_eq(e.end, CONN_END_CONNECT);
    cr_assert_str_eq(e.error, "File name too long");
    cf_end_fini(&e);
}
