/* The session: greeting, EHLO, STARTTLS, AUTH. The transaction is in client_txn.c. */
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/base64.h"
#include "relay/client_impl.h"

static const char *const phase_names[] = {
    [CLIENT_GREETING] = "greeting",
    [CLIENT_EHLO] = "ehlo",
    [CLIENT_STARTTLS] = "starttls",
    [CLIENT_HANDSHAKE] = "handshake",
    [CLIENT_AUTH] = "auth",
    [CLIENT_AUTH_USER] = "auth-user",
    [CLIENT_AUTH_PASSWORD] = "auth-password",
    [CLIENT_IDLE] = "idle",
    [CLIENT_TRANSACTION] = "transaction",
    [CLIENT_QUIT] = "quit",
    [CLIENT_DEAD] = "dead",
};

static const char *const failure_names[] = {
    [CLIENT_FAIL_NONE] = "none",         [CLIENT_FAIL_GREETING] = "greeting",
    [CLIENT_FAIL_TLS] = "tls",           [CLIENT_FAIL_AUTH] = "auth",
    [CLIENT_FAIL_PROTOCOL] = "protocol", [CLIENT_FAIL_CLOSING] = "closing",
    [CLIENT_FAIL_BODY] = "body",         [CLIENT_FAIL_HERE] = "here",
};

const char *client_phase_name(enum client_phase phase)
{
    return phase <= CLIENT_DEAD ? phase_names[phase] : "?";
}

const char *client_failure_name(enum client_failure failure)
{
    return failure <= CLIENT_FAIL_HERE ? failure_names[failure] : "?";
}

void client_init(struct client *c, const struct client_settings *settings)
{
    *c = (struct client){.settings = settings};
    c->is_tls = settings->is_tls_implicit;
    if (settings->user[0] != '\0') /* AUTH lines pass through it */
        buf_init_secret(&c->out, CLIENT_OUT_MAX);
    else
        buf_init(&c->out, CLIENT_OUT_MAX);
    reply_init(&c->reply);
}

void client_fini(struct client *c)
{
    buf_fini(&c->out);
    reply_fini(&c->reply);
}

/* ---- for both files ---- */

void client_fail(struct client *c, enum client_failure failure, const char *why)
{
    c->phase = CLIENT_DEAD;
    c->failure = failure;
    snprintf(c->failure_text, sizeof c->failure_text, "%s", why);
    buf_reset(&c->out);
}

void client_fail_reply(struct client *c, enum client_failure failure, const struct reply *r)
{
    client_fail(c, r->code == 421 ? CLIENT_FAIL_CLOSING : failure, "");
    struct view text = view_slice(reply_text(r), 0, 120);
    snprintf(c->failure_text, sizeof c->failure_text, "%d %.*s", r->code, (int)text.n,
             text.n > 0 ? text.p : "");
}

bool client_is_positive(const struct reply *r)
{
    return r->code >= 200 && r->code < 300;
}

/* ---- greeting to IDLE ---- */

static void send_ehlo(struct client *c)
{
    c->caps = (struct ehlo){0};
    buf_addf(&c->out, "EHLO %s\r\n", c->settings->ehlo_name);
    c->phase = CLIENT_EHLO;
}

/* AUTH with `text` in base64 behind the keyword; both buffers are wiped. */
static void send_base64(struct client *c, const char *keyword, struct view text)
{
    struct buf line;
    buf_init_secret(&line, 2 * CLIENT_SECRET_MAX);
    buf_add_cstr(&c->out, keyword);
    if (base64_encode(text, &line) < 0)
        c->out.failed = true;
    buf_add(&c->out, buf_view(&line));
    buf_add(&c->out, VIEW_LIT("\r\n"));
    buf_fini(&line);
}

static void send_auth_plain(struct client *c)
{
    struct buf token; /* NUL user NUL password (RFC 4616) */
    buf_init_secret(&token, CLIENT_SECRET_MAX);
    buf_add_char(&token, '\0');
    buf_add_cstr(&token, c->settings->user);
    buf_add_char(&token, '\0');
    buf_add_cstr(&token, c->settings->password);
    send_base64(c, "AUTH PLAIN ", buf_view(&token));
    c->out.failed |= buf_failed(&token);
    buf_fini(&token);
    c->phase = CLIENT_AUTH;
}

static void start_auth(struct client *c)
{
    enum config_relay_mechanism wanted = c->settings->mechanism;
    bool may_plain = wanted != CONFIG_RELAY_AUTH_LOGIN && (c->caps.mechanisms & EHLO_AUTH_PLAIN);
    bool may_login = wanted != CONFIG_RELAY_AUTH_PLAIN && (c->caps.mechanisms & EHLO_AUTH_LOGIN);
    if (!c->is_tls) {
        client_fail(c, CLIENT_FAIL_AUTH, "credentials are sent inside TLS only");
    } else if (may_plain) {
        send_auth_plain(c);
    } else if (may_login) {
        buf_add(&c->out, VIEW_LIT("AUTH LOGIN\r\n"));
        c->phase = CLIENT_AUTH_USER;
    } else {
        client_fail(c, CLIENT_FAIL_AUTH, "no mechanism of ours is offered");
    }
}

static void after_tls(struct client *c)
{
    if (c->settings->user[0] != '\0')
        start_auth(c);
    else
        c->phase = CLIENT_IDLE;
}

static void after_ehlo(struct client *c)
{
    if (c->is_tls || c->settings->tls == CONFIG_RELAY_TLS_OFF) {
        after_tls(c);
    } else if (c->caps.capabilities & EHLO_STARTTLS) {
        buf_add(&c->out, VIEW_LIT("STARTTLS\r\n"));
        c->phase = CLIENT_STARTTLS;
    } else if (c->settings->tls == CONFIG_RELAY_TLS_REQUIRED) {
        client_fail(c, CLIENT_FAIL_TLS, "STARTTLS is required and not offered");
    } else {
        after_tls(c);
    }
}

