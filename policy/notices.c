#include "policy/notices.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/codec.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/notice/letter.h"
#include "policy/notice/template.h"
#include "policy/outbox.h"

/* In LEDGER_NOTICES besides what waits (outbox.c) and tell.c's marks; numbers with the highest byte first:
 *
 *   't' day kind account restriction subject    that matter was told; no value but a mark
 */
#define KEY_TOLD 't'

#define BODY_MAX      (64u << 10)
#define WALK_MAX      1000
#define SUBJECT_BYTES 32
#define TICK_MS       10000
#define HOUR_MS       3600000
#define DAY_MS        86400000

struct notices {
    struct loop *loop;
    struct ledger *ledger;
    struct outbox *outbox;
    struct notices_config config;
    struct timer tick;
    int64_t hour;          /* since 1970, that the two below count in */
    uint32_t desk_count;
    uint32_t desk_unsaid;
    int64_t swept_day;
    uint32_t walked;
    uint64_t told_count, repeated_count, failed_count;
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

static void log_trouble(const char *what, int err)
{
    log_msg(LOG_LEVEL_WARN, "notice-trouble", "%s: %s", what, msa_strerror(err));
}

/* ---- writing one ---- */

static int write_letter(struct notices *n, struct view to, enum notice_language language,
                        struct view subject, struct view body)
{
    const struct letter l = {
        .id = msgid_next(),
        .at_ms = clock_wall_ms(),
        .offset_min = n->config.offset_min,
        .from = view_cstr(n->config.from),
        .to = to,
        .subject = subject,
        .language = view_cstr(notice_language_code(language)),
        .body = body,
    };
    struct buf mail;
    buf_init(&mail, OUTBOX_TEXT_MAX);
    int err = letter_write(&l, &mail);
    const struct outbox_item item = {
        .kind = OUTBOX_MAIL, .id = l.id, .from = l.from, .to = to, .text = buf_view(&mail)};
    if (err == MSA_OK)
        err = outbox_put(n->outbox, &item);
    buf_fini(&mail);
    return err;
}

static struct view template_for(const struct notices *n, enum notice_language language,
                                enum notice_reader reader, enum matter_kind kind)
{
    const char *own = n->config.templates[language][reader][kind];
    return own ? view_cstr(own) : notice_text(language, reader, kind);
}

static int write_notice(struct notices *n, const struct matter *m, enum notice_reader reader,
                        struct view to, enum notice_language language)
{
    struct buf subject, body;
    buf_init(&subject, 4 * TEMPLATE_VALUE_MAX);
    buf_init(&body, BODY_MAX);
    int err = template_fill(template_for(n, language, reader, m->kind), m, n->config.offset_min,
                            &subject, &body);
    if (err == MSA_OK)
        err = write_letter(n, to, language, buf_view(&subject), buf_view(&body));
    buf_fini(&subject);
    buf_fini(&body);
    return err;
}

/* ---- no flood ---- */

/* A suspension and its end are matters of their own; of the rest one a day for the account, and for the rule. */
static void key_of_matter(struct buf *key, const struct matter *m)
{
    bool is_single = m->kind == MATTER_SUSPENDED || m->kind == MATTER_LOCKED_BY_OWNER ||
                     m->kind == MATTER_RELEASED;
    bool is_by_rule = m->kind == MATTER_HELD || m->kind == MATTER_LIMITED || m->kind == MATTER_WARNED;
    buf_init(key, LEDGER_KEY_MAX);
    put_u8(key, KEY_TOLD);
    put_sortable(key, (uint64_t)(m->at_ms / DAY_MS));
    put_u8(key, (uint8_t)m->kind);
    put_sortable(key, m->account);
    put_sortable(key, is_single ? m->restriction : 0);
    buf_add(key, is_by_rule ? view_slice(m->rule, 0, SUBJECT_BYTES) : VIEW_EMPTY);
}

/* Was it told before? When the ledger cannot say, telling twice is the lesser evil. */
static bool is_told(struct notices *n, const struct matter *m)
{
    struct buf key, value;
    buf_init(&value, 16);
    key_of_matter(&key, m);
    bool is_known = ledger_get(n->ledger, LEDGER_NOTICES, buf_view(&key), &value) == MSA_FOUND;
    buf_fini(&key);
    buf_fini(&value);
    return is_known;
}

/* Comes behind what is put into the outbox, and in the same turn: it is never on the disk without that. */
static int mark_told(struct notices *n, const struct matter *m)
{
    struct buf key;
    key_of_matter(&key, m);
    int err = ledger_put(n->ledger, LEDGER_NOTICES, buf_view(&key), VIEW_LIT("1"));
    buf_fini(&key);
    return err;
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
        (void)write_letter(n, view_cstr(n->config.desk), n->config.desk_language,
                           buf_view(&subject), buf_view(&body));
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

static int tell_desk(struct notices *n, const struct matter *m)
{
    turn_hour(n);
    if (n->desk_count >= n->config.desk_per_hour) {
        n->desk_unsaid++;
        return MSA_OK;
    }
    n->desk_count++;
    return write_notice(n, m, NOTICE_DESK, view_cstr(n->config.desk), n->config.desk_language);
}

static int call_one(struct notices *n, const struct notices_hook *hook, const struct matter *m,
                    struct view body)
{
    const struct outbox_item item = {
        .kind = OUTBOX_CALL,
        .id = msgid_next(),
        .from = view_cstr(matter_kind_name(m->kind)),
        .to = view_cstr(hook->name),
        .text = body,
    };
    return body.n <= IPC_CALL_MAX ? outbox_put(n->outbox, &item) : MSA_ETOOBIG;
}

static bool wants(unsigned events, const struct matter *m)
{
    return (events & 1u << m->kind) != 0;
}

static bool is_wanted(const struct notices *n, const struct matter *m)
{
    bool is = n->config.from[0] != '\0' && wants(n->config.events, m);
    for (size_t i = 0; i < n->config.hook_count; i++)
        is |= wants(n->config.hooks[i].events, m);
    return is;
}

static int call_hooks(struct notices *n, const struct matter *m)
{
    int err = MSA_OK;
    json_t *o = n->config.hook_count > 0 ? matter_json(m) : NULL;
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text)
        return n->config.hook_count > 0 ? MSA_ENOMEM : MSA_OK;
    for (size_t i = 0; i < n->config.hook_count; i++) {
        const struct notices_hook *hook = &n->config.hooks[i];
        int one = wants(hook->events, m) ? call_one(n, hook, m, view_cstr(text)) : MSA_OK;
        err = err < 0 ? err : one;
    }
    free(text);
    return err;
}

/* Whoever can be told is, also when another cannot: the first error. */
static int tell_all(struct notices *n, const struct matter *m, struct view customer,
                    enum notice_language language)
{
    bool is_mailed = n->config.from[0] != '\0' && wants(n->config.events, m);
    int err = MSA_OK, desk_err = MSA_OK;
    if (is_mailed && n->config.is_to_customer && letter_is_address(customer))
        err = write_notice(n, m, NOTICE_CUSTOMER, customer, language);
    if (is_mailed && n->config.desk[0] != '\0')
        desk_err = tell_desk(n, m);
    int hook_err = call_hooks(n, m);
    return err < 0 ? err : desk_err < 0 ? desk_err : hook_err;
}

int notices_try(struct notices *n, const struct matter *m, struct view customer,
                enum notice_language language)
{
    return is_wanted(n, m) ? tell_all(n, m, customer, language) : MSA_OK;
}

void notices_tell(struct notices *n, const struct matter *m, struct view customer,
                  enum notice_language language)
{
    if (!is_wanted(n, m))
        return;
    if (is_told(n, m)) {
        n->repeated_count++;
        return;
    }
    int err = tell_all(n, m, customer, language);
    if (err == MSA_OK)
        err = mark_told(n, m);
    n->told_count += err == MSA_OK;
    n->failed_count += err < 0;
    if (err < 0)
        log_trouble("a matter could not be told", err);
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
    timer_init(&n->tick, on_tick, n);
    n->outbox = outbox_new(loop, ledger);
    if (!n->outbox || timer_start(&n->tick, loop, TICK_MS) < 0)
        notices_free(&n);
    return n;
}

void notices_free(struct notices **n)
{
    if (!*n)
        return;
    outbox_free(&(*n)->outbox);
    timer_stop(&(*n)->tick);
    free(*n);
    *n = NULL;
}

void notices_peer_up(struct notices *n, struct chan *relay)
{
    outbox_peer_up(n->outbox, relay);
}

void notices_peer_down(struct notices *n)
{
    outbox_peer_down(n->outbox);
}

void notices_take_config(struct notices *n, const struct notices_config *config)
{
    n->config = *config;
}

json_t *notices_status(const struct notices *n)
{
    return json_pack("{s:I, s:I, s:I, s:i, s:o}", "told", (json_int_t)n->told_count, "repeated",
                     (json_int_t)n->repeated_count, "failed", (json_int_t)n->failed_count,
                     "desk_unsaid", (int)n->desk_unsaid, "outbox", outbox_status(n->outbox));
}
