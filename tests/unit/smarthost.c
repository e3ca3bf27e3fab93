#include "smarthost.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 100000

/* What the smarthost knows while it runs. */
struct host {
    struct smarthost_run *run;
    struct client client;
    bool used[64];
    struct buf from_client; /* not yet looked at */
    struct buf to_client;   /* not yet given */
    bool is_in_data;
    size_t chunk_left;
    bool is_dropped;
    bool is_tls;
};

static void reply(struct host *h, const char *text)
{
    if (strcmp(text, "!") == 0)
        h->is_dropped = true;
    else
        buf_add_cstr(&h->to_client, text);
}

static void add_offers(struct host *h)
{
    struct view words = view_cstr(h->run->offers);
    while (words.n > 0) {
        struct view word = view_cut(&words, ' ');
        reply(h, "250-");
        for (size_t i = 0; i < word.n; i++)
            buf_add_char(&h->to_client, word.p[i] == '=' ? ' ' : word.p[i]);
        reply(h, "\r\n");
    }
}

static const char *rule_for(struct host *h, struct view line)
{
    const struct smarthost_rule *rules = h->run->rules;
    for (size_t i = 0; rules && rules[i].verb; i++) {
        bool is_greeting = rules[i].verb[0] == '\0';
        if (!h->used[i] && is_greeting == (line.n == 0) &&
            view_has_prefix(line, view_cstr(rules[i].verb))) {
            h->used[i] = true;
            return rules[i].reply;
        }
    }
    return NULL;
}

static void answer(struct host *h, struct view line)
{
    const char *text = rule_for(h, line);
    if (text)
        reply(h, text);
    else if (line.n == 0)
        reply(h, "220 ready\r\n");
    else if (view_has_prefix(line, VIEW_LIT("EHLO"))) {
        reply(h, "250-hello\r\n");
        add_offers(h);
        reply(h, "250 HELP\r\n");
    } else if (view_has_prefix(line, VIEW_LIT("DATA")))
        reply(h, "354 go\r\n");
    else if (view_has_prefix(line, VIEW_LIT("STARTTLS")))
        reply(h, "220 go\r\n");
    else if (view_has_prefix(line, VIEW_LIT("AUTH PLAIN")))
        reply(h, "235 ok\r\n");
    else if (view_has_prefix(line, VIEW_LIT("QUIT")))
        reply(h, "221 bye\r\n");
    else
        reply(h, line.p[0] == '.' ? "250 2.0.0 taken as X1\r\n" : "250 2.1.0 ok\r\n");
    h->is_in_data = view_has_prefix(line, VIEW_LIT("DATA")) && (!text || strncmp(text, "354", 3) == 0);
}

static bool take_data(struct host *h)
{
    struct buf *in = &h->from_client;
    struct view v = buf_view(in);
    bool is_empty = view_has_prefix(v, VIEW_LIT(".\r\n"));
    const char *end = is_empty ? v.p : v.n > 0 ? memmem(v.p, v.n, "\r\n.\r\n", 5) : NULL;
    if (!end)
        return false;
    size_t n = is_empty ? 0 : (size_t)(end - v.p) + 2;
    buf_reset(&h->run->body);
    for (size_t i = 0; i < n; i++) {
        bool is_stuffed = v.p[i] == '.' && (i == 0 || v.p[i - 1] == '\n');
        if (!is_stuffed)
            buf_add_char(&h->run->body, v.p[i]);
    }
    buf_take(in, n + 3);
    h->run->body_count++;
    h->is_in_data = false;
    answer(h, VIEW_LIT("."));
    return true;
}

static bool take_chunk(struct host *h)
{
    struct view v = buf_view(&h->from_client);
    size_t n = v.n < h->chunk_left ? v.n : h->chunk_left;
    buf_append(&h->run->body, v.p, n);
    buf_take(&h->from_client, n);
    h->chunk_left -= n;
    if (h->chunk_left > 0)
        return false;
    h->run->body_count++;
    answer(h, VIEW_LIT("BDAT"));
    return true;
}

static bool take_line(struct host *h)
{
    struct view v = buf_view(&h->from_client);
    size_t n = view_find(v, '\n');
    if (n == v.n)
        return false;
    cr_assert(n > 0 && v.p[n - 1] == '\r', "a line ended without CRLF");
    char line[2048];
    cr_assert(view_to_cstr(view_slice(v, 0, n - 1), line, sizeof line));
    buf_append(&h->run->said, v.p, n + 1);
    buf_take(&h->from_client, n + 1);
    if (strncmp(line, "BDAT ", 5) == 0) {
        buf_reset(&h->run->body);
        h->chunk_left = strtoul(line + 5, NULL, 10);
        return true;
    }
    answer(h, view_cstr(line));
    return true;
}

static void hear(struct host *h)
{
    bool is_going_on = true;
    while (is_going_on && !h->is_dropped && buf_len(&h->from_client) > 0)
        is_going_on = h->chunk_left > 0 ? take_chunk(h) : h->is_in_data ? take_data(h) : take_line(h);
}

static void flush(struct host *h)
{
    buf_add(&h->from_client, buf_view(&h->client.out));
    buf_reset(&h->client.out);
}

static void send_body(struct host *h, struct message *m)
{
    struct view piece = m->content.memory, run;
    while (client_body(&h->client, &piece, &run) > 0)
        buf_add(&h->from_client, run);
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
    size_t n = buf_len(&h->to_client);
    if (h->run->piece > 0 && n > h->run->piece)
        n = h->run->piece;
    buf_append(in, buf_view(&h->to_client).p, n);
    buf_take(&h->to_client, n);
}

static void converse(struct host *h)
{
    struct message **next = h->run->messages;
    struct buf in;
    buf_init(&in, 1u << 20);
    answer(h, VIEW_EMPTY);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        enum client_want want = client_step(&h->client, &in, true);
        flush(h);
        h->run->want = want;
        if (want == CLIENT_WANT_CLOSE)
            break;
        if (want == CLIENT_WANT_TLS) {
            h->is_tls = true;
            client_on_tls(&h->client, !h->run->has_bad_certificate);
        } else if (want == CLIENT_WANT_WORK) {
            give_work(h, &next);
        } else if (want == CLIENT_WANT_BODY) {
            send_body(h, next[-1]);
        } else if (buf_len(&h->to_client) > 0) {
            feed(h, &in);
        } else {
            hear(h);
            if (buf_len(&h->to_client) == 0)
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
    buf_init(&run->said, 1u << 20);
    buf_init(&run->body, 4u << 20);
    buf_init(&h.from_client, 8u << 20);
    buf_init(&h.to_client, 1u << 20);
    run->sent_count = run->body_count = 0;
    run->was_refused_here = false;
    if (!run->settings.ehlo_name)
        run->settings.ehlo_name = "msad.example";
    if (!run->settings.user)
        run->settings.user = run->settings.password = "";
    client_init(&h.client, &run->settings);
    converse(&h);
    run->failure = h.client.failure;
    buf_add_char(&run->said, '\0');
    client_fini(&h.client);
    buf_fini(&h.from_client);
    buf_fini(&h.to_client);
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
