#include "services_fixture.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"

struct loop *sf_loop;
struct services *sf_services;
struct config sf_config;
struct sf_seen sf_seen[SF_RESULTS_MAX];
unsigned sf_answer_count;

static struct service_ask *handles[SF_RESULTS_MAX];
static int files[SF_RESULTS_MAX];
static unsigned asked_count;
static struct sf_peer *peers[8];
static unsigned peer_count;

/* ---- life ---- */

void sf_set_up(void)
{
    clock_set_for_test(1000000, 1700000000000);
    sf_loop = loop_new();
    sf_config = (struct config){.hostname = "submit.test"};
}

void sf_start(void)
{
    sf_services = services_new(sf_loop, &sf_config);
    cr_assert_not_null(sf_services);
}

void sf_tear_down(void)
{
    services_free(&sf_services);
    for (unsigned i = 0; i < peer_count; i++)
        sf_peer_close(peers[i]);
    for (unsigned i = 0; i < asked_count; i++)
        close(files[i]);
    loop_free(&sf_loop);
    clock_use_real();
}

struct config_service sf_common(const char *name, const char *socket)
{
    return (struct config_service){.name = name,
                                   .socket = socket,
                                   .weight_milli = 1000,
                                   .deadline_ms = 2000,
                                   .max_bytes = 64u << 20,
                                   .concurrency_count = 4,
                                   .waiting_count = 4,
                                   .failure_count = 3,
                                   .pause_ms = 10000};
}

/* ---- peers ---- */

void sf_drop(struct sf_client *c)
{
    if (c->fd == -1)
        return;
    watch_free(&c->watch);
    close(c->fd);
    c->fd = -1;
    buf_fini(&c->heard);
    buf_fini(&c->to_say);
    c->peer->open_count--;
}

static void on_client(void *arg, unsigned ready)
{
    struct sf_client *c = arg;
    char bytes[65536];
    (void)ready;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == -1 && errno == EAGAIN)
        return;
    if (n <= 0) {
        sf_drop(c);
        return;
    }
    c->peer->heard_bytes += (size_t)n;
    cr_assert_eq(buf_append(&c->heard, bytes, (size_t)n), MSA_OK);
    if (c->peer->hear)
        c->peer->hear(c);
}

static void on_connection(void *arg, unsigned ready)
{
    struct sf_peer *p = arg;
    struct sf_client *c = p->clients;
    (void)ready;
    while (c->fd != -1)
        c++;
    cr_assert(c < p->clients + SF_CLIENTS_MAX);
    *c = (struct sf_client){.peer = p, .fd = accept(p->listener, NULL, NULL)};
    cr_assert_neq(c->fd, -1);
    buf_init(&c->heard, 32u << 20);
    buf_init(&c->to_say, 4u << 20);
    c->watch = watch_new(sf_loop, c->fd, p->is_deaf ? 0 : IO_READ, on_client, c);
    p->accepted_count++;
    if (++p->open_count > p->most_open_count)
        p->most_open_count = p->open_count;
    if (p->hear)
        p->hear(c);
}

void sf_peer_open(struct sf_peer *p, sf_hear_fn *hear)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *p = (struct sf_peer){.hear = hear, .piece_bytes = 65536};
    for (unsigned i = 0; i < SF_CLIENTS_MAX; i++)
        p->clients[i].fd = -1;
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(p->listener, 64), 0);
    cr_assert_eq(getsockname(p->listener, (struct sockaddr *)&at, &size), 0);
    p->port = ntohs(at.sin_port);
    snprintf(p->socket, sizeof p->socket, "127.0.0.1:%u", p->port);
    p->watch = watch_new(sf_loop, p->listener, IO_READ, on_connection, p);
    peers[peer_count++] = p;
}

void sf_peer_close(struct sf_peer *p)
{
    if (p->listener == -1)
        return;
    for (unsigned i = 0; i < SF_CLIENTS_MAX; i++)
        sf_drop(&p->clients[i]);
    watch_free(&p->watch);
    close(p->listener);
    p->listener = -1;
}

void sf_say(struct sf_client *c, const void *bytes, size_t n)
{
    cr_assert_eq(buf_append(&c->to_say, bytes, n), MSA_OK);
}

void sf_say_text(struct sf_client *c, const char *text)
{
    sf_say(c, text, strlen(text));
}

