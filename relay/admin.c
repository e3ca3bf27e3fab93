#include "relay/admin.h"

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/base/utf8.h"
#include "msa/ipc/admin.h"
#include "msa/mail/base64.h"
#include "relay/admin_pool.h"
#include "relay/bodies.h"
#include "relay/hold.h"
#include "relay/envelope.h"
#include "relay/schedule.h"
#include "relay/signing.h"

#define PAGE_DEFAULT   100
#define PAGE_MAX       1000
#define SCANNED_MAX    5000         /* records read for one page, however few fit the filter */
#define RCPTS_SHOWN    200
#define RETURN_TEXT_MAX 400u
#define CAT_MAX_BYTES  (256u << 10) /* twice or more of it in JSON still fits IPC_JSON_MAX */

static json_t *json_view(struct view v)
{
    json_t *text = json_stringn(v.n > 0 ? v.p : "", v.n);
    return text ? text : json_string("?"); /* no UTF-8: nothing that we let in */
}

static json_t *json_id(uint64_t id)
{
    char text[MSGID_TEXT_MAX];
    msgid_format(id, text);
    return json_string(text);
}

/* ---- one message ---- */

static const char *state_name(const struct relay *r, uint64_t id)
{
    const struct queue_entry *e = queue_find(r->queue, id);
    if (!e)
        return "gone"; /* delivered a moment ago, its record still goes */
    return e->held_for != 0 ? "held" : queue_state_name(e->state);
}

/* The words of the reasons, bits of enum hold_reason in their order. */
static const char *const reason_names[] = {"account", "rule", "route", "operator"};

static json_t *json_reasons(const struct relay *r, uint64_t id)
{
    json_t *list = json_array();
    const struct queue_entry *e = queue_find(r->queue, id);
    for (size_t i = 0; e && i < sizeof reason_names / sizeof reason_names[0]; i++) {
        if (e->held_for >> i & 1)
            json_array_append_new(list, json_string(reason_names[i]));
    }
    return list;
}

static int64_t next_attempt_of(const struct relay *r, const struct message *m)
{
    const struct queue_entry *e = queue_find(r->queue, m->id);
    if (e && e->state == QUEUE_WAITING)
        return clock_wall_ms() + e->next_ms - clock_mono_ms();
    return m->next_attempt_ms;
}

static const struct answer *last_answer(const struct message *m)
{
    static const struct answer none;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].answer.code > 0)
            return &m->rcpts[i].answer;
    }
    return &none;
}

static json_t *json_summary(const struct relay *r, const struct message *m)
{
    const struct answer *last = last_answer(m);
    return json_pack("{s:o, s:s, s:o, s:f, s:o, s:o, s:I, s:o, s:i, s:I, s:I, s:I, s:i, s:i, s:o}",
                     "id", json_id(m->id),
                     "state", state_name(r, m->id),
                     "held_for", json_reasons(r, m->id),
                     "score", (double)m->score_milli / 1000.0,
                     "pool", json_view(m->pool),
                     "user", json_view(m->login),
                     "account", (json_int_t)m->account,
                     "sender", json_view(m->sender),
                     "recipient_count", (int)m->rcpt_count,
                     "bytes", (json_int_t)(m->content.prepend.n + m->content.fd_bytes),
                     "arrived_ms", (json_int_t)m->arrival_ms,
                     "next_attempt_ms", (json_int_t)next_attempt_of(r, m),
                     "attempt_count", (int)m->attempt_count,
                     "last_code", (int)last->code,
                     "last_text", json_view(last->text));
}

static json_t *json_rcpts(const struct message *m)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < m->rcpt_count && i < RCPTS_SHOWN; i++) {
        const struct message_rcpt *r = &m->rcpts[i];
        json_array_append_new(list, json_pack("{s:o, s:i, s:s, s:o}", "address", json_view(r->path),
                                              "code", (int)r->answer.code,
                                              "enhanced", r->answer.enhanced,
                                              "text", json_view(r->answer.text)));
    }
    return list;
}

static json_t *json_lines(struct view text)
{
    json_t *list = json_array();
    while (text.n > 0) {
        struct view line = view_trim(view_cut(&text, '\n'));
        if (line.n > 0)
            json_array_append_new(list, json_view(line));
    }
    return list;
}

/* ---- queue.list ---- */

struct page {
    const struct relay *relay;
    json_t *list;
    const char *state; /* filters; NULL or empty: any */
    struct view user;
    struct view sender;
    struct view rcpt;
    struct view pool;
    uint64_t last_id; /* looked at */
    size_t wanted;
};

static bool has_rcpt(const struct message *m, struct view wanted)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (view_eq_nocase(m->rcpts[i].path, wanted))
            return true;
    }
    return false;
}

static bool is_wanted(const struct page *p, const struct message *m)
{
    if (p->user.n > 0 && !view_eq_nocase(p->user, m->login))
        return false;
    if (p->sender.n > 0 && !view_eq_nocase(p->sender, m->sender))
        return false;
    if (p->pool.n > 0 && !view_eq(p->pool, m->pool))
        return false;
    if (p->state && !view_eq(view_cstr(p->state), view_cstr(state_name(p->relay, m->id))))
        return false;
    return p->rcpt.n == 0 || has_rcpt(m, p->rcpt);
}

