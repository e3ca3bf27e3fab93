/* A connection and its session: what happens on the socket goes into the engine, what the engine wants goes
 * out. One timer a connection; it is set anew only when a deadline has come nearer, and looks again when
 * it fires too early, so that commands cost no timer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "smtp/replies.h"
#include "smtp/worker.h"

#define INPUT_MAX (64 * 1024)

struct smtp_client *smtp_client_of(const struct smtp_session *s)
{
    return s->owner;
}

struct smtp_client *smtp_client_find(struct worker *w, uint64_t session_id)
{
    struct table_entry *e =
        table_find(&w->by_id, view_of((const char *)&session_id, sizeof session_id));
    return e ? CONTAINER_OF(e, struct smtp_client, by_id) : NULL;
}

/* ---- the timer ----------------------------------------------------------------------------------- */

/* Output did not fit, or no timer could be set: out of memory. */
static void give_up_choked(struct smtp_client *c)
{
    c->is_choked = false;
    if (!c->conn)
        return;
    conn_abort(&c->conn);
    c->conn = NULL;
    smtp_session_on_gone(&c->session, "no-memory");
}

/* While an answer is due nothing is read: what a client sends ahead stays with the kernel, and one that has
 * half closed behind its last command still gets the reply. Before the greeting early talkers are
 * listened for, but a hello of TLS must wait for its handshake. */
static bool wants_input(const struct smtp_session *s)
{
    if (s->phase == PHASE_START && s->wait != WAIT_TLS)
        return !(s->flags & SMTP_IMPLICIT_TLS) || (s->flags & SMTP_TLS);
    return s->wait == WAIT_NONE || s->wait == WAIT_TLS;
}

static void listen_or_not(struct smtp_client *c)
{
    bool is_deaf = !wants_input(&c->session);
    if (!c->conn)
        return;
    if (is_deaf && !c->is_deaf)
        conn_read_stop(c->conn);
    else if (!is_deaf && c->is_deaf)
        conn_read_start(c->conn);
    else
        conn_in(c->conn); /* reads on if it was full */
    c->is_deaf = is_deaf;
}

static void set_timer(struct smtp_client *c)
{
    int64_t at_ms = smtp_session_deadline(&c->session);
    if (at_ms == INT64_MAX || (timer_is_on(&c->timer) && c->timer.at_ms <= at_ms))
        return;
    int64_t after_ms = at_ms - clock_mono_ms();
    if (timer_start(&c->timer, c->worker->loop, after_ms > 0 ? after_ms : 0) != MSA_OK)
        c->is_choked = true;
}

void smtp_client_rearm(struct smtp_client *c)
{
    if (c->session.phase < PHASE_CLOSING)
        set_timer(c);
    if (c->is_choked)
        give_up_choked(c);
    listen_or_not(c);
}

static void on_timer(void *arg)
{
    struct smtp_client *c = arg;
    smtp_session_on_deadline(&c->session);
    smtp_client_rearm(c);
}

/* ---- events of the connection -------------------------------------------------------------------- */

static void on_tls_ready(void *owner)
{
    struct smtp_client *c = owner;
    smtp_session_on_tls(&c->session);
    smtp_client_rearm(c);
}

static void on_input(void *owner)
{
    struct smtp_client *c = owner;
    smtp_session_on_input(&c->session);
    smtp_client_rearm(c);
}

static void on_drained(void *owner)
{
    struct smtp_client *c = owner;
    smtp_session_on_drained(&c->session);
    smtp_client_rearm(c);
}

static void on_closed(void *owner, enum conn_end end)
{
    struct smtp_client *c = owner;
    c->conn = NULL; /* it frees itself */
    smtp_session_on_gone(&c->session, conn_end_name(end));
}

static const struct conn_events events = {
    .on_tls_ready = on_tls_ready,
    .on_input = on_input,
    .on_output_drained = on_drained,
    .on_closed = on_closed,
};

/* ---- what the engine wants of it ----------------------------------------------------------------- */

static void write_bytes(struct smtp_session *s, struct view bytes)
{
    struct smtp_client *c = smtp_client_of(s);
    if (c->conn && conn_write(c->conn, bytes) != MSA_OK)
        c->is_choked = true; /* the engine may not be called from here */
}

static size_t output_len(const struct smtp_session *s)
{
    const struct smtp_client *c = smtp_client_of(s);
    return c->conn ? conn_output_len(c->conn) : 0;
}

static struct tls_trust *trust_for(const struct worker *w, const char *listener)
{
    for (size_t i = 0; i < w->trust_count; i++)
        if (strcmp(w->trusts[i].listener, listener) == 0)
            return w->trusts[i].tls;
    return NULL;
}

static int start_tls(struct smtp_session *s)
{
    struct smtp_client *c = smtp_client_of(s);
    if (!c->conn || !c->worker->tls)
        return MSA_ENOENT;
    return conn_start_tls_server_asking(c->conn, c->worker->tls, trust_for(c->worker, s->listener));
}

static const struct tls_facts *tls_facts(const struct smtp_session *s)
{
    const struct smtp_client *c = smtp_client_of(s);
    return c->conn && conn_tls_facts_make(c->conn) ? conn_tls_facts(c->conn) : NULL;
}

static void close_client(struct smtp_session *s, bool is_abort)
{
    struct smtp_client *c = smtp_client_of(s);
    if (!c->conn)
        return;
    if (is_abort)
        conn_abort(&c->conn);
    else
        conn_close(&c->conn);
    c->conn = NULL;
}

