/* The words of a transcript. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "smtp/deadlines.h"
#include "tests/tools/dialog/play.h"

/* ---- before the session -------------------------------------------------------------------------- */

static const char base_settings[] = "hostname mx.example.jp;\n"
                                    "listener test { address 127.0.0.1:1587; }\n"
                                    "tls { certificate { cert_file /a.pem; key_file /a.key; } }\n"
                                    "pool main { smarthost 192.0.2.25:25; }\n";

/* "before: hold", "before: away", or an answer */
static void meet_connect(struct play *p)
{
    struct view how = view_of(p->first_text, p->first);
    if (view_eq(how, VIEW_LIT("hold")))
        p->fake.is_held[FAKE_CONNECT] = true;
    else if (view_eq(how, VIEW_LIT("away")))
        p->fake.is_away[FAKE_CONNECT] = true;
    else if (how.n > 0)
        play_word_answer(p, how);
}

void play_begin(struct play *p)
{
    struct config_errors errors;
    struct buf text;
    if (p->is_begun)
        return;
    config_errors_init(&errors);
    buf_init(&text, 1 << 17);
    buf_add_cstr(&text, base_settings);
    buf_add(&text, buf_view(&p->settings));
    if (config_parse_text(buf_view(&text), "dialog", &p->config, &errors) != MSA_OK)
        play_fail(p, "configuration: %s", errors.count ? errors.items[0].text : "?");
    config_errors_fini(&errors);
    buf_fini(&text);
    if (!p->config)
        return;
    p->is_begun = true;
    fake_init(&p->fake, p->config);
    meet_connect(p);
    fake_start(&p->fake, p->flags, p->ip);
    fake_pump(&p->fake);
}

static void word_config(struct play *p, struct view rest)
{
    buf_add(&p->settings, rest);
    buf_add_char(&p->settings, '\n');
}

static void word_listener(struct play *p, struct view rest)
{
    if (view_eq(rest, VIEW_LIT("submissions")))
        p->flags |= SMTP_IMPLICIT_TLS;
    else if (view_eq(rest, VIEW_LIT("clear")))
        p->flags |= SMTP_AUTH_IN_CLEAR;
    else if (view_eq(rest, VIEW_LIT("front")))
        p->flags |= SMTP_MAY_XCLIENT;
    else
        play_fail(p, "no such listener");
}

static void word_from(struct play *p, struct view rest)
{
    if (!view_to_cstr(rest, p->ip, sizeof p->ip))
        play_fail(p, "no such address");
}

/* What the connect question meets, which is asked as the session begins. */
static void word_before(struct play *p, struct view rest)
{
    p->first = rest.n < sizeof p->first_text ? rest.n : 0;
    memcpy(p->first_text, rest.p, p->first);
}

static void word_whole(struct play *p, struct view rest)
{
    (void)rest;
    p->is_skipped = p->is_bytewise;
}

/* ---- the client ---------------------------------------------------------------------------------- */

static void expect_no_output(struct play *p)
{
    struct view out = buf_view(&p->fake.out);
    if (out.n > 0)
        play_fail(p, "unexpected reply: %.*s", (int)view_find(out, '\r'), out.p);
}

static void send_segment(struct play *p, struct view bytes)
{
    if (!p->is_bytewise) {
        fake_send(&p->fake, bytes);
        fake_pump(&p->fake);
        return;
    }
    for (size_t i = 0; i < bytes.n; i++) {
        fake_send(&p->fake, view_slice(bytes, i, i + 1));
        fake_pump(&p->fake);
    }
}

static void hold_back(struct play *p, struct view rest, bool is_line)
{
    if (!play_unescape(rest, &p->held))
        play_fail(p, "malformed escape");
    if (is_line)
        buf_add_cstr(&p->held, "\r\n");
}

static void send_held(struct play *p)
{
    if (buf_len(&p->held) > 1000000)
        p->is_skipped = p->is_bytewise;
    if (!p->is_skipped)
        send_segment(p, buf_view(&p->held));
    buf_reset(&p->held);
}

static void word_client(struct play *p, struct view rest)
{
    expect_no_output(p);
    hold_back(p, rest, true);
    send_held(p);
}

static void word_client_raw(struct play *p, struct view rest)
{
    expect_no_output(p);
    hold_back(p, rest, false);
    send_held(p);
}

