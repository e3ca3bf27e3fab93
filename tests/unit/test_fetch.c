/* HTTP requests, against a server of a few lines in the same loop. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/io/fetch.h"

static struct loop *loop;
static struct fetcher *fetcher;

static struct {
    int listener, client; /* -1: none */
    struct watch *on_listener, *on_client;
    uint16_t port;
    unsigned accepted;
    struct buf heard;
    const char *answer; /* NULL: silence. Given when the request's body has come */
} server;

static struct {
    unsigned count;
    int err;
    unsigned status;
    char body[256];
} seen;

static void drop_client(void)
{
    watch_free(&server.on_client);
    if (server.client >= 0)
        close(server.client);
    server.client = -1;
}

static void on_request(void *arg, unsigned ready)
{
    char bytes[4096];
    ssize_t n = recv(server.client, bytes, sizeof bytes, MSG_DONTWAIT);
    (void)arg, (void)ready;
    if (n <= 0) {
        drop_client();
        return;
    }
    buf_append(&server.heard, bytes, (size_t)n);
    struct view v = buf_view(&server.heard);
    if (server.answer && memmem(v.p, v.n, "\r\n\r\n{}", 6))
        cr_assert_eq(
            send(server.client, server.answer, strlen(server.answer), MSG_NOSIGNAL),
            (ssize_t)strlen(server.answer));
}

static void on_connection(void *arg, unsigned ready)
{
    (void)arg, (void)ready;
    drop_client();
    server.client = accept(server.listener, NULL, NULL);
    cr_assert_geq(server.client, 0);
    server.accepted++;
    server.on_client = watch_new(loop, server.client, IO_READ, on_request, NULL);
}

static void setup(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    memset(&seen, 0, sizeof seen);
    loop = loop_new();
    fetcher = fetcher_new(loop);
    cr_assert_not_null(fetcher);
    server.client = -1;
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(server.listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(server.listener, 8), 0);
    cr_assert_eq(getsockname(server.listener, (struct sockaddr *)&at, &size), 0);
    server.port = ntohs(at.sin_port);
    server.on_listener = watch_new(loop, server.listener, IO_READ, on_connection, NULL);
    buf_init(&server.heard, 65536);
}

static void teardown(void)
{
    fetcher_free(&fetcher);
    drop_client();
    watch_free(&server.on_listener);
    close(server.listener);
    buf_fini(&server.heard);
    loop_free(&loop);
}

TestSuite(fetch, .timeout = 60, .init = setup, .fini = teardown);

static void on_result(void *arg, const struct fetch_result *r)
{
    (void)arg;
    seen.count++;
    seen.err = r->err;
    seen.status = r->status;
    cr_assert_not_null(r->text);
    (void)view_to_cstr(r->body, seen.body, sizeof seen.body);
}

static uint64_t post(const char *host, int64_t timeout_ms)
{
    char url[256];
    uint64_t id = 0;
    struct ipaddr ip;
    cr_assert(ipaddr_parse(VIEW_LIT("127.0.0.1"), &ip));
    snprintf(url, sizeof url, "http://%s:%u/hook?a=b", host, server.port);
    const struct fetch_request r = {
        .url = url,
        .addresses = &ip,
        .address_count = 1,
        .headers = {"Content-Type: application/json", "X-One: 1"},
        .body = VIEW_LIT("{}"),
        .timeout_ms = timeout_ms,
        .answer_max_bytes = 64};
    cr_assert_eq(fetch_start(fetcher, &r, on_result, NULL, &id), MSA_OK);
    cr_assert_eq(seen.count, 0, "called back from inside");
    return id;
}

static void wait_for_result(void)
{
    for (int i = 0; i < 1000 && seen.count == 0; i++)
        loop_run_once(loop, true);
    cr_assert_eq(seen.count, 1);
}

static bool was_heard(const char *text)
{
    struct view v = buf_view(&server.heard);
    return v.n > 0 && memmem(v.p, v.n, text, strlen(text)) != NULL;
}

Test(fetch, posts_and_gives_the_answer)
{
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    post("127.0.0.1", 10000);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_OK);
    cr_assert_eq(seen.status, 200);
    cr_assert_str_eq(seen.body, "fine");
    cr_assert(was_heard("POST /hook?a=b HTTP/1.1\r\n"));
    cr_assert(was_heard("\r\nX-One: 1\r\n"));
    cr_assert(was_heard("\r\nContent-Length: 2\r\n"));
    cr_assert_not(was_heard("Expect"));
}

