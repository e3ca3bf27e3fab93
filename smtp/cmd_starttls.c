/* STARTTLS (RFC 3207). The danger is what was sent in clear behind the command (CVE-2011-0411): it must never
 * be taken for something the encrypted side said, so the session ends when there is any.
 *
 * It may come before EHLO: RFC 3207 does not forbid that, gsasl does it, and all that EHLO says is forgotten. */
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "smtp/commands.h"
#include "smtp/machine.h"

void smtp_cmd_starttls(struct smtp_session *s, struct view args)
{
    if (args.n > 0)
        smtp_reply(s, REPLY_NO_ARGUMENTS);
    else if (!s->site->has_tls)
        smtp_reply(s, REPLY_TLS_AWAY);
    else if (smtp_bytes_behind(s) > 0)
        smtp_end(s, true, "bytes-behind-starttls");
    else
        s->flags |= SMTP_TLS_DUE; /* its own line must leave the buffer first */
}

/* RFC 3207 section 4.2: what was learnt in clear is forgotten, and so is what was done wrong. */
static void forget_clear_phase(struct smtp_session *s)
{
    MSA_ASSERT(!s->txn && !s->auth);
    free(s->helo);
    s->helo = NULL;
    s->flags &= ~(unsigned)SMTP_EXTENDED;
    s->error_count = 0;
    s->junk_count = 0;
    smtp_enter_phase(s, PHASE_GREET);
}

void smtp_starttls_go(struct smtp_session *s)
{
    s->flags &= ~(unsigned)SMTP_TLS_DUE;
    smtp_reply(s, REPLY_TLS_GO);
    smtp_flush(s); /* in clear, before the handshake */
    forget_clear_phase(s);
    if (s->site->host->start_tls(s) != MSA_OK)
        smtp_end(s, true, "no-tls");
    else
        smtp_wait_begin(s, WAIT_TLS);
}
