/* Whose name is it? The roles know accounts by id, people by name, and auth knows both. */
#include <stdio.h>

#include "msa/base/err.h"
#include "msa/console/console_private.h"
#include "msa/mail/login.h"

#define WITHIN_MS 1000

static void refuse(struct console_naming *n, unsigned status, const char *detail)
{
    const struct console_name name = {.status = status, .detail = detail};
    n->fn(n->arg, &name);
}

static void refuse_away(struct console_naming *n, int err)
{
    if (err == MSA_ETIMEOUT)
        refuse(n, 504, "auth gives no answer");
    else
        refuse(n, 503, "auth is away");
}

static void refuse_unfound(struct console_naming *n, const struct msg_auth_name_answer *answer)
{
    char detail[CONSOLE_DETAIL_MAX];
    switch ((enum name_result)answer->result) {
    case NAME_NOBODY:
        snprintf(detail, sizeof detail, "there is no account %.*s", (int)answer->login.n, answer->login.p);
        refuse(n, 404, detail);
        return;
    case NAME_INVALID:
        refuse(n, 400, "this is not a login name: user@domain, or user where a default domain is configured");
        return;
    case NAME_UNKNOWN:
        refuse(n, 503, "the account store cannot be read, or the account's record is damaged");
        return;
    case NAME_FOUND: break;
    }
    refuse(n, 502, "auth's answer does not decode");
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct console_naming *n = arg;
    struct msg_auth_name_answer answer;
    if (!m) {
        refuse_away(n, err);
    } else if (msg_auth_name_answer_decode(m->payload, &answer) < 0) {
        refuse(n, 502, "auth's answer does not decode");
    } else if (answer.result == NAME_FOUND) {
        const struct console_name name = {
            .status = 200, .login = answer.login, .account = answer.account, .created_ms = answer.created_ms};
        n->fn(n->arg, &name);
    } else {
        refuse_unfound(n, &answer);
    }
}

bool console_name_is_nobodys(const struct console_name *name)
{
    return name->status == 404 || name->status == 400;
}

void console_find_name(struct console *c, struct console_naming *n, struct view typed, console_name_fn *fn, void *arg)
{
    static const struct msg_auth_name_answer too_long = {.result = NAME_INVALID};
    struct chan *auth = console_peer(c, ROLE_AUTH);
    const struct msg_auth_name_ask m = {.typed = typed};
    *n = (struct console_naming){fn, arg};
    if (typed.n > LOGIN_TYPED_MAX)
        refuse_unfound(n, &too_long);
    else if (!auth || CHAN_ASK(auth, auth_name_ask, &m, WITHIN_MS, on_answer, n, NULL) < 0)
        refuse_away(n, MSA_ECLOSED);
}
