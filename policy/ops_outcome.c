/* Bounces that come back later, reported by whoever gets them:
 *
 *   outcome.report  {account…, code?, status?, recipient?}   200 {class}: what it counts as
 *
 * `code` is that of the reply, `status` its enhanced status; one of them is enough. */
#include "policy/ops.h"

#include <stdio.h>

#include "msa/base/err.h"
#include "msa/mail/dsn.h"
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

static void op_report(void *state, const struct admin_call *call)
{
    static const struct ipaddr nowhere;
    struct policy *p = state;
    struct msg_recipient_result r;
    struct buf results;
    uint64_t account = (uint64_t)admin_number(call->args, "account", 0);
    if (account == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' is missing: whose mail was it?");
        return;
    }
    if (!take_result(call, &r))
        return;
    buf_init(&results, IPC_PATH_MAX + 256);
    items_add_result(&results, &r);
    int err = buf_failed(&results) ? MSA_ENOMEM
                                   : outcome_note(p, account, admin_text(call->args, "login"),
                                                  &nowhere, buf_view(&results));
    buf_fini(&results);
    if (err < 0)
        admin_refuse(call->chan, call->id, 503, "%s", msa_strerror(err));
    else
        admin_reply(call->chan, call->id, 200,
                    json_pack("{s:s}", "class", outcome_class_name(outcome_class_of(r.code, r.enhanced))));
}

const struct admin_op policy_ops_outcome[POLICY_OPS_OUTCOME_COUNT] = {
    {"outcome.report", op_report, true},
};
