#include "policy/notices.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/codec.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/ipc/messages.h"
#include "policy/notice/letter.h"
#include "policy/notice/template.h"

/* Keys in LEDGER_NOTICES, numbers with the highest byte first so that they sort:
 *
 *   'o' id                                      a notice to be sent: version, sender, recipient, text
 *   't' day kind account restriction subject    that matter was told; no value but a mark
 */
#define KEY_OUT  'o'
#define KEY_TOLD 't'

#define RECORD_VERSION 1
#define BODY_MAX       (64u << 10)
#define MAIL_MAX       (128u << 10)
#define FLIGHT_MAX     16 /* asked of relay at a time */
#define WALK_MAX       1000
#define SUBJECT_BYTES  32
#define TICK_MS        10000
#define ANSWER_MS      30000
#define HOUR_MS        3600000
#define DAY_MS         86400000

struct flight {
    struct notices *notices;
    uint64_t id; /* of the notice; 0: free */
    uint64_t ask;
};

struct notices {
    struct loop *loop;
    struct ledger *ledger;
    struct chan *relay;
    struct notices_config config;
    struct timer tick;
    struct flight flights[FLIGHT_MAX];
    int64_t hour;          /* since 1970, that the two below count in */
    uint32_t desk_count;
    uint32_t desk_unsaid;
    int64_t swept_day;
    uint32_t walked;
    uint64_t sent_count, repeated_count, failed_count;
};

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

static void key_of_notice(struct buf *key, uint64_t id)
{
    buf_init(key, LEDGER_KEY_MAX);
    put_u8(key, KEY_OUT);
    put_sortable(key, id);
}

static void log_trouble(const char *what, int err)
{
    log_msg(LOG_LEVEL_WARN, "notice-trouble", "%s: %s", what, msa_strerror(err));
}

/* ---- to relay ---- */

static void drop(struct notices *n, uint64_t id)
{
    struct buf key;
    key_of_notice(&key, id);
    int err = ledger_delete(n->ledger, LEDGER_NOTICES, buf_view(&key));
    if (err < 0)
        log_trouble("a notice that was sent is still kept", err);
    buf_fini(&key);
}

static struct flight *find_flight(struct notices *n, uint64_t id)
{
    for (size_t i = 0; i < FLIGHT_MAX; i++) {
        if (n->flights[i].id == id)
            return &n->flights[i];
    }
    return NULL;
}

/* What was not queued waits for the next tick; only a yes sends the next ones at once. */
static void send_waiting(struct notices *n);

static void on_relay_answer(void *arg, struct chan_message *m, int err)
{
    struct flight *f = arg;
    struct notices *n = f->notices;
    struct msg_relay_notice_answer answer = {.is_queued = false};
    uint64_t id = f->id;
    f->id = 0;
    if (m && err == MSA_OK)
        err = msg_relay_notice_answer_decode(m->payload, &answer);
    if (err < 0 || !answer.is_queued)
        return;
    n->sent_count++;
    drop(n, id);
    send_waiting(n);
}

static int ask_relay(struct notices *n, struct flight *f, struct view record)
{
    struct reader r = reader_of(record);
    bool is_known = get_u8(&r) == RECORD_VERSION;
    struct msg_relay_notice_ask ask = {.sender = get_bytes(&r, IPC_PATH_MAX)};
    const struct msg_recipient to = {.path = get_bytes(&r, IPC_PATH_MAX)};
    ask.text = get_bytes(&r, MAIL_MAX);
    if (!is_known || reader_end(&r) < 0)
        return MSA_EPROTO;
    struct buf list;
    buf_init(&list, IPC_PATH_MAX + 64);
    items_add_recipient(&list, &to);
    ask.recipients = buf_view(&list);
    int err = buf_failed(&list) ? MSA_ENOMEM
                                : CHAN_ASK(n->relay, relay_notice_ask, &ask, ANSWER_MS,
                                           on_relay_answer, f, &f->ask);
    buf_fini(&list);
    return err;
}

static bool send_one(void *arg, struct view key, struct view value)
{
    struct notices *n = arg;
    if (key.n != 9 || key.p[0] != KEY_OUT)
        return false;
    uint64_t id = get_sortable(view_slice(key, 1, key.n));
    struct flight *f = find_flight(n, 0);
    if (!f || id == 0 || find_flight(n, id))
        return f != NULL;
    int err = ask_relay(n, f, value);
    if (err == MSA_OK)
        f->id = id;
    if (err == MSA_EPROTO) { /* of another version, or damaged: it would stand in the way for ever */
        log_trouble("a kept notice cannot be read and is thrown away", err);
        drop(n, id);
    }
    return err == MSA_OK || err == MSA_EPROTO;
}

