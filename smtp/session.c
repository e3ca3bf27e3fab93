/* The engine's heart: input to lines, lines to commands, answers to where they are waited for, and the end.
 * What a command means stands in its own file; which one is lawful when, in machine.c. */
#include "smtp/session.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "smtp/commands.h"
#include "smtp/deadlines.h"
#include "smtp/events.h"
#include "smtp/lines.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

/* ---- life ---------------------------------------------------------------------------------------- */

void smtp_session_init(struct smtp_session *s, struct smtp_site *site, void *owner, struct buf *in,
                       const struct smtp_arrival *arrival)
{
    *s = (struct smtp_session){
        .id = msgid_next(),
        .site = site,
        .owner = owner,
        .in = in,
        .listener = arrival->listener,
        .flags = arrival->flags,
        .client_ip = arrival->ip,
        .client_port = arrival->port,
        .began_ms = clock_mono_ms(),
        .step_until_ms = SMTP_NEVER,
        .output_since_ms = SMTP_NEVER,
    };
    buf_init(&s->out, site->config->limits.session_output_bytes);
}

void smtp_session_fini(struct smtp_session *s)
{
    MSA_ASSERT(!s->txn && !s->auth && !s->held);
    buf_fini(&s->out);
    free(s->helo);
    free(s->login);
    free(s->tls);
    s->helo = s->login = s->tls = NULL;
}

void smtp_set_string(char **place, struct view v)
{
    free(*place);
    *place = malloc(v.n + 1);
    if (!*place)
        return;
    if (v.n > 0)
        memcpy(*place, v.p, v.n);
    (*place)[v.n] = '\0';
}

/* ---- replies ------------------------------------------------------------------------------------- */

void smtp_write(struct smtp_session *s, struct view bytes)
{
    if (s->flags & SMTP_GONE)
        return;
    if (buf_add(&s->out, bytes) == MSA_OK)
        return;
    smtp_flush(s); /* out of memory: the owner may have some */
    s->site->host->write(s, bytes);
}

void smtp_flush(struct smtp_session *s)
{
    if (buf_len(&s->out) == 0)
        return;
    if (s->output_since_ms == SMTP_NEVER)
        s->output_since_ms = clock_mono_ms();
    s->site->host->write(s, buf_view(&s->out));
    buf_fini(&s->out);
}

/* RFC 2920 section 3.2: replies to a group of commands are best sent together. A client that has sent DATA waits
 * for 354, so what it is told before waits for that, too: one write and one record of TLS less. The reply to a
 * message is never held back. */
static bool is_group_open(const struct smtp_session *s)
{
    return (s->wait == WAIT_QUOTA || s->wait == WAIT_BODY) && !s->txn->body.is_begun &&
           !(s->flags & SMTP_ACKNOWLEDGED);
}

static void count_reply(struct smtp_session *s, const char *line)
{
    if (line[0] == '5' && s->error_count < UINT16_MAX)
        s->error_count++;
}

void smtp_reply_with(struct smtp_session *s, enum smtp_reply id, struct view detail)
{
    char line[REPLY_LINE_MAX];
    size_t len;
    reply_format(id, detail, line, &len);
    count_reply(s, line);
    smtp_write(s, view_of(line, len));
}

void smtp_reply(struct smtp_session *s, enum smtp_reply id)
{
    smtp_reply_with(s, id, VIEW_EMPTY);
}

void smtp_reply_foreign(struct smtp_session *s, enum smtp_reply id, unsigned code,
                        struct view enhanced, struct view text)
{
    char line[REPLY_LINE_MAX];
    size_t len;
    reply_format_foreign(id, code, enhanced, text, line, &len);
    count_reply(s, line);
    smtp_write(s, view_of(line, len));
}

/* ---- the end ------------------------------------------------------------------------------------- */

/* Policy's reservation, once asked for, and relay's decision matter even when the client is gone. */
static bool answer_matters(const struct smtp_session *s)
{
    return s->wait == WAIT_QUOTA || s->wait == WAIT_ACCEPT;
}

static void bury(struct smtp_session *s)
{
    const struct smtp_host *host = s->site->host;
    if (s->wait != WAIT_NONE)
        host->cancel(s);
    s->wait = WAIT_NONE;
    smtp_auth_drop(s);
    smtp_txn_drop(s);
    free(s->held);
    s->held = NULL;
    if (s->flags & SMTP_TOLD_POLICY)
        host->disconnect(s);
    smtp_enter_phase(s, PHASE_DEAD);
    event_disconnect(s);
    host->over(s);
}