/* A memfd that holds `text`. */
static int file_of(const char *text)
{
    int fd = memfd_create("body", 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void post_file(int fd, uint64_t offset, uint64_t bytes)
{
    char url[256];
    uint64_t id = 0;
    static const char *const more[] = {"Rcpt: a@b", "Rcpt: c@d"};
    snprintf(url, sizeof url, "http://127.0.0.1:%u/checkv2", server.port);
    const struct fetch_request r = {.url = url,
                                    .more_headers = more,
                                    .more_header_count = 2,
                                    .is_file = true,
                                    .file_fd = fd,
                                    .file_offset = offset,
                                    .file_bytes = bytes,
                                    .timeout_ms = 10000,
                                    .answer_max_bytes = 64};
    cr_assert_eq(fetch_start(fetcher, &r, on_result, NULL, &id), MSA_OK);
}

Test(fetch, posts_a_part_of_a_file)
{
    int fd = file_of("skipped body\r\n\r\n{} and more");
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    post_file(fd, 8, 10);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_OK, "%d", seen.err);
    cr_assert_str_eq(seen.body, "fine");
    cr_assert(was_heard("\r\nContent-Length: 10\r\n"));
    cr_assert(was_heard("\r\nRcpt: a@b\r\n"));
    cr_assert(was_heard("\r\nRcpt: c@d\r\n"));
    cr_assert(was_heard("\r\n\r\nbody\r\n\r\n{}"));
    cr_assert_not(was_heard("and more"));
    cr_assert_eq(lseek(fd, 0, SEEK_CUR), 27, "read by offset");
    close(fd);
}

Test(fetch, a_file_that_is_shorter_is_a_failure)
{
    int fd = file_of("short");
    post_file(fd, 0, 100);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_ECLOSED);
    close(fd);
}

Test(fetch, uses_the_addresses_it_was_given_for_a_name)
{
    server.answer = "HTTP/1.1 204 No Content\r\n\r\n";
    post("hooks.example.jp", 10000);
    wait_for_result();
    cr_assert_eq(seen.status, 204);
    cr_assert(was_heard("\r\nHost: hooks.example.jp:"));
}

Test(fetch, a_name_without_addresses_is_not_looked_up)
{
    uint64_t id;
    const struct fetch_request r = {.url = "http://hooks.example.jp/",
                                    .timeout_ms = 1000};
    cr_assert_eq(fetch_start(fetcher, &r, on_result, NULL, &id), MSA_EINVAL);
}

Test(fetch, follows_no_redirect)
{
    server.answer = "HTTP/1.1 302 Found\r\nLocation: "
                    "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    post("127.0.0.1", 10000);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_OK);
    cr_assert_eq(seen.status, 302);
    cr_assert_eq(server.accepted, 1);
}

Test(fetch, an_answer_that_is_too_long_is_a_failure)
{
    server.answer =
        "HTTP/1.1 200 OK\r\n\r\n"
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    post("127.0.0.1", 10000);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_ETOOBIG);
    cr_assert_eq(seen.status, 0);
}

Test(fetch, silence_ends_in_time)
{
    post("127.0.0.1", 100);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_ETIMEOUT);
}

Test(fetch, nobody_there_is_a_failure)
{
    watch_free(&server.on_listener);
    close(server.listener);
    post("localhost", 10000);
    wait_for_result();
    cr_assert_eq(seen.err, MSA_ECLOSED);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
}

Test(fetch, what_is_cancelled_does_not_call_back)
{
    uint64_t first = post("127.0.0.1", 10000);
    for (int i = 0; i < 100 && server.accepted == 0; i++)
        loop_run_once(loop, true);
    fetch_cancel(fetcher, first);
    fetch_cancel(fetcher, first);
    server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    post("127.0.0.1", 10000);
    wait_for_result();
    cr_assert_eq(seen.status, 200);
}

Test(fetch, reads_urls)
{
    static const struct {
        const char *url, *host;
        uint16_t port;
        bool is_tls, is_name;
    } good[] = {
        {"https://hooks.example.jp/a", "hooks.example.jp", 443, true, true},
        {"http://127.0.0.1:8080/", "127.0.0.1", 8080, false, false},
        {"http://[::1]:81/", "::1", 81, false, false},
        {"http://localhost/", "localhost", 80, false, false},
    };
    static const char *const bad[] = {
        "", "ftp://a/", "file:///etc/passwd", "http://u:p@a/", "a b", "http://"};
    struct fetch_url u;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(fetch_url_parse(good[i].url, &u), MSA_OK, "%s", good[i].url);
        cr_assert_str_eq(u.host, good[i].host);
        cr_assert_eq(u.port, good[i].port);
        cr_assert_eq(u.is_tls, good[i].is_tls);
        cr_assert_eq(u.is_name, good[i].is_name, "%s", good[i].url);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(fetch_url_parse(bad[i], &u), MSA_EINVAL, "%s", bad[i]);
}
