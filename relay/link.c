#include "relay/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define INPUT_MAX_BYTES  (640u << 10) /* one reply of 128 lines of 4 KiB, and a bit */
#define OUTPUT_MAX_BYTES (2u << 20)
#define OUTPUT_HIGH      (128u << 10) /* above it the body waits for the kernel to take some */
#define PIECE_BYTES      (32u << 10)
#define TOWARDS_MAX      16
#define FAREWELL_MS      10000 /* nothing depends on the reply to QUIT, and the link takes the place of another */

enum link_stage { LINK_CONNECTING = 0, LINK_HANDSHAKE, LINK_TALKING };

struct link {
    struct client client;
    struct conn *conn;
    struct loop *loop;
    const struct config_relay_deadlines *deadlines;
    struct tls_client *tls;
    struct link_owner owner;
    struct list place;
    struct ipaddr ip;
    uint16_t port;
    enum link_stage stage;
    struct timer timer;
    int64_t deadline_ms;    /* that the timer runs for */
    uint64_t progress_mark; /* when it was started */
    struct loop_hook kick;
    struct delivery *delivery;
    uint64_t body_at;          /* bytes of the content given out so far */
    uint64_t body_bytes_total; /* of all deliveries: a mark of progress */
    uint64_t replies_before;   /* the delivery under way */
    unsigned bucket;
    bool was_ready;
    bool is_planned; /* QUIT was said */
    bool is_timeout;
    bool is_used_up;
    char server_name[256];
    char host[64];
    struct {
        const void *destination;
        uint32_t count;
    } towards[TOWARDS_MAX];
    char piece[PIECE_BYTES]; /* of a body that is in a file, on its way */
};

/* ---- the end ---- */

static void destroy(struct link **l)
{
    timer_stop(&(*l)->timer);
    loop_hook_remove(&(*l)->kick);
    if ((*l)->conn)
        conn_abort(&(*l)->conn);
    client_fini(&(*l)->client);
    list_remove(&(*l)->place);
    free(*l);
    *l = NULL;
}

void link_free(struct link **l)
{
    if (*l)
        destroy(l);
}

bool link_was_stale(const struct link_end *end)
{
    return end->left && end->was_reused && !end->was_answered && !end->is_timeout && !end->left->is_second_try;
}

static void go(struct link *l, bool is_tls_trouble, const char *text)
{
    bool is_farewell = l->client.failure == CLIENT_FAIL_CLOSING;
    struct link_end end = {
        .was_ready = l->was_ready,
        .was_reused = l->client.transaction_count > 0,
        .was_answered = l->client.reply_count - is_farewell > l->replies_before,
        .is_planned = l->is_planned && !l->delivery,
        .is_timeout = l->is_timeout,
        .failure = l->client.failure,
        .is_tls_trouble = is_tls_trouble || l->client.failure == CLIENT_FAIL_TLS,
        .left = l->delivery,
    };
    char why[256];
    snprintf(end.text, sizeof end.text, "%s", text);
    snprintf(why, sizeof why, "connection to the next server lost: %s", text);
    client_lose(&l->client, view_cstr(why));
    l->delivery = NULL;
    l->owner.on_gone(l->owner.arg, l, &end);
    destroy(&l);
}

/* ---- deadlines ---- */

static int64_t transaction_deadline(const struct link *l)
{
    const struct client *c = &l->client;
    if (c->is_body_ended)
        return l->deadlines->final_dot_ms;
    if (c->send < CLIENT_STEP_BODY || c->await < CLIENT_STEP_DATA)
        return l->deadlines->command_ms;
    return c->await == CLIENT_STEP_DATA && !c->is_bdat ? l->deadlines->data_ms : l->deadlines->body_ms;
}

static int64_t deadline_of(const struct link *l)
{
    if (l->stage == LINK_CONNECTING)
        return l->deadlines->connect_ms;
    if (l->stage == LINK_HANDSHAKE)
        return l->deadlines->handshake_ms;
    switch (l->client.phase) {
    case CLIENT_GREETING: return l->deadlines->greeting_ms;
    case CLIENT_IDLE: return l->deadlines->idle_ms;
    case CLIENT_TRANSACTION: return transaction_deadline(l);
    case CLIENT_QUIT: return l->deadlines->command_ms < FAREWELL_MS ? l->deadlines->command_ms : FAREWELL_MS;
    default: return l->deadlines->command_ms;
    }
}

