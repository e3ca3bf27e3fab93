/* RCPT (RFC 5321 section 4.1.1.3) with NOTIFY and ORCPT (RFC 3461). Recipients are checked for form alone:
 * a submission server does not know who exists elsewhere. */
#include "msa/base/err.h"
#include "msa/mail/command.h"
#include "msa/mail/path.h"
#include "smtp/commands.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

struct rcpt_command {
    struct path path;
    struct rcpt_params params;
};

static bool parse(struct smtp_session *s, struct view args, struct rcpt_command *c)
{
    struct view culprit;
    if (!command_take_keyword(&args, VIEW_LIT("TO:"))) {
        smtp_reply(s, REPLY_RCPT_SYNTAX);
        return false;
    }
    if (path_parse(&args, PATH_FORWARD, 0, &c->path) != MSA_OK ||
        c->path.address.n > IPC_PATH_MAX) {
        smtp_reply(s, REPLY_RCPT_ADDRESS);
        return false;
    }
    enum params_result result =
        params_parse_rcpt(args, smtp_offered_params(s), &c->params, &culprit);
    if (result != PARAMS_OK)
        smtp_refuse_param(s, result, culprit);
    return result == PARAMS_OK;
}

static bool add(struct smtp_txn *t, const struct rcpt_command *c)
{
    const struct msg_recipient r = {
        .path = c->path.address,
        .notify = (uint8_t)c->params.notify,
        .orcpt = c->params.orcpt,
    };
    size_t before = buf_len(&t->recipients);
    if (t->recipient_count == 0) {
        t->only_recipient = arena_copy(&t->arena, r.path);
        if (t->only_recipient.n != r.path.n)
            return false;
    }
    items_add_recipient(&t->recipients, &r);
    if (!buf_failed(&t->recipients)) {
        t->recipient_count++;
        return true;
    }
    buf_truncate(&t->recipients, before);
    t->recipients.failed = false; /* what was in before is still good */
    return false;
}

void smtp_cmd_rcpt(struct smtp_session *s, struct view args)
{
    struct rcpt_command c;
    struct smtp_txn *t = s->txn;
    if (!parse(s, args, &c))
        return;
    if (c.path.is_utf8 && !t->is_smtputf8)
        smtp_reply(s, REPLY_RCPT_NEEDS_UTF8);
    else if (t->recipient_count >= s->site->config->limits.recipient_count)
        smtp_reply(s, REPLY_TOO_MANY_RCPTS);
    else if (!add(t, &c))
        smtp_reply(s, REPLY_NO_MEMORY);
    else {
        if (s->phase == PHASE_MAIL)
            smtp_enter_phase(s, PHASE_RCPT);
        smtp_reply(s, REPLY_RCPT_OK);
    }
}
