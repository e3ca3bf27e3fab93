/* Questions to an identity provider, against one of a few lines in the same loop. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/introspect.h"
#include "msa/base/buf.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

#define CLIENTS_MAX 64

static struct loop *loop;
static struct fetcher *fetcher;
static struct introspect *introspect;
static struct authority authority;
static char url[64];
static struct config_identity_provider provider;

struct client {
    int fd; /* -1: none */
    struct watch *watch;
    struct buf heard;
};

static struct {
    int listener;
    struct watch *watch;
    struct client clients[CLIENTS_MAX];
    size_t accepted, asked;
    const char *status;  /* "200 OK" */
    const char *answer;  /* NULL: silence */
    char last[4096];     /* request */
} server;

static struct {
    size_t count;
    struct finding finding;
} seen;

static void drop(struct client *c)
{
    watch_free(&c->watch);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_fini(&c->heard);
}

/* A request is whole when all of its form is there: the token of every test ends in '!', which is "%21". */
static void on_request(void *arg, unsigned ready)
{
    struct client *c = arg;
    static char out[80000];
    char bytes[4096];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    (void)ready;
    if (n <= 0) {
        drop(c);
        return;
    }
    buf_append(&c->heard, bytes, (size_t)n);
    struct view v = buf_view(&c->heard);
    if (v.n < 3 || memcmp(v.p + v.n - 3, "%21", 3) != 0)
        return;
    server.asked++;
    view_to_cstr(v, server.last, sizeof server.last);
    buf_take(&c->heard, v.n);
    if (!server.answer)
        return;
    int length = snprintf(out, sizeof out, "HTTP/1.1 %s\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: %zu\r\n\r\n%s",
                          server.status, strlen(server.answer), server.answer);
    cr_assert(send(c->fd, out, (size_t)length, MSG_NOSIGNAL) == length);
}

static void on_connection(void *arg, unsigned ready)
{
    (void)arg, (void)ready;
    cr_assert(server.accepted < CLIENTS_MAX);
    struct client *c = &server.clients[server.accepted++];
    c->fd = accept(server.listener, NULL, NULL);
    buf_init(&c->heard, 65536);
    c->watch = watch_new(loop, c->fd, IO_READ, on_request, c);
}

static void setup(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    loop = loop_new();
    fetcher = fetcher_new(loop);
    introspect = introspect_new(fetcher);
    authority = introspect_authority(introspect);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(eq(int, bind(server.listener, (struct sockaddr *)&at, sizeof at), 0));
    cr_assert(eq(int, listen(server.listener, CLIENTS_MAX), 0));
    cr_assert(eq(int, getsockname(server.listener, (struct sockaddr *)&at, &size), 0));
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        server.clients[i].fd = -1;
    server.watch = watch_new(loop, server.listener, IO_READ, on_connection, NULL);
    server.status = "200 OK";
    server.answer = "{\"active\":true,\"username\":\"taro\"}";
    snprintf(url, sizeof url, "http://127.0.0.1:%u/introspect", ntohs(at.sin_port));
    provider = (struct config_identity_provider){
        .introspection = url, .client_id = "msad:1", .client_secret = "p/ss", .ca_pem = "", .login_claim = "username",
        .issuer = "", .audience = "", .scope = "", .deadline_ms = 10000, .request_count = 4, .cache_ms = 60000,
        .refused_cache_ms = 10000, .cached_token_count = 16};
    introspect_configure(introspect, &provider);
}

static void teardown(void)
{
    introspect_free(&introspect);
    fetcher_free(&fetcher);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        drop(&server.clients[i]);
    watch_free(&server.watch);
    close(server.listener);
    loop_free(&loop);
    clock_use_real();
}

TestSuite(introspect, .timeout = 60, .init = setup, .fini = teardown);

static void on_found(void *arg, const struct finding *finding)
{
    (void)arg;
    seen.count++;
    seen.finding = *finding;
}

static uint64_t ask(const char *token)
{
    const struct question q = {.secret = view_cstr(token)};
    uint64_t id = 99;
    authority.ask(authority.self, &q, on_found, NULL, &id);
    return id;
}

static enum finding_kind find(const char *token)
{
    size_t before = seen.count;
    ask(token);
    while (seen.count == before)
        loop_run_once(loop, true);
    cr_assert(eq(sz, seen.count, before + 1));
    return seen.finding.kind;
}

static void expect(const char *token, enum finding_kind want)
{
    cr_assert(eq(int, (int)find(token), (int)want), "%s", token);
}

Test(introspect, asks_as_the_rfc_says)
{
    expect("a+b/c=!", FINDING_GOOD);
    cr_assert(eq(str, seen.finding.login, "taro"));
    cr_assert(strstr(server.last, "POST /introspect HTTP/1.1\r\n") != NULL);
    cr_assert(strstr(server.last, "\r\nContent-Type: application/x-www-form-urlencoded\r\n") != NULL);
    cr_assert(strstr(server.last, "\r\nAuthorization: Basic bXNhZCUzQTE6cCUyRnNz\r\n") != NULL, "%s", server.last);
    cr_assert(strstr(server.last, "\r\n\r\ntoken_type_hint=access_token&token=a%2Bb%2Fc%3D%21") != NULL);
}

