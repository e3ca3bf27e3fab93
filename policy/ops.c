#include "policy/ops.h"

#include "msa/base/err.h"
#include "policy/state.h"
#include "policy/tell.h"

static const char *const question_names[QUESTION_COUNT] = {
    [ASKED_CONNECT] = "connect", [ASKED_LOGIN] = "login", [ASKED_MAIL] = "mail",
    [ASKED_QUOTA] = "quota",     [ASKED_ROUTE] = "route",
};

static json_t *questions(const struct policy *p)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < QUESTION_COUNT; i++)
        json_object_set_new(all, question_names[i],
                            json_pack("{s:I, s:I}", "asked",
                                      (json_int_t)p->counts.questions[i].asked, "refused",
                                      (json_int_t)p->counts.questions[i].refused));
    return all;
}

static json_t *counters(const struct policy *p)
{
    if (!p->counters)
        return json_null();
    struct store_lmdb_usage u = store_lmdb_usage(p->counters);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "accounts",
                     (json_int_t)u.account_count, "sources", (json_int_t)u.source_count,
                     "used_bytes", (json_int_t)u.used_bytes, "max_bytes",
                     (json_int_t)u.max_bytes, "expired", (json_int_t)u.expired_count,
                     "evicted", (json_int_t)u.evicted_count);
}

static json_t *mailbox(const struct policy *p)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "asked", (json_int_t)p->counts.mailbox.asked,
                     "refused", (json_int_t)p->counts.mailbox.refused, "accesses",
                     (json_int_t)p->counts.mailbox.accesses, "failures",
                     (json_int_t)p->counts.mailbox.failures);
}

static void op_status(void *state, const struct admin_call *call)
{
    const struct policy *p = state;
    json_t *o = json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "questions",
        questions(p), "mailbox", mailbox(p), "events", (json_int_t)p->counts.events,
        "undecided", (json_int_t)p->counts.undecided, "failed_logins",
        (json_int_t)p->counts.failed_logins, "suspensions",
        (json_int_t)p->counts.suspensions, "overseas_refusals",
        (json_int_t)p->counts.overseas_refusals, "shadow_routes",
        (json_int_t)p->counts.shadow_routes, "suspended_accounts",
        (json_int_t)restrictions_standing_count(p->restrictions), "sessions",
        (json_int_t)sessions_count(p->sessions), "rules",
        (json_int_t)p->rules->rule_count, "counters", counters(p), "geo",
        geo_describe(p->geo), "notices", notices_status(p->notices));
    admin_reply(call->chan, call->id, 200, o);
}

static void op_notice_test(void *state, const struct admin_call *call)
{
    uint64_t account = (uint64_t)admin_number(call->args, "account", 0);
    struct view login = admin_text(call->args, "login");
    int err = tell_samples(state, account, login);
    if (err < 0)
        admin_refuse(call->chan, call->id, 503, "%s", msa_strerror(err));
    else
        admin_reply(call->chan, call->id, 200, json_pack("{s:b, s:s%}", "done", 1, "login", login.n > 0 ? login.p : "", login.n));
}

static const struct admin_op ops_status[] = {
    {"policy.status", op_status, false},
    {"notice.test", op_notice_test, true},
};

static const struct admin_table tables[] = {
    {ops_status, sizeof ops_status / sizeof ops_status[0]},
    {policy_ops_restriction, POLICY_OPS_RESTRICTION_COUNT},
    {policy_ops_mailbox, POLICY_OPS_MAILBOX_COUNT},
    {policy_ops_account, POLICY_OPS_ACCOUNT_COUNT},
    {policy_ops_console, POLICY_OPS_CONSOLE_COUNT},
    {policy_ops_outcome, POLICY_OPS_OUTCOME_COUNT},
    {policy_ops_sign_in, POLICY_OPS_SIGN_IN_COUNT},
    {policy_ops_rules, POLICY_OPS_RULES_COUNT},
    {policy_ops_postfix, POLICY_OPS_POSTFIX_COUNT},
};

int policy_on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch_tables(tables, sizeof tables / sizeof tables[0], owner, c, m);
}
