/* The dialogue. Commands go out in groups as RFC 2920 allows: MAIL, RCPT and DATA together, and the next
 * group behind a body; what each reply belongs to is kept in a queue. */
#include "tests/bench/load/client.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/assert.h"

enum expect {
    EXPECT_BANNER = 0,
    EXPECT_EHLO,
    EXPECT_STARTTLS,
    EXPECT_AUTH,
    EXPECT_MAIL,
    EXPECT_RCPT,
    EXPECT_DATA,
    EXPECT_EOD,
    EXPECT_QUIT,
};

static const char *const expect_names[] = {
    [EXPECT_BANNER] = "banner", [EXPECT_EHLO] = "ehlo", [EXPECT_STARTTLS] = "starttls",
    [EXPECT_AUTH] = "auth",     [EXPECT_MAIL] = "mail", [EXPECT_RCPT] = "rcpt",
    [EXPECT_DATA] = "data",     [EXPECT_EOD] = "eod",   [EXPECT_QUIT] = "quit",
};

#define EXPECT_MAX  256
#define CHUNK_BYTES (256u << 10)

struct client {
    struct run *run;
    struct list link;
    struct stream stream;
    const struct account *account;
    unsigned char queue[EXPECT_MAX]; /* ring of enum expect */
    unsigned queue_at;
    unsigned queue_count;
    uint64_t left;           /* messages, or wrong passwords, still to begin */
    uint64_t body_left_bytes; /* of the message under way; its end is in no buffer yet */
    bool is_sending;
    bool is_held;
    int64_t started_us;
    int64_t auth_us;
    int64_t dot_us;
};

static void end(struct client *c, bool is_good)
{
    struct run *run = c->run;
    if (c->is_held)
        run->stats.sessions_held--;
    if (is_good) {
        run->stats.sessions_done++;
        samples_add(&run->stats.session, now_us() - c->started_us);
    }
    run->client_count--;
    list_remove(&c->link);
    stream_close(&c->stream, false);
    free(c);
    run->on_session_end(run, is_good);
}

static void fail(struct client *c, const char *phase, struct view reply)
{
    stats_error(&c->run->stats, phase, reply);
    end(c, false);
}

/* ---- sending ---- */

static void expect(struct client *c, enum expect what)
{
    MSA_ASSERT(c->queue_count < EXPECT_MAX);
    c->queue[(c->queue_at + c->queue_count++) % EXPECT_MAX] = (unsigned char)what;
}

static void command(struct client *c, enum expect what, const char *line)
{
    buf_add_cstr(&c->stream.out, line);
    buf_add_cstr(&c->stream.out, "\r\n");
    expect(c, what);
}

static void send_auth(struct client *c)
{
    char plain[512], base64[1024];
    const char *password = c->account->password;
    int n = snprintf(plain, sizeof plain, "%c%s%c%s%s", 0, c->account->user, 0, password,
                     c->run->goal == GOAL_WRONG ? "-wrong" : "");
    MSA_ASSERT(n > 0 && n < (int)sizeof plain);
    EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)plain, n);
    buf_addf(&c->stream.out, "AUTH PLAIN %s\r\n", base64);
    expect(c, EXPECT_AUTH);
    c->auth_us = now_us();
}

static const char *sender_of(const struct client *c)
{
    return c->run->sender ? c->run->sender : c->account ? c->account->user : "load@example.com";
}

/* One more message or wrong password, for this session and for the run? Counted as begun if so. */
static bool take_from_budget(struct client *c)
{
    struct run *run = c->run;
    if (c->left == 0 || run->is_over || run->message_budget == 0)
        return false;
    c->left--;
    if (run->message_budget != UINT64_MAX)
        run->message_budget--;
    return true;
}

/* MAIL, RCPT, DATA of the next message. False when no more is to be begun. */
static bool send_envelope(struct client *c)
{
    struct run *run = c->run;
    struct buf *out = &c->stream.out;
    if (!take_from_budget(c))
        return false;
    buf_addf(out, "MAIL FROM:<%s> SIZE=%llu\r\n", sender_of(c), (unsigned long long)run->size_bytes);
    expect(c, EXPECT_MAIL);
    for (uint64_t i = 0; i < run->rcpt_count; i++) {
        buf_add_cstr(out, "RCPT TO:<");
        buf_addf(out, run->rcpt_format, (unsigned long long)i);
        buf_add_cstr(out, ">\r\n");
        expect(c, EXPECT_RCPT);
    }
    command(c, EXPECT_DATA, "DATA");
    return true;
}

