/* The life of a session: connect, lines and bodies out of the stream, answers, faults, the end. */
#include "tests/tools/sink/session.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES 16384

static void session_free(struct session *s)
{
    s->sink->counts.open_sessions--;
    list_remove(&s->link);
    ev_timer_stop(s->sink->loop, &s->timer);
    stream_close(&s->stream, s->resets);
    message_fini(&s->message);
    buf_fini(&s->delayed);
    free(s);
}

/* ---- answers ---- */

static void add_many(struct buf *b, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        buf_add_cstr(b, text);
}

static void apply(struct session *s, const struct fault *f, struct buf *to)
{
    switch (f->action) {
    case ACTION_OK:
    case ACTION_REPLY:
    case ACTION_EARLY:
        buf_add_cstr(to, f->text);
        break;
    case ACTION_DROP:
    case ACTION_RESET:
        s->resets = f->action == ACTION_RESET;
        s->is_doomed = true;
        break;
    case ACTION_GARBAGE:
        buf_append(to, "\x80\x00\xff\x1b[2J no reply at all\n\r", 25);
        s->is_stuck = true;
        break;
    case ACTION_LONG:
        buf_add_cstr(to, "250 ");
        add_many(to, "xxxxxxxxxx", 10000);
        buf_add_cstr(to, "\r\n");
        break;
    case ACTION_FLOOD:
        add_many(to, "250-more\r\n", 100000);
        buf_add_cstr(to, "250 end\r\n");
        break;
    case ACTION_HANG:
    case ACTION_COUNT:
        s->is_stuck = true;
        break;
    }
}

static void count_refusal(struct session *s, const char *text)
{
    s->sink->counts.refused += text[0] == '4' || text[0] == '5';
}

enum outcome session_answer_by(struct session *s, const struct fault *f, const char *usual)
{
    struct buf *to = f && f->delay_ms > 0 ? &s->delayed : &s->stream.out;
    bool is_usual = !f || f->action == ACTION_OK || f->action == ACTION_EARLY;
    if (is_usual) {
        buf_add_cstr(to, usual);
        buf_add_cstr(to, "\r\n");
    }
    if (f)
        apply(s, f, to);
    if (f && f->delay_ms > 0) {
        s->doom_after_delay = s->is_doomed;
        s->is_doomed = false;
        ev_timer_set(&s->timer, (double)f->delay_ms / 1000, 0);
        ev_timer_start(s->sink->loop, &s->timer);
    }
    const char *told = is_usual ? usual : f->action == ACTION_REPLY ? f->text : "";
    count_refusal(s, told);
    return told[0] == usual[0] && told[0] < '4' ? TAKEN : NOT_TAKEN;
}

enum outcome session_answer(struct session *s, enum phase phase, struct view address,
                            const char *usual)
{
    return session_answer_by(s, faults_take(&s->sink->faults, phase, address), usual);
}

void session_reply(struct session *s, const char *reply)
{
    buf_add_cstr(&s->stream.out, reply);
    buf_add_cstr(&s->stream.out, "\r\n");
    count_refusal(s, reply);
}

/* ---- input ---- */

static bool is_waiting(const struct session *s)
{
    return s->is_stuck || s->is_doomed || s->is_quitting || s->starts_tls ||
           ev_is_active(&s->timer);
}

/* Takes one line, if it is there; a bare LF ends none. */
static bool take_line(struct session *s)
{
    struct buf *in = &s->stream.in;
    struct view v = buf_view(in);
    const char *end = memmem(v.p, v.n, "\r\n", 2);
    if (!end) {
        if (v.n > LINE_MAX_BYTES) {
            session_reply(s, "500 5.5.6 line too long");
            s->is_quitting = true;
        }
        return false;
    }
    struct view line = view_of(v.p, (size_t)(end - v.p));
    command_line(s, line);
    buf_take(in, line.n + 2);
    return true;
}

/* body rules: the first octet of a message is there. */
static bool begins_badly(struct session *s)
{
    if (s->has_begun_body)
        return false;
    s->has_begun_body = true;
    const struct fault *f = faults_take(&s->sink->faults, PHASE_BODY, VIEW_EMPTY);
    if (f)
        apply(s, f, &s->stream.out);
    return f != NULL;
}

static void take_data(struct session *s)
{
    bool has_ended = false;
    struct buf *in = &s->stream.in;
    if (begins_badly(s) && is_waiting(s))
        return;
    size_t used =
        body_feed(&s->message.body, buf_view(in), message_put, &s->message, &has_ended);
    buf_take(in, used);
    if (has_ended) {
        s->state = STATE_COMMAND;
        command_end_of_message(s);
    }
}

