#include "policy/outbox.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/ipc/messages.h"

/* In LEDGER_NOTICES, numbers of keys with the highest byte first so that they sort by
 * time:
 *
 *   key     'm' or 'w' | u64 due_ms | u64 id
 *   record  u8 version | i64 at_ms | u32 attempts | from | to | text
 */
#define RECORD_VERSION 2
#define RECORD_MAX     (OUTBOX_TEXT_MAX + 2048)
#define FLIGHT_MAX     16 /* of one kind, asked of relay at a time */
#define TICK_MS        10000
#define WAIT_MAX_MS    3600000
#define DAY_MS         INT64_C(86400000)

static const struct lane {
    char letter;
    const char *name;
    int64_t first_wait_ms;
    int64_t answer_ms;
    int64_t patience_ms;
} lanes[OUTBOX_KIND_COUNT] = {
    [OUTBOX_MAIL] = {'m', "mail", 30000, 30000, 3 * DAY_MS},
    [OUTBOX_CALL] = {'w', "webhook", 2000, 120000, DAY_MS},
};

struct flight {
    struct outbox *outbox;
    enum outbox_kind kind;
    uint64_t id; /* 0: free */
    int64_t due_ms;
    uint64_t ask;
};

struct sync {
    struct outbox *outbox; /* NULL: it is gone */
    uint64_t last_id;      /* the youngest that becomes durable with it */
};

struct outbox {
    struct loop *loop;
    struct ledger *ledger;
    struct chan *relay;
    struct timer timer;
    struct flight flights[OUTBOX_KIND_COUNT][FLIGHT_MAX];
    uint64_t first_unsafe,
        last_unsafe;   /* not known to be durable; ids of one process go up. 0: all are */
    struct sync *sync; /* under way, or NULL */
    uint64_t sent_count[OUTBOX_KIND_COUNT];
    uint64_t retry_count, given_up_count;
};

/* ---- keys and records ---- */

static void put_sortable(struct buf *b, uint64_t n)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        put_u8(b, (uint8_t)(n >> shift));
}

static uint64_t get_sortable(struct view v)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8 && i < v.n; i++)
        n = n << 8 | (unsigned char)v.p[i];
    return n;
}

static void make_key(struct buf *key, enum outbox_kind kind, int64_t due_ms, uint64_t id)
{
    buf_init(key, LEDGER_KEY_MAX);
    put_u8(key, (uint8_t)lanes[kind].letter);
    put_sortable(key, (uint64_t)due_ms);
    put_sortable(key, id);
}

struct record {
    int64_t at_ms;
    uint32_t attempts;
    struct view from, to, text;
};

static int decode(struct view bytes, struct record *out)
{
    struct reader r = reader_of(bytes);
    bool is_ours = get_u8(&r) == RECORD_VERSION;
    out->at_ms = get_i64(&r);
    out->attempts = get_u32(&r);
    out->from = get_bytes(&r, IPC_PATH_MAX);
    out->to = get_bytes(&r, IPC_PATH_MAX);
    out->text = get_bytes(&r, OUTBOX_TEXT_MAX);
    return is_ours && reader_end(&r) == MSA_OK ? MSA_OK : MSA_ECORRUPT;
}

static int write_record(struct outbox *o, enum outbox_kind kind, int64_t due_ms,
                        uint64_t id, const struct record *r)
{
    struct buf key, bytes;
    make_key(&key, kind, due_ms, id);
    buf_init(&bytes, RECORD_MAX);
    put_u8(&bytes, RECORD_VERSION);
    put_i64(&bytes, r->at_ms);
    put_u32(&bytes, r->attempts);
    put_bytes(&bytes, r->from);
    put_bytes(&bytes, r->to);
    put_bytes(&bytes, r->text);
    int err = buf_failed(&bytes) ? MSA_ENOMEM
                                 : ledger_put(o->ledger, LEDGER_NOTICES, buf_view(&key),
                                              buf_view(&bytes));
    buf_fini(&key);
    buf_fini(&bytes);
    return err;
}

