#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"

static int fd = -1;
static char text[1 << 20];

static void init(void)
{
    fd = memfd_create("log", MFD_CLOEXEC);
    cr_assert(fd >= 0);
    clock_set_for_test(0, 1795400000123); /* 2026-11-23T02:13:20.123Z */
    log_setup("smtp", 1, LOG_LEVEL_INFO);
    log_set_target(LOG_TO_FD, fd);
}

static void fini(void)
{
    log_set_target(LOG_TO_FD, STDERR_FILENO);
    close(fd);
}

TestSuite(log, .timeout = 20, .init = init, .fini = fini);

/* What has reached the descriptor so far. */
static const char *written(void)
{
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    cr_assert(n >= 0);
    text[n] = '\0';
    return text;
}

static const char *flushed(void)
{
    log_flush();
    return written();
}

#define HEAD "2026-11-23T02:13:20.123Z smtp[1] "

Test(log, a_line_with_every_kind_of_value)
{
    struct log_line l;
    struct ipaddr ip = {{[15] = 1}};
    log_begin(&l, LOG_LEVEL_INFO, "auth-ok");
    log_str(&l, "user", "taro@example.jp");
    log_str(&l, "absent", NULL);
    log_ip(&l, "ip", &ip);
    log_num(&l, "n", INT64_MIN);
    log_textf(&l, "t", "%d %s", 7, "x");
    log_end(&l);
    log_end(&l); /* a line ends once */
    cr_assert(eq(str, (char *)flushed(),
                 HEAD "info auth-ok user=taro@example.jp ip=::1 n=-9223372036854775808 t=\"7 x\"\n"));
}

Test(log, the_short_form)
{
    log_msg(LOG_LEVEL_WARN, "disk-full", "%s: %d left", "/var", 0);
    cr_assert(eq(str, (char *)written(), HEAD "warn disk-full text=\"/var: 0 left\"\n"));
}

#define LIT(text) {text, sizeof(text) - 1}

/* Values as they come from clients: whatever they hold, the line stays one line with the keys that
 * msad wrote, and reads back unambiguously. */
Test(log, nobody_forges_a_line_a_key_or_a_terminal_sequence)
{
    static const struct {
        struct view value;
        const char *want;
    } rows[] = {
        {LIT("plain"), "v=plain"},
        {LIT(""), "v=\"\""},
        {LIT("a b"), "v=\"a b\""},
        {LIT("x\n2026-11-23T02:13:20.123Z smtp[1] info auth-ok user=root"),
         "v=\"x\\x0a2026-11-23T02:13:20.123Z smtp[1] info auth-ok user=root\""},
        {LIT("x\r\n"), "v=x\\x0d\\x0a"},
        {LIT("x user=root"), "v=\"x user=root\""},
        {LIT("x\" user=root \""), "v=\"x\\x22 user=root \\x22\""},
        {LIT("\""), "v=\"\\x22\""},
        {LIT("user=root"), "v=\"user=root\""},
        {LIT("x\\"), "v=x\\x5c"},
        {LIT("x \\"), "v=\"x \\x5c\""},
        {LIT("\\x41"), "v=\\x5cx41"},
        {LIT("a\0b"), "v=a\\x00b"},
        {LIT("\x1b[2J"), "v=\\x1b[2J"},
        {LIT("\x7f\x80\xff\t"), "v=\\x7f\\x80\\xff\\x09"},
        {LIT("\xe2\x80\xae"), "v=\\xe2\\x80\\xae"}, /* right-to-left override */
        {LIT("%s%n"), "v=%s%n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log_line l;
        char want[256];
        log_begin(&l, LOG_LEVEL_INFO, "e");
        log_view(&l, "v", rows[i].value);
        log_end(&l);
        snprintf(want, sizeof want, HEAD "info e %s\n", rows[i].want);
        cr_assert(eq(str, (char *)flushed(), want));
        cr_assert(eq(int, ftruncate(fd, 0), 0));
        lseek(fd, 0, SEEK_SET);
    }
}

/* The value that fills the line comes from outside, too: neither a half-written key, nor an open quote, nor
 * bytes of the stack may be left where it was cut. */
Test(log, a_line_is_cut_cleanly_wherever_it_runs_full)
{
    static char value[LOG_LINE_MAX * 2];
    for (size_t n = LOG_LINE_MAX - 200; n < LOG_LINE_MAX + 50; n++) {
        struct log_line l;
        memset(&l, 0x1b, sizeof l);
        memset(value, 'a', n);
        value[0] = n % 2 ? ' ' : 'a'; /* quoted or not */
        value[n] = '\0';
        log_begin(&l, LOG_LEVEL_INFO, "e");
        log_str(&l, "v", value);
        log_str(&l, "w", "with blank");
        log_num(&l, "n", 1234567890);
        log_end(&l);
        const char *line = flushed();
        size_t len = strlen(line);
        cr_assert(le(sz, len, LOG_LINE_MAX));
        cr_assert(strchr(line, '\n') == line + len - 1);
        cr_assert(strchr(line, 0x1b) == NULL, "stack bytes at %zu", n);
        size_t quotes = 0;
        for (size_t i = 0; i < len; i++)
            quotes += line[i] == '"';
        cr_assert(quotes % 2 == 0, "open quote at %zu: %s", n, line);
        bool is_whole = strstr(line, " n=1234567890\n") != NULL;
        bool is_cut = strcmp(line + len - strlen(" cut=1\n"), " cut=1\n") == 0;
        cr_assert(is_whole != is_cut, "at %zu: %s", n, line);
        cr_assert(eq(int, ftruncate(fd, 0), 0));
        lseek(fd, 0, SEEK_SET);
    }
}

Test(log, an_escape_is_never_cut_in_half)
{
    static char value[LOG_LINE_MAX];
    memset(value, 0x01, sizeof value);
    for (size_t pad = 0; pad < 4; pad++) {
        struct log_line l;
        log_begin(&l, LOG_LEVEL_INFO, "e");
        log_view(&l, "p", view_of("aaaa", pad + 1));
        log_view(&l, "v", view_of(value, sizeof value));
        log_end(&l);
        const char *tail = strstr(flushed(), " cut=1\n");
        cr_assert(tail != NULL);
        cr_assert(memcmp(tail - 4, "\\x01", 4) == 0);
        cr_assert(eq(int, ftruncate(fd, 0), 0));
        lseek(fd, 0, SEEK_SET);
    }
}

Test(log, a_long_text_is_cut_too)
{
    static char value[LOG_LINE_MAX * 2];
    memset(value, 'a', sizeof value - 1);
    log_msg(LOG_LEVEL_INFO, "e", "%s", value);
    cr_assert(strstr(flushed(), "aaa cut=1\n") != NULL);
}

Test(log, lines_below_the_level_cost_nothing)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_DEBUG, "e");
    log_str(&l, "k", "v");
    log_end(&l);
    log_msg(LOG_LEVEL_DEBUG, "e", "x");
    log_set_level(LOG_LEVEL_ERROR);
    log_msg(LOG_LEVEL_WARN, "e", "x");
    cr_assert(eq(str, (char *)flushed(), ""));
    log_set_level(LOG_LEVEL_DEBUG);
    log_msg(LOG_LEVEL_DEBUG, "e", "x");
    cr_assert(eq(str, (char *)flushed(), HEAD "debug e text=x\n"));
}

