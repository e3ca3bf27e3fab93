#include "msa/console/event_streams.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/console/api_call.h"

struct event_stream {
    struct list link;
    struct console *console;
    struct http_stream *http; /* NULL: the reader is gone, and only a question about its token is open */
    unsigned who;
    char actor[HTTP_ACTOR_MAX];
    bool is_by_cookie;
    uint8_t session[SESSION_DIGEST_BYTES];
    char token[CONSOLE_TOKEN_TEXT_MAX + 1]; /* "": by cookie or socket */
    bool is_asking;                         /* auth, about the token */
};

/* The desk hears of accounts; how the server is, and what operators do, is for operators. */
static bool is_for(unsigned who, enum news_kind kind)
{
    bool is_desks = kind == NEWS_RESTRICTED || kind == NEWS_RELEASED || kind == NEWS_RULE || kind == NEWS_SIGN_INS;
    return who == WHO_OPERATOR || (who == WHO_SUPPORT && is_desks);
}

/* ---- the end of one ---- */

static void stream_free(struct event_stream *s)
{
    secret_wipe(s, sizeof *s);
    free(s);
}

static void on_gone(void *arg, struct http_stream *http)
{
    struct event_stream *s = arg;
    (void)http;
    s->http = NULL;
    list_remove(&s->link);
    s->console->event_stream_count--;
    if (!s->is_asking)
        stream_free(s);
}

/* ---- what is told ---- */

static void write_to(struct event_stream *s, struct view bytes)
{
    if (http_stream_write(s->http, bytes) < 0)
        http_stream_cut(s->http); /* it reads too slowly; it may come again and go on */
}

void event_streams_tell(struct console *c, enum news_kind kind, json_t *o)
{
    struct event_stream *s, *next;
    const struct event *e = events_at(&c->events, events_add(&c->events, kind, o));
    if (!e)
        return;
    LIST_FOREACH(s, next, &c->event_streams, struct event_stream, link) {
        if (is_for(s->who, kind))
            write_to(s, view_of(e->frame, e->n));
    }
}

int event_streams_on_event(void *owner, struct chan *peer, struct chan_message *m)
{
    struct console *c = owner;
    struct msg_news_tell told;
    if (msg_news_tell_decode(m->payload, &told) < 0 || told.kind >= NEWS_KIND_COUNT ||
        news_kind_teller(told.kind) != chan_peer(peer))
        return MSA_EPROTO;
    json_t *o = json_loadb(told.json.n ? told.json.p : "", told.json.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        return MSA_EPROTO;
    }
    json_object_set_new(o, "at_ms", json_integer(told.at_ms));
    json_object_set_new(o, "role", json_string(role_name(chan_peer(peer))));
    json_object_set_new(o, "index", json_integer(chan_peer_index(peer)));
    if (told.untold > 0)
        json_object_set_new(o, "untold", json_integer(told.untold));
    event_streams_tell(c, told.kind, o);
    return MSA_OK;
}

/* ---- may it still listen? ---- */

static void on_token(void *arg, const struct caller *caller, unsigned status)
{
    struct event_stream *s = arg;
    bool is_good = status == 0 && caller->who == s->who && (caller->scopes & api_scope_bit(SCOPE_EVENTS_READ));
    s->is_asking = false;
    if (!s->http)
        stream_free(s);
    else if (!is_good && status < 500) /* auth being away takes no right away */
        http_stream_end(s->http);
}

static void recheck(struct event_stream *s)
{
    static const struct ipaddr nobodys; /* it was a good one: no guess */
    struct console *c = s->console;
    if (s->is_by_cookie && !web_sessions_hold(&c->sessions, s->session, clock_mono_ms())) {
        http_stream_end(s->http);
    } else if (s->token[0] && !s->is_asking) {
        s->is_asking = true;
        caller_check_token(c, view_cstr(s->token), &nobodys, on_token, s);
    }
}

void event_streams_recheck(struct console *c)
{
    struct event_stream *s, *next;
    LIST_FOREACH(s, next, &c->event_streams, struct event_stream, link) {
        recheck(s);
    }
}

/* A comment: proxies see that the connection lives, and we that its reader is gone. */
static void on_heartbeat(void *arg)
{
    struct console *c = arg;
    struct event_stream *s, *next;
    LIST_FOREACH(s, next, &c->event_streams, struct event_stream, link) {
        write_to(s, VIEW_LIT(":\n\n"));
    }
    event_streams_recheck(c);
    if (c->event_stream_count > 0)
        (void)timer_start(&c->event_timer, c->loop, EVENT_HEARTBEAT_MS); /* was on: cannot fail */
}

