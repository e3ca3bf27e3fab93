#include "smtp/fixup.h"

#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/mail/date.h"
#include "msa/mail/path.h"
#include "smtp/author.h"
#include "smtp/txn.h"

bool fixup_keeps_field(struct view name, bool remove_bcc, bool hold_sender)
{
    if (remove_bcc && (view_eq_nocase(name, VIEW_LIT("Bcc")) ||
                       view_eq_nocase(name, VIEW_LIT("Resent-Bcc"))))
        return false;
    return !(hold_sender && view_eq_nocase(name, VIEW_LIT("Sender")));
}

/* ---- Received (RFC 5321 section 4.4) ------------------------------------------------------------- */

/* HELO is the client's word: only what can be a domain or an address literal goes into a header. */
static bool is_plain_name(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '-' && c != '_' &&
            c != ':' && c != '[' && c != ']')
            return false;
    }
    return v.n > 0;
}

static void add_from(const struct smtp_session *s, struct buf *out)
{
    struct view helo = view_cstr(s->helo);
    char ip[IPADDR_TEXT_MAX];
    buf_add_cstr(out, "Received: from ");
    switch (s->site->config->submission.received_client_address) {
    case CONFIG_CLIENT_FULL:
        ipaddr_format(&s->client_ip, ip);
        buf_add(out, is_plain_name(helo) ? helo : VIEW_LIT("unknown"));
        buf_addf(out, " ([%s%s])", ipaddr_is_v4(&s->client_ip) ? "" : "IPv6:", ip);
        break;
    case CONFIG_CLIENT_COUNTRY: /* HELO often is an address, too */
        buf_addf(out, "unknown (%s)", s->country[0] ? s->country : "country unknown");
        break;
    case CONFIG_CLIENT_NONE:
        buf_add_cstr(out, "unknown");
    }
}

/* RFC 3848, RFC 6531 section 4.3. */
static void add_with(const struct smtp_session *s, struct buf *out)
{
    bool is_tls = (s->flags & SMTP_TLS) != 0;
    buf_add_cstr(out, s->txn->is_smtputf8 ? "UTF8SMTP" : "ESMTP");
    buf_add_cstr(out, is_tls ? "SA" : "A");
    if (s->tls)
        buf_addf(out, "\r\n\t(%s)", s->tls);
}

static void add_received(const struct smtp_session *s, struct buf *out)
{
    const struct smtp_txn *t = s->txn;
    char id[MSGID_TEXT_MAX];
    char date[DATE_SIZE];
    msgid_format(t->message, id);
    date_format(clock_wall_s(), 0, date);
    add_from(s, out);
    buf_addf(out, "\r\n\tby %s (msad) with ", s->site->config->hostname);
    add_with(s, out);
    buf_addf(out, "\r\n\tid %s", id);
    if (t->recipient_count == 1) { /* more would tell each of the others */
        buf_add_cstr(out, "\r\n\tfor <");
        buf_add(out, t->only_recipient);
        buf_add_cstr(out, ">");
    }
    buf_addf(out, ";\r\n\t%s\r\n", date);
}

/* ---- fields that are missing --------------------------------------------------------------------- */

static void add_missing(const struct smtp_session *s, struct buf *out)
{
    const struct config *c = s->site->config;
    const struct header *h = &s->txn->body.header;
    char text[DATE_SIZE];
    if (c->submission.add_date && !header_find(h, VIEW_LIT("Date"), NULL)) {
        date_format(clock_wall_s(), 0, text);
        buf_addf(out, "Date: %s\r\n", text);
    }
    if (c->submission.add_message_id && !header_find(h, VIEW_LIT("Message-ID"), NULL)) {
        msgid_format(s->txn->message, text);
        buf_addf(out, "Message-ID: <%s@%s>\r\n", text, c->hostname);
    }
}

struct view fixup_message_id(const struct smtp_session *s, char out[FIXUP_MESSAGE_ID_MAX])
{
    const struct config *c = s->site->config;
    const struct header *h = &s->txn->body.header;
    const struct header_field *f = header_find(h, VIEW_LIT("Message-ID"), NULL);
    char id[MSGID_TEXT_MAX];
    if (!f && !c->submission.add_message_id)
        return VIEW_EMPTY;
    if (f) {
        struct view given = header_message_id(header_field_body(h, f));
        return given.n <= IPC_MESSAGE_ID_MAX ? given : VIEW_EMPTY;
    }
    msgid_format(s->txn->message, id);
    int n = snprintf(out, FIXUP_MESSAGE_ID_MAX, "%s@%s", id, c->hostname);
    return n > 0 && n < FIXUP_MESSAGE_ID_MAX ? view_of(out, (size_t)n) : VIEW_EMPTY;
}

/* ---- Sender -------------------------------------------------------------------------------------- */

static void add_old_senders(const struct header *h, struct buf *out)
{
    const struct header_field *f = NULL;
    while ((f = header_find(h, VIEW_LIT("Sender"), f)) != NULL)
        buf_add(out, header_field_text(h, f));
}

static bool may_set_sender(const struct smtp_session *s)
{
    const struct header *h = &s->txn->body.header;
    enum config_sender_fix mode = s->site->config->submission.sender;
    struct path login;
    if (s->txn->sender_field != SENDER_SET_LOGIN || mode == CONFIG_SENDER_OFF)
        return false;
    if (mode == CONFIG_SENDER_ADD && header_find(h, VIEW_LIT("Sender"), NULL))
        return false;
    /* A login name that is no address says nothing in a header. */
    return path_parse_address(view_cstr(s->login), &login) == MSA_OK &&
           !author_is_alone(s->txn, &login);
}

static void add_sender(const struct smtp_session *s, struct buf *out)
{
    if (may_set_sender(s))
        buf_addf(out, "Sender: <%s>\r\n", s->login);
    else if (s->txn->body.hold_sender)
        add_old_senders(&s->txn->body.header, out);
}

int fixup_write_prepend(const struct smtp_session *s, struct buf *out)
{
    add_received(s, out);
    buf_add(out, s->txn->added_header);
    add_missing(s, out);
    add_sender(s, out);
    return buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}
