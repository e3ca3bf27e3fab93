/* One mail transaction. Two cursors walk the steps RSET, MAIL, RCPT…, DATA, BODY: what is sent next, and whose
 * answer comes next; PIPELINING lets the first run ahead. Recipients that are not pending, or left out
 * of this attempt, take no part. */
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "relay/client_impl.h"

#define WINDOW           100         /* commands sent and not answered (RFC 2920 section 3.1) */
#define BDAT_AHEAD_BYTES (64u << 10) /* a body up to this goes out with its envelope */

static bool offers(const struct client *c, enum ehlo_capability capability)
{
    return (c->caps.capabilities & capability) != 0;
}

/* ---- is it possible at all? ---- */

static bool is_utf8_path(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)v.p[i] > 127)
            return true;
    }
    return false;
}

static const char *refuse(struct message *m, uint16_t code, const char *enhanced, const char *text)
{
    message_answer_open(m, code, enhanced, view_cstr(text));
    return text;
}

/* NULL, or the reason why this session cannot carry `m`; then the answers say it, too. */
static const char *find_mismatch(const struct client *c, struct message *m)
{
    if (message_has(m, MESSAGE_REQUIRETLS) &&
        !(c->is_tls && c->is_tls_verified && offers(c, EHLO_REQUIRETLS)))
        return refuse(m, 550, "5.7.30", "the next server does not support REQUIRETLS");
    if (c->caps.size_max > 0 && message_bytes(m) > c->caps.size_max)
        return refuse(m, 552, "5.3.4", "the message is larger than the next server takes");
    if (m->body_type == BODY_BINARYMIME && !(offers(c, EHLO_BINARYMIME) && offers(c, EHLO_CHUNKING)))
        return refuse(m, 554, "5.6.3", "the next server does not take binary MIME");
    if (m->body_type == BODY_8BITMIME && !offers(c, EHLO_8BITMIME))
        return refuse(m, 554, "5.6.3", "the next server does not take 8-bit mail");
    if (!offers(c, EHLO_SMTPUTF8) && message_needs_smtputf8(m))
        return refuse(m, 553, "5.6.7", "the next server does not take internationalized mail");
    return NULL;
}

/* ---- sending ---- */

static void add_mail(struct client *c)
{
    static const char *const body[] = {" BODY=7BIT", " BODY=8BITMIME", " BODY=BINARYMIME"};
    const struct message *m = c->m;
    struct buf *b = &c->out;
    buf_add(b, VIEW_LIT("MAIL FROM:<"));
    buf_add(b, m->sender);
    buf_add_char(b, '>');
    if (offers(c, EHLO_SIZE)) {
        buf_add(b, VIEW_LIT(" SIZE="));
        buf_add_u64(b, message_bytes(m));
    }
    if (m->body_type != BODY_7BIT)
        buf_add_cstr(b, body[m->body_type]);
    if (offers(c, EHLO_SMTPUTF8) && (message_has(m, MESSAGE_SMTPUTF8) || message_needs_smtputf8(m)))
        buf_add(b, VIEW_LIT(" SMTPUTF8"));
    if (message_has(m, MESSAGE_REQUIRETLS))
        buf_add(b, VIEW_LIT(" REQUIRETLS"));
    if (offers(c, EHLO_DSN) && m->dsn_ret != RET_UNSET)
        buf_add_cstr(b, m->dsn_ret == RET_HDRS ? " RET=HDRS" : " RET=FULL");
    if (offers(c, EHLO_DSN) && m->envid.n > 0) {
        buf_add(b, VIEW_LIT(" ENVID="));
        buf_add(b, m->envid);
    }
    buf_add(b, VIEW_LIT("\r\n"));
}

static void add_notify(struct buf *b, unsigned notify)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{NOTIFY_NEVER, "NEVER"},
                 {NOTIFY_SUCCESS, "SUCCESS"},
                 {NOTIFY_FAILURE, "FAILURE"},
                 {NOTIFY_DELAY, "DELAY"}};
    const char *before = " NOTIFY=";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!(notify & words[i].bit))
            continue;
        buf_add_cstr(b, before);
        buf_add_cstr(b, words[i].word);
        before = ",";
    }
}

