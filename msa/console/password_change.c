/* Another password for an account. The desk just sets it. A customer proves the one he has, so that an unlocked browser is
 * not enough, and what he has locked himself ("that was not me") is lifted with it. */
#include <stdlib.h>

#include "msa/console/api_call.h"

/* Policy may be away: the password is changed all the same, and the answer says what was not done. */
static void on_back(void *arg, unsigned status, struct view json)
{
    struct api_call *call = arg;
    json_t *o = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    bool is_released = status == 200 && json_is_true(json_object_get(o, "released"));
    json_decref(o);
    api_answer(call, 200, json_pack("{s:s, s:b, s:b}", "login", call->caller.name, "released", (int)is_released,
                                    "lock_unknown", (int)(status != 200)));
}

static void on_changed(struct api_call *call, json_t *answer)
{
    json_t *args = json_pack("{s:s}", "login", call->caller.name);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(answer);
    json_decref(args);
    if (text)
        console_ask(call->console, console_op_find(VIEW_LIT("restriction.owner-is-back")),
                    view_cstr(call->caller.actor), view_cstr(text), on_back, call);
    else
        on_back(call, 503, VIEW_EMPTY);
    free(text);
}

static void on_proved(struct api_call *call, const struct password_outcome *outcome)
{
    if (outcome->is_allowed) {
        call->then = on_changed;
        api_ask_op(call, call->match.route->op);
    } else if (outcome->status != 0) {
        api_fail(call, 503, NULL, "the password cannot be checked now: try again later");
    } else {
        api_fail(call, 403, "current-password", "the current password is wrong, or too many wrong ones were tried");
    }
}

void api_password_change(struct api_call *call)
{
    json_t *current = json_incref(json_object_get(call->args, "current"));
    const char *text = json_string_value(current);
    if (current)
        json_object_del(call->args, "current");
    if (call->caller.who != WHO_CUSTOMER && !text) {
        api_ask_op(call, call->match.route->op);
    } else if (call->caller.who != WHO_CUSTOMER) {
        api_fail(call, 422, "invalid-member", "'current' is given by a customer alone");
    } else if (!text) {
        api_fail(call, 422, "invalid-member", "'current' is missing: the password that you have now");
    } else {
        json_object_set_new(call->args, "is_own", json_true());
        password_check(call, call->caller.name, text, true, on_proved);
    }
    json_decref(current);
}