static void log_trouble(const char *what, int err)
{
    log_msg(LOG_LEVEL_WARN, "notice-trouble", "%s: %s", what, msa_strerror(err));
}

static void drop(struct outbox *o, enum outbox_kind kind, int64_t due_ms, uint64_t id)
{
    struct buf key;
    make_key(&key, kind, due_ms, id);
    int err = ledger_delete(o->ledger, LEDGER_NOTICES, buf_view(&key));
    if (err < 0)
        log_trouble("a notice that is done with is still kept", err);
    buf_fini(&key);
}

/* ---- what relay refused ---- */

static void log_given_up(enum outbox_kind kind, uint64_t id, const struct record *r)
{
    struct log_line l;
    char text[MSGID_TEXT_MAX];
    msgid_format(id, text);
    log_begin(&l, LOG_LEVEL_WARN, "notice-given-up");
    log_str(&l, "id", text);
    log_str(&l, "kind", lanes[kind].name);
    log_view(&l, "to", r->to);
    log_num(&l, "attempts", r->attempts);
    log_end(&l);
}

/* Doubles, and varies by a quarter so that what failed together does not come again
 * together. */
static int64_t wait_ms(enum outbox_kind kind, uint64_t id, uint32_t attempts)
{
    int64_t wait = WAIT_MAX_MS;
    if (attempts < 12 && lanes[kind].first_wait_ms << attempts < WAIT_MAX_MS)
        wait = lanes[kind].first_wait_ms << attempts;
    uint64_t mixed = (id + attempts) * UINT64_C(0x9e3779b97f4a7c15);
    return wait + (int64_t)((mixed >> 33) % (uint64_t)(wait / 4 + 1));
}

static void postpone(struct outbox *o, enum outbox_kind kind, int64_t due_ms, uint64_t id,
                     struct view bytes)
{
    struct record r;
    int64_t now_ms = clock_wall_ms();
    if (decode(bytes, &r) < 0)
        return;
    r.attempts++;
    if (now_ms - r.at_ms >= lanes[kind].patience_ms) {
        o->given_up_count++;
        log_given_up(kind, id, &r);
        drop(o, kind, due_ms, id);
        return;
    }
    int err = write_record(o, kind, now_ms + wait_ms(kind, id, r.attempts - 1), id, &r);
    if (err == MSA_OK)
        drop(o, kind, due_ms, id);
    else
        log_trouble("a notice that waits could not be moved", err);
}

static void on_refused(struct outbox *o, enum outbox_kind kind, int64_t due_ms,
                       uint64_t id)
{
    struct buf key, bytes;
    make_key(&key, kind, due_ms, id);
    buf_init(&bytes, RECORD_MAX);
    o->retry_count++;
    if (ledger_get(o->ledger, LEDGER_NOTICES, buf_view(&key), &bytes) == MSA_FOUND)
        postpone(o, kind, due_ms, id, buf_view(&bytes));
    buf_fini(&key);
    buf_fini(&bytes);
}

/* ---- to relay ---- */

static void send_waiting(struct outbox *o);

static void settle(struct flight *f, bool is_done)
{
    struct outbox *o = f->outbox;
    uint64_t id = f->id;
    f->id = 0;
    if (is_done) {
        o->sent_count[f->kind]++;
        drop(o, f->kind, f->due_ms, id);
    } else {
        on_refused(o, f->kind, f->due_ms, id);
    }
    send_waiting(o);
}

static void on_mail_answer(void *arg, struct chan_message *m, int err)
{
    struct msg_relay_notice_answer answer = {.is_queued = false};
    if (m && err == MSA_OK)
        err = msg_relay_notice_answer_decode(m->payload, &answer);
    settle(arg, err == MSA_OK && answer.is_queued);
}