static void send_waiting(struct notices *n)
{
    if (n->relay)
        ledger_each(n->ledger, LEDGER_NOTICES, VIEW_LIT("o"), send_one, n);
}

void notices_peer_up(struct notices *n, struct chan *relay)
{
    notices_peer_down(n);
    n->relay = relay;
    send_waiting(n);
}

void notices_peer_down(struct notices *n)
{
    for (size_t i = 0; i < FLIGHT_MAX; i++) {
        if (n->relay && n->flights[i].id != 0)
            chan_ask_cancel(n->relay, n->flights[i].ask);
        n->flights[i].id = 0;
    }
    n->relay = NULL;
}

/* ---- writing one ---- */

static void on_synced(void *arg, int err)
{
    (void)arg;
    if (err < 0)
        log_trouble("a notice is not on the disk yet", err);
}

static int keep(struct notices *n, const struct letter *l)
{
    struct buf mail, record, key;
    buf_init(&mail, MAIL_MAX);
    buf_init(&record, MAIL_MAX + 2048);
    key_of_notice(&key, l->id);
    int err = letter_write(l, &mail);
    put_u8(&record, RECORD_VERSION);
    put_bytes(&record, l->from);
    put_bytes(&record, l->to);
    put_bytes(&record, buf_view(&mail));
    if (err == MSA_OK && buf_failed(&record))
        err = MSA_ENOMEM;
    if (err == MSA_OK)
        err = ledger_put(n->ledger, LEDGER_NOTICES, buf_view(&key), buf_view(&record));
    buf_fini(&key);
    buf_fini(&record);
    buf_fini(&mail);
    return err;
}

static void write_letter(struct notices *n, struct view to, enum notice_language language,
                         struct buf *subject, struct buf *body)
{
    const struct letter l = {
        .id = msgid_next(),
        .at_ms = clock_wall_ms(),
        .offset_min = n->config.offset_min,
        .from = view_cstr(n->config.from),
        .to = to,
        .subject = buf_view(subject),
        .language = view_cstr(notice_language_code(language)),
        .body = buf_view(body),
    };
    int err = keep(n, &l);
    if (err < 0) {
        n->failed_count++;
        log_trouble("a notice could not be written", err);
    }
}

static void write_notice(struct notices *n, const struct matter *m, enum notice_reader reader,
                         struct view to, enum notice_language language)
{
    struct buf subject, body;
    buf_init(&subject, 4 * TEMPLATE_VALUE_MAX);
    buf_init(&body, BODY_MAX);
    int err = template_fill(notice_text(language, reader, m->kind), m, n->config.offset_min,
                            &subject, &body);
    if (err == MSA_OK)
        write_letter(n, to, language, &subject, &body);
    else
        log_trouble("a notice could not be worded", err);
    buf_fini(&subject);
    buf_fini(&body);
}

/* ---- no flood ---- */

static void key_of_matter(struct buf *key, const struct matter *m)
{
    struct view subject = m->kind == MATTER_OVERSEAS ? m->country : VIEW_EMPTY;
    if (m->restriction == 0 && m->kind != MATTER_OVERSEAS && m->kind != MATTER_LOCKED)
        subject = m->rule;
    buf_init(key, LEDGER_KEY_MAX);
    put_u8(key, KEY_TOLD);
    put_sortable(key, (uint64_t)(m->at_ms / DAY_MS));
    put_u8(key, (uint8_t)m->kind);
    put_sortable(key, m->account);
    put_sortable(key, m->kind == MATTER_LOCKED || m->kind == MATTER_OVERSEAS ? 0 : m->restriction);
    buf_add(key, view_slice(subject, 0, SUBJECT_BYTES));
}

/* Was it told before? From now on it was. When the ledger cannot say, telling twice is the lesser evil. */
static bool is_repeated(struct notices *n, const struct matter *m)
{
    struct buf key, value;
    buf_init(&value, 16);
    key_of_matter(&key, m);
    bool is_known =
        ledger_get(n->ledger, LEDGER_NOTICES, buf_view(&key), &value) == MSA_FOUND;
    if (!is_known)
        (void)ledger_put(n->ledger, LEDGER_NOTICES, buf_view(&key), VIEW_LIT("1"));
    buf_fini(&key);
    buf_fini(&value);
    return is_known;
}