static void add_rcpt(struct client *c, const struct message_rcpt *r)
{
    struct buf *b = &c->out;
    buf_add(b, VIEW_LIT("RCPT TO:<"));
    buf_add(b, r->path);
    buf_add_char(b, '>');
    if (offers(c, EHLO_DSN))
        add_notify(b, r->notify);
    /* An ORCPT of type utf-8 needs an ASCII form where SMTPUTF8 is not spoken (RFC 6533 section 3). */
    if (offers(c, EHLO_DSN) && r->orcpt.n > 0 && (offers(c, EHLO_SMTPUTF8) || !is_utf8_path(r->orcpt))) {
        buf_add(b, VIEW_LIT(" ORCPT="));
        buf_add(b, r->orcpt);
    }
    buf_add(b, VIEW_LIT("\r\n"));
}

static void add_data(struct client *c)
{
    if (!c->is_bdat) {
        buf_add(&c->out, VIEW_LIT("DATA\r\n"));
        return;
    }
    buf_add(&c->out, VIEW_LIT("BDAT "));
    buf_add_u64(&c->out, message_bytes(c->m));
    buf_add(&c->out, VIEW_LIT(" LAST\r\n"));
}

/* The first recipient of this transaction from `at` on, or rcpt_end. */
static uint32_t next_rcpt(const struct client *c, uint32_t at)
{
    while (at < c->rcpt_end && !message_is_tried(&c->m->rcpts[at]))
        at++;
    return at;
}

/* Those beyond what the server takes at once (RFC 9422) are for another time. */
static void set_rcpt_end(struct client *c)
{
    struct message *m = c->m;
    uint64_t left = c->caps.rcpt_max > 0 ? c->caps.rcpt_max : UINT64_MAX;
    c->rcpt_end = 0;
    for (; c->rcpt_end < m->rcpt_count && left > 0; c->rcpt_end++)
        left -= message_is_tried(&m->rcpts[c->rcpt_end]);
    for (uint32_t i = c->rcpt_end; i < m->rcpt_count; i++) {
        if (message_is_tried(&m->rcpts[i]))
            message_answer(m, &m->rcpts[i], 452, "4.5.3", VIEW_LIT("too many recipients at once"));
    }
}

static bool may_send_data(const struct client *c)
{
    if (c->outstanding_count == 0)
        return true;
    if (!offers(c, EHLO_PIPELINING))
        return false;
    return !c->is_bdat || message_bytes(c->m) <= BDAT_AHEAD_BYTES;
}

static bool may_send(const struct client *c)
{
    if (c->is_mail_refused)
        return false;
    switch (c->send) {
    case CLIENT_STEP_RSET:
    case CLIENT_STEP_MAIL:
    case CLIENT_STEP_RCPT:
        return c->outstanding_count == 0 || (offers(c, EHLO_PIPELINING) && c->outstanding_count < WINDOW);
    case CLIENT_STEP_DATA: return may_send_data(c);
    case CLIENT_STEP_BODY:
    case CLIENT_STEP_END: return false; /* client_body's part */
    }
    return false;
}

static void finish(struct client *c, bool is_clean)
{
    c->m = NULL;
    c->needs_rset = !is_clean;
    c->transaction_count++;
    c->phase = CLIENT_IDLE;
}

static void send_next(struct client *c)
{
    c->outstanding_count++;
    switch (c->send) {
    case CLIENT_STEP_RSET:
        buf_add(&c->out, VIEW_LIT("RSET\r\n"));
        c->send = CLIENT_STEP_MAIL;
        break;
    case CLIENT_STEP_MAIL:
        add_mail(c);
        c->send = CLIENT_STEP_RCPT;
        break;
    case CLIENT_STEP_RCPT:
        add_rcpt(c, &c->m->rcpts[c->send_rcpt]);
        c->send_rcpt = next_rcpt(c, c->send_rcpt + 1);
        if (c->send_rcpt == c->rcpt_end)
            c->send = CLIENT_STEP_DATA;
        break;
    default:
        add_data(c);
        c->send = CLIENT_STEP_BODY;
        break;
    }
}

