/* The last sign-ins of an account: noted here, and shown to its owner and the support desk.
 *
 *   sign-in.list   {account…, limit?}   200 {sign_ins: [{first_ms, last_ms, times, protocol, address, country, network,
 *                                            program, result}…]}, the newest first */
#include "policy/ops.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "policy/access.h"
#include "policy/engine/subject.h"
#include "policy/privacy.h"
#include "policy/state.h"

_Static_assert(PRIVACY_SOURCE_MAX <= SIGN_IN_ADDRESS_MAX + 1, "an address fits");

void policy_note_sign_in(struct policy *p, const struct sign_in_seen *seen)
{
    struct sign_in_entry e = {
        .last_ms = clock_wall_ms(),
        .protocol = seen->protocol,
        .result = seen->result,
        .is_proven = seen->is_proven,
        .country = seen->place->country,
    };
    if (!p->sign_ins)
        return;
    sign_in_clean(seen->program, e.program, sizeof e.program);
    if (!ipaddr_is_none(seen->ip)) {
        e.network = subject_network_hash(p->rules, seen->ip);
        privacy_source(p, seen->ip, e.address);
        sign_in_clean(geo_network_name(p->geo, seen->ip), e.network_name, sizeof e.network_name);
    }
    sign_ins_note(p->sign_ins, seen->account, &e, p->config->retention.sign_ins_ms);
}

static json_t *describe(const struct sign_in_entry *e)
{
    char country[3] = "";
    if (e->country != COUNTRY_NONE)
        country_text(e->country, country);
    return json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "first_ms", (json_int_t)e->first_ms, "last_ms",
                     (json_int_t)e->last_ms, "times", (json_int_t)e->times, "protocol",
                     sign_in_protocol_name(e->protocol), "address", e->address, "country", country, "network",
                     e->network_name, "program", e->program, "result", sign_in_result_name(e->result));
}

static void op_list(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct sign_in_list list = {.count = 0};
    int64_t limit = admin_number(call->args, "limit", SIGN_INS_MAX), now_ms = clock_wall_ms();
    uint64_t account = (uint64_t)admin_number(call->args, "account", 0);
    if (account == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' is missing: whose sign-ins?");
        return;
    }
    if (p->sign_ins)
        sign_ins_read(p->sign_ins, account, p->config->retention.sign_ins_ms, now_ms, &list);
    json_t *all = json_array();
    for (unsigned i = 0; i < list.count && (int64_t)i < limit; i++)
        json_array_append_new(all, describe(&list.entries[i]));
    access_note(p->ledger, account, call->actor, call->op, now_ms);
    admin_reply(call->chan, call->id, 200, json_pack("{s:o}", "sign_ins", all));
}

const struct admin_op policy_ops_sign_in[POLICY_OPS_SIGN_IN_COUNT] = {
    {"sign-in.list", op_list, false},
};
