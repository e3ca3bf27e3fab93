/* Questions to saslauthd, against one of a few lines in the same loop. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth/saslauthd.h"
#include "auth/saslauthd_wire.h"
#include "msa/base/buf.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

#define CLIENTS_MAX 128

static struct loop *loop;
static struct saslauthd *s;
static struct authority authority;
static char path[96], dir[] = "/tmp/msad-saslauthd-XXXXXX";
static struct config_saslauthd set;

struct client {
    int fd; /* -1: none */
    struct watch *watch;
};

static struct {
    int listener;
    struct watch *watch;
    struct client clients[CLIENTS_MAX];
    size_t accepted, asked;
    struct view answer; /* empty: silence */
    bool is_short;      /* hangs up instead of an answer */
    char last[2048];
    size_t last_bytes;
} server;

static struct {
    size_t count, counts[3];
    enum finding_kind kind;
} seen;

static void drop(struct client *c)
{
    watch_free(&c->watch);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

/* A question comes in one piece: the client writes it at once. */
static void on_question(void *arg, unsigned ready)
{
    struct client *c = arg;
    ssize_t n = recv(c->fd, server.last, sizeof server.last, MSG_DONTWAIT);
    (void)ready;
    if (n > 0) {
        server.asked++;
        server.last_bytes = (size_t)n;
        if (server.answer.n > 0)
            (void)send(c->fd, server.answer.p, server.answer.n, MSG_NOSIGNAL);
    }
    if (n <= 0 || server.is_short)
        drop(c);
}

static void on_connection(void *arg, unsigned ready)
{
    (void)arg, (void)ready;
    cr_assert(server.accepted < CLIENTS_MAX);
    struct client *c = &server.clients[server.accepted++];
    c->fd = accept(server.listener, NULL, NULL);
    c->watch = watch_new(loop, c->fd, IO_READ, on_question, c);
}

static void setup(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    cr_assert(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/mux", dir);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    loop = loop_new();
    s = saslauthd_new(loop);
    authority = saslauthd_authority(s);
    server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(eq(int, bind(server.listener, (struct sockaddr *)&at, sizeof at), 0));
    cr_assert(eq(int, listen(server.listener, CLIENTS_MAX), 0));
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        server.clients[i].fd = -1;
    server.watch = watch_new(loop, server.listener, IO_READ, on_connection, NULL);
    server.answer = VIEW_LIT("\0\2OK");
    set = (struct config_saslauthd){
        .socket = path, .service = "smtp", .realm = "", .deadline_ms = 10000, .connection_count = 2};
    saslauthd_configure(s, &set);
}

static void teardown(void)
{
    saslauthd_free(&s);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        drop(&server.clients[i]);
    watch_free(&server.watch);
    close(server.listener);
    unlink(path);
    rmdir(dir);
    loop_free(&loop);
    clock_use_real();
}

TestSuite(saslauthd, .timeout = 60, .init = setup, .fini = teardown);

static void on_found(void *arg, const struct finding *finding)
{
    (void)arg;
    seen.count++;
    seen.counts[finding->kind]++;
    seen.kind = finding->kind;
}

static uint64_t ask(const char *login, const char *password)
{
    const struct question q = {.login = view_cstr(login), .secret = view_cstr(password)};
    uint64_t id = 99;
    authority.ask(authority.self, &q, on_found, NULL, &id);
    return id;
}

static void run_until(const size_t *count, size_t want)
{
    while (*count < want)
        loop_run_once(loop, true);
    cr_assert(eq(sz, *count, want));
}

static enum finding_kind answer_to(const char *login, const char *password)
{
    size_t before = seen.count;
    ask(login, password);
    run_until(&seen.count, before + 1);
    return seen.kind;
}

static void expect(enum finding_kind is, enum finding_kind want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

static void expect_asked(struct view want)
{
    cr_assert(view_eq(view_of(server.last, server.last_bytes), want));
}

static struct saslauthd_counts counts(void)
{
    struct saslauthd_counts c;
    saslauthd_counts(s, &c);
    return c;
}

Test(saslauthd, says_yes_and_no)
{
    expect(answer_to("taro@example.jp", "pencil"), FINDING_GOOD);
    expect_asked(VIEW_LIT("\0\4taro\0\6pencil\0\4smtp\0\12example.jp"));
    server.answer = VIEW_LIT("\0\11NO no way");
    expect(answer_to("taro@example.jp", "pencil"), FINDING_BAD);
    set.realm = "all";
    expect(answer_to("taro@example.jp", "p"), FINDING_BAD);
    expect_asked(VIEW_LIT("\0\17taro@example.jp\0\1p\0\4smtp\0\3all"));
    cr_assert(eq(sz, counts().running + counts().waiting, 0));
}

Test(saslauthd, what_can_be_no_password_there_is_not_asked)
{
    char big[SASLAUTHD_FIELD_MAX + 2];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    cr_assert(eq(u64, ask("taro@example.jp", ""), 0));
    expect(seen.kind, FINDING_BAD);
    cr_assert(eq(u64, ask("taro@example.jp", big), 0));
    expect(seen.kind, FINDING_BAD);
    cr_assert(eq(sz, seen.count, 2));
    cr_assert(eq(u64, counts().asked, 0));
}

/* Rubbish, hanging up, a flood: no verdict; and after five it is left alone until one question is answered again. */
Test(saslauthd, one_that_fails_is_no_verdict_and_is_left_alone)
{
    static char flood[100000];
    const struct view answers[] = {VIEW_LIT("\0\2ok"), VIEW_LIT("HTTP/1.1 400"), view_of(flood, sizeof flood),
                                   VIEW_LIT("\0\11OK")};
    clock_set_for_test(1000, 1700000000000);
    for (size_t i = 0; i < 4; i++) {
        server.answer = answers[i];
        server.is_short = i == 3;
        expect(answer_to("taro@example.jp", "pencil"), FINDING_AWAY);
    }
    server.answer = VIEW_EMPTY;
    expect(answer_to("taro@example.jp", "pencil"), FINDING_AWAY); /* the fifth: hangs up */
    server.answer = VIEW_LIT("\0\2OK");
    server.is_short = false;
    cr_assert(eq(u64, ask("taro@example.jp", "pencil"), 0));
    expect(seen.kind, FINDING_AWAY);
    cr_assert(eq(u64, counts().asked, 5));
    clock_advance_for_test(5000);
    expect(answer_to("taro@example.jp", "pencil"), FINDING_GOOD);
    expect(answer_to("taro@example.jp", "pencil"), FINDING_GOOD);
}

Test(saslauthd, questions_at_once_are_bounded_and_wait_in_a_queue)
{
    server.answer = VIEW_EMPTY;
    for (size_t i = 0; i < 2 + 2 * 16; i++)
        cr_assert(ask("taro@example.jp", "pencil") != 0);
    cr_assert(eq(u64, ask("taro@example.jp", "pencil"), 0));
    expect(seen.kind, FINDING_AWAY);
    run_until(&server.asked, 2);
    cr_assert(eq(sz, counts().running, 2));
    cr_assert(eq(sz, counts().waiting, 32));
    server.answer = VIEW_LIT("\0\2OK");
    for (size_t i = 0; i < 2; i++) /* the two that hang are answered, and the others follow */
        (void)send(server.clients[i].fd, "\0\2OK", 4, MSG_NOSIGNAL);
    run_until(&seen.counts[FINDING_GOOD], 34);
    cr_assert(eq(u64, counts().asked, 34));
}

Test(saslauthd, one_that_hangs_is_waited_for_until_the_deadline)
{
    server.answer = VIEW_EMPTY;
    set.deadline_ms = 100;
    set.connection_count = 1;
    ask("taro@example.jp", "pencil");
    ask("taro@example.jp", "pencil"); /* waits in vain; only the other was saslauthd's fault */
    run_until(&seen.counts[FINDING_AWAY], 2);
    cr_assert(eq(sz, counts().running + counts().waiting, 0));
}

static void answer_client(size_t i)
{
    cr_assert(eq(sz, (size_t)send(server.clients[i].fd, "\0\2OK", 4, MSG_NOSIGNAL), 4));
}

/* Too many for it: what begins has time left for an answer, and what has not is not saslauthd's failure. */
Test(saslauthd, one_that_waited_for_half_its_time_is_not_asked_any_more)
{
    clock_set_for_test(1000, 1700000000000);
    server.answer = VIEW_EMPTY;
    set.connection_count = 1;
    ask("taro@example.jp", "one");
    ask("taro@example.jp", "two");
    run_until(&server.asked, 1);
    clock_advance_for_test(2000);
    ask("taro@example.jp", "three");
    clock_advance_for_test(3000);
    run_until(&seen.counts[FINDING_AWAY], 1);
    clock_advance_for_test(1900);
    answer_client(0);
    run_until(&server.asked, 2);
    clock_advance_for_test(5000); /* since it was asked for: 9.9 s */
    answer_client(1);
    run_until(&seen.counts[FINDING_GOOD], 2);
    cr_assert(eq(sz, seen.count, 3));
}

Test(saslauthd, a_question_can_be_taken_back)
{
    server.answer = VIEW_EMPTY;
    set.connection_count = 1;
    uint64_t first = ask("taro@example.jp", "one"), second = ask("taro@example.jp", "two");
    uint64_t third = ask("taro@example.jp", "three");
    cr_assert(first != 0 && second != 0 && third != 0);
    run_until(&server.asked, 1);
    authority.cancel(authority.self, second);
    server.answer = VIEW_LIT("\0\2NO");
    authority.cancel(authority.self, first); /* the third's turn */
    authority.cancel(authority.self, first);
    run_until(&seen.count, 1);
    expect_asked(VIEW_LIT("\0\4taro\0\5three\0\4smtp\0\12example.jp"));
}

Test(saslauthd, nobody_is_there)
{
    unlink(path);
    expect(answer_to("taro@example.jp", "pencil"), FINDING_AWAY);
    server.answer = VIEW_EMPTY;
    saslauthd_configure(s, NULL);
    cr_assert(eq(u64, ask("taro@example.jp", "pencil"), 0));
    expect(seen.kind, FINDING_AWAY);
}

Test(saslauthd, without_its_block_those_under_way_end)
{
    server.answer = VIEW_EMPTY;
    for (size_t i = 0; i < 3; i++)
        ask("taro@example.jp", "pencil");
    run_until(&server.asked, 2);
    saslauthd_configure(s, NULL);
    cr_assert(eq(sz, seen.counts[FINDING_AWAY], 3));
}