static int ask_mail(struct outbox *o, struct flight *f, const struct record *r)
{
    const struct msg_recipient to = {.path = r->to};
    struct buf list;
    buf_init(&list, IPC_PATH_MAX + 64);
    items_add_recipient(&list, &to);
    const struct msg_relay_notice_ask ask = {
        .sender = r->from, .recipients = buf_view(&list), .text = r->text};
    int err = buf_failed(&list)
                  ? MSA_ENOMEM
                  : CHAN_ASK(o->relay, relay_notice_ask, &ask,
                             lanes[OUTBOX_MAIL].answer_ms, on_mail_answer, f, &f->ask);
    buf_fini(&list);
    return err;
}

static void on_call_answer(void *arg, struct chan_message *m, int err)
{
    struct msg_relay_webhook_answer answer = {.is_delivered = false};
    if (m && err == MSA_OK)
        err = msg_relay_webhook_answer_decode(m->payload, &answer);
    settle(arg, err == MSA_OK && answer.is_delivered);
}

static int ask_call(struct outbox *o, struct flight *f, uint64_t id,
                    const struct record *r)
{
    const struct msg_relay_webhook_ask ask = {
        .webhook = r->to, .delivery = id, .event = r->from, .body = r->text};
    return CHAN_ASK(o->relay, relay_webhook_ask, &ask, lanes[OUTBOX_CALL].answer_ms,
                    on_call_answer, f, &f->ask);
}

static struct flight *find_flight(struct outbox *o, enum outbox_kind kind, uint64_t id)
{
    for (size_t i = 0; i < FLIGHT_MAX; i++) {
        if (o->flights[kind][i].id == id)
            return &o->flights[kind][i];
    }
    return NULL;
}

struct walk {
    struct outbox *outbox;
    enum outbox_kind kind;
    int64_t now_ms;
    int64_t next_ms; /* in: the latest; out: when the next one is due */
};

static bool is_durable(const struct outbox *o, uint64_t id)
{
    return o->first_unsafe == 0 || id < o->first_unsafe || id > o->last_unsafe;
}

/* One that is due much later than any wait was put by a clock that ran ahead. */
static bool is_due(const struct walk *w, int64_t due_ms)
{
    return due_ms <= w->now_ms || due_ms - w->now_ms > 2 * WAIT_MAX_MS;
}

static bool begin_flight(struct walk *w, struct flight *f, int64_t due_ms, uint64_t id,
                         struct view value)
{
    struct record r;
    if (decode(value, &r) <
        0) { /* of another version, or damaged: it would stand in the way for ever */
        log_trouble("a kept notice cannot be read and is thrown away", MSA_ECORRUPT);
        drop(w->outbox, w->kind, due_ms, id);
        return true;
    }
    f->due_ms = due_ms;
    int err = w->kind == OUTBOX_MAIL ? ask_mail(w->outbox, f, &r)
                                     : ask_call(w->outbox, f, id, &r);
    if (err < 0)
        return false;
    f->id = id;
    return true;
}

static bool send_one(void *arg, struct view key, struct view value)
{
    struct walk *w = arg;
    if (key.n != 17 || key.p[0] != lanes[w->kind].letter)
        return false;
    int64_t due_ms = (int64_t)get_sortable(view_slice(key, 1, 9));
    uint64_t id = get_sortable(view_slice(key, 9, 17));
    if (!is_due(w, due_ms)) {
        w->next_ms = due_ms < w->next_ms ? due_ms : w->next_ms;
        return false;
    }
    struct flight *f = find_flight(w->outbox, w->kind, 0);
    if (!f || id == 0 || !is_durable(w->outbox, id) ||
        find_flight(w->outbox, w->kind, id))
        return f != NULL;
    return begin_flight(w, f, due_ms, id, value);
}

static void send_waiting(struct outbox *o)
{
    int64_t now_ms = clock_wall_ms();
    struct walk w = {.outbox = o, .now_ms = now_ms, .next_ms = now_ms + TICK_MS};
    for (w.kind = 0; o->relay && w.kind < OUTBOX_KIND_COUNT; w.kind++) {
        const struct view first = {&lanes[w.kind].letter, 1};
        ledger_each(o->ledger, LEDGER_NOTICES, first, send_one, &w);
    }
    (void)timer_start(&o->timer, o->loop, w.next_ms - now_ms); /* it runs: only moved */
}

