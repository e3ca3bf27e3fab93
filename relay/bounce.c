#include "relay/bounce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/mail/base64.h"
#include "msa/mail/date.h"
#include "msa/mail/xtext.h"

#define RETURNED_MAX   (50u << 10) /* a longer message comes back as its header */
#define HEADER_MAX     (32u << 10) /* of a returned header; the rest is left out at a line's end */
#define NOTICE_MAX     (8u << 20)
#define RCPTS_IN_TEXT  20 /* named in the text for people; the fields have all of them */
#define BASE64_LINE    76

static const struct {
    const char *subject;
    const char *action; /* RFC 3464 section 2.3.3 */
    const char *english;
    const char *japanese;
} words[BOUNCE_KIND_COUNT] = {
    [BOUNCE_FAILED] = {"Your mail could not be delivered", "failed",
                       "Your mail could not be delivered to these recipients:",
                       "次の宛先にメールを配送できませんでした。"},
    [BOUNCE_DELAYED] = {"Your mail is delayed", "delayed",
                        "Your mail has not yet reached these recipients. "
                        "You need not send it again: delivery will be tried further.",
                        "次の宛先への配送が遅れています。配送は自動的に再試行されますので、再送の必要はありません。"},
    [BOUNCE_RELAYED] = {"Your mail was passed on", "relayed",
                        "Your mail was passed on to a server that sends no further notifications:",
                        "次の宛先へのメールは、配送通知に対応していないサーバーに引き渡されました。"},
};

static const enum rcpt_state state_of[BOUNCE_KIND_COUNT] = {
    [BOUNCE_FAILED] = RCPT_FAILED,
    [BOUNCE_DELAYED] = RCPT_PENDING,
    [BOUNCE_RELAYED] = RCPT_DELIVERED,
};

static bool is_reported(const struct message_rcpt *r, enum bounce_kind kind)
{
    static const unsigned bit[BOUNCE_KIND_COUNT] = {
        [BOUNCE_FAILED] = NOTIFY_FAILURE,
        [BOUNCE_DELAYED] = NOTIFY_DELAY,
        [BOUNCE_RELAYED] = NOTIFY_SUCCESS,
    };
    if (r->state != state_of[kind])
        return false;
    return r->notify == 0 ? kind != BOUNCE_RELAYED : (r->notify & bit[kind]) != 0;
}

bool bounce_is_due(const struct message *m, enum bounce_kind kind)
{
    for (uint32_t i = 0; i < m->rcpt_count && m->sender.n > 0; i++) {
        if (is_reported(&m->rcpts[i], kind))
            return true;
    }
    return false;
}

static bool has_8bit(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)v.p[i] > 127)
            return true;
    }
    return false;
}

/* A notice about internationalized addresses is itself internationalized mail (RFC 6533 section 4). */
static bool is_utf8_report(const struct message *m, enum bounce_kind kind)
{
    bool is_utf8 = has_8bit(m->sender);
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        is_utf8 |= is_reported(&m->rcpts[i], kind) && has_8bit(m->rcpts[i].path);
    return is_utf8;
}

/* ---- the text for people ---- */

static void add_base64_lines(struct buf *b, struct view text)
{
    struct buf flat;
    buf_init(&flat, 2 * text.n + 4);
    if (base64_encode(text, &flat) < 0)
        b->failed = true;
    struct view left = buf_view(&flat);
    while (left.n > 0) {
        buf_add(b, view_slice(left, 0, BASE64_LINE));
        buf_add(b, VIEW_LIT("\r\n"));
        left = view_slice(left, BASE64_LINE, left.n);
    }
    buf_fini(&flat);
}

static void add_rcpts_text(struct buf *b, const struct message *m, enum bounce_kind kind)
{
    uint32_t named = 0, more = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        const struct message_rcpt *r = &m->rcpts[i];
        if (!is_reported(r, kind))
            continue;
        if (named++ >= RCPTS_IN_TEXT) {
            more++;
            continue;
        }
        buf_addf(b, "\r\n  <%.*s>\r\n", (int)r->path.n, r->path.p);
        if (r->answer.code > 0 && kind != BOUNCE_RELAYED)
            buf_addf(b, "    %u %s %.*s\r\n", r->answer.code, r->answer.enhanced,
                     (int)r->answer.text.n, r->answer.text.n > 0 ? r->answer.text.p : "");
    }
    if (more > 0)
        buf_addf(b, "\r\n  (+ %" PRIu32 ")\r\n", more);
}

