/* The greeting, EHLO and HELO (RFC 5321 sections 3.1, 4.1.1.1): who may talk, and what is on offer to whom. */
#include <inttypes.h>
#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/date.h"
#include "smtp/certificate.h"
#include "smtp/commands.h"
#include "smtp/deadlines.h"
#include "smtp/events.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

/* ---- greeting ------------------------------------------------------------------------------------ */

static void greet(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    (void)verdict;
    (void)text;
    smtp_enter_phase(s, PHASE_GREET);
    smtp_reply_with(s, REPLY_GREETING, view_cstr(s->site->config->hostname));
}

/* Mail programs wait for the greeting, many spam engines do not. */
static void pause_then_greet(struct smtp_session *s)
{
    smtp_delay(s, s->site->config->deadlines.greeting_pause_ms, VERDICT_ALLOW, VIEW_EMPTY, greet);
}

static void begin_tls(struct smtp_session *s)
{
    if (s->site->host->start_tls(s) != MSA_OK)
        smtp_end(s, true, "no-tls");
    else
        smtp_wait_begin(s, WAIT_TLS);
}

/* A client that expects a handshake cannot read a refusal in clear. */
static void turn_away(struct smtp_session *s, enum smtp_reply why, struct view text)
{
    const char *reason = why == REPLY_NO_POLICY ? "no-policy" : "connect-refused";
    if ((s->flags & SMTP_IMPLICIT_TLS) && !(s->flags & SMTP_TLS))
        smtp_end(s, true, reason);
    else
        smtp_end_with(s, why, text, reason);
}

static void after_connect(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    if (verdict == VERDICT_REFUSE)
        turn_away(s, REPLY_CONNECT_REFUSED, text);
    else if (verdict != VERDICT_ALLOW)
        turn_away(s, REPLY_CONNECT_DEFERRED, text);
    else if ((s->flags & SMTP_IMPLICIT_TLS) && !(s->flags & SMTP_TLS))
        begin_tls(s);
    else
        pause_then_greet(s);
}

void smtp_session_on_connect(struct smtp_session *s, const struct msg_policy_connect_answer *a)
{
    if (!smtp_wait_end(s, WAIT_CONNECT))
        return;
    if (!a) {
        turn_away(s, REPLY_NO_POLICY, VIEW_EMPTY);
        return;
    }
    view_to_cstr(a->country, s->country, sizeof s->country);
    event_connect(s);
    smtp_delay(s, a->delay_ms, (enum policy_verdict)a->verdict, a->text, after_connect);
    smtp_go_on(s);
}

void smtp_ask_greeting(struct smtp_session *s)
{
    const struct msg_policy_connect_ask m = {
        .session = s->id,
        .client_ip = s->client_ip,
        .listener = view_cstr(s->listener),
    };
    if (s->site->host->ask_connect(s, &m) != MSA_OK)
        turn_away(s, REPLY_NO_POLICY, VIEW_EMPTY);
    else
        smtp_wait_begin(s, WAIT_CONNECT);
}

void smtp_session_start(struct smtp_session *s)
{
    smtp_ask_greeting(s);
}

/* The facts themselves are big, and an idle session keeps only what its messages will say. */
static void note_tls(struct smtp_session *s)
{
    const struct tls_facts *tls = s->site->host->tls_facts(s);
    char text[sizeof tls->version + sizeof tls->cipher + 32];
    if (!tls)
        return;
    snprintf(text, sizeof text, "%s %s %u bits", tls->version, tls->cipher, tls->bits);
    smtp_set_string(&s->tls, view_cstr(text));
}

void smtp_session_on_tls(struct smtp_session *s)
{
    if (!smtp_wait_end(s, WAIT_TLS))
        return;
    s->flags |= SMTP_TLS;
    s->output_since_ms = SMTP_NEVER; /* the 220 has left, or there would be no handshake: nobody else says so */
    note_tls(s);
    event_tls(s);
    if (s->phase == PHASE_START)
        pause_then_greet(s);
    smtp_go_on(s);
}

/* ---- EHLO ---------------------------------------------------------------------------------------- */

