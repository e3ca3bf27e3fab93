/* One question of a Postfix that still takes mail (msa/console/postfix_door.h): the decisions of a sign-in, of MAIL,
 * of a quota and of the end of the body, for a message that has no session here.
 *
 *   postfix.judge {login, account?, created_ms?, ip, sender, begins, is_first, stage: mail | data | end,
 *                  counts, count, recipients, bytes}       200 {verdict: allow | defer | refuse | hold, text, delay_ms}
 *
 * What Postfix cannot do passes: pools and routes, a rewritten sender, a score. What a message has used up stays used, as
 * nobody tells what became of it. */
#include "policy/ops.h"

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "policy/account.h"
#include "policy/align.h"
#include "policy/facts.h"
#include "policy/state.h"

#define WORK_BYTES_MAX  (1u << 20)
#define ITEMS_BYTES_MAX (64u * 1024)
#define LISTENER        VIEW_LIT("postfix") /* what `listener` of rules and align blocks may say */
#define OVERSEAS_TEXT   "use from overseas is blocked for this account"

struct judging {
    struct policy *policy;
    const json_t *args;
    struct account account;
    struct buf account_bytes;
    struct ipaddr ip; /* none: not known */
    struct place place;
    struct arena work;
    bool is_held;
    struct answer answer; /* the strictest so far */
};

static void judging_init(struct policy *p, const json_t *args, struct judging *j)
{
    struct view login = admin_text(args, "login");
    uint64_t id = (uint64_t)admin_number(args, "account", 0);
    *j = (struct judging){.policy = p, .args = args, .answer = answer_allow()};
    arena_init(&j->work, WORK_BYTES_MAX);
    buf_init(&j->account_bytes, ACCOUNT_BYTES_MAX);
    (void)ipaddr_parse(admin_text(args, "ip"), &j->ip);
    account_load(p->ledger, id ? id : facts_unknown_account(p->hash_key, login), &j->account_bytes, &j->account);
    j->account.login = login;
    j->account.created_ms = admin_number(args, "created_ms", 0);
    geo_lookup(p->geo, &j->ip, &j->place);
}

static void judging_fini(struct judging *j)
{
    buf_fini(&j->account_bytes);
    arena_fini(&j->work);
}

static void refuse(struct judging *j, const char *text)
{
    const struct answer a = {.verdict = VERDICT_REFUSE};
    answer_fold(&j->answer, &a);
    if (j->answer.text[0] == '\0')
        (void)view_to_cstr(view_cstr(text), j->answer.text, sizeof j->answer.text);
}

static bool is_refused(const struct judging *j)
{
    return j->answer.verdict != VERDICT_ALLOW;
}

static void judging_facts(const struct judging *j, enum event_kind kind, struct event *e)
{
    struct open_counts here = sessions_open_of(j->policy->sessions, j->account.id);
    policy_facts(j->policy, kind, &j->ip, &j->place, &j->account, e);
    e->listener = LISTENER;
    e->account_sessions = here.sessions + 1;
    e->account_sending = here.sending + 1;
    e->address_sessions = e->address_sending = 1;
}

/* ---- whom the account may name ---- */

static void align(struct judging *j, const struct event *e, bool is_strict)
{
    char country[3];
    struct align_answer aligned;
    const struct align_who who = align_who_of(&j->account, e, is_strict, country);
    align_envelope(j->policy->config, &who, admin_text(j->args, "sender"), &aligned);
    if (aligned.is_refused)
        refuse(j, aligned.text);
}

static void decide(struct judging *j, const struct event *e)
{
    struct verdict v;
    struct answer a = policy_decide(j->policy, e, j->account.login, &v);
    answer_fold(&j->answer, &a);
    j->is_held = j->is_held || (v.actions & THEN_HOLD) != 0;
    if (v.actions & THEN_ALIGN)
        align(j, e, true);
}

/* ---- the stages ---- */

static bool allows_from_here(const struct judging *j)
{
    struct event e;
    judging_facts(j, EVENT_LOGIN, &e);
    return ipaddr_is_none(&j->ip) ||
           account_allows_from(&j->account, j->policy->config, j->place.country, e.is_home, e.at_ms);
}

/* Postfix has let it sign in; what a right password does not change is looked at each time, and the sign-in is judged
 * once. */
