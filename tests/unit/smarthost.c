#include "smarthost.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 100000

struct host {
    struct smarthost_run *run;
    struct fake_server server;
    struct client client;
    bool used[FAKE_RULES_MAX];
};

static void flush(struct host *h)
{
    buf_add(&h->server.from_client, buf_view(&h->client.out));
    buf_reset(&h->client.out);
}

static void send_body(struct host *h, struct message *m)
{
    struct view piece = m->content.memory, run;
    while (client_body(&h->client, &piece, &run) > 0)
        buf_add(&h->server.from_client, run);
    if (h->client.phase == CLIENT_TRANSACTION)
        client_body_end(&h->client);
}

/* The next message, or QUIT. False: it was refused here. */
static void give_work(struct host *h, struct message ***next)
{
    if (h->client.transaction_count > h->run->sent_count)
        h->run->sent_count = h->client.transaction_count;
    if (!**next) {
        client_quit(&h->client);
        return;
    }
    if (!client_begin(&h->client, *(*next)++))
        h->run->was_refused_here = true;
}

static void feed(struct host *h, struct buf *in)
{
    size_t n = buf_len(&h->server.to_client);
    if (h->run->piece > 0 && n > h->run->piece)
        n = h->run->piece;
    buf_append(in, buf_view(&h->server.to_client).p, n);
    buf_take(&h->server.to_client, n);
}

static void converse(struct host *h)
{
    struct message **next = h->run->messages;
    struct buf in;
    buf_init(&in, 1u << 20);
    fake_server_greet(&h->server);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        enum client_want want = client_step(&h->client, &in, true);
        flush(h);
        h->run->want = want;
        if (want == CLIENT_WANT_CLOSE)
            break;
        if (want == CLIENT_WANT_TLS) {
            client_on_tls(&h->client, !h->run->has_bad_certificate);
        } else if (want == CLIENT_WANT_WORK) {
            give_work(h, &next);
        } else if (want == CLIENT_WANT_BODY) {
            send_body(h, next[-1]);
        } else if (buf_len(&h->server.to_client) > 0) {
            feed(h, &in);
        } else {
            fake_server_hear(&h->server);
            if (buf_len(&h->server.to_client) == 0)
                break; /* it says nothing any more */
        }
        flush(h);
    }
    h->run->may_have_sent = client_may_have_sent(&h->client);
    client_lose(&h->client, VIEW_LIT("lost"));
    buf_fini(&in);
}

void smarthost_run(struct smarthost_run *run)
{
    struct host h = {.run = run};
    fake_server_init(&h.server);
    h.server.rules = run->rules;
    h.server.offers = run->offers;
    h.server.used = h.used;
    run->sent_count = 0;
    run->was_refused_here = false;
    if (!run->settings.ehlo_name)
        run->settings.ehlo_name = "msad.example";
    if (!run->settings.user)
        run->settings.user = run->settings.password = "";
    client_init(&h.client, &run->settings);
    converse(&h);
    run->failure = h.client.failure;
    run->body_count = h.server.body_count;
    run->said = h.server.said;
    run->body = h.server.body;
    buf_add_char(&run->said, '\0');
    buf_init(&h.server.said, 0); /* the run's now */
    buf_init(&h.server.body, 0);
    client_fini(&h.client);
    fake_server_fini(&h.server);
}

void smarthost_fini(struct smarthost_run *run)
{
    buf_fini(&run->said);
    buf_fini(&run->body);
}

struct message *smarthost_message(const char *sender, const char *recipients, const char *content)
{
    struct message *m = message_new();
    struct view words = arena_copy(&m->arena, view_cstr(recipients));
    m->id = 1;
    m->sender = view_cstr(sender);
    m->pool = VIEW_LIT("main");
    m->rcpts = arena_alloc(&m->arena, 1024 * sizeof *m->rcpts);
    while (words.n > 0)
        m->rcpts[m->rcpt_count++].path = view_cut(&words, ' ');
    m->content.memory = view_cstr(content);
    const char *end = strstr(content, "\r\n\r\n");
    m->header_bytes = end ? (uint64_t)(end - content) + 2 : strlen(content);
    return m;
}

/* ---- what most tests do ---- */

const size_t smarthost_pieces[5] = {0, 1, 2, 3, 7};

struct message *smarthost_send(struct smarthost_run *run, const char *recipients, const char *content)
{
    struct message *m = smarthost_message("taro@example.jp", recipients, content);
    struct message *all[] = {m, NULL};
    run->messages = all;
    smarthost_run(run);
    message_settle(m);
    return m;
}

void smarthost_done(struct smarthost_run *run, struct message *m)
{
    smarthost_fini(run);
    message_free(&m);
}

const char *smarthost_said(const struct smarthost_run *run)
{
    return buf_view(&run->said).p;
}

void smarthost_expect_codes(const struct message *m, const char *codes, size_t piece)
{
    char got[256] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, i > 0 ? " %u" : "%u", m->rcpts[i].answer.code);
    cr_expect_str_eq(got, codes, "pieces of %zu: %s, not %s", piece, got, codes);
}
