/* From the last byte of a message to its reply: scored, routed, handed to relay. 250 is said only after relay
 * has taken it, and policy hears exactly once whether its reservation was used (house.md §3, §7). */
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "smtp/author.h"
#include "smtp/commands.h"
#include "smtp/events.h"
#include "smtp/fixup.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

bool smtp_may_normalize(const struct smtp_session *s)
{
    const struct config_prefixes *from = &s->site->config->limits.normalize_newlines_from;
    for (uint32_t i = 0; i < from->count; i++)
        if (ipprefix_contains(&from->items[i], &s->client_ip))
            return true;
    return (s->flags & SMTP_MAY_NORMALIZE) != 0;
}

static void refuse(struct smtp_session *s, enum smtp_reply why, struct view text)
{
    event_mail_refused(s, why, text);
    smtp_txn_reset(s);
    smtp_reply_with(s, why, text);
}

/* ---- what is wrong with the body ----------------------------------------------------------------- */

static void refuse_strays(struct smtp_session *s)
{
    if (!(s->flags & SMTP_STRAY_SEEN)) {
        s->flags |= SMTP_STRAY_SEEN;
        refuse(s, REPLY_STRAY_BYTES, VIEW_EMPTY);
        return;
    }
    event_mail_refused(s, REPLY_STRAY_AGAIN, VIEW_EMPTY);
    smtp_end_with(s, REPLY_STRAY_AGAIN, VIEW_EMPTY, "strays");
}

static void refuse_with_number(struct smtp_session *s, enum smtp_reply why, uint64_t n)
{
    struct buf number;
    buf_init(&number, 32);
    buf_add_u64(&number, n);
    refuse(s, why, buf_view(&number));
    buf_fini(&number);
}

void smtp_refuse_body(struct smtp_session *s, enum body_fault fault)
{
    const struct config_limits *limits = &s->site->config->limits;
    switch (fault) {
    case BODY_STRAY:
        refuse_strays(s);
        break;
    case BODY_TOO_BIG:
        refuse_with_number(s, REPLY_SIZE_TOO_BIG, limits->message_bytes);
        break;
    case BODY_LONG_LINE:
        refuse_with_number(s, REPLY_TEXT_LINE_TOO_LONG, limits->text_line_bytes);
        break;
    case BODY_HEADER_TOO_BIG:
        refuse(s, REPLY_HEADER_TOO_BIG, VIEW_EMPTY);
        break;
    case BODY_NO_SPACE:
        refuse(s, REPLY_NO_SPACE, VIEW_EMPTY);
        break;
    case BODY_NO_MEMORY:
    case BODY_SOUND:
        refuse(s, REPLY_NO_MEMORY, VIEW_EMPTY);
    }
}

static enum smtp_reply judge_header(const struct smtp_session *s)
{
    const struct header *h = &s->txn->body.header;
    if (h->defects & HEADER_AMBIGUOUS)
        return REPLY_HEADER_AMBIGUOUS;
    if (header_count(h, VIEW_LIT("Received")) > s->site->config->limits.hop_count)
        return REPLY_MAIL_LOOP;
    return REPLY_NONE;
}

/* ---- accept -------------------------------------------------------------------------------------- */

/* BODY as the next hop needs it: what was declared binary but is lines, and 8-bit octets that were not
 * declared, travel as what they are. */
static enum params_body honest_body_type(const struct smtp_txn *t)
{
    const struct eod *e = &t->body.eod;
    bool is_lines = eod_longest_line(e) <= HEADER_LINE_MAX && t->body.ends_in_crlf;
    if (t->body_type == BODY_BINARYMIME && !is_lines)
        return BODY_BINARYMIME;
    return eod_facts(e) & EOD_8BIT ? BODY_8BITMIME : BODY_7BIT;
}

static int ask_accept(struct smtp_session *s, struct view prepend)
{
    struct smtp_txn *t = s->txn;
    struct buf body;
    int fd = smtp_body_give(&t->body, &body);
    const struct msg_relay_accept_ask m = {
        .message = t->message,
        .account = s->account,
        .login = view_cstr(s->login),
        .client_ip = s->client_ip,
        .pool = t->pool,
        .held_for = t->held_for,
        .is_large = t->body.is_large && fd != -1,
        .sender = t->sender,
        .body_type = (uint8_t)honest_body_type(t),
        .is_smtputf8 = t->is_smtputf8,
        .is_requiretls = t->is_requiretls,
        .dsn_ret = (uint8_t)t->ret,
        .dsn_envid = t->envid,
        .hold_until_ms = t->hold_until_ms,
        .score_milli = t->score_milli,
        .prepend = prepend,
        .header_bytes = t->body.header_bytes,
        .body_bytes = t->body.total_bytes,
        .body = buf_view(&body),
        .recipient_count = t->recipient_count,
        .recipients = buf_view(&t->recipients),
        .findings = t->findings,
    };
    int err = s->site->host->ask_accept(s, &m, fd);
    buf_fini(&body);
    return err;
}