static void pump(struct client *c)
{
    while (c->phase == CLIENT_TRANSACTION && may_send(c)) {
        bool is_answered = c->send == CLIENT_STEP_DATA && c->outstanding_count == 0;
        if (is_answered && c->accepted_count == 0)
            finish(c, false); /* nobody is left to send it to */
        else
            send_next(c);
    }
}

bool client_begin(struct client *c, struct message *m)
{
    MSA_ASSERT(c->phase == CLIENT_IDLE);
    message_clear_answers(m);
    if (find_mismatch(c, m))
        return false;
    c->m = m;
    c->phase = CLIENT_TRANSACTION;
    c->send = c->await = c->needs_rset ? CLIENT_STEP_RSET : CLIENT_STEP_MAIL;
    set_rcpt_end(c);
    c->send_rcpt = c->await_rcpt = next_rcpt(c, 0);
    MSA_ASSERT(c->send_rcpt < c->rcpt_end);
    c->outstanding_count = c->accepted_count = 0;
    c->is_rset_refused = c->is_mail_refused = c->is_body_ended = false;
    c->is_bdat = offers(c, EHLO_CHUNKING);
    stuff_init(&c->stuff);
    pump(c);
    return true;
}

/* ---- answers ---- */

static void answer_open(struct client *c, const struct reply *r)
{
    char enhanced[ENHANCED_TEXT_SIZE];
    reply_enhanced_text(r, enhanced);
    message_answer_open(c->m, (uint16_t)r->code, enhanced, reply_text(r));
}

static void on_rset(struct client *c, const struct reply *r)
{
    c->await = CLIENT_STEP_MAIL;
    c->is_rset_refused = !client_is_positive(r);
}

/* Behind a refused RSET a refusal is for what was before: it says nothing of this message, and the session cannot go on.
 * A MAIL that is taken has reset it by itself (RFC 5321 section 4.1.1.2). */
static void on_mail(struct client *c, const struct reply *r)
{
    c->await = CLIENT_STEP_RCPT;
    if (client_is_positive(r))
        return;
    if (c->is_rset_refused) {
        client_fail_reply(c, CLIENT_FAIL_PROTOCOL, r);
        return;
    }
    answer_open(c, r);
    c->is_mail_refused = true;
    if (c->outstanding_count == 0)
        finish(c, false);
}

static void answer_rcpt(struct client *c, struct message_rcpt *rcpt, const struct reply *r)
{
    char enhanced[ENHANCED_TEXT_SIZE];
    reply_enhanced_text(r, enhanced);
    message_answer(c->m, rcpt, (uint16_t)r->code, enhanced, reply_text(r));
}

/* After a refused MAIL what is said to its recipients means nothing. */
static void on_rcpt(struct client *c, const struct reply *r)
{
    struct message_rcpt *rcpt = &c->m->rcpts[c->await_rcpt];
    c->await_rcpt = next_rcpt(c, c->await_rcpt + 1);
    if (c->await_rcpt == c->rcpt_end)
        c->await = CLIENT_STEP_DATA;
    if (c->is_mail_refused) {
        if (c->outstanding_count == 0 && c->send <= CLIENT_STEP_DATA)
            finish(c, false);
        return;
    }
    if (client_is_positive(r))
        c->accepted_count++; /* it stays open until the message itself is answered */
    else
        answer_rcpt(c, rcpt, r);
}

/* Those still open are the accepted ones. */
static void on_data(struct client *c, const struct reply *r)
{
    if (r->code == 354) {
        c->await = CLIENT_STEP_BODY;
        return;
    }
    if (client_is_positive(r)) {
        client_fail(c, CLIENT_FAIL_PROTOCOL, "DATA was answered with success");
        return;
    }
    answer_open(c, r);
    finish(c, false);
}

static void on_body(struct client *c, const struct reply *r)
{
    answer_open(c, r);
    finish(c, client_is_positive(r) && c->accepted_count > 0);
}