static void word_client_held(struct play *p, struct view rest)
{
    hold_back(p, rest, true);
}

static void word_eof(struct play *p, struct view rest)
{
    (void)rest;
    fake_eof(&p->fake);
    fake_pump(&p->fake);
}

/* ---- the server ---------------------------------------------------------------------------------- */

static void word_server(struct play *p, struct view rest)
{
    struct view out = buf_view(&p->fake.out);
    size_t end = 0;
    while (end + 1 < out.n && !(out.p[end] == '\r' && out.p[end + 1] == '\n'))
        end++;
    if (end + 1 >= out.n) {
        play_fail(p, "no reply, expected: %.*s", (int)rest.n, rest.p);
        return;
    }
    if (!play_matches(rest, view_slice(out, 0, end)))
        play_fail(p, "reply: %.*s", (int)end, out.p);
    buf_take(&p->fake.out, end + 2);
}

/* "S-many: 100 250 *": so many lines like that. */
static void word_server_many(struct play *p, struct view rest)
{
    uint64_t n;
    struct view count = view_cut(&rest, ' ');
    if (!view_parse_u64(count, 100000, &n))
        play_fail(p, "a number expected");
    while (!p->error[0] && n-- > 0)
        word_server(p, rest);
}

static void word_closed(struct play *p, struct view rest)
{
    const char *reason = p->fake.session.end_reason;
    expect_no_output(p);
    if (!p->fake.is_closed)
        play_fail(p, "the session is open");
    else if (rest.n > 0 && !view_eq(rest, view_cstr(reason)))
        play_fail(p, "closed because of %s", reason);
}

static void word_open(struct play *p, struct view rest)
{
    (void)rest;
    expect_no_output(p);
    if (p->fake.is_closed)
        play_fail(p, "closed because of %s", p->fake.session.end_reason);
}

static void word_tls(struct play *p, struct view rest)
{
    (void)rest;
    if (p->fake.session.wait != WAIT_TLS) {
        play_fail(p, "no handshake is due");
        return;
    }
    fake_finish_tls(&p->fake);
    fake_pump(&p->fake);
}

static void word_time(struct play *p, struct view rest)
{
    uint64_t ms;
    if (!view_parse_u64(rest, INT32_MAX, &ms))
        play_fail(p, "milliseconds expected");
    else
        fake_pass(&p->fake, (int64_t)ms);
}

/* ---- the other roles ----------------------------------------------------------------------------- */

static int kind_in(struct play *p, struct view rest)
{
    int kind = fake_kind_of(rest);
    if (kind < 0)
        play_fail(p, "no such question");
    return kind < 0 ? 0 : kind;
}

static void word_lose(struct play *p, struct view rest)
{
    fake_lose(&p->fake, (enum fake_kind)kind_in(p, rest));
    fake_pump(&p->fake);
}

static void word_back(struct play *p, struct view rest)
{
    p->fake.is_away[kind_in(p, rest)] = false;
}

static void word_hold(struct play *p, struct view rest)
{
    p->fake.is_held[kind_in(p, rest)] = true;
}

static void word_release(struct play *p, struct view rest)
{
    int kind = kind_in(p, rest);
    p->fake.is_held[kind] = false;
    if ((int)p->fake.open != kind)
        play_fail(p, "that question is not open");
    else
        fake_pump(&p->fake);
}

static void word_disk(struct play *p, struct view rest)
{
    p->fake.is_disk_full = view_eq(rest, VIEW_LIT("full"));
}

static void word_slow(struct play *p, struct view rest)
{
    uint64_t n;
    if (!view_parse_u64(rest, UINT32_MAX, &n)) {
        play_fail(p, "bytes expected");
        return;
    }
    p->fake.output_len = n;
    if (n == 0 && !p->fake.is_closed) {
        smtp_session_on_drained(&p->fake.session);
        fake_pump(&p->fake);
    }
}

/* "writes: reset", then how often the server has written since. */
static void word_writes(struct play *p, struct view rest)
{
    uint64_t n;
    if (view_eq(rest, VIEW_LIT("reset")))
        p->fake.write_count = 0;
    else if (!view_parse_u64(rest, UINT32_MAX, &n) || n != p->fake.write_count)
        play_fail(p, "there were %u writes", p->fake.write_count);
}