static void over(struct smtp_session *s)
{
    struct smtp_client *c = smtp_client_of(s);
    struct worker *w = c->worker;
    timer_stop(&c->timer);
    table_remove(&w->by_id, &c->by_id);
    places_leave(&w->places, &c->place);
    list_remove(&c->link);
    list_append(&w->over, &c->link);
}

static void moved(struct smtp_session *s, const struct ipaddr *from)
{
    struct smtp_client *c = smtp_client_of(s);
    (void)from;
    places_move(&c->worker->places, &c->place, &s->client_ip);
}

static void authenticated(struct smtp_session *s)
{
    struct smtp_client *c = smtp_client_of(s);
    places_settle(&c->worker->places, &c->place);
    if (c->conn && (s->flags & SMTP_TLS))
        conn_tls_facts_drop(c->conn); /* channel bindings are needed no more */
}

static enum smtp_stock take_body(struct smtp_session *s, bool is_large, int *fd_out)
{
    struct smtp_client *c = smtp_client_of(s);
    return stock_take(&c->worker->stock, c, is_large, fd_out);
}

static void put_body(struct smtp_session *s, int fd, bool is_large)
{
    stock_put(&smtp_client_of(s)->worker->stock, fd, is_large);
}

const struct smtp_host smtp_worker_host = {
    .write = write_bytes,
    .output_len = output_len,
    .start_tls = start_tls,
    .tls_facts = tls_facts,
    .close = close_client,
    .over = over,
    .moved = moved,
    .authenticated = authenticated,
    .ask_connect = asks_connect,
    .ask_login = asks_login,
    .ask_mail = asks_mail,
    .ask_quota = asks_quota,
    .ask_score = asks_score,
    .ask_route = asks_route,
    .ask_accept = asks_accept,
    .auth_start = asks_auth_start,
    .auth_step = asks_auth_step,
    .auth_abort = asks_auth_abort,
    .cancel = asks_cancel,
    .settle = asks_settle,
    .disconnect = asks_disconnect,
    .take_body = take_body,
    .put_body = put_body,
};

/* ---- life ---------------------------------------------------------------------------------------- */

static void free_client(struct smtp_client *c)
{
    list_remove(&c->link);
    MSA_ASSERT(!c->conn && !c->asked);
    smtp_session_fini(&c->session);
    free(c);
}

void smtp_client_free_over(void *worker)
{
    struct worker *w = worker;
    struct smtp_client *c;
    while ((c = LIST_FIRST(&w->over, struct smtp_client, link)) != NULL)
        free_client(c);
}

/* Without a session. */
static void drop(struct smtp_client *c)
{
    if (c->conn)
        conn_abort(&c->conn);
    c->conn = NULL;
    timer_stop(&c->timer);
    places_leave(&c->worker->places, &c->place);
    list_remove(&c->link);
    list_append(&c->worker->over, &c->link);
}

/* NULL: out of memory, `fd` closed. In no list, without a session. */
static struct smtp_client *make(struct worker *w, int fd)
{
    const struct conn_limits sizes = {
        .input_max_bytes = INPUT_MAX,
        .output_max_bytes = w->site.config->limits.session_output_bytes,
    };
    struct smtp_client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return NULL;
    }
    c->worker = w;
    list_init(&c->link);
    list_init(&c->waiting);
    timer_init(&c->timer, on_timer, c);
    c->conn = conn_new_accepted(w->loop, fd, &sizes, &events, c);
    if (c->conn)
        return c;
    free(c);
    return NULL;
}

/* A refusal can be read only in clear: behind implicit TLS there would have to be a handshake first,
 * which is what somebody who floods us wants. */
static void turn_away(struct smtp_client *c, const struct smtp_arrival *arrival, enum places_result why)
{
    char line[REPLY_LINE_MAX];
    size_t len;
    c->worker->refused_count++;
    if (!(arrival->flags & SMTP_IMPLICIT_TLS)) {
        reply_format(why == PLACES_FULL ? REPLY_BUSY : REPLY_BUSY_ADDRESS, VIEW_EMPTY, line, &len);
        conn_write(c->conn, view_of(line, len));
        conn_close(&c->conn);
    }
    drop(c);
}

/* There is a place and the session begins, or `c` is over. */
static void begin(struct smtp_client *c, const struct smtp_arrival *arrival)
{
    struct worker *w = c->worker;
    bool is_front = (arrival->flags & SMTP_MAY_XCLIENT) != 0;
    enum places_result why = places_take(&w->places, &c->place, is_front ? NULL : &arrival->ip);
    if (why != PLACES_OK) {
        turn_away(c, arrival, why);
        return;
    }
    smtp_session_init(&c->session, &w->site, c, conn_in(c->conn), arrival);
    c->by_id.key = view_of((const char *)&c->session.id, sizeof c->session.id);
    if (table_insert(&w->by_id, &c->by_id) != MSA_OK) {
        drop(c);
        return;
    }
    list_append(&w->clients, &c->link);
    w->session_count++;
    smtp_session_start(&c->session);
    smtp_client_rearm(c);
}

void smtp_client_accept(struct worker *w, int fd, const struct smtp_arrival *arrival)
{
    struct smtp_client *c = make(w, fd);
    if (c)
        begin(c, arrival);
}
