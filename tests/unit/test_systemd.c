#include <criterion/criterion.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/proc/systemd.h"

TestSuite(systemd, .timeout = 20);

Test(systemd, reads_the_three_variables)
{
    struct systemd_sockets s;
    cr_assert_eq(systemd_parse_sockets("42", "3", "submission:submissions:console", 42, &s), MSA_OK);
    cr_assert_eq(s.count, 3);
    cr_assert_eq(s.items[0].fd, 3);
    cr_assert_str_eq(s.items[0].name, "submission");
    cr_assert_eq(s.items[2].fd, 5);
    cr_assert_str_eq(s.items[2].name, "console");
}

Test(systemd, passes_over_what_is_for_somebody_else)
{
    struct systemd_sockets s;
    cr_assert_eq(systemd_parse_sockets("41", "3", "a:b:c", 42, &s), MSA_OK);
    cr_assert_eq(s.count, 0);
    cr_assert_eq(systemd_parse_sockets(NULL, NULL, NULL, 42, &s), MSA_OK);
    cr_assert_eq(s.count, 0);
}

Test(systemd, leaves_names_empty_that_were_not_given)
{
    struct systemd_sockets s;
    cr_assert_eq(systemd_parse_sockets("42", "2", NULL, 42, &s), MSA_OK);
    cr_assert_eq(s.count, 2);
    cr_assert_str_eq(s.items[1].name, "");
}

Test(systemd, refuses_nonsense)
{
    static const struct {
        const char *pid, *fds, *names;
    } cases[] = {
        {"x", "1", "a"},
        {"42", "x", "a"},
        {"42", "65", "a"},
        {"42", "-1", "a"},
        {"42", "1", "0123456789012345678901234567890123456789012345678901234567890123"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct systemd_sockets s;
        cr_assert_lt(systemd_parse_sockets(cases[i].pid, cases[i].fds, cases[i].names, 42, &s), 0,
                     "case %zu", i);
        cr_assert_eq(s.count, 0, "case %zu", i);
    }
}

Test(systemd, the_variables_are_gone_after_reading)
{
    struct systemd_sockets s;
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "a", 1);
    cr_assert_eq(systemd_take_sockets(&s), MSA_OK);
    cr_assert_eq(s.count, 0);
    cr_assert_null(getenv("LISTEN_PID"));
    cr_assert_null(getenv("LISTEN_FDS"));
    cr_assert_null(getenv("LISTEN_FDNAMES"));
}

/* An abstract name needs no path, and its '@' stands for a NUL. */
Test(systemd, notices_arrive_at_an_abstract_socket)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    char name[64];
    char got[128] = "";
    int n = snprintf(name, sizeof name, "@msad-test-%d", (int)getpid());
    memcpy(sun.sun_path + 1, name + 1, (size_t)n - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    cr_assert_eq(bind(fd, (struct sockaddr *)&sun, len), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    int notify = systemd_notify_open();
    cr_assert_geq(notify, 0);
    cr_assert_null(getenv("NOTIFY_SOCKET"));
    systemd_notify(notify, "READY=1");
    cr_assert_eq(recv(fd, got, sizeof got - 1, 0), 7);
    cr_assert_str_eq(got, "READY=1");
    close(notify);
    close(fd);
}

Test(systemd, without_systemd_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    cr_assert_eq(systemd_notify_open(), -1);
    systemd_notify(-1, "READY=1");
}

Test(systemd, reloading_says_since_when)
{
    char text[SYSTEMD_RELOADING_MAX];
    systemd_reloading_text(UINT64_MAX, text);
    cr_assert_str_eq(text, "RELOADING=1\nMONOTONIC_USEC=18446744073709551615");
}
