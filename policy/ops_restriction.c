/* Restrictions for the support desk: who is shut out and why, by hand too. */
#include "policy/ops.h"

#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "policy/access.h"
#include "policy/enforce.h"
#include "policy/state.h"

#define PAGE_DEFAULT 200
#define PAGE_MAX     1000
#define NOTE_MAX     RESTRICTION_TEXT_MAX

/* ---- arguments ---- */

/* The account that the console has found for the login. */
static uint64_t account_arg(const struct admin_call *call)
{
    return (uint64_t)admin_number(call->args, "account", 0);
}

static bool id_arg(const struct admin_call *call, uint64_t *id_out)
{
    if (msgid_parse(admin_text(call->args, "id"), id_out))
        return true;
    admin_refuse(call->chan, call->id, 400,
                 "'id' is that of a restriction: see restriction list");
    return false;
}

static void note(struct policy *p, const struct admin_call *call, uint64_t account)
{
    access_note(p->ledger, account, call->actor, call->op, clock_wall_ms());
}

static void refuse_unknown(const struct admin_call *call)
{
    admin_refuse(call->chan, call->id, 404, "there is no such restriction");
}

/* ---- show ---- */

static void op_show(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct restriction r;
    struct buf bytes;
    uint64_t id;
    if (!id_arg(call, &id))
        return;
    buf_init(&bytes, RESTRICTION_BYTES_MAX);
    if (restrictions_read(p->restrictions, id, &bytes, &r)) {
        note(p, call, r.account);
        admin_reply(call->chan, call->id, 200, restriction_json(&r, clock_wall_ms()));
    } else {
        refuse_unknown(call);
    }
    buf_fini(&bytes);
}

/* ---- list ---- */

struct listing {
    json_t *list;
    size_t room;
    int64_t now_ms;
};

/* False: the page is full. */
static bool list_one(void *arg, const struct restriction *r)
{
    struct listing *l = arg;
    if (json_array_size(l->list) == l->room)
        return false;
    json_array_append_new(l->list, restriction_json(r, l->now_ms));
    return true;
}

static void reply_list(const struct admin_call *call, json_t *list, uint64_t next_id)
{
    char next[MSGID_TEXT_MAX];
    json_t *o = json_pack("{s:o}", "restrictions", list);
    msgid_format(next_id, next);
    if (o && next_id != 0)
        json_object_set_new(o, "next", json_string(next));
    admin_reply(call->chan, call->id, 200, o);
}

/* What stands now, or with `all` what ever was; of one account, or of all. Oldest first,
 * in pages. */
static void op_list(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    int64_t room = admin_number(call->args, "limit", PAGE_DEFAULT);
    uint64_t after = 0;
    struct view after_text = admin_text(call->args, "after");
    struct listing l = {.list = json_array(), .now_ms = clock_wall_ms()};
    l.room = room < 1 ? 1 : room > PAGE_MAX ? PAGE_MAX : (size_t)room;
    if (after_text.n > 0 && !msgid_parse(after_text, &after)) {
        json_decref(l.list);
        admin_refuse(call->chan, call->id, 400, "'after' is the id of a restriction");
        return;
    }
    const struct restrictions_filter filter = {
        .account = account_arg(call),
        .after = after,
        .is_standing_only = !admin_flag(call->args, "all"),
    };
    uint64_t next = restrictions_each(p->restrictions, &filter, l.now_ms, list_one, &l);
    note(p, call, filter.account);
    reply_list(call, l.list, next);
}

/* ---- release ---- */

static void note_release(struct policy *p, const struct admin_call *call, uint64_t id)
{
    struct restriction r;
    struct buf bytes;
    buf_init(&bytes, RESTRICTION_BYTES_MAX);
    if (restrictions_read(p->restrictions, id, &bytes, &r))
        note(p, call, r.account);
    buf_fini(&bytes);
}

static void op_release(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct view why = admin_text(call->args, "note");
    uint64_t id;
    if (!id_arg(call, &id))
        return;
    if (why.n == 0) {
        admin_refuse(call->chan, call->id, 400,
                     "'note' is missing: why is it lifted? It stays with the record");
        return;
    }
    int err = enforce_release(p, id, call->actor, why);
    note_release(p, call, id);
    if (err == MSA_ENOENT)
        refuse_unknown(call);
    else if (err == MSA_EACCESS)
        admin_refuse(call->chan, call->id, 409,
                     "it is of no single account, and of no address that is known: it ends by itself");
    else if (err == MSA_EEXIST)
        admin_refuse(call->chan, call->id, 409, "it was lifted before");
    else
        admin_reply(call->chan, call->id, 200, json_pack("{s:b}", "released", 1));
}

/* ---- by hand ---- */

static json_t *identity(const char *id, struct view login)
{
    return json_pack("{s:s, s:s%}", "restriction", id, "login", login.n > 0 ? login.p : "", login.n);
}

static void op_suspend(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    char id[MSGID_TEXT_MAX];
    int64_t hours = admin_number(call->args, "hours", 0);
    struct view why = admin_text(call->args, "note");
    if (account_arg(call) == 0 || why.n == 0 || hours < 0) {
        admin_refuse(call->chan, call->id, 400,
                     "'note' is missing: why is it suspended? It stays with the record");
        return;
    }
    const struct suspension s = {
        .account = account_arg(call),
        .login = admin_text(call->args, "login"),
        .because = why,
        .grounds = call->actor,
        .until_ms = hours > 0 ? clock_wall_ms() + hours * 3600000 : 0,
        .notifies = !admin_flag(call->args, "quiet"),
    };
    msgid_format(enforce_suspend(p, &s), id);
    note(p, call, s.account);
    admin_reply(call->chan, call->id, 200, identity(id, s.login));
}

#define OWNERS_WORDS VIEW_LIT("its owner says that a sign-in was somebody else's")

static void op_lock(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    char id[MSGID_TEXT_MAX];
    struct view why = admin_text(call->args, "note");
    const struct suspension s = {
        .is_by_owner = true,
        .account = account_arg(call),
        .login = admin_text(call->args, "login"),
        .because = why.n > 0 ? why : OWNERS_WORDS,
        .grounds = call->actor,
        .notifies = true,
    };
    if (s.account == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' is missing: whose account?");
        return;
    }
    msgid_format(enforce_suspend(p, &s), id);
    note(p, call, s.account);
    policy_reply_when_durable(p, call, identity(id, s.login));
}

static void op_owner_is_back(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    bool is_lifted = enforce_owner_is_back(p, account_arg(call), call->actor);
    policy_reply_when_durable(p, call, json_pack("{s:b}", "released", is_lifted));
}

const struct admin_op policy_ops_restriction[POLICY_OPS_RESTRICTION_COUNT] = {
    {"restriction.list", op_list, false},
    {"restriction.show", op_show, false},
    {"restriction.release", op_release, true},
    {"restriction.suspend", op_suspend, true},
    {"restriction.lock", op_lock, true},
    {"restriction.owner-is-back", op_owner_is_back, true},
};