static void add_text_part(struct buf *b, const struct message *m, enum bounce_kind kind,
                          const struct bounce_settings *s)
{
    struct buf text;
    buf_init(&text, 1u << 20);
    buf_addf(&text, "This is the mail system at %s.\r\n\r\n%s\r\n%s\r\n", s->hostname,
             words[kind].english, words[kind].japanese);
    if (s->why)
        buf_addf(&text, "\r\n%s\r\n", s->why);
    add_rcpts_text(&text, m, kind);
    buf_addf(&text, "\r\nQuestions / お問い合わせ: <%s>\r\n", s->postmaster);
    buf_add(b, VIEW_LIT("Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\n"));
    add_base64_lines(b, buf_view(&text));
    b->failed |= buf_failed(&text);
    buf_fini(&text);
}

/* ---- the fields for programs ---- */

static void add_date_field(struct buf *b, const char *name, int64_t wall_ms)
{
    char date[DATE_SIZE];
    date_format(wall_ms / 1000, 0, date);
    buf_addf(b, "%s: %s\r\n", name, date);
}

/* ENVID and ORCPT came as xtext and are shown as what they mean (RFC 3464 sections 2.2.1, 2.3.1). */
static void add_decoded(struct buf *b, const char *name, struct view type, struct view xtext)
{
    struct buf plain;
    buf_init(&plain, 1024);
    if (xtext.n > 0 && xtext_decode(xtext, &plain) == MSA_OK)
        buf_addf(b, "%s: %.*s%s%.*s\r\n", name, (int)type.n, type.n > 0 ? type.p : "",
                 type.n > 0 ? ";" : "", (int)buf_len(&plain), buf_view(&plain).p);
    buf_fini(&plain);
}

static void add_original_recipient(struct buf *b, struct view orcpt)
{
    struct view type = view_cut(&orcpt, ';');
    if (!has_8bit(orcpt))
        add_decoded(b, "Original-Recipient", type, orcpt);
    else
        buf_addf(b, "Original-Recipient: %.*s;%.*s\r\n", (int)type.n, type.p, (int)orcpt.n, orcpt.p);
}

static void add_status(struct buf *b, const struct message_rcpt *r, enum bounce_kind kind,
                       const struct bounce_settings *s)
{
    const char *status = r->answer.enhanced;
    if (kind == BOUNCE_RELAYED)
        status = "2.0.0";
    else if (s->status)
        status = s->status;
    else if (r->answer.code == 0 || !status[0])
        status = kind == BOUNCE_FAILED ? "5.0.0" : "4.0.0";
    buf_addf(b, "Status: %s\r\n", status);
    if (r->answer.code > 0 && kind != BOUNCE_RELAYED)
        buf_addf(b, "Diagnostic-Code: smtp; %u %s %.*s\r\n", r->answer.code, r->answer.enhanced,
                 (int)r->answer.text.n, r->answer.text.n > 0 ? r->answer.text.p : "");
}

static void add_rcpt_fields(struct buf *b, const struct message_rcpt *r, enum bounce_kind kind,
                            const struct bounce_settings *s)
{
    buf_add(b, VIEW_LIT("\r\n"));
    if (r->orcpt.n > 0)
        add_original_recipient(b, r->orcpt);
    buf_addf(b, "Final-Recipient: %s; %.*s\r\nAction: %s\r\n", has_8bit(r->path) ? "utf-8" : "rfc822",
             (int)r->path.n, r->path.p, words[kind].action);
    add_status(b, r, kind, s);
    if (r->answer.code > 0)
        add_date_field(b, "Last-Attempt-Date", clock_wall_ms());
    if (kind == BOUNCE_DELAYED)
        add_date_field(b, "Will-Retry-Until", s->expires_at_ms);
}

static void add_status_part(struct buf *b, const struct message *m, enum bounce_kind kind,
                            const struct bounce_settings *s, bool is_utf8)
{
    if (is_utf8)
        buf_add(b, VIEW_LIT("Content-Type: message/global-delivery-status\r\n"
                            "Content-Transfer-Encoding: 8bit\r\n\r\n"));
    else
        buf_add(b, VIEW_LIT("Content-Type: message/delivery-status\r\n\r\n"));
    buf_addf(b, "Reporting-MTA: dns; %s\r\n", s->hostname);
    add_decoded(b, "Original-Envelope-Id", VIEW_EMPTY, m->envid);
    add_date_field(b, "Arrival-Date", m->arrival_ms);
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (is_reported(&m->rcpts[i], kind))
            add_rcpt_fields(b, &m->rcpts[i], kind, s);
    }
}

/* ---- what comes back ---- */

static bool is_returned_whole(const struct message *m, enum bounce_kind kind)
{
    return kind == BOUNCE_FAILED && m->dsn_ret != RET_HDRS && m->body_type != BODY_BINARYMIME &&
           content_bytes(&m->content) <= RETURNED_MAX;
}

/* Cut at the end of a line, or not at all. */
static size_t whole_lines(const char *p, size_t n)
{
    while (n > 0 && p[n - 1] != '\n')
        n--;
    return n;
}

