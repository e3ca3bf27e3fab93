/* What console asks in the course of a request of its own, and the record of changes.
 *
 *   sign_in.judge   {login, account, created_ms, is_good, is_code_missing?, wrong_password, ip, program, proves?}
 *                                                  200 {allow, ask_code, defer, delay_ms}; `proves`: by a session that
 *                                                  there is
 *   audit.add       {actor, from, op, target, why, status}   200, when it is durable
 *   audit.list      {after?, limit?, target?, actor?}        200 {audit: […], next?}, newest first */
#include "policy/ops.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "policy/account.h"
#include "policy/audit.h"
#include "policy/facts.h"
#include "policy/state.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define SCANNED_MAX  20000 /* records read for one page, however few are of that target */

/* ---- a sign-in at a page ---- */

static void op_judge(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct account account;
    struct place place;
    struct ipaddr ip;
    struct buf bytes;
    uint64_t wrong_password = 0;
    struct view login = admin_text(call->args, "login");
    uint64_t id = (uint64_t)admin_number(call->args, "account", 0);
    if (!ipaddr_parse(admin_text(call->args, "ip"), &ip)) {
        admin_refuse(call->chan, call->id, 400, "'ip' is the client's address");
        return;
    }
    (void)view_parse_u64(admin_text(call->args, "wrong_password"), UINT64_MAX, &wrong_password);
    if (id == 0 && login.n > 0)
        id = facts_unknown_account(p->rules->hash_key, login);
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    account_load(p->ledger, id, &bytes, &account);
    account.login = login;
    account.created_ms = admin_number(call->args, "created_ms", 0);
    geo_lookup(p->geo, &ip, &place);
    const struct sign_in s = {
        .account = &account,
        .ip = &ip,
        .place = &place,
        .listener = VIEW_LIT("console"),
        .protocol = VIEW_LIT("console"),
        .program = admin_text(call->args, "program"),
        .is_good = admin_flag(call->args, "is_good"),
        .is_code_missing = admin_flag(call->args, "is_code_missing"),
        .wrong_password = wrong_password,
    };
    struct answer a = {.verdict = VERDICT_REFUSE};
    if (!admin_flag(call->args, "proves"))
        a = policy_judge_sign_in(p, &s);
    else if (policy_may_prove_password(p, &s))
        a.verdict = VERDICT_ALLOW;
    p->counts.failed_logins += !s.is_good;
    policy_count(p, ASKED_LOGIN, a.verdict);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:b, s:b, s:b, s:I}", "allow", s.is_good && a.verdict == VERDICT_ALLOW, "ask_code",
                          !s.is_good && s.is_code_missing && a.verdict == VERDICT_ALLOW, "defer",
                          a.verdict == VERDICT_DEFER, "delay_ms", (json_int_t)a.delay_ms));
    buf_fini(&bytes);
}

/* ---- the record of changes ---- */

static void op_audit_add(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    const struct audit a = {
        .at_ms = clock_wall_ms(),
        .status = (uint16_t)admin_number(call->args, "status", 0),
        .actor = admin_text(call->args, "actor"),
        .from = admin_text(call->args, "from"),
        .op = admin_text(call->args, "op"),
        .target = admin_text(call->args, "target"),
        .why = admin_text(call->args, "why"),
    };
    int err = audit_note(p->ledger, &a);
    if (err < 0)
        admin_refuse(call->chan, call->id, 507, "%s", msa_strerror(err));
    else
        policy_reply_when_durable(p, call, json_object());
}

/* A page's end as a text, and back. */
static void format_key(struct view key, char out[2 * AUDIT_KEY_BYTES + 1])
{
    out[0] = '\0';
    for (size_t i = 0; i < key.n && i < AUDIT_KEY_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned char)key.p[i]);
}

static bool parse_key(struct view text, char out[AUDIT_KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 2 * AUDIT_KEY_BYTES; i++) {
        const char *at = text.n == 2 * AUDIT_KEY_BYTES && text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!at)
            return false;
        out[i / 2] = (char)((i % 2 ? (unsigned char)out[i / 2] << 4 : 0) | (int)(at - digits));
    }
    return true;
}

struct listing {
    json_t *list;
    struct view target, actor;
    size_t room, looked_at;
    char last[2 * AUDIT_KEY_BYTES + 1];
    bool is_cut;
};

static json_t *describe(const struct audit *a)
{
    return json_pack("{s:I, s:s%, s:s%, s:s%, s:s%, s:s%, s:i}", "at_ms", (json_int_t)a->at_ms, "actor", a->actor.p,
                     a->actor.n, "from", a->from.p, a->from.n, "op", a->op.p, a->op.n, "target", a->target.p,
                     a->target.n, "why", a->why.p, a->why.n, "status", (int)a->status);
}

static bool list_one(void *arg, struct view key, const struct audit *a)
{
    struct listing *l = arg;
    bool is_wanted = (l->target.n == 0 || view_eq(l->target, a->target)) &&
                     (l->actor.n == 0 || view_eq(l->actor, a->actor));
    if (json_array_size(l->list) == l->room || l->looked_at++ == SCANNED_MAX) {
        l->is_cut = true;
        return false;
    }
    if (is_wanted)
        json_array_append_new(l->list, describe(a));
    format_key(key, l->last);
    return true;
}

static void op_audit_list(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    char after[AUDIT_KEY_BYTES];
    struct view after_text = admin_text(call->args, "after");
    int64_t room = admin_number(call->args, "limit", PAGE_DEFAULT);
    if (after_text.n > 0 && !parse_key(after_text, after)) {
        admin_refuse(call->chan, call->id, 400, "'after' is the 'next' of the page before");
        return;
    }
    struct listing l = {.list = json_array(),
                        .target = admin_text(call->args, "target"),
                        .actor = admin_text(call->args, "actor")};
    l.room = room < 1 ? 1 : room > PAGE_MAX ? PAGE_MAX : (size_t)room;
    audit_each(p->ledger, view_of(after, after_text.n > 0 ? sizeof after : 0), list_one, &l);
    json_t *o = json_pack("{s:o}", "audit", l.list);
    if (o && l.is_cut)
        json_object_set_new(o, "next", json_string(l.last));
    admin_reply(call->chan, call->id, 200, o);
}

const struct admin_op policy_ops_console[POLICY_OPS_CONSOLE_COUNT] = {
    {"sign_in.judge", op_judge, false},
    {"audit.add", op_audit_add, false},
    {"audit.list", op_audit_list, false},
};
