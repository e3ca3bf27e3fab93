/* Bounces that come back later, reported by whoever gets them:
 *
 *   outcome.report  {id?, message_id?, account…, code?, status?, recipient?}   200 {login, class}: whose, and as what
 *
 * Which message it was tells best whose: `id` is that of its Received field, `message_id` that of its header. Where neither is
 * known it is the account's. `code` is that of the reply, `status` its enhanced status; one of them is enough. */
#include "policy/ops.h"

#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/mail/dsn.h"
#include "msa/mail/header.h"
#include "policy/outcome.h"
#include "policy/state.h"

#define CODE_BY_STATUS 50 /* 5.x.x without a code is a 550 */

/* False: refused. */
static bool take_result(const struct admin_call *call, struct msg_recipient_result *out)
{
    int64_t code = admin_number(call->args, "code", 0);
    *out = (struct msg_recipient_result){.path = admin_text(call->args, "recipient"),
                                         .enhanced = admin_text(call->args, "status")};
    const char *why = NULL;
    if (out->enhanced.n > 0 && !dsn_is_status(out->enhanced))
        why = "'status' is an enhanced status such as 5.1.1";
    else if (code == 0 && out->enhanced.n > 0)
        code = (out->enhanced.p[0] - '0') * 100 + CODE_BY_STATUS;
    if (!why && (code < 200 || code > 599))
        why = "give 'code', that of a reply such as 550, or 'status'";
    if (!why && out->path.n > IPC_PATH_MAX)
        why = "'recipient' is too long";
    out->code = (uint16_t)code;
    if (why)
        admin_refuse(call->chan, call->id, 400, "%s", why);
    return why == NULL;
}

/* False: refused. */
static bool take_owner(struct policy *p, const struct admin_call *call, struct sent_owner *out)
{
    struct view login = admin_text(call->args, "login"), id_text = admin_text(call->args, "id");
    struct view message_id = header_message_id(admin_text(call->args, "message_id"));
    uint64_t id = 0;
    if (id_text.n > 0 && !msgid_parse(id_text, &id)) {
        admin_refuse(call->chan, call->id, 400, "'id' is that of a Received field, 13 letters and digits");
        return false;
    }
    if (login.n == 0 && id == 0 && message_id.n == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' is missing: whose mail was it?");
        return false;
    }
    int err = sent_find(&p->sent, id, message_id, clock_wall_ms(), out);
    if (err == MSA_OK)
        return true;
    out->account = (uint64_t)admin_number(call->args, "account", 0);
    if (out->account != 0 && view_to_cstr(login, out->login, sizeof out->login))
        return true;
    if (err == MSA_EEXIST)
        admin_refuse(call->chan, call->id, 409, "several accounts have sent a message with this Message-ID");
    else
        admin_refuse(call->chan, call->id, 404, "it is not known, or no more, whose mail that was");
    return false;
}

static void op_report(void *state, const struct admin_call *call)
{
    static const struct ipaddr nowhere;
    struct policy *p = state;
    struct msg_recipient_result r;
    struct sent_owner owner;
    struct buf results;
    if (!take_result(call, &r) || !take_owner(p, call, &owner))
        return;
    buf_init(&results, IPC_PATH_MAX + 256);
    items_add_result(&results, &r);
    int err = buf_failed(&results) ? MSA_ENOMEM
                                   : outcome_note(p, owner.account, view_cstr(owner.login), &nowhere,
                                                  buf_view(&results));
    buf_fini(&results);
    if (err < 0)
        admin_refuse(call->chan, call->id, 503, "%s", msa_strerror(err));
    else
        admin_reply(call->chan, call->id, 200,
                    json_pack("{s:s, s:s}", "login", owner.login, "class",
                              outcome_class_name(outcome_class_of(r.code, r.enhanced))));
}

const struct admin_op policy_ops_outcome[POLICY_OPS_OUTCOME_COUNT] = {
    {"outcome.report", op_report, true},
};