static void word_kill(struct play *p, struct view rest)
{
    if (smtp_session_is_of(&p->fake.session, FAKE_ACCOUNT)) /* as the worker does */
        smtp_session_kill(&p->fake.session, rest);
    fake_pump(&p->fake);
}

static void word_drain(struct play *p, struct view rest)
{
    p->fake.site.is_draining = true;
    smtp_session_drain(&p->fake.session, view_eq(rest, VIEW_LIT("forced")));
    fake_pump(&p->fake);
}

static void word_tls_fails(struct play *p, struct view rest)
{
    (void)rest;
    p->fake.fails_tls = true;
}

static void word_no_certificate(struct play *p, struct view rest)
{
    (void)rest;
    p->fake.site.has_tls = false;
}

/* ---- what was asked and accepted ----------------------------------------------------------------- */

/* One of the questions and statements since the last "asked" that matched. */
static void word_asked(struct play *p, struct view rest)
{
    struct view all = buf_view(&p->fake.asked);
    size_t taken = 0;
    while (all.n > 0) {
        struct view line = view_cut(&all, '\n');
        taken += line.n + 1;
        if (play_matches(rest, line)) {
            buf_take(&p->fake.asked, taken);
            return;
        }
    }
    all = buf_view(&p->fake.asked);
    play_fail(p, "not asked; but: %.*s", (int)all.n, all.p);
}

static void word_not_asked(struct play *p, struct view rest)
{
    struct view all = buf_view(&p->fake.asked);
    while (all.n > 0) {
        struct view line = view_cut(&all, '\n');
        if (play_matches(rest, line))
            play_fail(p, "was asked: %.*s", (int)line.n, line.p);
    }
}

static void load_message(struct play *p)
{
    struct fake *f = &p->fake;
    if (f->accept_fd == -1) {
        play_fail(p, "no message went to relay");
        return;
    }
    buf_reset(&p->message);
    buf_add(&p->message, buf_view(&f->prepend));
    p->prepend_left = buf_len(&f->prepend);
    char *room = buf_reserve(&p->message, f->body_bytes + 1);
    ssize_t n = room ? pread(f->accept_fd, room, f->body_bytes + 1, 0) : -1;
    if (n != (ssize_t)f->body_bytes)
        play_fail(p, "the descriptor holds another number of bytes than relay was told");
    else
        buf_commit(&p->message, (size_t)n);
    close(f->accept_fd);
    f->accept_fd = -1;
    p->has_message = true;
}

/* "message:" looks at the last message; "P:" its lines in front, "B:" the lines of its body. */
static void word_message(struct play *p, struct view rest)
{
    uint64_t n;
    load_message(p);
    if (rest.n > 0 && (!view_parse_u64(rest, UINT32_MAX, &n) || n != p->fake.body_bytes))
        play_fail(p, "it has %" PRIu64 " bytes", p->fake.body_bytes);
}

static bool take_message_line(struct play *p, struct view *line_out)
{
    struct view all = buf_view(&p->message);
    size_t end = 0;
    while (end + 1 < all.n && !(all.p[end] == '\r' && all.p[end + 1] == '\n'))
        end++;
    *line_out = view_slice(all, 0, end + 1 < all.n ? end : all.n);
    buf_take(&p->message, end + 1 < all.n ? end + 2 : all.n);
    return all.n > 0;
}

static void word_prepended(struct play *p, struct view rest)
{
    struct view line;
    size_t before = buf_len(&p->message);
    if (p->prepend_left == 0 || !take_message_line(p, &line)) {
        play_fail(p, "nothing more was put in front");
        return;
    }
    p->prepend_left -= before - buf_len(&p->message);
    if (!play_matches(rest, line))
        play_fail(p, "in front stands: %.*s", (int)line.n, line.p);
}

static void word_body(struct play *p, struct view rest)
{
    struct buf want;
    struct view line;
    buf_take(&p->message, p->prepend_left);
    p->prepend_left = 0;
    buf_init(&want, 1 << 20);
    if (!play_unescape(rest, &want))
        play_fail(p, "malformed escape");
    if (!take_message_line(p, &line))
        play_fail(p, "the message is over");
    else if (!view_eq(buf_view(&want), line))
        play_fail(p, "the message says: %.*s", (int)line.n, line.p);
    buf_fini(&want);
}