static void quit(struct client *c)
{
    command(c, EXPECT_QUIT, "QUIT");
}

static void send_head(struct client *c)
{
    struct buf *out = &c->stream.out;
    size_t before = buf_len(out);
    time_t now = time(NULL);
    struct tm tm;
    char date[64];
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    buf_addf(out, "From: <%s>\r\nTo: <", sender_of(c));
    buf_addf(out, c->run->rcpt_format, 0ULL);
    buf_addf(out, ">\r\nSubject: load\r\nDate: %s\r\nMessage-ID: <%s.%llu@load.invalid>\r\n\r\n", date,
             c->run->run_id, (unsigned long long)c->run->next_number++);
    uint64_t head_bytes = buf_len(out) - before;
    c->body_left_bytes = c->run->size_bytes > head_bytes ? c->run->size_bytes - head_bytes : 0;
    c->is_sending = true;
}

/* Adds more of the body, in whole lines, up to the chunk; behind its end the dot and the next group. */
static void send_body(struct client *c)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog, and again, 0123456789.....";
    const size_t text_bytes = sizeof text - 1, line_bytes = text_bytes + 2;
    struct buf *out = &c->stream.out;
    while (c->body_left_bytes > 0 && buf_len(out) < CHUNK_BYTES) {
        size_t n = line_bytes;
        if (c->body_left_bytes < 2 * line_bytes) { /* the rest is one line, or two halves */
            n = (size_t)c->body_left_bytes;
            n = n > line_bytes ? n / 2 : n < 3 ? 3 : n;
        }
        buf_append(out, text, n - 2);
        buf_append(out, "\r\n", 2);
        if (c->body_left_bytes < n)
            c->body_left_bytes = n;
        c->body_left_bytes -= n;
    }
    if (c->body_left_bytes > 0)
        return;
    c->is_sending = false;
    command(c, EXPECT_EOD, ".");
    c->dot_us = now_us();
    send_envelope(c);
}

/* ---- replies ---- */

static void begin_work(struct client *c)
{
    if (c->run->goal == GOAL_IDLE) {
        c->is_held = true;
        c->run->stats.sessions_held++;
    } else if (!send_envelope(c)) {
        quit(c);
    }
}

static void on_ehlo(struct client *c)
{
    if (c->run->tls_mode == TLS_STARTTLS && !c->stream.ssl)
        command(c, EXPECT_STARTTLS, "STARTTLS");
    else if (c->run->goal == GOAL_HELLO || (c->run->goal == GOAL_WRONG && !take_from_budget(c)))
        quit(c);
    else if (c->account)
        send_auth(c);
    else
        begin_work(c);
}

static void on_wrong_password(struct client *c)
{
    struct stats *stats = &c->run->stats;
    stats->auth_failures++;
    stats->last_us = now_us();
    samples_add(&stats->auth, stats->last_us - c->auth_us);
    if (take_from_budget(c))
        send_auth(c);
    else
        quit(c);
}

static void on_eod(struct client *c, bool is_good, struct view line)
{
    struct stats *stats = &c->run->stats;
    if (is_good) {
        stats->messages++;
        stats->last_us = now_us();
        stats->recipients += c->run->rcpt_count;
        stats->bytes += c->run->size_bytes;
        samples_add(&stats->eod, stats->last_us - c->dot_us);
    } else {
        stats_error(stats, "eod", line);
    }
    if (c->queue_count == 0) /* no further group went out behind the body */
        quit(c);
}

/* A refused transaction is counted, once, at its DATA; the session goes on. */
static void on_data(struct client *c, int code, struct view line)
{
    if (code == 354) {
        send_head(c);
        send_body(c);
        return;
    }
    stats_error(&c->run->stats, "data", line);
    if (!send_envelope(c))
        quit(c);
}

static int code_wanted(const struct client *c, enum expect what)
{
    switch (what) {
    case EXPECT_BANNER:
    case EXPECT_STARTTLS: return 220;
    case EXPECT_AUTH: return c->run->goal == GOAL_WRONG ? 535 : 235;
    case EXPECT_QUIT: return 221;
    default: return 250;
    }
}