/* The clock starts anew with whole replies and with body that was taken, never with single bytes: a
 * smarthost that trickles does not keep us. */
static void watch_time(struct link *l)
{
    uint64_t mark = l->client.reply_count + l->body_bytes_total + l->client.is_body_ended;
    int64_t deadline_ms = deadline_of(l);
    if (timer_is_on(&l->timer) && mark == l->progress_mark && deadline_ms == l->deadline_ms)
        return;
    l->progress_mark = mark;
    l->deadline_ms = deadline_ms;
    if (timer_start(&l->timer, l->loop, deadline_ms) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "a link runs without a deadline");
}

/* ---- talking ---- */

static void flush(struct link *l)
{
    struct buf *out = &l->client.out;
    if (buf_len(out) == 0)
        return;
    if (conn_write(l->conn, buf_view(out)) < 0)
        out->failed = true; /* the next step ends the session */
    else
        buf_reset(out);
}

static int send_piece(struct link *l)
{
    struct view piece, run;
    int got = message_piece(l->delivery->m, l->body_at, l->piece, sizeof l->piece, &piece);
    if (got < 0)
        return got;
    l->body_at += piece.n;
    l->body_bytes_total += piece.n;
    while ((got = client_body(&l->client, &piece, &run)) > 0) {
        if (conn_write(l->conn, run) < 0)
            return MSA_ENOMEM;
    }
    return got;
}

/* False: the kernel must take some first, or the link is to end with the next step. */
static bool send_body(struct link *l)
{
    uint64_t total = message_bytes(l->delivery->m);
    while (l->body_at < total) {
        if (conn_output_len(l->conn) >= OUTPUT_HIGH)
            return false;
        int err = send_piece(l);
        if (err == MSA_EIO || err == MSA_ENOMEM)
            client_abandon(&l->client, "the message cannot be read");
        if (err < 0)
            return true;
    }
    (void)client_body_end(&l->client); /* its failure shows in the next step */
    return true;
}

static void finish_delivery(struct link *l)
{
    struct delivery *d = l->delivery;
    if (!d)
        return;
    l->delivery = NULL;
    d->was_dsn_spoken = l->client.caps.capabilities & EHLO_DSN;
    view_to_cstr(view_cstr(l->host), d->host, sizeof d->host);
    l->owner.on_done(l->owner.arg, l, d);
}

/* True when there is something new to do at once. */
static bool offer(struct link *l)
{
    finish_delivery(l);
    l->was_ready = true;
    l->owner.on_ready(l->owner.arg, l);
    return l->client.phase != CLIENT_IDLE;
}

static void start_handshake(struct link *l)
{
    l->stage = LINK_HANDSHAKE;
    if (!l->tls || conn_start_tls_client(l->conn, l->tls, l->server_name) < 0)
        client_abandon(&l->client, "TLS cannot be started");
}

static void step(struct link *l)
{
    bool is_busy = true;
    loop_hook_remove(&l->kick);
    while (is_busy) {
        enum client_want want =
            client_step(&l->client, conn_in(l->conn), conn_output_len(l->conn) == 0);
        flush(l);
        switch (want) {
        case CLIENT_WANT_INPUT: is_busy = false; break;
        case CLIENT_WANT_WORK: is_busy = offer(l); break;
        case CLIENT_WANT_BODY: is_busy = send_body(l); break;
        case CLIENT_WANT_TLS:
            start_handshake(l);
            is_busy = l->client.phase == CLIENT_DEAD;
            break;
        case CLIENT_WANT_CLOSE:
            go(l, false, l->client.failure_text);
            return;
        }
    }
    watch_time(l);
}

/* ---- events ---- */

static void on_connected(void *arg)
{
    struct link *l = arg;
    l->stage = LINK_TALKING;
    if (l->client.settings->is_tls_implicit)
        start_handshake(l);
    step(l);
}

static void on_tls_ready(void *arg)
{
    struct link *l = arg;
    const struct tls_facts *facts = conn_tls_facts(l->conn);
    l->stage = LINK_TALKING;
    client_on_tls(&l->client, facts && facts->is_verified);
    step(l);
}

static void on_input(void *arg)
{
    step(arg);
}

static void on_output_drained(void *arg)
{
    struct link *l = arg;
    if (l->stage == LINK_TALKING && l->client.phase == CLIENT_TRANSACTION)
        step(l);
}

