/* AUTH (RFC 4954). The session only carries the exchange: it undoes base64, bounds every line and hands
 * bytes to the auth role, which never sees the client. What came out goes to policy, good or bad, before
 * the client hears of it; whatever is wrong with name, password or account, the reply is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/base64.h"
#include "smtp/certificate.h"
#include "smtp/commands.h"
#include "smtp/deadlines.h"
#include "smtp/events.h"
#include "smtp/machine.h"

#define RESPONSE_MAX 16384 /* auth_start.initial, auth_step.response */

struct smtp_auth {
    char mechanism[IPC_NAME_MAX + 1];
    char login[IPC_LOGIN_MAX + 1];
    uint64_t account; /* 0 until the password was right */
    uint64_t credential;
    int64_t created_ms;
    uint64_t wrong_password; /* keyed hash, 0: not known */
    enum auth_result result;
    bool is_open;       /* the auth role is in the middle of it */
    bool is_confirming; /* policy has let it pass, the final challenge is out */
    bool is_refusing;   /* it has failed and was counted, the refusal is out */
    char final_challenge[257]; /* text; "" for mechanisms without one */
    char refusal_challenge[1025]; /* likewise */
    int64_t began_ms;
};

bool smtp_session_is_of(const struct smtp_session *s, uint64_t account)
{
    /* `account` is 0 until the password was right. While policy is asked its answer decides: it knows of the stop,
     * and the client must hear what one with a wrong password hears. */
    bool is_becoming = s->auth && s->auth->account == account && s->wait != WAIT_LOGIN;
    return (is_becoming && account != 0) || ((s->flags & SMTP_AUTHED) && s->account == account);
}

bool smtp_session_has_credential(const struct smtp_session *s, const struct msg_auth_revoked *m)
{
    /* Policy knows nothing of it, so its answer is not waited for. */
    bool is_becoming = s->auth && s->auth->account != 0;
    uint64_t account = is_becoming ? s->auth->account : s->account;
    uint64_t credential = is_becoming ? s->auth->credential : s->credential;
    return (is_becoming || (s->flags & SMTP_AUTHED)) && account == m->account &&
           (m->is_all || credential == m->credential);
}

void smtp_auth_drop(struct smtp_session *s)
{
    if (!s->auth)
        return;
    if (s->auth->is_open)
        s->site->host->auth_abort(s);
    secret_wipe(s->auth, sizeof *s->auth);
    free(s->auth);
    s->auth = NULL;
}

/* The exchange is over, and with it the phase. */
static void leave(struct smtp_session *s)
{
    smtp_auth_drop(s);
    if (s->phase == PHASE_AUTH)
        smtp_enter_phase(s, PHASE_READY);
}

static void fail(struct smtp_session *s, enum smtp_reply why)
{
    leave(s);
    smtp_reply(s, why);
}

static int64_t passed_ms(const struct smtp_session *s)
{
    return clock_mono_ms() - s->auth->began_ms;
}

/* ---- to the auth role ---------------------------------------------------------------------------- */

static void wait_for_auth(struct smtp_session *s, int asked)
{
    if (asked != MSA_OK) { /* an exchange that was open is so still: leaving it says so over there */
        fail(s, REPLY_AUTH_AWAY);
        return;
    }
    s->auth->is_open = true;
    smtp_wait_begin(s, WAIT_AUTH);
}

static void start(struct smtp_session *s, bool has_initial, struct view initial)
{
    char certificate[CERTIFICATE_LOGIN_SIZE] = "";
    bool is_external = strcmp(s->auth->mechanism, "EXTERNAL") == 0;
    if (is_external)
        certificate_login(s, certificate);
    const struct tls_facts *tls = s->flags & SMTP_TLS ? s->site->host->tls_facts(s) : NULL;
    struct msg_auth_start m = {
        .session = s->id,
        .client_ip = s->client_ip,
        .mechanism = view_cstr(s->auth->mechanism),
        .has_initial = has_initial,
        .initial = initial,
        .is_tls = tls != NULL,
        .country = view_cstr(s->country),
        .certificate = view_cstr(certificate),
    };
    if (tls) {
        m.binding_exporter = view_of((const char *)tls->exporter, tls->exporter_len);
        m.binding_unique = view_of((const char *)tls->unique, tls->unique_len);
        m.binding_end_point = view_of((const char *)tls->end_point, tls->end_point_len);
    }
    wait_for_auth(s, s->site->host->auth_start(s, &m));
}