static void write_digest(struct notices *n)
{
    struct buf subject, body;
    buf_init(&subject, 256);
    buf_init(&body, 1024);
    bool is_english = n->config.desk_language == NOTICE_ENGLISH;
    buf_addf(&subject, is_english ? "[msad] %u more matters" : "[msad] ほかに %u 件",
             n->desk_unsaid);
    buf_addf(&body,
             is_english ? "%u more matters in the last hour were not mailed one by one.\r\n"
                        : "直近1時間に、個別に通知しなかった事案がほかに %u 件あります。\r\n",
             n->desk_unsaid);
    if (n->config.from[0] != '\0' && n->config.desk[0] != '\0')
        write_letter(n, view_cstr(n->config.desk), n->config.desk_language, &subject, &body);
    buf_fini(&subject);
    buf_fini(&body);
}

/* A clock that steps back begins another hour, too: it cannot silence the desk. */
static void turn_hour(struct notices *n)
{
    int64_t hour = clock_wall_ms() / HOUR_MS;
    if (hour == n->hour)
        return;
    if (n->desk_unsaid > 0)
        write_digest(n);
    n->hour = hour;
    n->desk_count = n->desk_unsaid = 0;
}

static void tell_desk(struct notices *n, const struct matter *m)
{
    turn_hour(n);
    if (n->desk_count >= n->config.desk_per_hour) {
        n->desk_unsaid++;
        return;
    }
    n->desk_count++;
    write_notice(n, m, NOTICE_DESK, view_cstr(n->config.desk), n->config.desk_language);
}

void notices_tell(struct notices *n, const struct matter *m, struct view customer,
                  enum notice_language language)
{
    if (n->config.from[0] == '\0' || !(n->config.events & 1u << m->kind))
        return;
    if (is_repeated(n, m)) {
        n->repeated_count++;
        return;
    }
    if (n->config.is_to_customer && customer.n > 0)
        write_notice(n, m, NOTICE_CUSTOMER, customer, language);
    if (n->config.desk[0] != '\0')
        tell_desk(n, m);
    (void)ledger_sync(n->ledger, on_synced, n);
    send_waiting(n);
}

/* ---- now and then ---- */

static bool forget_one(void *arg, struct view key, struct view value)
{
    struct notices *n = arg;
    (void)value;
    if (key.n < 9 || key.p[0] != KEY_TOLD || n->walked++ >= WALK_MAX)
        return false;
    if ((int64_t)get_sortable(view_slice(key, 1, 9)) >= n->swept_day - 1)
        return false;
    return ledger_delete(n->ledger, LEDGER_NOTICES, key) == MSA_OK;
}

static void on_tick(void *arg)
{
    struct notices *n = arg;
    n->swept_day = clock_wall_ms() / DAY_MS;
    n->walked = 0;
    ledger_each(n->ledger, LEDGER_NOTICES, VIEW_LIT("t"), forget_one, n);
    turn_hour(n);
    send_waiting(n);
    (void)timer_start(&n->tick, n->loop, TICK_MS);
}

/* ---- the whole ---- */

struct notices *notices_new(struct loop *loop, struct ledger *ledger)
{
    struct notices *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->loop = loop;
    n->ledger = ledger;
    n->hour = clock_wall_ms() / HOUR_MS;
    for (size_t i = 0; i < FLIGHT_MAX; i++)
        n->flights[i].notices = n;
    timer_init(&n->tick, on_tick, n);
    if (timer_start(&n->tick, loop, TICK_MS) < 0) {
        free(n);
        return NULL;
    }
    return n;
}

void notices_free(struct notices **n)
{
    if (!*n)
        return;
    notices_peer_down(*n);
    timer_stop(&(*n)->tick);
    free(*n);
    *n = NULL;
}

void notices_take_config(struct notices *n, const struct notices_config *config)
{
    n->config = *config;
}

json_t *notices_status(const struct notices *n)
{
    unsigned under_way = 0;
    for (size_t i = 0; i < FLIGHT_MAX; i++)
        under_way += n->flights[i].id != 0;
    return json_pack("{s:b, s:I, s:I, s:I, s:i, s:i}", "is_relay_there", n->relay != NULL, "sent",
                     (json_int_t)n->sent_count, "repeated", (json_int_t)n->repeated_count, "failed",
                     (json_int_t)n->failed_count, "under_way", (int)under_way, "desk_unsaid",
                     (int)n->desk_unsaid);
}