static void hand_over(struct smtp_session *s)
{
    struct buf prepend;
    buf_init(&prepend, FIXUP_PREPEND_MAX);
    if (fixup_write_prepend(s, &prepend) != MSA_OK)
        refuse(s, REPLY_HEADER_TOO_BIG, VIEW_EMPTY);
    else if (ask_accept(s, buf_view(&prepend)) != MSA_OK)
        refuse(s, REPLY_RELAY_AWAY, VIEW_EMPTY);
    else
        smtp_wait_begin(s, WAIT_ACCEPT);
    buf_fini(&prepend);
}

static void say_taken(struct smtp_session *s, enum smtp_reply reply)
{
    char id[MSGID_TEXT_MAX];
    msgid_format(s->txn->message, id);
    smtp_txn_settle(s, true);
    event_mail_accepted(s, reply);
    s->accepted_count++;
    s->junk_count = 0;
    s->flags |= SMTP_ACKNOWLEDGED;
    smtp_txn_reset(s);
    smtp_reply_with(s, reply, view_cstr(id));
}

static void say_not_taken(struct smtp_session *s, const struct msg_relay_accept_answer *a)
{
    enum smtp_reply reply =
        a->result == RELAY_REFUSED ? REPLY_NEXT_HOP_REFUSED : REPLY_NEXT_HOP_DEFERRED;
    event_mail_refused(s, reply, a->text);
    smtp_txn_reset(s);
    smtp_reply_foreign(s, reply, a->code, a->enhanced, a->text);
}

void smtp_session_on_accept(struct smtp_session *s, const struct msg_relay_accept_answer *a)
{
    if (!smtp_wait_end(s, WAIT_ACCEPT))
        return;
    if (!a)
        refuse(s, REPLY_RELAY_AWAY, VIEW_EMPTY);
    else if (a->result == RELAY_DELIVERED)
        say_taken(s, REPLY_DELIVERED);
    else if (a->result == RELAY_QUEUED)
        say_taken(s, REPLY_QUEUED);
    else
        say_not_taken(s, a);
    smtp_go_on(s);
}

/* ---- route --------------------------------------------------------------------------------------- */

static void after_route(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    if (verdict == VERDICT_ALLOW) {
        hand_over(s);
    } else if (verdict == VERDICT_CLOSE) {
        event_mail_refused(s, REPLY_QUOTA_CLOSED, text);
        smtp_end_with(s, REPLY_QUOTA_CLOSED, text, "route-closed");
    } else {
        refuse(s, verdict == VERDICT_DEFER ? REPLY_ROUTE_DEFERRED : REPLY_ROUTE_REFUSED, text);
    }
}

void smtp_session_on_route(struct smtp_session *s, const struct msg_policy_route_answer *a)
{
    if (!smtp_wait_end(s, WAIT_ROUTE))
        return;
    if (a) {
        s->txn->pool = arena_copy(&s->txn->arena, a->pool);
        s->txn->held_for = a->held_for;
        s->txn->sender_field = a->sender_field;
        s->txn->score_milli = a->score_milli;
    }
    if (!a || s->txn->pool.n != a->pool.n)
        refuse(s, REPLY_POLICY_AWAY, VIEW_EMPTY);
    else
        smtp_delay(s, a->delay_ms, (enum policy_verdict)a->verdict, a->text, after_route);
    smtp_go_on(s);
}

