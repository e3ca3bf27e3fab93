/* RCPT (RFC 5321 section 4.1.1.3) with NOTIFY and ORCPT (RFC 3461). Recipients are checked for form alone:
 * a submission server does not know who exists elsewhere. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/command.h"
#include "msa/mail/local_part.h"
#include "msa/mail/path.h"
#include "smtp/commands.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

#define ADDED_QUOTES 2

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
    if (path_parse(&args, PATH_FORWARD, PATH_STRAY_DOTS, &c->path) != MSA_OK ||
        c->path.address.n > IPC_PATH_MAX - ADDED_QUOTES) {
        smtp_reply(s, REPLY_RCPT_ADDRESS);
        return false;
    }
    enum params_result result =
        params_parse_rcpt(args, smtp_offered_params(s), &c->params, &culprit);
    if (result != PARAMS_OK)
        smtp_refuse_param(s, result, culprit);
    return result == PARAMS_OK;
}

/* Japanese carriers have given out addresses like a..b.@docomo.example, and mail programs send them as they are. From
 * here on they are what RFC 5321 makes of them, "a..b."@docomo.example; `room` holds that. */
static struct view address_of(const struct path *p, char room[static PATH_CANONICAL_SIZE])
{
    if (!p->has_stray_dots)
        return p->address;
    size_t n = local_quote(p->local, room);
    room[n++] = '@';
    memcpy(room + n, p->domain.p, p->domain.n);
    return view_of(room, n + p->domain.n);
}

static bool add(struct smtp_txn *t, const struct rcpt_command *c)
{
    char room[PATH_CANONICAL_SIZE];
    const struct msg_recipient r = {
        .path = address_of(&c->path, room),
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