static bool on_record(void *arg, struct view record)
{
    struct page *p = arg;
    struct message *m;
    if (envelope_decode(record, &m) < 0)
        return true;
    p->last_id = m->id;
    if (is_wanted(p, m))
        json_array_append_new(p->list, json_summary(p->relay, m));
    message_free(&m);
    return json_array_size(p->list) < p->wanted;
}

static size_t page_size(const json_t *args)
{
    int64_t wanted = admin_number(args, "limit", PAGE_DEFAULT);
    return wanted < 1 ? 1 : wanted > PAGE_MAX ? PAGE_MAX : (size_t)wanted;
}

static void list_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    struct view after_text = admin_text(call->args, "after");
    struct view state_text = admin_text(call->args, "state");
    uint64_t after = 0;
    if (after_text.n > 0 && !msgid_parse(after_text, &after)) {
        admin_refuse(call->chan, call->id, 400, "after is to be a message id");
        return;
    }
    struct page p = {
        .relay = r,
        .list = json_array(),
        .state = admin_flag(call->args, "held") ? "held"
                 : state_text.n > 0             ? state_text.p
                                                : NULL, /* jansson ends its strings with NUL */
        .user = admin_text(call->args, "user"),
        .sender = admin_text(call->args, "sender"),
        .rcpt = admin_text(call->args, "recipient"),
        .pool = admin_text(call->args, "pool"),
        .wanted = page_size(call->args),
        .last_id = after,
    };
    bool is_more = spool_page(r->spool, after, SCANNED_MAX, on_record, &p);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:o, s:o}", "messages", p.list, "next",
                          is_more ? json_id(p.last_id) : json_null()));
}

/* ---- one message by id ---- */

/* The id that is asked for; answers 400 itself. */
static bool take_id(const struct admin_call *call, uint64_t *out)
{
    if (msgid_parse(admin_text(call->args, "id"), out))
        return true;
    admin_refuse(call->chan, call->id, 400, "id is to be a message id of 13 characters");
    return false;
}

static struct queue_entry *take_entry(struct relay *r, const struct admin_call *call)
{
    uint64_t id;
    if (!take_id(call, &id))
        return NULL;
    struct queue_entry *e = queue_find(r->queue, id);
    if (!e)
        admin_refuse(call->chan, call->id, 404, "no such message is queued");
    return e;
}

/* The message itself; answers what is wrong. */
static struct message *take_message(struct relay *r, const struct admin_call *call)
{
    uint64_t id;
    struct message *m = NULL;
    if (!take_id(call, &id))
        return NULL;
    int err = spool_load(r->spool, id, &m);
    if (err == MSA_ENOENT)
        admin_refuse(call->chan, call->id, 404, "no such message is queued");
    else if (err < 0)
        admin_refuse(call->chan, call->id, 500, "the message cannot be read: %s", msa_strerror(err));
    return m;
}

static void show_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    struct message *m = take_message(r, call);
    if (!m)
        return;
    char ip[IPADDR_TEXT_MAX];
    ipaddr_format(&m->client_ip, ip);
    json_t *result = json_summary(r, m);
    if (result) {
        json_object_set_new(result, "bytes", json_integer((json_int_t)content_bytes(&m->content)));
        json_object_set_new(result, "client_ip", json_string(ip));
        json_object_set_new(result, "envid", json_view(m->envid));
        json_object_set_new(result, "findings", json_lines(m->findings));
        json_object_set_new(result, "recipients", json_rcpts(m));
    }
    message_free(&m);
    admin_reply(call->chan, call->id, 200, result);
}

static json_t *json_content(struct view bytes, bool is_cut)
{
    struct buf coded;
    json_t *text = json_stringn(bytes.n > 0 ? bytes.p : "", bytes.n);
    if (text)
        return json_pack("{s:o, s:b}", "content", text, "is_cut", (int)is_cut);
    buf_init(&coded, 2 * CAT_MAX_BYTES);
    json_t *result = NULL;
    if (base64_encode(bytes, &coded) == MSA_OK)
        result = json_pack("{s:o, s:b}", "content_base64", json_view(buf_view(&coded)), "is_cut",
                           (int)is_cut);
    buf_fini(&coded);
    return result;
}

static void cat_op(void *state, const struct admin_call *call)
{
    struct message *m = take_message(state, call);
    if (!m)
        return;
    struct buf bytes;
    buf_init(&bytes, CAT_MAX_BYTES + 1);
    uint64_t total = content_bytes(&m->content);
    size_t n = total < CAT_MAX_BYTES ? (size_t)total : CAT_MAX_BYTES;
    char *place = buf_reserve(&bytes, n > 0 ? n : 1);
    if (place && content_copy(&m->content, 0, place, n) == MSA_OK) {
        buf_commit(&bytes, n);
        admin_reply(call->chan, call->id, 200, json_content(buf_view(&bytes), n < total));
    } else {
        admin_refuse(call->chan, call->id, 500, "the content cannot be read");
    }
    buf_fini(&bytes);
    message_free(&m);
}