void sf_end(struct sf_client *c)
{
    c->is_ending = true;
}

static void speak(struct sf_client *c)
{
    struct view v = view_slice(buf_view(&c->to_say), 0, c->peer->piece_bytes);
    ssize_t n = v.n > 0 ? send(c->fd, v.p, v.n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (n > 0)
        buf_take(&c->to_say, (size_t)n);
    if ((n == -1 && errno != EAGAIN) || (c->is_ending && buf_len(&c->to_say) == 0))
        sf_drop(c);
}

/* ---- turns ---- */

void sf_turn(void)
{
    for (unsigned i = 0; i < peer_count; i++)
        for (unsigned k = 0; k < SF_CLIENTS_MAX; k++)
            if (peers[i]->listener != -1 && peers[i]->clients[k].fd != -1)
                speak(&peers[i]->clients[k]);
    loop_run_once(sf_loop, false);
    poll(NULL, 0, 1); /* curl goes by the clock of the machine */
}

void sf_pass(int64_t ms)
{
    clock_advance_for_test(ms);
    for (unsigned i = 0; i < 8; i++)
        sf_turn();
}

/* ---- questions ---- */

static void on_done(void *arg, const struct service_result *r)
{
    struct sf_seen *s = arg;
    cr_assert_not(s->is_there, "answered twice");
    *s = (struct sf_seen){.is_there = true,
                          .asked = r->asked_count,
                          .answered = r->answered_count,
                          .is_scored = r->is_scored,
                          .score_milli = r->score_milli,
                          .action = r->action};
    snprintf(s->text, sizeof s->text, "%s", r->text);
    size_t n = 0;
    for (size_t i = 0; i < r->finding_count; i++)
        n += (size_t)snprintf(s->findings + n, sizeof s->findings - n, "%s %lld\n", r->findings[i].name,
                              (long long)r->findings[i].milli);
    cr_assert(view_to_cstr(r->added_header, s->header, sizeof s->header));
    handles[s - sf_seen] = NULL;
    sf_answer_count++;
}

int sf_file(const void *bytes, size_t n)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    for (size_t at = 0; at < n;) {
        ssize_t wrote = write(fd, (const char *)bytes + at, n - at);
        cr_assert_gt(wrote, 0);
        at += (size_t)wrote;
    }
    return fd;
}

unsigned sf_ask_fd(int fd, uint64_t header_bytes, uint64_t bytes)
{
    unsigned number = asked_count++;
    struct buf list;
    cr_assert_lt(number, SF_RESULTS_MAX);
    files[number] = fd;
    buf_init(&list, 4096);
    items_add_recipient(&list, &(struct msg_recipient){.path = VIEW_LIT("hana@example.net")});
    items_add_recipient(&list, &(struct msg_recipient){.path = VIEW_LIT("ken@example.org")});
    struct service_request r = {.message = 0x1234,
                                .login = VIEW_LIT("taro@example.jp"),
                                .helo = VIEW_LIT("pc.example.jp"),
                                .sender = VIEW_LIT("taro@example.jp"),
                                .recipients = buf_view(&list),
                                .fd = fd,
                                .header_bytes = header_bytes,
                                .body_bytes = bytes};
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.7"), &r.client_ip));
    cr_assert_eq(services_ask(sf_services, &r, on_done, &sf_seen[number], &handles[number]), MSA_OK);
    cr_assert_not(sf_seen[number].is_there, "answered from inside");
    buf_fini(&list);
    return number;
}

unsigned sf_ask(const char *message)
{
    size_t n = strlen(message);
    const char *end = strstr(message, "\r\n\r\n");
    cr_assert_not_null(end);
    return sf_ask_fd(sf_file(message, n), (uint64_t)(end - message) + 2, n);
}

struct service_ask **sf_handle(unsigned number)
{
    return &handles[number];
}

/* ---- status ---- */

static json_t *status;

static json_t *value_of(const char *key)
{
    json_decref(status);
    status = services_status(sf_services);
    cr_assert_eq(json_array_size(status), 1);
    json_t *value = json_object_get(json_array_get(status, 0), key);
    cr_assert_not_null(value, "%s", key);
    return value;
}

int64_t sf_status(const char *key)
{
    return json_integer_value(value_of(key));
}

const char *sf_status_text(const char *key)
{
    return json_string_value(value_of(key));
}
