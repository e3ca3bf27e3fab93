#include "fake_server.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

void fake_server_init(struct fake_server *f)
{
    buf_init(&f->said, 4u << 20);
    buf_init(&f->body, 16u << 20);
    buf_init(&f->transaction, 1u << 20);
    buf_init(&f->from_client, 16u << 20);
    buf_init(&f->to_client, 1u << 20);
}

void fake_server_fini(struct fake_server *f)
{
    buf_fini(&f->said);
    buf_fini(&f->body);
    buf_fini(&f->transaction);
    buf_fini(&f->from_client);
    buf_fini(&f->to_client);
}

static void reply(struct fake_server *f, const char *text)
{
    if (strcmp(text, "!") == 0)
        f->is_dropped = true;
    else
        buf_add_cstr(&f->to_client, text);
}

static void add_offers(struct fake_server *f)
{
    struct view words = view_cstr(f->offers);
    while (words.n > 0) {
        struct view word = view_cut(&words, ' ');
        reply(f, "250-");
        for (size_t i = 0; i < word.n; i++)
            buf_add_char(&f->to_client, word.p[i] == '=' ? ' ' : word.p[i]);
        reply(f, "\r\n");
    }
}

static const char *rule_for(struct fake_server *f, struct view line)
{
    const struct smarthost_rule *rules = f->rules;
    for (size_t i = 0; rules && rules[i].verb; i++) {
        bool is_greeting = rules[i].verb[0] == '\0';
        if (!f->used[i] && is_greeting == (line.n == 0) &&
            view_has_prefix(line, view_cstr(rules[i].verb))) {
            f->used[i] = true;
            return rules[i].reply;
        }
    }
    return NULL;
}

static void answer(struct fake_server *f, struct view line)
{
    const char *text = rule_for(f, line);
    if (text)
        reply(f, text);
    else if (line.n == 0)
        reply(f, "220 ready\r\n");
    else if (view_has_prefix(line, VIEW_LIT("EHLO"))) {
        reply(f, "250-hello\r\n");
        add_offers(f);
        reply(f, "250 HELP\r\n");
    } else if (view_has_prefix(line, VIEW_LIT("DATA")))
        reply(f, "354 go\r\n");
    else if (view_has_prefix(line, VIEW_LIT("STARTTLS")))
        reply(f, "220 go\r\n");
    else if (view_has_prefix(line, VIEW_LIT("AUTH PLAIN")))
        reply(f, "235 ok\r\n");
    else if (view_has_prefix(line, VIEW_LIT("QUIT")))
        reply(f, "221 bye\r\n");
    else
        reply(f, line.p[0] == '.' ? "250 2.0.0 taken as X1\r\n" : "250 2.1.0 ok\r\n");
    f->is_in_data = view_has_prefix(line, VIEW_LIT("DATA")) && (!text || strncmp(text, "354", 3) == 0);
}

static void body_is_here(struct fake_server *f)
{
    f->body_count++;
    if (f->on_body)
        f->on_body(f);
}

static bool take_data(struct fake_server *f)
{
    struct buf *in = &f->from_client;
    struct view v = buf_view(in);
    bool is_empty = view_has_prefix(v, VIEW_LIT(".\r\n"));
    const char *end = is_empty ? v.p : v.n > 0 ? memmem(v.p, v.n, "\r\n.\r\n", 5) : NULL;
    if (!end)
        return false;
    size_t n = is_empty ? 0 : (size_t)(end - v.p) + 2;
    buf_reset(&f->body);
    for (size_t i = 0; i < n; i++) {
        bool is_stuffed = v.p[i] == '.' && (i == 0 || v.p[i - 1] == '\n');
        if (!is_stuffed)
            buf_add_char(&f->body, v.p[i]);
    }
    buf_take(in, n + 3);
    body_is_here(f);
    f->is_in_data = false;
    answer(f, VIEW_LIT("."));
    return true;
}

static bool take_chunk(struct fake_server *f)
{
    struct view v = buf_view(&f->from_client);
    size_t n = v.n < f->chunk_left ? v.n : f->chunk_left;
    buf_append(&f->body, v.p, n);
    buf_take(&f->from_client, n);
    f->chunk_left -= n;
    if (f->chunk_left > 0)
        return false;
    body_is_here(f);
    answer(f, VIEW_LIT("BDAT"));
    return true;
}

static bool take_line(struct fake_server *f)
{
    struct view v = buf_view(&f->from_client);
    size_t n = view_find(v, '\n');
    if (n == v.n)
        return false;
    cr_assert(n > 0 && v.p[n - 1] == '\r', "a line ended without CRLF");
    char line[2048];
    cr_assert(view_to_cstr(view_slice(v, 0, n - 1), line, sizeof line));
    buf_append(&f->said, v.p, n + 1);
    if (strncmp(line, "MAIL", 4) == 0)
        buf_reset(&f->transaction);
    buf_append(&f->transaction, v.p, n + 1);
    buf_take(&f->from_client, n + 1);
    if (strncmp(line, "BDAT ", 5) == 0) {
        buf_reset(&f->body);
        f->chunk_left = strtoul(line + 5, NULL, 10);
        return true;
    }
    answer(f, view_cstr(line));
    return true;
}

void fake_server_hear(struct fake_server *f)
{
    bool is_going_on = true;
    while (is_going_on && !f->is_dropped && buf_len(&f->from_client) > 0)
        is_going_on = f->chunk_left > 0 ? take_chunk(f) : f->is_in_data ? take_data(f) : take_line(f);
}


void fake_server_greet(struct fake_server *f)
{
    answer(f, VIEW_EMPTY);
}