static void on_greeting(struct client *c, const struct reply *r)
{
    if (r->code == 220)
        send_ehlo(c);
    else
        client_fail_reply(c, CLIENT_FAIL_GREETING, r);
}

static void on_ehlo(struct client *c, const struct reply *r)
{
    if (r->code != 250) {
        client_fail_reply(c, CLIENT_FAIL_GREETING, r);
        return;
    }
    ehlo_parse(reply_text(r), &c->caps);
    after_ehlo(c);
}

/* A refusal is never final for the mail, whatever its first digit (RFC 3207 section 4.1 leaves it to us; a
 * 502 taken for final bounced mail, and then its bounce, elsewhere). */
static void on_starttls(struct client *c, const struct reply *r)
{
    if (r->code == 220)
        c->phase = CLIENT_HANDSHAKE;
    else if (c->settings->tls == CONFIG_RELAY_TLS_REQUIRED || r->code == 421)
        client_fail_reply(c, CLIENT_FAIL_TLS, r);
    else
        after_tls(c);
}

static void on_auth(struct client *c, const struct reply *r)
{
    if (r->code == 235)
        c->phase = CLIENT_IDLE;
    else
        client_fail_reply(c, CLIENT_FAIL_AUTH, r);
}

static void on_auth_login(struct client *c, const struct reply *r)
{
    bool is_user = c->phase == CLIENT_AUTH_USER;
    if (r->code != 334) {
        client_fail_reply(c, CLIENT_FAIL_AUTH, r);
        return;
    }
    send_base64(c, "", view_cstr(is_user ? c->settings->user : c->settings->password));
    c->phase = is_user ? CLIENT_AUTH_PASSWORD : CLIENT_AUTH;
}

/* Nobody was asked anything: it can only be a farewell. */
static void on_idle(struct client *c, const struct reply *r)
{
    if (r->code == 421)
        client_fail_reply(c, CLIENT_FAIL_CLOSING, r);
    else
        client_fail(c, CLIENT_FAIL_PROTOCOL, "a reply without a command");
}

static void on_reply(struct client *c, const struct reply *r)
{
    switch (c->phase) {
    case CLIENT_GREETING: on_greeting(c, r); break;
    case CLIENT_EHLO: on_ehlo(c, r); break;
    case CLIENT_STARTTLS: on_starttls(c, r); break;
    case CLIENT_AUTH: on_auth(c, r); break;
    case CLIENT_AUTH_USER:
    case CLIENT_AUTH_PASSWORD: on_auth_login(c, r); break;
    case CLIENT_TRANSACTION: client_txn_on_reply(c, r); break;
    case CLIENT_IDLE: on_idle(c, r); break;
    case CLIENT_QUIT: client_fail(c, CLIENT_FAIL_NONE, ""); break;
    case CLIENT_HANDSHAKE:
    case CLIENT_DEAD: break;
    }
}

/* One reply off the front of `in`. False: it is not all there, or the session has just died. */
static bool take_reply(struct client *c, struct buf *in)
{
    struct view bytes = buf_view(in);
    size_t before = bytes.n;
    int got = reply_feed(&c->reply, &bytes);
    buf_take(in, before - bytes.n);
    if (got == REPLY_MORE)
        return false;
    if (got < 0) {
        client_fail(c, CLIENT_FAIL_PROTOCOL, "a malformed or endless reply");
        return false;
    }
    c->reply_count++;
    on_reply(c, &c->reply);
    reply_reset(&c->reply);
    return true;
}

static enum client_want want_of(const struct client *c)
{
    switch (c->phase) {
    case CLIENT_HANDSHAKE: return CLIENT_WANT_TLS;
    case CLIENT_IDLE: return CLIENT_WANT_WORK;
    case CLIENT_DEAD: return CLIENT_WANT_CLOSE;
    case CLIENT_TRANSACTION:
        return client_txn_wants_body(c) ? CLIENT_WANT_BODY : CLIENT_WANT_INPUT;
    default: return CLIENT_WANT_INPUT;
    }
}

enum client_want client_step(struct client *c, struct buf *in, bool is_flushed)
{
    while (c->phase != CLIENT_DEAD && c->phase != CLIENT_HANDSHAKE && buf_len(in) > 0) {
        if (c->phase == CLIENT_TRANSACTION && client_txn_is_early(c, is_flushed)) {
            client_fail(c, CLIENT_FAIL_PROTOCOL, "a reply before its command");
            break;
        }
        if (!take_reply(c, in))
            break;
    }
    /* What came behind the 220 in clear was put there by somebody else (CVE-2011-0411). */
    if (c->phase == CLIENT_HANDSHAKE && buf_len(in) > 0)
        client_fail(c, CLIENT_FAIL_PROTOCOL, "bytes behind the reply to STARTTLS");
    if (buf_failed(&c->out))
        client_fail(c, CLIENT_FAIL_HERE, "out of memory");
    return want_of(c);
}

void client_on_tls(struct client *c, bool is_verified)
{
    c->is_tls = true;
    c->is_tls_verified = is_verified;
    if (c->phase == CLIENT_HANDSHAKE)
        send_ehlo(c);
}

void client_quit(struct client *c)
{
    buf_add(&c->out, VIEW_LIT("QUIT\r\n"));
    c->phase = CLIENT_QUIT;
}

void client_abandon(struct client *c, const char *why)
{
    if (c->phase != CLIENT_DEAD)
        client_fail(c, CLIENT_FAIL_HERE, why);
}