Test(introspect, remembers_for_a_while_and_forgets_at_a_new_configuration)
{
    clock_set_for_test(1000, 1700000000000);
    expect("t!", FINDING_GOOD);
    cr_assert(eq(u64, ask("t!"), 0)); /* at once */
    cr_assert(eq(sz, seen.count, 2));
    cr_assert(eq(sz, server.asked, 1));
    clock_advance_for_test(59999);
    expect("t!", FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 1));
    clock_advance_for_test(1);
    expect("t!", FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 2));
    introspect_configure(introspect, &provider);
    expect("t!", FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 3));
}

Test(introspect, remembers_no_longer_than_the_token_lives)
{
    clock_set_for_test(1000, 1700000000000);
    server.answer = "{\"active\":true,\"username\":\"taro\",\"exp\":1700000005}";
    expect("t!", FINDING_GOOD);
    clock_advance_for_test(4999);
    expect("t!", FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 1));
    clock_advance_for_test(1);
    expect("t!", FINDING_BAD);
    cr_assert(eq(sz, server.asked, 2));
}

Test(introspect, remembers_what_was_refused_for_a_moment)
{
    clock_set_for_test(1000, 1700000000000);
    server.answer = "{\"active\":false}";
    expect("t!", FINDING_BAD);
    expect("t!", FINDING_BAD);
    cr_assert(eq(sz, server.asked, 1));
    clock_advance_for_test(10000);
    expect("t!", FINDING_BAD);
    cr_assert(eq(sz, server.asked, 2));
}

/* Tokens of one provider begin alike, and their signature stands at the end. */
Test(introspect, two_tokens_that_differ_in_their_last_byte_are_two)
{
    char one[3003], other[3003];
    memset(one, 'a', sizeof one);
    memcpy(one + 2999, "xx!", 4);
    memcpy(other, one, sizeof one);
    other[2999] = 'y';
    expect(one, FINDING_GOOD);
    server.answer = "{\"active\":false}";
    expect(other, FINDING_BAD);
    expect(one, FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 2));
}

Test(introspect, memory_is_bounded)
{
    struct introspect_counts counts;
    char token[16];
    for (int i = 0; i < 40; i++) {
        snprintf(token, sizeof token, "t%d!", i);
        expect(token, FINDING_GOOD);
    }
    introspect_counts(introspect, &counts);
    cr_assert(eq(sz, counts.remembered, 16));
    expect("t39!", FINDING_GOOD);
    cr_assert(eq(sz, server.asked, 40));
    expect("t0!", FINDING_GOOD); /* the oldest went */
    cr_assert(eq(sz, server.asked, 41));
}

Test(introspect, a_provider_that_fails_is_no_verdict_and_is_left_alone)
{
    static const struct {
        const char *status, *answer;
    } rows[] = {
        {"500 Oh", "{\"active\":true,\"username\":\"taro\"}"},
        {"302 Found", "{\"active\":true,\"username\":\"taro\"}"}, /* not followed */
        {"401 Who", "{\"error\":\"invalid_client\"}"},
        {"200 OK", "<html>"},
        {"200 OK", "{\"active\":\"yes\"}"},
    };
    struct introspect_counts counts;
    char token[16];
    clock_set_for_test(1000, 1700000000000);
    for (size_t i = 0; i < 5; i++) {
        server.status = rows[i].status;
        server.answer = rows[i].answer;
        snprintf(token, sizeof token, "t%zu!", i);
        expect(token, FINDING_AWAY);
    }
    server.status = "200 OK";
    server.answer = "{\"active\":true,\"username\":\"taro\"}";
    expect("t!", FINDING_AWAY); /* it is not even asked */
    cr_assert(eq(sz, server.asked, 5));
    clock_advance_for_test(5000);
    expect("t0!", FINDING_GOOD); /* nothing of it was remembered */
    introspect_counts(introspect, &counts);
    cr_assert(eq(u64, counts.failed, 5));
}

/* JSON allows any space. */
Test(introspect, a_huge_answer_is_none)
{
    static char huge[70000];
    memset(huge, ' ', sizeof huge - 1);
    memcpy(huge, server.answer, strlen(server.answer));
    server.answer = huge;
    expect("t!", FINDING_AWAY);
    huge[60000] = '\0';
    expect("t!", FINDING_GOOD);
}

Test(introspect, a_silent_provider_is_none)
{
    provider.deadline_ms = 100;
    introspect_configure(introspect, &provider);
    server.answer = NULL;
    expect("t!", FINDING_AWAY);
}

Test(introspect, questions_at_once_are_bounded)
{
    server.answer = NULL;
    for (int i = 0; i < 4; i++) {
        char token[16];
        snprintf(token, sizeof token, "t%d!", i);
        cr_assert(ask(token) != 0);
    }
    cr_assert(eq(u64, ask("t!"), 0));
    cr_assert(eq(sz, seen.count, 1));
    cr_assert(eq(int, (int)seen.finding.kind, (int)FINDING_AWAY));
}

Test(introspect, a_cancelled_question_is_answered_to_nobody)
{
    struct introspect_counts counts;
    uint64_t id = ask("t!");
    authority.cancel(authority.self, id);
    introspect_counts(introspect, &counts);
    cr_assert(eq(sz, counts.running, 0));
    expect("u!", FINDING_GOOD);
    cr_assert(eq(sz, seen.count, 1));
}

Test(introspect, without_a_provider_nobody_knows)
{
    server.answer = NULL;
    ask("t!");
    introspect_configure(introspect, NULL);
    cr_assert(eq(sz, seen.count, 1));
    cr_assert(eq(int, (int)seen.finding.kind, (int)FINDING_AWAY));
    expect("u!", FINDING_AWAY);
}
