#include "auth/saslauthd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/saslauthd_wire.h"
#include "msa/base/breaker.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/io/conn.h"

#define FAILURES_MAX       5 /* one behind the other, that open the breaker */
#define PAUSE_MS           5000
#define COMPLAINT_EVERY_MS 1000
#define WAITING_PER_PLACE  16 /* questions in the queue for each that may be under way */

/* One question: in `waiting` without a connection, then in `running` with one. */
struct inquiry {
    struct list link;
    struct saslauthd *owner;
    uint64_t id;
    bool is_running;
    bool is_probe;
    struct conn *conn; /* NULL: it waits, or has ended */
    struct timer deadline;
    int64_t until_ms; /* of clock_mono_ms: its end, however far it has come */
    struct buf text; /* the question, until it is given to the connection */
    finding_fn *fn;
    void *arg;
};

struct saslauthd {
    struct loop *loop;
    const struct config_saslauthd *set; /* NULL: none */
    struct breaker breaker;
    struct list running, waiting;
    uint64_t last_id;
    int64_t complained_ms;
    struct saslauthd_counts counts;
};

/* ---- what is said of it ---------------------------------------------------------------------- */

static void log_failure(struct saslauthd *s, const char *text)
{
    struct log_line l;
    s->counts.failed++;
    if (!log_is_due(&s->complained_ms, COMPLAINT_EVERY_MS))
        return;
    log_begin(&l, LOG_LEVEL_WARN, "saslauthd-failed");
    log_str(&l, "socket", s->set ? s->set->socket : "");
    log_str(&l, "text", text);
    log_end(&l);
}

static void note_failure(struct saslauthd *s, const char *text)
{
    log_failure(s, text);
    if (breaker_failure(&s->breaker, clock_mono_ms()))
        log_msg(LOG_LEVEL_ERROR, "saslauthd-down", "%d failures one behind the other: left alone for %d s", FAILURES_MAX,
                PAUSE_MS / 1000);
}

/* ---- a question's life ----------------------------------------------------------------------- */

static void inquiry_free(struct inquiry *q)
{
    struct saslauthd *s = q->owner;
    list_remove(&q->link);
    if (q->is_running)
        s->counts.running--;
    else
        s->counts.waiting--;
    timer_stop(&q->deadline);
    if (q->conn)
        conn_abort(&q->conn);
    buf_fini(&q->text);
    secret_wipe(q, sizeof *q);
    free(q);
}

static void end(struct inquiry *q, enum finding_kind kind)
{
    const struct finding finding = {.kind = kind};
    finding_fn *fn = q->fn;
    void *arg = q->arg;
    inquiry_free(q);
    fn(arg, &finding);
}

static const struct conn_events events;

/* From the queue to the socket. False: not now, and nothing has changed. */
static bool start(struct inquiry *q)
{
    static const struct conn_limits limits = {.input_max_bytes = SASLAUTHD_ANSWER_MAX,
                                              .output_max_bytes = SASLAUTHD_ASK_MAX};
    struct saslauthd *s = q->owner;
    if (!breaker_take(&s->breaker, clock_mono_ms(), &q->is_probe))
        return false;
    q->conn = conn_new_outgoing_unix(s->loop, s->set->socket, &limits, &events, q);
    if (!q->conn || conn_write(q->conn, buf_view(&q->text)) < 0) {
        log_failure(s, "out of memory or descriptors");
        if (q->is_probe)
            breaker_abandon(&s->breaker, clock_mono_ms());
        q->is_probe = false;
        return false;
    }
    buf_fini(&q->text);
    (void)timer_start(&q->deadline, s->loop, q->until_ms - clock_mono_ms()); /* was on: cannot fail */
    list_remove(&q->link);
    list_append(&s->running, &q->link);
    q->is_running = true;
    s->counts.waiting--;
    s->counts.running++;
    s->counts.asked++;
    return true;
}

/* A place is free. */
static void start_waiting(struct saslauthd *s)
{
    struct inquiry *q;
    while (s->set && s->counts.running < s->set->connection_count &&
           (q = LIST_FIRST(&s->waiting, struct inquiry, link)) != NULL)
        if (!start(q))
            end(q, FINDING_AWAY);
}

static void fail(struct inquiry *q, const char *text)
{
    struct saslauthd *s = q->owner;
    note_failure(s, text);
    end(q, FINDING_AWAY);
    start_waiting(s);
}

static void on_deadline(void *arg)
{
    struct inquiry *q = arg;
    if (q->is_running) {
        fail(q, "no answer in time");
        return;
    }
    log_failure(q->owner, "more questions than it answers: one waited for half of its deadline"); /* it was not asked */
    end(q, FINDING_AWAY);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void on_connected(void *owner)
{
    (void)owner; /* the question is queued in the connection */
}

static void on_input(void *owner)
{
    struct inquiry *q = owner;
    struct saslauthd *s = q->owner;
    enum saslauthd_answer answer = saslauthd_answer_read(buf_view(conn_in(q->conn)));
    if (answer == SASLAUTHD_MORE)
        return;
    if (answer == SASLAUTHD_RUBBISH) {
        fail(q, "its answer cannot be understood");
        return;
    }
    if (breaker_success(&s->breaker))
        log_msg(LOG_LEVEL_INFO, "saslauthd-up", "it answers again");
    end(q, answer == SASLAUTHD_OK ? FINDING_GOOD : FINDING_BAD);
    start_waiting(s);
}

static void on_closed(void *owner, enum conn_end conn_end)
{
    struct inquiry *q = owner;
    char text[256];
    const char *error = conn_error(q->conn);
    bool is_shut = conn_end == CONN_END_CONNECT && strstr(error, strerror(EACCES)) != NULL;
    snprintf(text, sizeof text, "connection ended (%s) %s%s", conn_end_name(conn_end), error,
             is_shut ? ": the user of the auth process needs the right to it, as a member of the group of its directory"
                     : "");
    q->conn = NULL; /* it dies by itself */
    fail(q, text);
}

static const struct conn_events events = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_closed = on_closed,
};