static void ask_route(struct smtp_session *s)
{
    const struct smtp_txn *t = s->txn;
    const struct msg_policy_route_ask m = {
        .session = s->id,
        .message = t->message,
        .account = s->account,
        .login = view_cstr(s->login),
        .client_ip = s->client_ip,
        .reservation = t->reservation,
        .sender = t->sender,
        .authors = t->authors,
        .header_sender = t->header_sender,
        .resent = t->resent,
        .shown = t->shown,
        .header_findings = t->header_findings,
        .body_bytes = t->body.total_bytes,
        .recipient_count = t->recipient_count,
        .is_scored = t->is_scored,
        .score_milli = t->score_milli,
        .fingerprints = t->fingerprints,
        .recipients = buf_view(&t->recipients),
        .score_action = t->score_action,
        .score_text = t->score_text,
        .findings = t->findings,
    };
    if (s->site->host->ask_route(s, &m) != MSA_OK)
        refuse(s, REPLY_POLICY_AWAY, VIEW_EMPTY);
    else
        smtp_wait_begin(s, WAIT_ROUTE);
}

/* ---- score --------------------------------------------------------------------------------------- */

/* Header fields of the scanner's own: whole lines, each a field, or none of them. */
static bool is_sound_header(struct view fields)
{
    struct header h;
    header_init(&h, HEADER_LIMITS_DEFAULT);
    bool is_sound = header_feed(&h, &fields) == HEADER_MORE && h.defects == 0 &&
                    header_block(&h).n == h.scanned_bytes;
    header_fini(&h);
    return is_sound;
}

static void take_score(struct smtp_session *s, const struct msg_score_answer *a)
{
    struct smtp_txn *t = s->txn;
    t->is_scored = a->is_scored;
    if (a->is_scored)
        t->score_milli = a->score_milli;
    t->fingerprints = arena_copy(&t->arena, a->fingerprints);
    t->findings = arena_copy(&t->arena, a->findings);
    t->score_action = a->action;
    t->score_text = arena_copy(&t->arena, a->text);
    if (a->added_header.n > 0 && is_sound_header(a->added_header))
        t->added_header = arena_copy(&t->arena, a->added_header);
}

static void take_neutral_score(struct smtp_session *s)
{
    s->txn->is_scored = false;
    s->txn->score_milli = s->site->config->score.neutral_score_milli;
}

/* The mail goes on; whoever watches has to see it. */
static void miss_score(struct smtp_session *s)
{
    s->site->missing_scores++;
    event_score_missing(s);
}

void smtp_session_on_score(struct smtp_session *s, const struct msg_score_answer *a)
{
    if (!smtp_wait_end(s, WAIT_SCORE))
        return;
    take_neutral_score(s);
    if (!a)
        miss_score(s);
    else
        take_score(s, a);
    ask_route(s);
    smtp_go_on(s);
}

static int ask_score(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    const struct msg_score_ask m = {
        .session = s->id,
        .message = t->message,
        .login = view_cstr(s->login),
        .client_ip = s->client_ip,
        .helo = view_cstr(s->helo),
        .sender = t->sender,
        .header_bytes = t->body.header_bytes,
        .body_bytes = t->body.total_bytes,
        .recipient_count = t->recipient_count,
        .recipients = buf_view(&t->recipients),
    };
    return s->site->host->ask_score(s, &m, t->body.fd);
}

/* Contents are read only where the account has agreed to it (secrecy of communications). */
static void begin_judgement(struct smtp_session *s)
{
    take_neutral_score(s);
    if (!(s->flags & SMTP_MAY_SCORE)) {
        ask_route(s);
    } else if (!smtp_body_show(&s->txn->body)) {
        smtp_refuse_body(s, BODY_NO_SPACE);
    } else if (ask_score(s) == MSA_OK) {
        smtp_wait_begin(s, WAIT_SCORE);
    } else {
        miss_score(s);
        ask_route(s);
    }
}

static void judge(struct smtp_session *s)
{
    enum body_fault fault = s->txn->body.fault;
    enum smtp_reply why = fault == BODY_SOUND ? judge_header(s) : REPLY_NONE;
    if (fault != BODY_SOUND)
        smtp_refuse_body(s, fault);
    else if (why != REPLY_NONE)
        refuse(s, why, VIEW_EMPTY);
    else if (!author_read(s->txn))
        refuse(s, REPLY_NO_MEMORY, VIEW_EMPTY);
    else
        begin_judgement(s);
}

void smtp_submit(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    if (!t->is_complete)
        smtp_body_end(&t->body);
    if (smtp_body_is_outgrown(&t->body) && !t->is_complete)
        smtp_grow_body(s);
    t->is_complete = true;
    if (s->wait == WAIT_NONE) /* else smtp_session_on_body comes back here */
        judge(s);
}