static const struct {
    enum config_mechanism bit;
    const char *name;
} mechanisms[] = {
    {CONFIG_MECH_SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS"},
    {CONFIG_MECH_SCRAM_SHA_256, "SCRAM-SHA-256"},
    {CONFIG_MECH_CRAM_MD5, "CRAM-MD5"},
    {CONFIG_MECH_PLAIN, "PLAIN"},
    {CONFIG_MECH_LOGIN, "LOGIN"},
    {CONFIG_MECH_OAUTHBEARER, "OAUTHBEARER"},
    {CONFIG_MECH_XOAUTH2, "XOAUTH2"},
    {CONFIG_MECH_EXTERNAL, "EXTERNAL"},
};

#define MECHANISM_COUNT (sizeof mechanisms / sizeof mechanisms[0])

/* Channel binding needs a channel; a token is its bearer's, whoever that is (RFC 7628 section 5). */
#define ONLY_UNDER_TLS (CONFIG_MECH_SCRAM_SHA_256_PLUS | CONFIG_MECH_OAUTHBEARER | CONFIG_MECH_XOAUTH2)

static bool is_offered(const struct smtp_session *s, enum config_mechanism bit)
{
    if ((bit & ONLY_UNDER_TLS) != 0 && !(s->flags & SMTP_TLS))
        return false;
    if ((s->site->config->auth.mechanisms & bit) == 0)
        return false;
    char login[CERTIFICATE_LOGIN_SIZE];
    return bit != CONFIG_MECH_EXTERNAL || certificate_login(s, login);
}

bool smtp_mechanism_is_offered(const struct smtp_session *s, struct view name)
{
    for (size_t i = 0; i < MECHANISM_COUNT; i++)
        if (view_eq_nocase(name, view_cstr(mechanisms[i].name)))
            return is_offered(s, mechanisms[i].bit);
    return false;
}

static void add_auth(const struct smtp_session *s, struct buf *out)
{
    bool may_sign_in = (s->flags & (SMTP_TLS | SMTP_AUTH_IN_CLEAR)) && !(s->flags & SMTP_AUTHED);
    if (!may_sign_in)
        return;
    buf_add_cstr(out, "250-AUTH");
    for (size_t i = 0; i < MECHANISM_COUNT; i++)
        if (is_offered(s, mechanisms[i].bit))
            buf_addf(out, " %s", mechanisms[i].name);
    buf_add_cstr(out, "\r\n");
}

unsigned smtp_offered_params(const struct smtp_session *s)
{
    unsigned offered = 0;
    if (!(s->flags & SMTP_EXTENDED))
        return 0;
    offered = PARAM_SIZE | PARAM_BODY | PARAM_BINARYMIME | PARAM_SMTPUTF8 | PARAM_AUTH | PARAM_DSN;
    if (s->site->config->submission.future_release_ms > 0)
        offered |= PARAM_HOLD;
    if (s->flags & SMTP_TLS) /* RFC 8689 section 2 */
        offered |= PARAM_REQUIRETLS;
    return offered;
}

/* RFC 4865 section 4: the longest hold in seconds, and the latest date. */
static void add_future_release(const struct smtp_session *s, struct buf *out)
{
    char date[DATE_SIZE];
    int64_t span_ms = s->site->config->submission.future_release_ms;
    if (span_ms <= 0)
        return;
    date_format_iso8601(clock_wall_s() + span_ms / 1000, date);
    buf_addf(out, "250-FUTURERELEASE %" PRId64 " %s\r\n", span_ms / 1000, date);
}

static void add_extensions(const struct smtp_session *s, struct buf *out)
{
    const struct config *c = s->site->config;
    buf_add_cstr(out, "250-PIPELINING\r\n");
    buf_addf(out, "250-SIZE %" PRIu64 "\r\n", c->limits.message_bytes);
    buf_add_cstr(out, "250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n"
                      "250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n");
    buf_addf(out, "250-LIMITS MAILMAX=%" PRIu32 " RCPTMAX=%" PRIu32 "\r\n",
             c->limits.message_count, c->limits.recipient_count);
    add_future_release(s, out);
    if (s->flags & SMTP_TLS)
        buf_add_cstr(out, "250-REQUIRETLS\r\n");
    else if (s->site->has_tls)
        buf_add_cstr(out, "250-STARTTLS\r\n");
    if (s->flags & SMTP_MAY_XCLIENT)
        buf_add_cstr(out, "250-XCLIENT NAME ADDR PORT PROTO HELO\r\n");
    add_auth(s, out);
    buf_add_cstr(out, "250 HELP\r\n");
}

/* Clients send underscores, bare addresses and whatever their device is called: any one word will do. */
static bool is_helo_name(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == ' ')
            return false;
    return v.n > 0 && v.n <= 255 && utf8_is_valid(v);
}

/* True when the name was taken: the session stands where it stood after the first hello. */
static bool take_hello(struct smtp_session *s, struct view args)
{
    if (!is_helo_name(args)) {
        smtp_reply(s, REPLY_HELLO_SYNTAX);
        return false;
    }
    smtp_set_string(&s->helo, args);
    if (!s->helo) {
        smtp_reply(s, REPLY_NO_MEMORY);
        return false;
    }
    smtp_txn_reset(s);
    if (s->phase == PHASE_GREET)
        smtp_enter_phase(s, PHASE_READY);
    return true;
}

void smtp_cmd_ehlo(struct smtp_session *s, struct view args)
{
    struct buf out;
    if (!take_hello(s, args))
        return;
    s->flags |= SMTP_EXTENDED;
    buf_init(&out, 2048);
    buf_addf(&out, "250-%s\r\n", s->site->config->hostname);
    add_extensions(s, &out);
    if (buf_failed(&out))
        smtp_reply(s, REPLY_NO_MEMORY);
    else
        smtp_write(s, buf_view(&out));
    buf_fini(&out);
}

void smtp_cmd_helo(struct smtp_session *s, struct view args)
{
    if (!take_hello(s, args))
        return;
    s->flags &= ~(unsigned)SMTP_EXTENDED;
    smtp_reply_with(s, REPLY_HELO_OK, view_cstr(s->site->config->hostname));
}