/* ---- changes ---- */

static void reply_count(const struct admin_call *call, uint32_t count)
{
    admin_reply(call->chan, call->id, 200, json_pack("{s:i}", "message_count", (int)count));
}

static void flush_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    if (admin_flag(call->args, "all")) {
        reply_count(call, hold_flush_all(r));
        return;
    }
    struct queue_entry *e = take_entry(r, call);
    if (!e)
        return;
    hold_flush(r, e);
    reply_count(call, 1);
}

static void hold_or_release(struct relay *r, const struct admin_call *call, bool is_held)
{
    unsigned reasons = is_held ? HELD_FOR_OPERATOR : HELD_FOR_ALL;
    int64_t account = admin_number(call->args, "account", 0);
    if (account > 0) {
        reply_count(call, hold_account(r, (uint64_t)account, reasons, is_held));
        return;
    }
    struct queue_entry *e = take_entry(r, call);
    if (!e)
        return;
    reply_count(call, hold_entry(r, e, reasons, is_held));
}

static void hold_op(void *state, const struct admin_call *call)
{
    hold_or_release(state, call, true);
}

static void release_op(void *state, const struct admin_call *call)
{
    hold_or_release(state, call, false);
}

/* `why` NULL: nobody is told. */
static void remove_one(struct relay *r, const struct admin_call *call, const char *why)
{
    struct queue_entry *e = take_entry(r, call);
    if (!e)
        return;
    int err = hold_delete(r, e, why);
    if (err == MSA_EAGAIN)
        admin_refuse(call->chan, call->id, 409, "the message is being delivered just now");
    else if (err < 0)
        admin_refuse(call->chan, call->id, 500, "it cannot be removed: %s", msa_strerror(err));
    else
        reply_count(call, 1);
}

static void delete_op(void *state, const struct admin_call *call)
{
    remove_one(state, call, NULL);
}

/* The text ends in a bounce: one line, printable, as from a smarthost. */
static bool is_sentence(struct view text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    }
    return text.n > 0 && text.n <= RETURN_TEXT_MAX && utf8_is_valid(text);
}

static void return_op(void *state, const struct admin_call *call)
{
    struct view text = admin_text(call->args, "text");
    if (text.n == 0)
        text = VIEW_LIT("It was looked at and is not sent.");
    if (is_sentence(text))
        remove_one(state, call, text.p); /* jansson ends its strings with NUL */
    else
        admin_refuse(call->chan, call->id, 400, "text is to be one line of at most %u octets",
                     RETURN_TEXT_MAX);
}

/* ---- relay.status ---- */

static json_t *json_signing(const struct relay *r)
{
    struct signing_counts counts;
    signing_get_counts(r->signing, &counts);
    return json_pack("{s:I, s:I, s:I}", "signed_count", (json_int_t)counts.signed_count,
                     "unsigned_count", (json_int_t)counts.unsigned_count,
                     "failed_count", (json_int_t)counts.failed_count);
}

struct oldest {
    int64_t since_ms;
};

static bool on_oldest(void *arg, struct view record)
{
    struct envelope_head head;
    struct oldest *o = arg;
    if (envelope_read_head(record, &head) == MSA_OK)
        o->since_ms = head.arrival_ms;
    return false;
}

static void status_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    struct queue_counts all;
    struct oldest oldest = {0};
    uint64_t used, free_bytes;
    queue_count_all(r->queue, &all);
    spool_usage(r->spool, &used, &free_bytes);
    (void)spool_page(r->spool, 0, 1, on_oldest, &oldest);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:o, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
                          "queue", admin_queue_counts(&all),
                          "oldest_arrived_ms", (json_int_t)oldest.since_ms,
                          "used_bytes", (json_int_t)used,
                          "free_bytes", (json_int_t)free_bytes,
                          "is_refusing", bodies_refusal(r) < 0,
                          "committing_count", (json_int_t)committer_waiting(r->committer),
                          "handed_over_count", (json_int_t)r->accepted_count,
                          "queued_count", (json_int_t)r->queued_count,
                          "refused_count", (json_int_t)r->refused_count,
                          "failed_count", (json_int_t)r->failed_count,
                          "bounce_count", (json_int_t)r->bounce_count,
                          "dkim", json_signing(r),
                          "pools", admin_pool_list(r),
                          "health", admin_pool_health(r)));
}

static const struct admin_op ops[] = {
    {"queue.list", list_op, false},      {"queue.show", show_op, false},
    {"queue.cat", cat_op, true}, /* somebody's mail is read: that leaves a line */
    {"queue.flush", flush_op, true},     {"queue.hold", hold_op, true},
    {"queue.release", release_op, true}, {"queue.delete", delete_op, true},
    {"queue.return", return_op, true},
    {"relay.status", status_op, false},
    {"pool.list", admin_pool_list_op, false}, {"pool.show", admin_pool_show_op, false},
};

int relay_admin_on_ask(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(ops, sizeof ops / sizeof ops[0], owner, c, m);
}