static void cut_off(struct smtp_session *s, const char *reason)
{
    s->flags |= SMTP_GONE;
    s->output_since_ms = SMTP_NEVER;
    if (!s->end_reason)
        s->end_reason = reason;
    if (answer_matters(s))
        smtp_enter_phase(s, PHASE_CLOSING);
    else
        bury(s);
}

void smtp_end(struct smtp_session *s, bool is_abort, const char *reason)
{
    if (s->phase >= PHASE_CLOSING)
        return;
    lines_take(s); /* while the buffer is still there */
    smtp_flush(s);
    s->site->host->close(s, is_abort);
    cut_off(s, reason);
}

void smtp_end_with(struct smtp_session *s, enum smtp_reply id, struct view detail,
                   const char *reason)
{
    if (s->phase >= PHASE_CLOSING)
        return;
    smtp_reply_with(s, id, detail);
    smtp_end(s, false, reason);
}

void smtp_session_on_gone(struct smtp_session *s, const char *why)
{
    if (s->phase < PHASE_CLOSING)
        cut_off(s, why);
}

void smtp_session_abandon(struct smtp_session *s)
{
    smtp_end(s, true, "abandoned");
    if (s->phase == PHASE_CLOSING)
        bury(s);
}

/* What the account was stopped at belongs into the log: its own answer will find nobody any more. */
static void stop_with(struct smtp_session *s, enum smtp_reply reply, struct view text, const char *why)
{
    if (s->wait == WAIT_QUOTA || s->wait == WAIT_ROUTE)
        event_mail_refused(s, reply, text);
    smtp_end_with(s, reply, text, why);
}

void smtp_session_kill(struct smtp_session *s, struct view text)
{
    stop_with(s, REPLY_KILLED, text, "killed");
}

void smtp_session_revoke(struct smtp_session *s)
{
    stop_with(s, REPLY_REVOKED, VIEW_EMPTY, "revoked");
}

/* ---- waits --------------------------------------------------------------------------------------- */

static bool is_policys(enum smtp_wait wait)
{
    return wait == WAIT_CONNECT || wait == WAIT_LOGIN || wait == WAIT_MAIL || wait == WAIT_QUOTA || wait == WAIT_ROUTE;
}

/* Policy counts a session from the first question on, whether or not anybody waits for the answer, and a policy
 * process that is younger than the session from the first one that it gets. */
void smtp_wait_begin(struct smtp_session *s, enum smtp_wait wait)
{
    MSA_ASSERT(s->wait == WAIT_NONE && wait != WAIT_NONE);
    s->wait = wait;
    if (is_policys(wait))
        s->flags |= SMTP_TOLD_POLICY;
    smtp_deadline_step(s);
}

bool smtp_wait_end(struct smtp_session *s, enum smtp_wait wait)
{
    if (s->wait != wait || s->phase == PHASE_DEAD) {
        s->site->late_answers++;
        return false;
    }
    s->wait = WAIT_NONE;
    smtp_deadline_step(s);
    return true;
}

#define DELAY_MAX_MS (60 * 1000)

struct smtp_held {
    smtp_verdict_fn *then;
    enum policy_verdict verdict;
    size_t text_len;
    char text[];
};

void smtp_delay(struct smtp_session *s, int64_t delay_ms, enum policy_verdict verdict,
                struct view text, smtp_verdict_fn *then)
{
    bool is_worth_it = delay_ms > 0 && !(s->flags & SMTP_GONE);
    struct smtp_held *held = is_worth_it ? malloc(sizeof *held + text.n) : NULL;
    if (!held) {
        then(s, verdict, text);
        return;
    }
    *held = (struct smtp_held){.then = then, .verdict = verdict, .text_len = text.n};
    if (text.n > 0)
        memcpy(held->text, text.p, text.n);
    s->held = held;
    smtp_wait_begin(s, WAIT_DELAY);
    smtp_deadline_after(s, delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS);
}

static void end_delay(struct smtp_session *s)
{
    struct smtp_held *held = s->held;
    s->held = NULL;
    s->wait = WAIT_NONE;
    smtp_deadline_step(s);
    held->then(s, held->verdict, view_of(held->text, held->text_len));
    free(held);
    smtp_go_on(s);
}

/* ---- commands ------------------------------------------------------------------------------------ */

