/* DATA (RFC 5321 section 4.1.1.4), and what it shares with BDAT: quotas are reserved and a place for the
 * message is found before the client sends it. */
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "smtp/commands.h"
#include "smtp/deadlines.h"
#include "smtp/events.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

/* ---- before the body ----------------------------------------------------------------------------- */

/* The client may send its message all the same; see is_body_after_refusal in session.c. Octets of a
 * BDAT chunk do come. */
static void refuse(struct smtp_session *s, enum smtp_reply why, struct view text)
{
    s->flags |= s->txn->is_chunked ? SMTP_DISCARD_CHUNK : SMTP_DATA_REFUSED;
    event_mail_refused(s, why, text);
    smtp_txn_reset(s);
    smtp_reply_with(s, why, text);
}

static void begin_body(struct smtp_session *s, int fd, bool is_large)
{
    struct smtp_txn *t = s->txn;
    const struct body_settings settings = {
        .config = s->site->config,
        .mode = t->is_chunked ? EOD_CHUNKS : EOD_DATA,
        .may_normalize = smtp_may_normalize(s),
        .may_have_long_lines = t->body_type == BODY_BINARYMIME,
    };
    smtp_body_begin(&t->body, fd, is_large, &settings);
    t->body_began_ms = clock_mono_ms();
    smtp_enter_phase(s, t->is_chunked ? PHASE_BDAT : PHASE_DATA);
    if (!t->is_chunked)
        smtp_reply(s, REPLY_DATA_GO);
    else if (s->chunk_left == 0) /* "BDAT 0" sends no octets to wait for */
        smtp_chunk_input(s);
}

static bool needs_large(const struct smtp_session *s)
{
    return s->txn->declared_bytes > s->site->config->queue.body_inline_bytes;
}

static void find_place(struct smtp_session *s)
{
    bool is_large = needs_large(s);
    int fd;
    switch (s->site->host->take_body(s, is_large, &fd)) {
    case STOCK_TAKEN:
        begin_body(s, fd, is_large);
        break;
    case STOCK_LATER:
        smtp_wait_begin(s, WAIT_BODY);
        break;
    case STOCK_REFUSED:
        refuse(s, REPLY_NO_SPACE, VIEW_EMPTY);
    }
}

static void after_quota(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    if (verdict == VERDICT_ALLOW) {
        find_place(s);
    } else if (verdict == VERDICT_CLOSE) {
        event_mail_refused(s, REPLY_QUOTA_CLOSED, text);
        smtp_end_with(s, REPLY_QUOTA_CLOSED, text, "quota-closed");
    } else {
        refuse(s, verdict == VERDICT_DEFER ? REPLY_QUOTA_DEFERRED : REPLY_QUOTA_REFUSED, text);
    }
}

void smtp_session_on_quota(struct smtp_session *s, const struct msg_policy_quota_answer *a)
{
    if (!smtp_wait_end(s, WAIT_QUOTA))
        return;
    if (a && a->verdict == VERDICT_ALLOW) {
        s->txn->reservation = a->reservation;
        s->txn->is_told = true; /* also by a policy process that is younger than our MAIL */
    }
    if (s->phase == PHASE_CLOSING) {
        smtp_go_on(s);
        return;
    }
    if (!a)
        refuse(s, REPLY_POLICY_AWAY, VIEW_EMPTY);
    else
        smtp_delay(s, a->delay_ms, (enum policy_verdict)a->verdict, a->text, after_quota);
    smtp_go_on(s);
}

void smtp_reserve(struct smtp_session *s)
{
    const struct smtp_txn *t = s->txn;
    const struct msg_policy_quota_ask m = {
        .session = s->id,
        .message = t->message,
        .account = s->account,
        .login = view_cstr(s->login),
        .client_ip = s->client_ip,
        .sender = t->sender,
        .recipient_count = t->recipient_count,
        .recipients = buf_view(&t->recipients),
    };
    if (s->site->host->ask_quota(s, &m) != MSA_OK)
        refuse(s, REPLY_POLICY_AWAY, VIEW_EMPTY);
    else
        smtp_wait_begin(s, WAIT_QUOTA);
}

void smtp_cmd_data(struct smtp_session *s, struct view args)
{
    /* RFC 2920 section 3.1: DATA is the last command of a group, so nothing can follow before 354.
     * Where something does, its author counts on a server that takes text for commands. */
    if (smtp_bytes_behind(s) > 0) {
        smtp_end_with(s, REPLY_BODY_TOO_EARLY, VIEW_EMPTY, "early-body");
    } else if (args.n > 0) {
        s->flags |= SMTP_DATA_REFUSED;
        smtp_reply(s, REPLY_NO_ARGUMENTS);
    } else if (s->txn->body_type == BODY_BINARYMIME) { /* RFC 3030 section 3 */
        s->flags |= SMTP_DATA_REFUSED;
        smtp_reply(s, REPLY_DATA_BINARY);
    } else {
        smtp_reserve(s);
    }
}

/* ---- the body ------------------------------------------------------------------------------------ */

/* The message has outgrown its small descriptor. */
void smtp_grow_body(struct smtp_session *s)
{
    int fd;
    switch (s->site->host->take_body(s, true, &fd)) {
    case STOCK_TAKEN:
        smtp_body_switch(&s->txn->body, fd);
        break;
    case STOCK_LATER:
        smtp_wait_begin(s, WAIT_BODY);
        break;
    case STOCK_REFUSED:
        smtp_body_give_up(&s->txn->body, BODY_NO_SPACE);
    }
}

void smtp_session_on_body(struct smtp_session *s, int fd)
{
    if (!smtp_wait_end(s, WAIT_BODY)) {
        if (fd != -1)
            close(fd);
        return;
    }
    struct smtp_txn *t = s->txn;
    if (!t->body.is_begun && fd == -1)
        refuse(s, REPLY_NO_SPACE, VIEW_EMPTY);
    else if (!t->body.is_begun)
        begin_body(s, fd, needs_large(s));
    else if (fd == -1)
        smtp_body_give_up(&t->body, BODY_NO_SPACE);
    else
        smtp_body_switch(&t->body, fd);
    if (s->txn && s->txn->is_complete)
        smtp_submit(s);
    smtp_go_on(s);
}

static enum body_step feed(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    struct view in = buf_view(s->in);
    size_t before = in.n;
    enum body_step step = smtp_body_feed(&t->body, &in);
    t->received_bytes += before - in.n;
    buf_take(s->in, before - in.n);
    return step;
}

/* A large descriptor that is there at once is no headway that smtp_go_on could see: feed again. */
void smtp_body_input(struct smtp_session *s)
{
    enum body_step step;
    while ((step = feed(s)) == BODY_NEEDS_LARGE) {
        smtp_grow_body(s);
        if (s->wait != WAIT_NONE)
            return; /* relay's time is not the client's */
    }
    smtp_deadline_body(s);
    if (step == BODY_END)
        smtp_submit(s);
}