/* ---- a question ------------------------------------------------------------------------------ */

/* As libsasl2 does it: what stands behind the last '@' is the realm, unless one is configured. */
static struct saslauthd_ask ask_of(const struct config_saslauthd *set, const struct question *q)
{
    struct saslauthd_ask a = {q->login, q->secret, view_cstr(set->service), view_cstr(set->realm)};
    size_t at = q->login.n;
    while (a.realm.n == 0 && at > 0 && q->login.p[at - 1] != '@')
        at--;
    if (a.realm.n == 0 && at > 0) {
        a.login = view_slice(q->login, 0, at - 1);
        a.realm = view_slice(q->login, at, q->login.n);
    }
    return a;
}

/* In the queue for half of its time at most: the oldest is next, and where too many come it would begin just before its
 * end, like all behind it. None would be answered, and saslauthd would be blamed. NULL with what to say at once. */
static struct inquiry *inquiry_new(struct saslauthd *s, const struct question *question, enum finding_kind *why_not_out)
{
    struct inquiry *q = calloc(1, sizeof *q);
    *why_not_out = FINDING_AWAY;
    if (!q)
        return NULL;
    const struct saslauthd_ask text = ask_of(s->set, question);
    q->owner = s;
    q->id = ++s->last_id;
    timer_init(&q->deadline, on_deadline, q);
    buf_init_secret(&q->text, SASLAUTHD_ASK_MAX);
    list_append(&s->waiting, &q->link);
    s->counts.waiting++;
    int err = saslauthd_ask_write(&text, &q->text);
    q->until_ms = clock_mono_ms() + s->set->deadline_ms;
    if (err == MSA_OK)
        err = timer_start(&q->deadline, s->loop, s->set->deadline_ms / 2);
    if (err == MSA_OK)
        return q;
    if (err == MSA_ETOOBIG)
        *why_not_out = FINDING_BAD; /* no password there can be this one, and a client cannot make it fail */
    inquiry_free(q);
    return NULL;
}

static void ask(void *self, const struct question *question, finding_fn *fn, void *arg, uint64_t *id_out)
{
    struct saslauthd *s = self;
    struct finding at_once = {.kind = FINDING_AWAY};
    struct inquiry *q = NULL;
    size_t places = s->set ? s->set->connection_count : 0;
    bool has_room = s->counts.waiting < places * WAITING_PER_PLACE;
    *id_out = 0;
    if (!s->set)
        log_failure(s, "an account is kept there, but there is no block 'saslauthd'");
    else if (!has_room)
        log_failure(s, "more questions at once than 'connections' and the queue behind it allow");
    else
        q = inquiry_new(s, question, &at_once.kind);
    if (q && s->counts.running < places && !start(q)) {
        inquiry_free(q);
        q = NULL;
    }
    if (!q) {
        fn(arg, &at_once);
        return;
    }
    q->fn = fn;
    q->arg = arg;
    *id_out = q->id;
}

static struct inquiry *find(struct list *list, uint64_t id)
{
    struct inquiry *q, *next;
    LIST_FOREACH(q, next, list, struct inquiry, link)
    {
        if (q->id == id)
            return q;
    }
    return NULL;
}

static void cancel(void *self, uint64_t id)
{
    struct saslauthd *s = self;
    struct inquiry *q = find(&s->running, id);
    if (!q)
        q = find(&s->waiting, id);
    if (!q)
        return;
    if (q->is_probe)
        breaker_abandon(&s->breaker, clock_mono_ms());
    inquiry_free(q);
    start_waiting(s);
}

struct authority saslauthd_authority(struct saslauthd *s)
{
    return (struct authority){ask, cancel, s};
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Those under way end as they began; without a block there is nobody's word to go by. */
void saslauthd_configure(struct saslauthd *s, const struct config_saslauthd *set)
{
    struct inquiry *q;
    s->set = set;
    breaker_init(&s->breaker, FAILURES_MAX, PAUSE_MS);
    while (!set && (q = LIST_FIRST(&s->running, struct inquiry, link)) != NULL)
        end(q, FINDING_AWAY);
    while (!set && (q = LIST_FIRST(&s->waiting, struct inquiry, link)) != NULL)
        end(q, FINDING_AWAY);
    start_waiting(s); /* there may be more places */
}

struct saslauthd *saslauthd_new(struct loop *loop)
{
    struct saslauthd *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loop = loop;
    list_init(&s->running);
    list_init(&s->waiting);
    breaker_init(&s->breaker, FAILURES_MAX, PAUSE_MS);
    return s;
}

void saslauthd_free(struct saslauthd **s)
{
    struct inquiry *q;
    if (!*s)
        return;
    while ((q = LIST_FIRST(&(*s)->running, struct inquiry, link)) != NULL)
        inquiry_free(q);
    while ((q = LIST_FIRST(&(*s)->waiting, struct inquiry, link)) != NULL)
        inquiry_free(q);
    free(*s);
    *s = NULL;
}

void saslauthd_counts(const struct saslauthd *s, struct saslauthd_counts *out)
{
    *out = s->counts;
}