static smtp_command_fn *const handlers[COMMAND_VERB_COUNT] = {
    [COMMAND_EHLO] = smtp_cmd_ehlo,         [COMMAND_HELO] = smtp_cmd_helo,
    [COMMAND_STARTTLS] = smtp_cmd_starttls, [COMMAND_AUTH] = smtp_cmd_auth,
    [COMMAND_MAIL] = smtp_cmd_mail,         [COMMAND_RCPT] = smtp_cmd_rcpt,
    [COMMAND_DATA] = smtp_cmd_data,         [COMMAND_BDAT] = smtp_cmd_bdat,
    [COMMAND_RSET] = smtp_cmd_rset,         [COMMAND_NOOP] = smtp_cmd_noop,
    [COMMAND_HELP] = smtp_cmd_help,         [COMMAND_VRFY] = smtp_cmd_vrfy,
    [COMMAND_QUIT] = smtp_cmd_quit,         [COMMAND_XCLIENT] = smtp_cmd_xclient,
};

size_t smtp_bytes_behind(const struct smtp_session *s)
{
    return buf_len(s->in) - s->line_bytes;
}

/* Commands that bring no message nearer have a budget, which each accepted message fills again. */
static bool is_junk(enum command_verb verb)
{
    return verb != COMMAND_MAIL && verb != COMMAND_RCPT && verb != COMMAND_DATA &&
           verb != COMMAND_BDAT && verb != COMMAND_QUIT;
}

static void refuse(struct smtp_session *s, const struct command *c, enum smtp_reply why)
{
    if (c->verb == COMMAND_BDAT)
        smtp_bdat_refuse(s, c->args, why);
    else if (c->verb == COMMAND_DATA && smtp_bytes_behind(s) > 0)
        smtp_end_with(s, REPLY_BODY_TOO_EARLY, VIEW_EMPTY, "early-body");
    else
        smtp_reply(s, why);
    if (c->verb == COMMAND_DATA)
        s->flags |= SMTP_DATA_REFUSED;
}

/* A client that sends its message in spite of the refusal shows it by its first line: what follows must
 * never be taken for commands. */
static bool is_body_after_refusal(struct smtp_session *s, bool is_known)
{
    bool was_refused = (s->flags & SMTP_DATA_REFUSED) != 0;
    s->flags &= ~(unsigned)SMTP_DATA_REFUSED;
    return was_refused && !is_known;
}

static void obey(struct smtp_session *s, struct view line)
{
    struct command c = {.verb = COMMAND_UNKNOWN};
    bool is_sound = command_parse(line, &c) == MSA_OK;
    if (is_body_after_refusal(s, is_sound && c.verb != COMMAND_UNKNOWN)) {
        smtp_end_with(s, REPLY_BODY_AFTER_REFUSAL, VIEW_EMPTY, "body-after-refusal");
        return;
    }
    if (!is_sound) {
        smtp_reply(s, REPLY_BAD_LINE);
        return;
    }
    if (c.verb == COMMAND_HTTP) { /* cross-protocol attack: not even a reply to reflect (ALPACA) */
        smtp_end(s, true, "http");
        return;
    }
    if (is_junk(c.verb) && s->junk_count < UINT16_MAX)
        s->junk_count++;
    enum smtp_reply why = machine_judge(s, c.verb);
    if (c.verb == COMMAND_XCLIENT && !view_eq_nocase(c.word, VIEW_LIT("XCLIENT")))
        why = REPLY_NOT_OFFERED; /* XFORWARD, which shares its verb */
    if (why != REPLY_NONE)
        refuse(s, &c, why);
    else
        handlers[c.verb](s, c.args);
}

static void obey_line(struct smtp_session *s, struct view line)
{
    if (s->phase != PHASE_AUTH) {
        obey(s, line);
        return;
    }
    smtp_auth_respond(s, line);
}

static void take_line(struct smtp_session *s)
{
    struct view line;
    switch (lines_next(s, &line)) {
    case LINES_MORE:
        return;
    case LINES_FOREIGN:
        smtp_end(s, true, "tls-in-clear");
        return;
    case LINES_OVERLONG:
        smtp_reply(s, REPLY_LINE_TOO_LONG);
        break;
    case LINES_OVERLONG_AUTH:
        smtp_auth_overlong(s);
        break;
    case LINES_ONE:
        obey_line(s, line);
    }
    lines_take(s);
    if (s->flags & SMTP_TLS_DUE)
        smtp_starttls_go(s);
    if (s->wait == WAIT_NONE && s->phase < PHASE_CLOSING)
        smtp_deadline_step(s);
}