static bool begin(struct smtp_session *s, struct view mechanism)
{
    s->auth = calloc(1, sizeof *s->auth);
    if (!s->auth)
        return false;
    view_to_cstr(mechanism, s->auth->mechanism, sizeof s->auth->mechanism);
    for (char *c = s->auth->mechanism; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    s->auth->began_ms = clock_mono_ms();
    smtp_enter_phase(s, PHASE_AUTH);
    return true;
}

/* RFC 4954 section 4: "=" is an initial response of no octets, nothing at all is none. */
static void start_with(struct smtp_session *s, struct view initial)
{
    struct buf response;
    bool is_empty = view_eq(initial, VIEW_LIT("="));
    buf_init_secret(&response, RESPONSE_MAX);
    if (!is_empty && base64_decode(initial, &response) != MSA_OK)
        fail(s, REPLY_AUTH_BASE64);
    else
        start(s, initial.n > 0, buf_view(&response));
    buf_fini(&response);
}

void smtp_cmd_auth(struct smtp_session *s, struct view args)
{
    struct view initial = args;
    struct view mechanism = view_cut(&initial, ' ');
    if (!(s->flags & SMTP_EXTENDED))
        smtp_reply(s, REPLY_NEED_EHLO);
    else if (mechanism.n == 0)
        smtp_reply(s, REPLY_AUTH_SYNTAX);
    else if (!smtp_mechanism_is_offered(s, mechanism))
        smtp_reply(s, REPLY_AUTH_MECHANISM);
    else if (s->flags & SMTP_AUTH_STALE)
        smtp_end_with(s, REPLY_AUTH_RECONNECT, VIEW_EMPTY, "auth-stale");
    else if (!begin(s, mechanism))
        smtp_reply(s, REPLY_NO_MEMORY);
    else
        start_with(s, initial);
}

static void admit(struct smtp_session *s)
{
    smtp_set_string(&s->login, view_cstr(s->auth->login));
    if (!s->login) {
        fail(s, REPLY_AUTH_AWAY);
        return;
    }
    s->account = s->auth->account;
    s->account_created_ms = s->auth->created_ms;
    s->credential = s->auth->credential;
    s->flags |= SMTP_AUTHED;
    event_auth_ok(s, s->auth->mechanism);
    leave(s);
    s->site->host->authenticated(s);
    smtp_reply(s, REPLY_AUTH_OK);
}

static void go_on_with(struct smtp_session *s, struct view response)
{
    const struct msg_auth_step m = {.session = s->id, .response = response};
    if (!s->auth->is_confirming)
        wait_for_auth(s, s->site->host->auth_step(s, &m));
    else if (response.n > 0) /* the client acknowledges by an empty response (RFC 4954 section 4) */
        fail(s, REPLY_AUTH_MALFORMED);
    else
        admit(s);
}

/* The last word on a failed sign-in. */
static void end_refusal(struct smtp_session *s)
{
    leave(s);
    if (s->auth_failure_count >= s->site->config->limits.auth_failure_count)
        smtp_end_with(s, REPLY_AUTH_TOO_OFTEN, VIEW_EMPTY, "auth-failures");
    else
        smtp_reply(s, REPLY_AUTH_FAILED);
}

/* A line of the exchange. "*" is the client's way out; an empty line is an empty response. */
void smtp_auth_respond(struct smtp_session *s, struct view line)
{
    struct buf response;
    if (s->auth->is_refusing) { /* ^A is due (RFC 7628 section 3.2.3); nothing else changes what is decided */
        end_refusal(s);
        return;
    }
    if (view_eq(line, VIEW_LIT("*"))) {
        fail(s, REPLY_AUTH_CANCELLED);
        return;
    }
    buf_init_secret(&response, RESPONSE_MAX);
    if (base64_decode(line, &response) != MSA_OK)
        fail(s, REPLY_AUTH_BASE64);
    else
        go_on_with(s, buf_view(&response));
    buf_fini(&response);
}

void smtp_auth_overlong(struct smtp_session *s)
{
    if (s->auth && s->auth->is_refusing) /* an initial response has no exchange yet */
        end_refusal(s);
    else
        fail(s, REPLY_AUTH_LINE_TOO_LONG);
}

/* ---- from the auth role -------------------------------------------------------------------------- */

static void challenge(struct smtp_session *s, struct view text)
{
    const struct config *config = s->site->config;
    struct buf line;
    buf_init_secret(&line, 2 * RESPONSE_MAX);
    buf_add_cstr(&line, "334 ");
    base64_encode(text, &line);
    buf_add_cstr(&line, "\r\n");
    if (buf_failed(&line))
        fail(s, REPLY_AUTH_AWAY);
    else
        smtp_write(s, buf_view(&line));
    buf_fini(&line);
    if (s->auth) /* one time for the whole exchange */
        smtp_deadline_after(s, config->deadlines.auth_exchange_ms - passed_ms(s));
}

void smtp_session_on_challenge(struct smtp_session *s, const struct msg_auth_challenge *a)
{
    if (!smtp_wait_end(s, WAIT_AUTH))
        return;
    challenge(s, a->challenge);
    smtp_go_on(s);
}

/* Its channel broke: nothing of the exchange is left there. */
void smtp_session_on_auth_lost(struct smtp_session *s)
{
    s->flags &= ~(unsigned)SMTP_AUTH_STALE;
    if (s->auth)
        s->auth->is_open = false;
    if (s->phase != PHASE_AUTH || (s->wait != WAIT_AUTH && s->wait != WAIT_NONE))
        return;
    if (s->auth && (s->auth->is_confirming || s->auth->is_refusing))
        return; /* it has said all that it had to say */
    s->wait = WAIT_NONE;
    fail(s, REPLY_AUTH_AWAY);
    smtp_go_on(s);
}

/* The answer may still come, and could then pass for that of another exchange: there shall be none in
 * this session. */
void smtp_auth_late(struct smtp_session *s)
{
    s->wait = WAIT_NONE;
    s->flags |= SMTP_AUTH_STALE;
    fail(s, REPLY_AUTH_AWAY);
    smtp_go_on(s);
}

static bool is_rejection(enum auth_result result)
{
    return result == AUTH_BAD_CREDENTIALS || result == AUTH_NO_SUCH_USER || result == AUTH_DISABLED ||
           result == AUTH_NOT_THIS_PASSWORD;
}

static void ask_login(struct smtp_session *s, const struct msg_auth_done *a)
{
    const struct msg_policy_login_ask m = {
        .session = s->id,
        .client_ip = s->client_ip,
        .result = a->result,
        .account = a->account,
        .login = a->login,
        .mechanism = view_cstr(s->auth->mechanism),
        .wrong_password = a->wrong_password,
        .created_ms = a->created_ms,
        .helo = view_cstr(s->helo),
        .listener = view_cstr(s->listener),
        .is_tls = (s->flags & SMTP_TLS) != 0,
    };
    if (s->site->host->ask_login(s, &m) != MSA_OK)
        fail(s, REPLY_AUTH_AWAY);
    else
        smtp_wait_begin(s, WAIT_LOGIN);
}

void smtp_session_on_auth_done(struct smtp_session *s, const struct msg_auth_done *a)
{
    if (!smtp_wait_end(s, WAIT_AUTH))
        return;
    s->auth->is_open = false;
    s->auth->result = (enum auth_result)a->result;
    s->auth->account = a->result == AUTH_OK ? a->account : 0;
    s->auth->credential = a->credential;
    s->auth->created_ms = a->created_ms;
    s->auth->wrong_password = a->wrong_password;
    if (!view_to_cstr(a->login, s->auth->login, sizeof s->auth->login))
        s->auth->login[0] = '\0';
    if (!view_to_cstr(a->final_challenge, s->auth->final_challenge, sizeof s->auth->final_challenge) ||
        !view_to_cstr(a->refusal_challenge, s->auth->refusal_challenge, sizeof s->auth->refusal_challenge))
        s->auth->result = AUTH_UNAVAILABLE;
    if (s->auth->result == AUTH_OK || is_rejection(s->auth->result))
        ask_login(s, a);
    else if (s->auth->result == AUTH_MALFORMED)
        fail(s, REPLY_AUTH_MALFORMED);
    else if (s->auth->result == AUTH_NO_MECHANISM)
        fail(s, REPLY_AUTH_MECHANISM);
    else
        fail(s, REPLY_AUTH_AWAY);
    smtp_go_on(s);
}

/* ---- policy's word ------------------------------------------------------------------------------- */

static void log_failure(const struct smtp_session *s, const char *why)
{
    const struct auth_failure failure = {.login = s->auth->login,
                                         .mechanism = s->auth->mechanism,
                                         .why = why,
                                         .wrong_password = s->auth->wrong_password};
    event_auth_failed(s, &failure);
}

static void reject(struct smtp_session *s, const char *why)
{
    s->auth_failure_count++;
    log_failure(s, why);
    if (s->auth->refusal_challenge[0] == '\0') {
        end_refusal(s);
        return;
    }
    s->auth->is_refusing = true;
    s->auth->account = 0; /* it is nobody's session */
    challenge(s, view_cstr(s->auth->refusal_challenge));
}

/* Policy lets it pass. Only now the client may see SCRAM's v=. */
static void pass(struct smtp_session *s)
{
    if (s->auth->final_challenge[0] == '\0') {
        admit(s);
        return;
    }
    s->auth->is_confirming = true;
    challenge(s, view_cstr(s->auth->final_challenge));
}

/* A refused sign-in with the right password looks like one with a wrong password: whoever guesses
 * must not learn that he guessed. */
static void after_login(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    bool is_good = s->auth->result == AUTH_OK;
    char why[32]; /* policy's word for the log; strangers hear nothing of it */
    if (!is_good || text.n == 0 || !view_to_cstr(text, why, sizeof why))
        snprintf(why, sizeof why, "%s", is_good ? "policy" : "credentials");
    if (verdict == VERDICT_ALLOW && is_good)
        pass(s);
    else if (verdict == VERDICT_DEFER)
        fail(s, REPLY_AUTH_AWAY);
    else if (verdict == VERDICT_CLOSE)
        smtp_end_with(s, REPLY_AUTH_TOO_OFTEN, VIEW_EMPTY, "login-closed");
    else
        reject(s, why);
}

static void take_account_facts(struct smtp_session *s, const struct msg_policy_login_answer *a)
{
    s->flags &= ~(unsigned)(SMTP_MAY_SCORE | SMTP_MAY_NORMALIZE);
    if (a->may_score_content)
        s->flags |= SMTP_MAY_SCORE;
    if (a->may_normalize_newlines)
        s->flags |= SMTP_MAY_NORMALIZE;
    if (a->country.n > 0)
        view_to_cstr(a->country, s->country, sizeof s->country);
}

/* A failure takes its time, counted from the command, so that the time says nothing about the reason. */
static int64_t login_delay_ms(const struct smtp_session *s,
                              const struct msg_policy_login_answer *a)
{
    int64_t floor_ms = s->site->config->auth.failure_delay_ms - passed_ms(s);
    bool is_success = a->verdict == VERDICT_ALLOW && s->auth->result == AUTH_OK;
    return is_success || (int64_t)a->delay_ms > floor_ms ? (int64_t)a->delay_ms : floor_ms;
}

void smtp_session_on_login(struct smtp_session *s, const struct msg_policy_login_answer *a)
{
    if (!smtp_wait_end(s, WAIT_LOGIN))
        return;
    if (!a) {
        fail(s, REPLY_AUTH_AWAY);
    } else {
        take_account_facts(s, a);
        smtp_delay(s, login_delay_ms(s, a), (enum policy_verdict)a->verdict, a->text, after_login);
    }
    smtp_go_on(s);
}
