/* XCLIENT (https://www.postfix.org/XCLIENT_README.html): a webmail server says on whose behalf it comes, so
 * that its users' own addresses count. Only from listed hosts. The session begins anew with that
 * address; LOGIN is no proof of anything here and is not taken. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/xtext.h"
#include "smtp/commands.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

#define VALUE_MAX 255

struct claim {
    struct ipaddr ip;
    bool has_ip;
    uint16_t port;
    char helo[VALUE_MAX + 1];
};

/* "[UNAVAILABLE]" and "[TEMPUNAVAIL]" say that the front does not know. */
static bool is_known(struct view value)
{
    return value.n > 0 && !view_eq_nocase(value, VIEW_LIT("[UNAVAILABLE]")) &&
           !view_eq_nocase(value, VIEW_LIT("[TEMPUNAVAIL]"));
}

static bool take_address(struct claim *c, struct view value)
{
    if (view_has_prefix_nocase(value, VIEW_LIT("IPV6:")))
        value = view_slice(value, 5, value.n);
    c->has_ip = ipaddr_parse(value, &c->ip);
    return c->has_ip;
}

static bool take_port(struct claim *c, struct view value)
{
    uint64_t port;
    if (!view_parse_u64(value, UINT16_MAX, &port))
        return false;
    c->port = (uint16_t)port;
    return true;
}

/* False when the attribute is malformed or none of ours. */
static bool take_attribute(struct claim *c, struct view name, struct view value)
{
    if (view_eq_nocase(name, VIEW_LIT("NAME")) || view_eq_nocase(name, VIEW_LIT("PROTO")))
        return true;
    if (view_eq_nocase(name, VIEW_LIT("ADDR")))
        return !is_known(value) || take_address(c, value);
    if (view_eq_nocase(name, VIEW_LIT("PORT")))
        return !is_known(value) || take_port(c, value);
    if (view_eq_nocase(name, VIEW_LIT("HELO")))
        return !is_known(value) || view_to_cstr(value, c->helo, sizeof c->helo);
    return false;
}

static bool parse(struct smtp_session *s, struct view args, struct claim *c)
{
    struct buf value;
    bool is_good = args.n > 0;
    buf_init(&value, VALUE_MAX);
    while (is_good && args.n > 0) {
        struct view rest = view_cut(&args, ' ');
        struct view name = view_cut(&rest, '=');
        buf_reset(&value);
        is_good = xtext_decode(rest, &value) == MSA_OK && take_attribute(c, name, buf_view(&value));
        if (!is_good)
            smtp_reply_with(s, REPLY_XCLIENT_SYNTAX, view_slice(name, 0, 32));
    }
    buf_fini(&value);
    return is_good;
}

/* Policy counted the front's connection; from here on it is the user's. */
static void move(struct smtp_session *s, const struct claim *c)
{
    struct ipaddr before = s->client_ip;
    if (c->has_ip) {
        s->client_ip = c->ip;
        s->client_port = c->port;
        s->country[0] = '\0';
        s->site->host->moved(s, &before);
    }
    if (c->helo[0])
        smtp_set_string(&s->helo, view_cstr(c->helo));
    s->flags &= ~(unsigned)SMTP_EXTENDED;
}

void smtp_cmd_xclient(struct smtp_session *s, struct view args)
{
    struct claim c = {.port = 0};
    if (args.n == 0) {
        smtp_reply_with(s, REPLY_XCLIENT_SYNTAX, VIEW_LIT("none"));
        return;
    }
    if (!parse(s, args, &c))
        return;
    if (s->flags & SMTP_TOLD_POLICY)
        s->site->host->disconnect(s);
    s->flags &= ~(unsigned)SMTP_TOLD_POLICY;
    move(s, &c);
    smtp_enter_phase(s, PHASE_START);
    smtp_ask_greeting(s);
}