/* ---- the engine ---------------------------------------------------------------------------------- */

static void check_budgets(struct smtp_session *s)
{
    const struct config_limits *limits = &s->site->config->limits;
    if (s->phase >= PHASE_CLOSING)
        return;
    if (s->error_count >= limits->error_count)
        smtp_end_with(s, REPLY_TOO_MANY_ERRORS, VIEW_EMPTY, "errors");
    else if (s->junk_count > limits->junk_command_count)
        smtp_end_with(s, REPLY_TOO_MUCH_JUNK, VIEW_EMPTY, "junk");
}

static bool is_idle(const struct smtp_session *s)
{
    return s->wait == WAIT_NONE && (s->phase == PHASE_GREET || s->phase == PHASE_READY);
}

/* A client that does not read its replies gets no more of them (security.md G). */
static bool may_read(const struct smtp_session *s)
{
    return s->wait == WAIT_NONE && s->phase < PHASE_CLOSING && buf_len(s->in) > 0 &&
           buf_len(&s->out) + s->site->host->output_len(s) <
               s->site->config->limits.session_output_bytes / 2;
}

/* True when it made headway. */
static bool advance(struct smtp_session *s)
{
    size_t before = buf_len(s->in);
    if (s->phase == PHASE_DATA)
        smtp_body_input(s);
    else if (s->chunk_left > 0)
        smtp_chunk_input(s);
    else
        take_line(s);
    check_budgets(s);
    return s->phase < PHASE_CLOSING && buf_len(s->in) != before;
}

void smtp_go_on(struct smtp_session *s)
{
    if (s->phase == PHASE_CLOSING && s->wait == WAIT_NONE) {
        bury(s);
        return;
    }
    if (s->wait == WAIT_NONE)
        check_budgets(s);
    while (may_read(s) && advance(s))
        continue;
    if (s->site->is_draining && is_idle(s) && buf_len(s->in) == 0)
        smtp_end_with(s, REPLY_SHUTTING_DOWN, VIEW_EMPTY, "shutdown");
    if (s->phase < PHASE_CLOSING && !is_group_open(s)) {
        s->flags &= ~(unsigned)SMTP_ACKNOWLEDGED;
        smtp_flush(s);
    }
}

void smtp_session_drain(struct smtp_session *s, bool is_forced)
{
    if (is_forced)
        smtp_end_with(s, REPLY_SHUTTING_DOWN, VIEW_EMPTY, "shutdown");
    else
        smtp_go_on(s);
}

/* Whoever speaks before the greeting does not listen: a spam engine, or another protocol. */
static void meet_early_talker(struct smtp_session *s)
{
    if (lines_is_foreign(s))
        smtp_end(s, true, "early-foreign");
    else
        smtp_end_with(s, REPLY_EARLY_TALKER, VIEW_EMPTY, "early-talker");
}

void smtp_session_on_input(struct smtp_session *s)
{
    if (s->phase == PHASE_START && s->wait != WAIT_TLS && buf_len(s->in) > 0)
        meet_early_talker(s);
    else
        smtp_go_on(s);
}

void smtp_session_on_drained(struct smtp_session *s)
{
    s->output_since_ms = SMTP_NEVER;
    smtp_go_on(s);
}

static void be_overdue(struct smtp_session *s)
{
    if (s->wait == WAIT_DELAY)
        end_delay(s);
    else if (s->wait == WAIT_AUTH)
        smtp_auth_late(s);
    else if (s->wait == WAIT_TLS)
        smtp_end(s, true, "handshake-timeout");
    else if (s->phase == PHASE_DATA)
        smtp_end_with(s, REPLY_TOO_SLOW, VIEW_EMPTY, "slow-body");
    else
        smtp_end_with(s, REPLY_TIMEOUT, VIEW_EMPTY, "timeout");
}

void smtp_session_on_deadline(struct smtp_session *s)
{
    switch (smtp_deadline_overdue(s)) {
    case OVERDUE_NOTHING:
        break;
    case OVERDUE_OUTPUT:
        smtp_end(s, true, "output-stall");
        break;
    case OVERDUE_SESSION:
        smtp_end_with(s, REPLY_SESSION_TOO_LONG, VIEW_EMPTY, "session-timeout");
        break;
    case OVERDUE_STEP:
        be_overdue(s);
    }
}