static bool is_expected(const struct client *c, const struct reply *r)
{
    bool is_354 = c->await == CLIENT_STEP_DATA && !c->is_bdat && r->code == 354;
    return is_354 || client_is_positive(r) || (r->code >= 400 && r->code < 600);
}

void client_txn_on_reply(struct client *c, const struct reply *r)
{
    if (r->code == 421) {
        answer_open(c, r);
        client_fail_reply(c, CLIENT_FAIL_CLOSING, r);
        return;
    }
    if (!is_expected(c, r)) {
        client_fail_reply(c, CLIENT_FAIL_PROTOCOL, r);
        return;
    }
    c->outstanding_count--;
    switch (c->await) {
    case CLIENT_STEP_RSET: on_rset(c, r); break;
    case CLIENT_STEP_MAIL: on_mail(c, r); break;
    case CLIENT_STEP_RCPT: on_rcpt(c, r); break;
    case CLIENT_STEP_DATA:
        if (c->is_bdat)
            on_body(c, r);
        else
            on_data(c, r);
        break;
    default: on_body(c, r); break;
    }
    if (c->phase == CLIENT_TRANSACTION)
        pump(c);
}

bool client_txn_is_early(const struct client *c, bool is_flushed)
{
    if (c->outstanding_count == 0)
        return true;
    /* The last one out is the body: its answer cannot precede its last byte. */
    bool is_of_body = c->await == CLIENT_STEP_BODY || (c->is_bdat && c->await == CLIENT_STEP_DATA);
    return is_of_body && !(c->is_body_ended && is_flushed);
}

/* ---- the body ---- */

bool client_txn_wants_body(const struct client *c)
{
    if (c->send != CLIENT_STEP_BODY || c->is_body_ended)
        return false;
    return c->is_bdat || c->await == CLIENT_STEP_BODY;
}

static int check_chunk(struct client *c, struct view *piece, struct view *run_out)
{
    *run_out = *piece;
    *piece = VIEW_EMPTY;
    if (c->m->body_type == BODY_BINARYMIME)
        return 1;
    (void)line_scan_run(&c->stuff.lines, *run_out, 0);
    return c->stuff.lines.facts & LINE_STRAY ? MSA_EINVAL : 1;
}

static int refuse_body(struct client *c)
{
    message_answer_open(c->m, 554, "5.6.0", VIEW_LIT("the message holds a bare CR, bare LF or NUL"));
    client_fail(c, CLIENT_FAIL_BODY, "a stray CR, LF or NUL was about to be sent");
    return MSA_EINVAL;
}

int client_body(struct client *c, struct view *piece, struct view *run_out)
{
    if (piece->n == 0)
        return 0;
    /* 354 although nobody was accepted: an empty body ends it (RFC 2920 section 3.1). */
    if (!c->is_bdat && c->accepted_count == 0) {
        *piece = VIEW_EMPTY;
        return 0;
    }
    int got = c->is_bdat ? check_chunk(c, piece, run_out) : stuff_next(&c->stuff, piece, run_out);
    return got < 0 ? refuse_body(c) : got;
}

int client_body_end(struct client *c)
{
    struct view mark = VIEW_EMPTY;
    if (!c->is_bdat && stuff_end(&c->stuff, &mark) < 0)
        return refuse_body(c);
    if (c->is_bdat && c->m->body_type != BODY_BINARYMIME) {
        line_scan_finish(&c->stuff.lines);
        if (c->stuff.lines.facts & LINE_STRAY)
            return refuse_body(c);
    }
    buf_add(&c->out, mark);
    if (!c->is_bdat)
        c->outstanding_count++; /* for BDAT its command was counted */
    c->is_body_ended = true;
    c->send = CLIENT_STEP_END;
    return MSA_OK;
}

bool client_may_have_sent(const struct client *c)
{
    return c->m && c->is_body_ended;
}

void client_lose(struct client *c, struct view why)
{
    if (!c->m)
        return;
    message_answer_open(c->m, 451, "4.4.2", why);
    c->m = NULL;
}