static void word_end(struct play *p, struct view rest)
{
    (void)rest;
    struct view left = buf_view(&p->message);
    if (left.n > p->prepend_left)
        play_fail(p, "the message goes on: %.*s", (int)(left.n - p->prepend_left),
                  left.p + p->prepend_left);
}

static void word_settled(struct play *p, struct view rest)
{
    char text[64];
    snprintf(text, sizeof text, "kept=%" PRIu64 " back=%" PRIu64, p->fake.kept,
             p->fake.given_back);
    if (!view_eq(rest, view_cstr(text)))
        play_fail(p, "settled: %s", text);
}

static void word_ehlo(struct play *p, struct view rest)
{
    (void)rest;
    word_client(p, VIEW_LIT("EHLO client.example"));
    if (!view_has_prefix(buf_view(&p->fake.out), VIEW_LIT("250-mx.example.jp\r\n")))
        play_fail(p, "EHLO was refused");
    buf_reset(&p->fake.out);
}

static void word_sign_in(struct play *p, struct view rest)
{
    bool is_implicit = (p->flags & SMTP_IMPLICIT_TLS) != 0;
    if (view_eq(rest, VIEW_LIT("scored")))
        play_word_answer(p, VIEW_LIT("login allow may_score=1"));
    word_server(p, VIEW_LIT("220 *"));
    if (!is_implicit) {
        word_ehlo(p, VIEW_EMPTY);
        word_client(p, VIEW_LIT("STARTTLS"));
        word_server(p, VIEW_LIT("220 *"));
        word_tls(p, VIEW_EMPTY);
    }
    word_ehlo(p, VIEW_EMPTY);
    word_client(p, VIEW_LIT("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ="));
    word_server(p, VIEW_LIT("235 *"));
    buf_reset(&p->fake.asked);
}

/* A transaction up to the reply to RCPT. */
static void word_envelope(struct play *p, struct view rest)
{
    (void)rest;
    word_client(p, VIEW_LIT("MAIL FROM:<taro@example.jp>"));
    word_server(p, VIEW_LIT("250 2.1.0 *"));
    word_client(p, VIEW_LIT("RCPT TO:<hanako@example.com>"));
    word_server(p, VIEW_LIT("250 2.1.5 *"));
}

/* ---- the table ----------------------------------------------------------------------------------- */

typedef void word_fn(struct play *p, struct view rest);

static const struct {
    const char *name;
    word_fn *fn;
    bool is_before; /* the session begins with the first word that is not */
} words[] = {
    {"config", word_config, true},
    {"listener", word_listener, true},
    {"from", word_from, true},
    {"whole", word_whole, true},
    {"before", word_before, true},
    {"begin", NULL, false},
    {"C", word_client, false},
    {"C>", word_client_raw, false},
    {"C-", word_client_held, false},
    {"S", word_server, false},
    {"S-many", word_server_many, false},
    {"eof", word_eof, false},
    {"closed", word_closed, false},
    {"open", word_open, false},
    {"tls", word_tls, false},
    {"tls-fails", word_tls_fails, false},
    {"no-certificate", word_no_certificate, false},
    {"time", word_time, false},
    {"answer", play_word_answer, false},
    {"lose", word_lose, false},
    {"back", word_back, false},
    {"hold", word_hold, false},
    {"release", word_release, false},
    {"disk", word_disk, false},
    {"slow", word_slow, false},
    {"writes", word_writes, false},
    {"kill", word_kill, false},
    {"drain", word_drain, false},
    {"asked", word_asked, false},
    {"not-asked", word_not_asked, false},
    {"message", word_message, false},
    {"P", word_prepended, false},
    {"B", word_body, false},
    {"end", word_end, false},
    {"settled", word_settled, false},
    {"ehlo", word_ehlo, false},
    {"sign-in", word_sign_in, false},
    {"envelope", word_envelope, false},
};

void play_line(struct play *p, struct view word, struct view rest)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!view_eq(word, view_cstr(words[i].name)))
            continue;
        if (!words[i].is_before)
            play_begin(p);
        if (words[i].fn && !p->error[0])
            words[i].fn(p, rest);
        return;
    }
    play_fail(p, "no such word: %.*s", (int)word.n, word.p);
}

void play_end(struct play *p)
{
    if (!p->is_begun)
        play_fail(p, "the transcript has no session");
    else
        expect_no_output(p);
}