static int add_returned(struct buf *b, const struct message *m, bool is_whole)
{
    uint64_t wanted = is_whole ? content_bytes(&m->content) : m->header_bytes;
    size_t n = wanted < HEADER_MAX || is_whole ? (size_t)wanted : HEADER_MAX;
    if (n == 0)
        return MSA_OK;
    char *place = buf_reserve(b, n);
    if (!place)
        return MSA_ENOMEM;
    int err = content_copy(&m->content, 0, place, n);
    if (err < 0)
        return err;
    buf_commit(b, is_whole ? n : whole_lines(place, n));
    return MSA_OK;
}

static int add_returned_part(struct buf *b, const struct message *m, bool is_whole, bool *is_8bit_out)
{
    struct buf returned;
    buf_init(&returned, RETURNED_MAX + HEADER_MAX);
    int err = add_returned(&returned, m, is_whole);
    bool is_8bit = has_8bit(buf_view(&returned));
    bool is_global = is_8bit && message_has(m, MESSAGE_SMTPUTF8);
    const char *type = is_whole ? (is_global ? "message/global" : "message/rfc822")
                                : (is_global ? "message/global-headers" : "text/rfc822-headers");
    buf_addf(b, "Content-Type: %s\r\n%s\r\n", type,
             is_8bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    buf_add(b, buf_view(&returned));
    buf_fini(&returned);
    *is_8bit_out = is_8bit;
    return err;
}

/* ---- the whole ---- */

static void add_head(struct buf *b, const struct message *m, enum bounce_kind kind,
                     const struct bounce_settings *s, const char *id)
{
    add_date_field(b, "Date", clock_wall_ms());
    buf_addf(b,
             "From: Mail Delivery System <%s>\r\n"
             "To: <%.*s>\r\n"
             "Subject: %s\r\n"
             "Message-ID: <%s@%s>\r\n"
             "Auto-Submitted: auto-replied\r\n"
             "MIME-Version: 1.0\r\n"
             "Content-Type: multipart/report; report-type=delivery-status;\r\n"
             "\tboundary=\"=_%s\"\r\n",
             s->from, (int)m->sender.n, m->sender.p, words[kind].subject, id, s->hostname, id);
}

static int write_notice(struct message *notice, struct buf *b, const struct message *m,
                        enum bounce_kind kind, const struct bounce_settings *s)
{
    char id[MSGID_TEXT_MAX];
    bool is_8bit = false, is_utf8 = is_utf8_report(m, kind);
    msgid_format(notice->id, id);
    add_head(b, m, kind, s, id);
    notice->header_bytes = buf_len(b);
    buf_addf(b, "\r\n--=_%s\r\n", id);
    add_text_part(b, m, kind, s);
    buf_addf(b, "\r\n--=_%s\r\n", id);
    add_status_part(b, m, kind, s, is_utf8);
    buf_addf(b, "\r\n--=_%s\r\n", id);
    int err = add_returned_part(b, m, is_returned_whole(m, kind), &is_8bit);
    buf_addf(b, "\r\n--=_%s--\r\n", id);
    if (is_8bit || is_utf8)
        notice->body_type = BODY_8BITMIME;
    if (is_utf8 || (is_8bit && message_has(m, MESSAGE_SMTPUTF8)))
        notice->flags |= MESSAGE_SMTPUTF8;
    return err < 0 ? err : buf_failed(b) ? MSA_ENOMEM : MSA_OK;
}

static int address_notice(struct message *notice, const struct message *m)
{
    notice->id = msgid_next();
    notice->flags = MESSAGE_OURS;
    notice->arrival_ms = clock_wall_ms();
    notice->pool = arena_copy(&notice->arena, m->pool);
    notice->rcpts = arena_alloc(&notice->arena, sizeof *notice->rcpts);
    if (!notice->rcpts)
        return MSA_ENOMEM;
    notice->rcpt_count = 1;
    notice->rcpts[0].path = arena_copy(&notice->arena, m->sender);
    notice->rcpts[0].notify = NOTIFY_NEVER; /* RFC 3461 section 6.1 */
    return notice->rcpts[0].path.n == m->sender.n && notice->pool.n == m->pool.n ? MSA_OK : MSA_ENOMEM;
}

int bounce_make(const struct message *m, enum bounce_kind kind, const struct bounce_settings *settings,
                struct message **out)
{
    struct buf b;
    struct message *notice = message_new();
    *out = NULL;
    if (!notice)
        return MSA_ENOMEM;
    buf_init(&b, NOTICE_MAX);
    int err = address_notice(notice, m);
    if (err == MSA_OK)
        err = write_notice(notice, &b, m, kind, settings);
    if (err == MSA_OK) {
        notice->content.owned = b.data; /* the buffer's block becomes the content's */
        notice->content.memory = buf_view(&b);
        *out = notice;
        return MSA_OK;
    }
    buf_fini(&b);
    message_free(&notice);
    return err;
}