Test(log, lines_are_gathered_until_a_warning_or_a_flush)
{
    log_msg(LOG_LEVEL_INFO, "one", "x");
    cr_assert(eq(str, (char *)written(), ""));
    log_msg(LOG_LEVEL_WARN, "two", "x");
    cr_assert(eq(str, (char *)written(), HEAD "info one text=x\n" HEAD "warn two text=x\n"));
}

Test(log, no_line_is_lost_or_split_when_the_gather_buffer_runs_full)
{
    size_t lines = 0;
    for (int i = 0; i < 2000; i++)
        log_msg(LOG_LEVEL_INFO, "e", "%d", i);
    for (const char *at = flushed(); *at; at = strchr(at, '\n') + 1) {
        char want[80];
        snprintf(want, sizeof want, HEAD "info e text=%zu\n", lines++);
        cr_assert(strncmp(at, want, strlen(want)) == 0, "line %zu", lines);
    }
    cr_assert(eq(sz, lines, 2000));
}

static void *log_from_thread(void *arg)
{
    log_msg(LOG_LEVEL_INFO, "thread", "x");
    return arg;
}

Test(log, other_threads_write_at_once)
{
    pthread_t thread;
    cr_assert(eq(int, pthread_create(&thread, NULL, log_from_thread, NULL), 0));
    pthread_join(thread, NULL);
    cr_assert(eq(str, (char *)written(), HEAD "info thread text=x\n"));
}

Test(log, the_date_follows_the_clock)
{
    clock_set_for_test(0, 1798761599999);
    log_msg(LOG_LEVEL_INFO, "e", "x");
    clock_advance_for_test(1);
    log_msg(LOG_LEVEL_INFO, "e", "x");
    cr_assert(eq(str, (char *)flushed(), "2026-12-31T23:59:59.999Z smtp[1] info e text=x\n"
                                         "2027-01-01T00:00:00.000Z smtp[1] info e text=x\n"));
}

Test(log, syslog_gets_a_datagram_a_line_with_its_severity)
{
    int pair[2];
    char datagram[LOG_LINE_MAX + 64];
    cr_assert(eq(int, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0));
    log_set_target(LOG_TO_SYSLOG, pair[0]);
    log_msg(LOG_LEVEL_ERROR, "one", "x y");
    log_msg(LOG_LEVEL_INFO, "two", "%s", "z");
    static const char *const want[] = {
        "<19>msad: smtp[1] error one text=\"x y\"", /* mail is facility 2: 16 + 3, 16 + 6 */
        "<22>msad: smtp[1] info two text=z",
    };
    for (int i = 0; i < 2; i++) {
        ssize_t n = recv(pair[1], datagram, sizeof datagram - 1, MSG_DONTWAIT);
        cr_assert(n > 0);
        datagram[n] = '\0';
        cr_assert(eq(str, datagram, (char *)want[i]));
    }
    log_set_target(LOG_TO_FD, fd);
    close(pair[0]);
    close(pair[1]);
}