/* False when the client is gone. */
static bool on_reply(struct client *c, int code, struct view line)
{
    if (c->queue_count == 0) {
        fail(c, "unasked", line);
        return false;
    }
    enum expect what = (enum expect)c->queue[c->queue_at];
    bool is_good = code == code_wanted(c, what);
    c->queue_at = (c->queue_at + 1) % EXPECT_MAX;
    c->queue_count--;
    bool may_fail = what >= EXPECT_MAIL && what <= EXPECT_EOD && code != 421;
    if (!is_good && !may_fail) {
        fail(c, expect_names[what], line);
        return false;
    }
    switch (what) {
    case EXPECT_BANNER: command(c, EXPECT_EHLO, "EHLO load.invalid"); break;
    case EXPECT_EHLO: on_ehlo(c); break;
    case EXPECT_STARTTLS: stream_start_tls(&c->stream, c->run->tls, false); break;
    case EXPECT_AUTH:
        if (c->run->goal == GOAL_WRONG) {
            on_wrong_password(c);
        } else {
            samples_add(&c->run->stats.auth, now_us() - c->auth_us);
            begin_work(c);
        }
        break;
    case EXPECT_MAIL:
    case EXPECT_RCPT:
        if (!is_good)
            stats_error(&c->run->stats, expect_names[what], line);
        break;
    case EXPECT_DATA: on_data(c, code, line); break;
    case EXPECT_EOD: on_eod(c, is_good, line); break;
    case EXPECT_QUIT: end(c, true); return false;
    }
    return true;
}

static enum stream_verdict on_input(void *arg)
{
    struct client *c = arg;
    for (;;) {
        struct view all = buf_view(&c->stream.in);
        size_t at = view_find(all, '\n');
        uint64_t code;
        if (at == all.n)
            return STREAM_GO_ON;
        struct view line = view_slice(all, 0, at > 0 && all.p[at - 1] == '\r' ? at - 1 : at);
        if (line.n < 3 || !view_parse_u64(view_slice(line, 0, 3), 999, &code)) {
            fail(c, "garbage", line);
            return STREAM_GONE;
        }
        bool is_last = line.n == 3 || line.p[3] != '-';
        if (is_last && !on_reply(c, (int)code, line))
            return STREAM_GONE;
        buf_take(&c->stream.in, at + 1);
    }
}

static enum stream_verdict on_drained(void *arg)
{
    struct client *c = arg;
    if (c->is_sending)
        send_body(c);
    return STREAM_GO_ON;
}

static enum stream_verdict on_ready(void *arg)
{
    struct client *c = arg;
    if (c->stream.ssl)
        c->run->stats.handshakes++;
    if (c->run->tls_mode == TLS_STARTTLS && c->stream.ssl)
        command(c, EXPECT_EHLO, "EHLO load.invalid");
    else
        expect(c, EXPECT_BANNER);
    return STREAM_GO_ON;
}

static enum stream_verdict on_closed(void *arg, const char *why)
{
    struct client *c = arg;
    enum expect what = c->queue_count > 0 ? (enum expect)c->queue[c->queue_at] : EXPECT_QUIT;
    char phase[64];
    snprintf(phase, sizeof phase, "lost at %s",
             c->stream.is_connecting ? "connect" : c->is_held ? "idle" : expect_names[what]);
    fail(c, phase, view_cstr(why));
    return STREAM_GONE;
}

static const struct stream_events events = {
    .on_ready = on_ready, .on_input = on_input, .on_drained = on_drained, .on_closed = on_closed};

void client_start(struct run *run, int64_t scheduled_us)
{
    struct client *c = calloc(1, sizeof *c);
    int fd = socket(run->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!c || fd == -1 ||
        (connect(fd, (struct sockaddr *)&run->to, run->to_len) == -1 && errno != EINPROGRESS)) {
        stats_error(&run->stats, "connect", view_cstr(strerror(errno)));
        free(c);
        if (fd != -1)
            close(fd);
        run->on_session_end(run, false);
        return;
    }
    c->run = run;
    c->left = run->messages_per_session;
    c->started_us = scheduled_us ? scheduled_us : now_us();
    if (run->account_count > 0)
        c->account = &run->accounts[run->stats.sessions_started % run->account_count];
    run->stats.sessions_started++;
    run->client_count++;
    list_append(&run->clients, &c->link);
    stream_open(&c->stream, run->loop, fd, true, &events, c);
    if (run->tls_mode == TLS_IMPLICIT)
        stream_start_tls(&c->stream, run->tls, false);
}

void clients_end(struct run *run)
{
    struct client *c, *tmp;
    LIST_FOREACH(c, tmp, &run->clients, struct client, link) {
        list_remove(&c->link);
        stream_close(&c->stream, false);
        free(c);
    }
    run->client_count = 0;
}