void outbox_peer_up(struct outbox *o, struct chan *relay)
{
    outbox_peer_down(o);
    o->relay = relay;
    send_waiting(o);
}

void outbox_peer_down(struct outbox *o)
{
    for (unsigned kind = 0; kind < OUTBOX_KIND_COUNT; kind++) {
        for (size_t i = 0; i < FLIGHT_MAX; i++) {
            struct flight *f = &o->flights[kind][i];
            if (o->relay && f->id != 0)
                chan_ask_cancel(o->relay, f->ask);
            f->id = 0;
        }
    }
    o->relay = NULL;
}

/* ---- durable first ---- */

static void sync_unsafe(struct outbox *o);

static void on_synced(void *arg, int err)
{
    struct sync *s = arg;
    struct outbox *o = s->outbox;
    uint64_t last_id = s->last_id;
    free(s);
    if (!o)
        return;
    o->sync = NULL;
    if (err < 0) { /* asked again with the next tick */
        log_trouble("notices are not on the disk yet", err);
        return;
    }
    bool is_all = last_id == o->last_unsafe;
    o->first_unsafe = is_all ? 0 : last_id + 1;
    sync_unsafe(o);
    send_waiting(o);
}

static void sync_unsafe(struct outbox *o)
{
    if (o->first_unsafe == 0 || o->sync)
        return;
    struct sync *s = malloc(sizeof *s);
    if (!s)
        return;
    *s = (struct sync){o, o->last_unsafe};
    o->sync = s;
    if (ledger_sync(o->ledger, on_synced, s) < 0) {
        o->sync = NULL;
        free(s);
    }
}

int outbox_put(struct outbox *o, const struct outbox_item *item)
{
    const struct record r = {
        .at_ms = clock_wall_ms(), .from = item->from, .to = item->to, .text = item->text};
    int err = write_record(o, item->kind, r.at_ms, item->id, &r);
    if (err < 0)
        return err;
    if (o->first_unsafe == 0)
        o->first_unsafe = item->id;
    o->last_unsafe = item->id;
    sync_unsafe(o);
    return MSA_OK;
}

static void on_timer(void *arg)
{
    struct outbox *o = arg;
    sync_unsafe(o);
    send_waiting(o);
}

/* ---- the whole ---- */

static void init_flights(struct outbox *o)
{
    for (unsigned kind = 0; kind < OUTBOX_KIND_COUNT; kind++)
        for (size_t i = 0; i < FLIGHT_MAX; i++)
            o->flights[kind][i] = (struct flight){.outbox = o, .kind = kind};
}

struct outbox *outbox_new(struct loop *loop, struct ledger *ledger)
{
    struct outbox *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->loop = loop;
    o->ledger = ledger;
    init_flights(o);
    timer_init(&o->timer, on_timer, o);
    if (timer_start(&o->timer, loop, TICK_MS) < 0) {
        free(o);
        return NULL;
    }
    return o;
}

void outbox_free(struct outbox **o)
{
    if (!*o)
        return;
    outbox_peer_down(*o);
    if ((*o)->sync)
        (*o)->sync->outbox = NULL;
    timer_stop(&(*o)->timer);
    free(*o);
    *o = NULL;
}

static int count_flights(const struct outbox *o)
{
    int count = 0;
    for (unsigned kind = 0; kind < OUTBOX_KIND_COUNT; kind++)
        for (size_t i = 0; i < FLIGHT_MAX; i++)
            count += o->flights[kind][i].id != 0;
    return count;
}

json_t *outbox_status(const struct outbox *o)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:i}", "is_relay_there", o->relay != NULL,
                     "sent", (json_int_t)o->sent_count[OUTBOX_MAIL], "called",
                     (json_int_t)o->sent_count[OUTBOX_CALL], "retried",
                     (json_int_t)o->retry_count, "given_up",
                     (json_int_t)o->given_up_count, "under_way", count_flights(o));
}