static void on_closed(void *arg, enum conn_end how)
{
    struct link *l = arg;
    char text[160];
    const char *error = conn_error(l->conn);
    snprintf(text, sizeof text, "%s%s%s during %s", conn_end_name(how), error[0] ? ": " : "", error,
             l->stage == LINK_CONNECTING ? "connect" : client_phase_name(l->client.phase));
    go(l, how == CONN_END_TLS, text);
}

static void on_time(void *arg)
{
    struct link *l = arg;
    char text[96];
    if (l->stage == LINK_TALKING && l->client.phase == CLIENT_IDLE) {
        link_quit(l);
        return;
    }
    l->is_timeout = true;
    snprintf(text, sizeof text, "timed out during %s",
             l->stage == LINK_CONNECTING ? "connect" : client_phase_name(l->client.phase));
    go(l, false, text);
}

static void on_kick(void *arg)
{
    step(arg);
}

/* ---- the owner's calls ---- */

static const struct conn_events events = {
    .on_connected = on_connected,
    .on_tls_ready = on_tls_ready,
    .on_input = on_input,
    .on_output_drained = on_output_drained,
    .on_closed = on_closed,
};

static void name_host(struct link *l, const struct link_settings *settings)
{
    char ip[IPADDR_TEXT_MAX];
    l->ip = settings->ip;
    l->port = settings->port;
    ipaddr_format(&settings->ip, ip);
    snprintf(l->host, sizeof l->host, "%s:%u", ip, settings->port);
    snprintf(l->server_name, sizeof l->server_name, "%s", settings->server_name);
}

struct link *link_new(const struct link_settings *settings, const struct link_owner *owner)
{
    static const struct conn_limits limits = {INPUT_MAX_BYTES, OUTPUT_MAX_BYTES};
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->loop = settings->loop;
    l->deadlines = settings->deadlines;
    l->tls = settings->tls;
    l->owner = *owner;
    list_init(&l->place);
    timer_init(&l->timer, on_time, l);
    client_init(&l->client, settings->client);
    name_host(l, settings);
    const struct ipaddr *source = ipaddr_is_none(&settings->source) ? NULL : &settings->source;
    l->conn = conn_new_outgoing(l->loop, &settings->ip, settings->port, source, &limits, &events, l);
    if (!l->conn) {
        destroy(&l);
        return NULL;
    }
    watch_time(l);
    return l;
}

static void kick(struct link *l)
{
    loop_hook_add(l->loop, LOOP_STAGE_WORK, &l->kick, on_kick, l);
}

bool link_send(struct link *l, struct delivery *d)
{
    MSA_ASSERT(link_is_ready(l));
    l->replies_before = l->client.reply_count;
    l->body_at = 0;
    if (!client_begin(&l->client, d->m))
        return false;
    l->delivery = d;
    d->is_sent = true;
    timer_stop(&l->timer); /* the idle time, which might end in this very turn; the step starts the next one */
    kick(l);
    return true;
}

void link_quit(struct link *l)
{
    l->is_planned = true;
    client_quit(&l->client);
    kick(l);
}

bool link_is_ready(const struct link *l)
{
    return l->stage == LINK_TALKING && l->client.phase == CLIENT_IDLE && !l->delivery;
}

struct delivery *link_delivery(const struct link *l)
{
    return l->delivery;
}

uint32_t link_message_count(const struct link *l)
{
    return l->client.transaction_count;
}

uint32_t link_count_towards(struct link *l, const void *destination)
{
    for (size_t i = 0; i < TOWARDS_MAX; i++) {
        if (l->towards[i].destination && l->towards[i].destination != destination)
            continue;
        l->towards[i].destination = destination;
        return ++l->towards[i].count;
    }
    return UINT32_MAX;
}

uint64_t link_message_max(const struct link *l)
{
    return l->client.caps.mail_max;
}

const char *link_host(const struct link *l)
{
    return l->host;
}

void link_set_used_up(struct link *l)
{
    l->is_used_up = true;
}

bool link_is_used_up(const struct link *l)
{
    return l->is_used_up;
}

void link_set_bucket(struct link *l, unsigned bucket)
{
    l->bucket = bucket;
}

unsigned link_bucket(const struct link *l)
{
    return l->bucket;
}

struct list *link_place(struct link *l)
{
    return &l->place;
}

struct link *link_of_place(struct list *place)
{
    return CONTAINER_OF(place, struct link, place);
}

const struct ipaddr *link_ip(const struct link *l)
{
    return &l->ip;
}

uint16_t link_port(const struct link *l)
{
    return l->port;
}