static void judge_account(struct judging *j)
{
    struct policy *p = j->policy;
    const struct sign_in s = {
        .account = &j->account,
        .ip = &j->ip,
        .place = &j->place,
        .listener = LISTENER,
        .is_good = true,
        .address_sessions = 1,
        .account_sessions = sessions_open_of(p->sessions, j->account.id).sessions + 1,
    };
    if (admin_flag(j->args, "begins") && !ipaddr_is_none(&j->ip)) {
        struct answer a = policy_judge_sign_in(p, &s);
        a.text[0] = '\0'; /* is for logs */
        policy_count(p, ASKED_LOGIN, a.verdict);
        answer_fold(&j->answer, &a);
    }
    if (restrictions_standing(p->restrictions, j->account.id))
        refuse(j, ANSWER_SUSPENDED_TEXT);
    else if (!allows_from_here(j))
        refuse(j, OVERSEAS_TEXT);
}

static void judge_mail(struct judging *j)
{
    struct event e;
    judging_facts(j, EVENT_TRANSACTION, &e);
    decide(j, &e);
    align(j, &e, false);
    policy_count(j->policy, ASKED_MAIL, j->answer.verdict);
}

/* Their number alone where not all are known. */
static void recipient_facts(struct judging *j, struct event *e)
{
    size_t i;
    const json_t *one;
    struct buf items;
    const json_t *list = json_object_get(j->args, "recipients");
    e->recipients = (uint32_t)admin_number(j->args, "count", 1);
    buf_init(&items, ITEMS_BYTES_MAX);
    json_array_foreach(list, i, one) {
        const struct msg_recipient r = {.path = view_cstr(json_string_value(one))};
        items_add_recipient(&items, &r);
    }
    struct event known = *e;
    if (json_array_size(list) == e->recipients && !buf_failed(&items) &&
        facts_recipients(j->policy->rules->hash_key, buf_view(&items), e->recipients, &j->work, &known) == MSA_OK)
        *e = known;
    buf_fini(&items);
}

static void judge_quota(struct judging *j)
{
    struct event e;
    judging_facts(j, EVENT_MESSAGE, &e);
    e.sender_hash = facts_sender(j->policy->rules->hash_key, admin_text(j->args, "sender"));
    recipient_facts(j, &e);
    decide(j, &e);
    policy_count(j->policy, ASKED_QUOTA, j->answer.verdict);
}

static void judge_content(struct judging *j)
{
    struct event e;
    const struct config_policy *settings = &j->policy->config->policy;
    judging_facts(j, EVENT_CONTENT, &e);
    e.recipients = (uint32_t)admin_number(j->args, "count", 1);
    e.bytes = (uint64_t)admin_number(j->args, "bytes", 0);
    decide(j, &e);
    if (settings->route == CONFIG_BRAKE_REJECT)
        refuse(j, "message refused by policy");
    j->is_held = j->is_held || settings->route == CONFIG_BRAKE_HOLD;
    policy_count(j->policy, ASKED_ROUTE, j->answer.verdict);
}

static void judge(struct judging *j, struct view stage)
{
    judge_account(j);
    if (!is_refused(j) && admin_flag(j->args, "is_first"))
        judge_mail(j);
    if (!is_refused(j) && admin_flag(j->args, "counts"))
        judge_quota(j);
    if (!is_refused(j) && view_eq(stage, VIEW_LIT("end")))
        judge_content(j);
}

/* ---- the answer ---- */

static const char *verdict_name(const struct judging *j)
{
    if (j->answer.verdict == VERDICT_ALLOW)
        return j->is_held ? "hold" : "allow";
    return j->answer.verdict == VERDICT_DEFER ? "defer" : "refuse";
}

static void log_answer(const struct judging *j, struct view stage)
{
    struct log_line l;
    if (!is_refused(j) && !j->is_held)
        return;
    log_begin(&l, LOG_LEVEL_INFO, "postfix-policy");
    log_view(&l, "user", j->account.login);
    log_ip(&l, "ip", &j->ip);
    log_view(&l, "sender", admin_text(j->args, "sender"));
    log_view(&l, "stage", stage);
    log_str(&l, "result", verdict_name(j));
    log_str(&l, "text", j->answer.text);
    log_end(&l);
}

static void op_judge(void *state, const struct admin_call *call)
{
    struct judging j;
    struct view stage = admin_text(call->args, "stage");
    if (admin_text(call->args, "login").n == 0 || stage.n == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' and 'stage' are needed");
        return;
    }
    judging_init(state, call->args, &j);
    judge(&j, stage);
    log_answer(&j, stage);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:s, s:s, s:I}", "verdict", verdict_name(&j), "text", j.answer.text, "delay_ms",
                          (json_int_t)j.answer.delay_ms));
    judging_fini(&j);
}

const struct admin_op policy_ops_postfix[POLICY_OPS_POSTFIX_COUNT] = {
    {"postfix.judge", op_judge, false},
};
