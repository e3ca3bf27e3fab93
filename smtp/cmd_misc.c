/* RSET, NOOP, HELP, VRFY and QUIT (RFC 5321 sections 4.1.1.5 to 4.1.1.10). */
#include "smtp/commands.h"
#include "smtp/txn.h"

void smtp_cmd_rset(struct smtp_session *s, struct view args)
{
    if (args.n > 0) {
        smtp_reply(s, REPLY_NO_ARGUMENTS);
        return;
    }
    smtp_txn_reset(s);
    smtp_reply(s, REPLY_RESET_OK);
}

void smtp_cmd_noop(struct smtp_session *s, struct view args)
{
    (void)args; /* may be anything */
    smtp_reply(s, REPLY_NOOP_OK);
}

void smtp_cmd_help(struct smtp_session *s, struct view args)
{
    (void)args;
    smtp_reply(s, REPLY_HELP);
}

/* RFC 5321 section 3.5.3: 252 neither confirms nor denies, so nobody's address can be tried out. */
void smtp_cmd_vrfy(struct smtp_session *s, struct view args)
{
    (void)args;
    smtp_reply(s, REPLY_VRFY);
}

void smtp_cmd_quit(struct smtp_session *s, struct view args)
{
    if (args.n > 0)
        smtp_reply(s, REPLY_NO_ARGUMENTS);
    else
        smtp_end_with(s, REPLY_BYE, view_cstr(s->site->config->hostname), "quit");
}