static void take_chunk(struct session *s)
{
    bool has_ended = false;
    struct buf *in = &s->stream.in;
    struct view v = view_slice(buf_view(in), 0, (size_t)s->bdat_left_bytes);
    if (!s->drops_bdat) {
        if (v.n > 0 && begins_badly(s) && is_waiting(s))
            return;
        body_feed(&s->message.body, v, message_put, &s->message, &has_ended);
    }
    buf_take(in, v.n);
    s->bdat_left_bytes -= v.n;
    if (s->bdat_left_bytes > 0)
        return;
    s->state = STATE_COMMAND;
    if (s->drops_bdat)
        session_reply(s, "503 5.5.1 no recipients");
    else if (s->bdat_is_last)
        command_end_of_message(s);
    else
        session_answer(s, PHASE_DATA, VIEW_EMPTY, "250 2.0.0 chunk taken");
}

static void process(struct session *s)
{
    bool goes_on = true;
    while (goes_on && !is_waiting(s)) {
        bool is_line = s->state == STATE_COMMAND || s->state == STATE_AUTH;
        bool is_done_chunk = s->state == STATE_BDAT && s->bdat_left_bytes == 0;
        if (buf_len(&s->stream.in) == 0 && !is_done_chunk)
            break;
        if (is_line)
            goes_on = take_line(s);
        else if (s->state == STATE_DATA)
            take_data(s);
        else
            take_chunk(s);
    }
}

/* What follows an answer once it is out: the end, or TLS. */
static enum stream_verdict settle(struct session *s)
{
    if (s->is_doomed || buf_failed(&s->stream.out)) {
        session_free(s);
        return STREAM_GONE;
    }
    if (stream_flush(&s->stream) == STREAM_GONE)
        return STREAM_GONE;
    if (s->is_quitting) {
        session_free(s);
        return STREAM_GONE;
    }
    if (s->starts_tls) {
        s->starts_tls = false;
        s->is_esmtp = s->is_authenticated = false;
        if (buf_len(&s->stream.in) > 0) { /* RFC 3207 section 6: nothing of the plain text goes on */
            s->sink->counts.early_input++;
            buf_take(&s->stream.in, buf_len(&s->stream.in));
        }
        if (!stream_start_tls(&s->stream, s->sink->tls, true)) {
            session_free(s);
            return STREAM_GONE;
        }
        return STREAM_GO_ON;
    }
    stream_hold(&s->stream, ev_is_active(&s->timer));
    return STREAM_GO_ON;
}

static enum stream_verdict on_input(void *arg)
{
    struct session *s = arg;
    process(s);
    if (s->is_stuck) /* it goes on reading, to notice that the client is gone */
        buf_take(&s->stream.in, buf_len(&s->stream.in));
    return settle(s);
}

static enum stream_verdict on_closed(void *arg, const char *why)
{
    (void)why;
    session_free(arg);
    return STREAM_GONE;
}

static enum stream_verdict greet(struct session *s)
{
    struct sink *sink = s->sink;
    if (sink->counts.open_sessions > sink->session_max_count) {
        session_reply(s, "421 4.7.0 too many sessions");
        s->is_quitting = true;
    } else if (session_answer(s, PHASE_BANNER, VIEW_EMPTY, "220 sink.invalid ESMTP") == NOT_TAKEN &&
               !s->is_stuck && !ev_is_active(&s->timer)) {
        s->is_quitting = !s->is_doomed;
    }
    return settle(s);
}

/* TCP or TLS is up. Only a session that began with TLS is greeted after the handshake. */
static enum stream_verdict on_ready(void *arg)
{
    struct session *s = arg;
    s->sink->counts.tls_sessions++;
    return s->helo[0] ? STREAM_GO_ON : greet(s);
}

static const struct stream_events events = {
    .on_ready = on_ready, .on_input = on_input, .on_closed = on_closed};

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    struct session *s = timer->data;
    (void)loop, (void)revents;
    buf_add(&s->stream.out, buf_view(&s->delayed));
    buf_reset(&s->delayed);
    s->is_doomed = s->doom_after_delay;
    if (settle(s) == STREAM_GO_ON)
        stream_resume(&s->stream);
}

static void name_peer(struct session *s, int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
        getnameinfo((struct sockaddr *)&ss, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(s->peer, sizeof s->peer, "%.40s %.10s", host, port);
}

void session_start(struct sink *sink, int fd, bool tls_at_once)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        perror("sink");
        exit(1);
    }
    s->sink = sink;
    list_append(&sink->sessions, &s->link);
    s->number = ++sink->counts.sessions;
    sink->counts.open_sessions++;
    name_peer(s, fd);
    message_init(&s->message, sink->wants_details, sink->store_dir != NULL);
    buf_init(&s->delayed, 4u << 20);
    ev_init(&s->timer, on_timer);
    s->timer.data = s;
    stream_open(&s->stream, sink->loop, fd, false, &events, s);
    if (!tls_at_once)
        greet(s);
    else if (!stream_start_tls(&s->stream, sink->tls, true))
        session_free(s);
}

void sessions_end(struct sink *sink)
{
    struct session *s, *tmp;
    LIST_FOREACH(s, tmp, &sink->sessions, struct session, link) {
        session_free(s);
    }
}
