#include "smtp/events.h"

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

static void log_id(struct log_line *l, const char *key, uint64_t id)
{
    char text[MSGID_TEXT_MAX];
    msgid_format(id, text);
    log_str(l, key, text);
}

static void begin(struct log_line *l, enum log_level level, const char *event,
                  const struct smtp_session *s)
{
    log_begin(l, level, event);
    log_id(l, "sess", s->id);
}

static void add_client(struct log_line *l, const struct smtp_session *s)
{
    log_ip(l, "ip", &s->client_ip);
    if (s->country[0])
        log_str(l, "country", s->country);
}

void event_connect(const struct smtp_session *s)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "connect", s);
    add_client(&l, s);
    log_num(&l, "port", s->client_port);
    log_str(&l, "listener", s->listener);
    log_end(&l);
}

void event_tls(const struct smtp_session *s)
{
    const struct tls_facts *tls = s->site->host->tls_facts(s);
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "tls", s);
    if (tls) {
        log_str(&l, "version", tls->version);
        log_str(&l, "cipher", tls->cipher);
        log_num(&l, "resumed", tls->is_resumed);
        log_str(&l, "sni", tls->sni[0] ? tls->sni : NULL);
    }
    log_end(&l);
}

void event_auth_ok(const struct smtp_session *s, const char *mechanism)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "auth-ok", s);
    log_str(&l, "user", s->login);
    log_str(&l, "mechanism", mechanism);
    add_client(&l, s);
    log_str(&l, "helo", s->helo);
    log_end(&l);
}

/* So much of the hash as tells attempts apart, and not enough to tell a password by. */
#define PASSWORD_MARK(hash) ((int64_t)((hash) % 999983 + 1))

void event_auth_failed(const struct smtp_session *s, const struct auth_failure *failure)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "auth-failed", s);
    log_str(&l, "user", failure->login[0] ? failure->login : NULL);
    log_str(&l, "mechanism", failure->mechanism);
    log_str(&l, "why", failure->why);
    add_client(&l, s);
    if (failure->wrong_password != 0)
        log_num(&l, "wrong", PASSWORD_MARK(failure->wrong_password));
    log_end(&l);
}

void event_sender_refused(const struct smtp_session *s, enum policy_verdict verdict,
                          struct view text)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "sender-refused", s);
    log_str(&l, "user", s->login);
    log_view(&l, "sender", s->txn->sender);
    log_str(&l, "verdict", verdict == VERDICT_DEFER ? "defer" : "refuse");
    log_view(&l, "text", text);
    log_end(&l);
}

static void add_mail(struct log_line *l, const struct smtp_session *s)
{
    const struct smtp_txn *t = s->txn;
    log_id(l, "msg", t->message);
    log_str(l, "user", s->login);
    log_view(l, "sender", t->sender);
    log_num(l, "recipients", t->recipient_count);
    log_num(l, "size", (int64_t)t->received_bytes);
}

void event_mail_accepted(const struct smtp_session *s, enum smtp_reply reply)
{
    const struct smtp_txn *t = s->txn;
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "mail-accepted", s);
    add_mail(&l, s);
    log_view(&l, "pool", t->pool);
    log_num(&l, "score_milli", t->score_milli);
    log_str(&l, "result", t->held_for != 0 ? "held" : reply == REPLY_DELIVERED ? "delivered" : "queued");
    if (s->flags & SMTP_GONE)
        log_num(&l, "client_gone", 1);
    log_end(&l);
}

void event_mail_refused(const struct smtp_session *s, enum smtp_reply why, struct view text)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "mail-refused", s);
    add_mail(&l, s);
    log_num(&l, "code", reply_entry(why)->code);
    log_str(&l, "reply", reply_entry(why)->name);
    log_view(&l, "text", text);
    log_end(&l);
}

void event_score_missing(const struct smtp_session *s)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_WARN, "score-missing", s);
    log_id(&l, "msg", s->txn->message);
    log_num(&l, "score_milli", s->txn->score_milli);
    log_end(&l);
}

void event_disconnect(const struct smtp_session *s)
{
    struct log_line l;
    begin(&l, LOG_LEVEL_INFO, "disconnect", s);
    add_client(&l, s);
    log_str(&l, "user", s->login);
    log_str(&l, "reason", s->end_reason);
    log_num(&l, "messages", s->accepted_count);
    log_num(&l, "errors", s->error_count);
    log_num(&l, "auth_failures", s->auth_failure_count);
    log_num(&l, "ms", clock_mono_ms() - s->began_ms);
    log_end(&l);
}