/* ---- a new one ---- */

static bool may_come(const struct api_call *call)
{
    struct event_stream *s, *next;
    struct console *c = call->console;
    unsigned own = 0;
    LIST_FOREACH(s, next, &c->event_streams, struct event_stream, link) {
        own += strcmp(s->actor, call->caller.actor) == 0;
    }
    return c->event_stream_count < EVENT_STREAMS_MAX && own < EVENT_STREAMS_PER_CALLER_MAX;
}

static struct event_stream *stream_new(struct api_call *call)
{
    struct http_request *r = call->request;
    struct event_stream *s = calloc(1, sizeof *s);
    const struct web_session *session = call->caller.is_by_cookie ? caller_session(call->console, r) : NULL;
    if (!s)
        return NULL;
    list_init(&s->link);
    s->console = call->console;
    s->who = call->caller.who;
    memcpy(s->actor, call->caller.actor, sizeof s->actor);
    s->is_by_cookie = call->caller.is_by_cookie;
    if (session)
        memcpy(s->session, session->digest, sizeof s->session);
    else
        caller_copy_token(r, s->token);
    return s;
}

/* The last `wanted` of those that are for it. */
static uint64_t from_recent(const struct events *all, unsigned who, json_int_t wanted)
{
    uint64_t from = all->next;
    while (wanted > 0 && from > all->first)
        wanted -= is_for(who, events_at(all, --from)->kind);
    return from;
}

/* What it has missed, or asks to see again. */
static void write_beginning(struct event_stream *s, struct view last_id, json_int_t recent)
{
    const struct events *all = &s->console->events;
    const struct event *e;
    struct buf out;
    uint64_t from = from_recent(all, s->who, recent);
    bool is_gap = last_id.n > 0 && !events_resume(all, last_id, &from);
    buf_init(&out, EVENT_STREAM_BYTES_MAX);
    events_write_hello(all, from, &out);
    if (is_gap)
        events_write_gap(all, from, &out);
    for (; (e = events_at(all, from)); from++)
        if (is_for(s->who, e->kind))
            buf_append(&out, e->frame, e->n);
    if (buf_failed(&out))
        http_stream_cut(s->http);
    else
        write_to(s, buf_view(&out));
    buf_fini(&out);
}

static void begin(struct console *c, struct event_stream *s)
{
    if (c->event_stream_count++ == 0)
        (void)timer_start(&c->event_timer, c->loop, EVENT_HEARTBEAT_MS); /* without: no heartbeat, and no harm */
    list_append(&c->event_streams, &s->link);
}

void api_events(struct api_call *call)
{
    struct http_request *r = call->request;
    struct view last_id = http_request_header(r, "Last-Event-ID");
    json_int_t recent = json_integer_value(json_object_get(call->args, "recent"));
    if (!may_come(call)) {
        http_add_header(r, "Retry-After", VIEW_LIT("10"));
        api_fail(call, 429, NULL, "too many listen to events already");
        return;
    }
    struct event_stream *s = stream_new(call);
    if (!s) {
        api_fail(call, 503, NULL, "out of memory");
        return;
    }
    char last[64] = "";
    (void)view_to_cstr(last_id, last, sizeof last); /* the header dies with the request; one too long is none of ours */
    bool is_resumed = last_id.n > 0;
    http_add_header(r, "X-Accel-Buffering", VIEW_LIT("no")); /* a proxy shall pass each on at once */
    s->http = http_answer_stream(r, "text/event-stream", EVENT_STREAM_BYTES_MAX, on_gone, s);
    if (s->http) {
        begin(call->console, s);
        write_beginning(s, is_resumed && !last[0] ? VIEW_LIT("?") : view_cstr(last), recent);
    } else {
        stream_free(s);
    }
    api_end(call);
}

/* ---- life ---- */

void event_streams_init(struct console *c)
{
    list_init(&c->event_streams);
    timer_init(&c->event_timer, on_heartbeat, c);
    events_init(&c->events, (uint64_t)clock_wall_ms());
}

void event_streams_fini(struct console *c)
{
    timer_stop(&c->event_timer);
    events_fini(&c->events);
}
