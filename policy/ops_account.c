/* The operations on settings of accounts, which are those of account_change.h. Console has put "account" (the id),
 * "login" in its one form and "created_ms" into the arguments: see msa/console/ops.h.
 *
 *   settings.show      {account…}                    200 the settings, and "risky" if a route's `stay` holds
 *   settings.set       {account…, settings…}         200 the settings as they are now, durable
 *   settings.set-many  {accounts: [{account…}…], missing, set: {settings…}, dry_run?}
 *                      {class, after?, set, dry_run?}    those with a record of this class, in pages
 *                      200 {looked_at, changed, failed, logins: [changed ones], errors: [{login, detail}], missing?, next?}
 *   risk.clear         {account…, note}              200 {}; 409: it is not risky
 *   risk.show          {account…}                    200 {risky: null, or as above}
 *   access.list        {account…, limit?}            200 {access: [{at_ms, actor, op}…]}, newest first
 *   geo.lookup         {ip}                          200 what is known of the address
 *
 * Whatever looks at or changes a record leaves an access record. */
#include "policy/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "policy/access.h"
#include "policy/account_change.h"
#include "policy/enforce.h"
#include "policy/risk.h"
#include "policy/senders.h"
#include "policy/state.h"

#define MANY_MAX       1000
#define ERRORS_MAX     100
#define ACCESS_DEFAULT 100
#define ACCESS_MAX     1000

/* ---- one account ---- */

/* An account with the memory that its texts are in. */
struct loaded {
    struct account account;
    struct buf bytes;
    struct buf senders;
    enum msa_lookup found;
};

static void load(struct policy *p, const json_t *who, struct loaded *out)
{
    buf_init(&out->bytes, ACCOUNT_BYTES_MAX);
    buf_init(&out->senders, SENDERS_BYTES_MAX);
    out->found = account_load(p->ledger, (uint64_t)admin_number(who, "account", 0), &out->bytes,
                              &out->account);
    out->account.login = admin_text(who, "login");
    out->account.created_ms = admin_number(who, "created_ms", out->account.created_ms);
}

static void unload(struct loaded *l)
{
    buf_fini(&l->bytes);
    buf_fini(&l->senders);
}

static bool has_account(const struct admin_call *call)
{
    if (admin_number(call->args, "account", 0) != 0)
        return true;
    admin_refuse(call->chan, call->id, 400, "'login' is missing: whose settings?");
    return false;
}

static void op_show(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct loaded l;
    struct risk risk;
    if (!has_account(call))
        return;
    load(p, call->args, &l);
    access_note(p->ledger, l.account.id, call->actor, call->op, clock_wall_ms());
    json_t *o = account_json(&l.account, p->config);
    if (o && risk_load(p->ledger, l.account.id, clock_wall_ms(), l.account.login, &risk))
        json_object_set_new(o, "risky", risk_json(&risk));
    admin_reply(call->chan, call->id, 200, o);
    unload(&l);
}

/* ---- durable answers ---- */

/* What is answered when the ledger has it on the disk. */
struct pending {
    struct list link;
    struct chan *chan; /* NULL: the one who asked is gone */
    uint64_t id;
    json_t *answer;
};

void policy_ops_account_drop_peer(struct policy *p, const struct chan *c)
{
    struct pending *q, *next;
    LIST_FOREACH(q, next, &p->slow_answers, struct pending, link) {
        if (q->chan == c)
            q->chan = NULL;
    }
}

static void on_durable(void *arg, int err)
{
    struct pending *q = arg;
    list_remove(&q->link);
    if (q->chan && err == MSA_OK)
        admin_reply(q->chan, q->id, 200, json_incref(q->answer));
    else if (q->chan)
        admin_refuse(q->chan, q->id, err == MSA_EFULL ? 507 : 503,
                     "it holds for now but could not be written to the disk: %s", msa_strerror(err));
    json_decref(q->answer);
    free(q);
}

void policy_reply_when_durable(struct policy *p, const struct admin_call *call, json_t *answer)
{
    struct pending *q = calloc(1, sizeof *q);
    if (q)
        *q = (struct pending){.chan = call->chan, .id = call->id, .answer = answer};
    if (q && answer && ledger_sync(p->ledger, on_durable, q) == MSA_OK) {
        list_append(&p->slow_answers, &q->link);
        return;
    }
    free(q);
    json_decref(answer);
    admin_refuse(call->chan, call->id, 503, "out of memory");
}

/* ---- a change ---- */

static const char *const beside_set[] = {"account", "login", "created_ms", NULL};
static const char *const beside_many[] = {NULL};

/* MSA_OK: *is_changed_out says whether there was anything to change. */
static int change(struct policy *p, struct loaded *l, const json_t *set, const char *const *beside,
                  bool is_dry, bool *is_changed_out, char detail[ACCOUNT_DETAIL_MAX])
{
    struct buf before, after;
    *is_changed_out = false;
    if (l->found == MSA_RETRY) {
        snprintf(detail, ACCOUNT_DETAIL_MAX, "its settings cannot be read, see the log: unchanged");
        return MSA_ECORRUPT;
    }
    buf_init(&before, ACCOUNT_BYTES_MAX);
    buf_init(&after, ACCOUNT_BYTES_MAX);
    int err = account_pack(&l->account, &before);
    if (err == MSA_OK)
        err = account_change(&l->account, &l->senders, set, beside, p->config, detail);
    if (err == MSA_OK)
        err = account_pack(&l->account, &after);
    *is_changed_out = err == MSA_OK && !view_eq(buf_view(&before), buf_view(&after));
    buf_fini(&before);
    buf_fini(&after);
    if (err != MSA_OK || is_dry || !*is_changed_out)
        return err;
    l->account.changed_ms = clock_wall_ms();
    err = account_save(p->ledger, &l->account);
    if (err == MSA_OK)
        enforce_places(p, &l->account);
    else
        snprintf(detail, ACCOUNT_DETAIL_MAX, "%s", msa_strerror(err));
    return err;
}

static void op_set(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct loaded l;
    char detail[ACCOUNT_DETAIL_MAX] = "";
    bool is_changed;
    if (!has_account(call))
        return;
    load(p, call->args, &l);
    int err = change(p, &l, call->args, beside_set, false, &is_changed, detail);
    if (err == MSA_OK) {
        access_note(p->ledger, l.account.id, call->actor, call->op, clock_wall_ms());
        policy_reply_when_durable(p, call, account_json(&l.account, p->config));
    } else {
        admin_refuse(call->chan, call->id, err == MSA_EINVAL ? 400 : err == MSA_ECORRUPT ? 503 : 507, "%s",
                     detail);
    }
    unload(&l);
}

/* ---- risk ---- */

static void log_cleared(const struct admin_call *call)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "risk-cleared");
    log_view(&l, "user", admin_text(call->args, "login"));
    log_view(&l, "by", call->actor);
    log_view(&l, "text", admin_text(call->args, "note"));
    log_end(&l);
}

static void op_show_risk(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct risk risk;
    uint64_t account = (uint64_t)admin_number(call->args, "account", 0);
    if (!has_account(call))
        return;
    access_note(p->ledger, account, call->actor, call->op, clock_wall_ms());
    bool is_risky = risk_load(p->ledger, account, clock_wall_ms(), admin_text(call->args, "login"), &risk);
    admin_reply(call->chan, call->id, 200,
                is_risky ? json_pack("{s:o}", "risky", risk_json(&risk)) : json_pack("{s:n}", "risky"));
}

static void op_clear_risk(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    uint64_t account = (uint64_t)admin_number(call->args, "account", 0);
    if (!has_account(call))
        return;
    if (admin_text(call->args, "note").n == 0) {
        admin_refuse(call->chan, call->id, 400, "'note' is missing: why is it no risk?");
        return;
    }
    int err = risk_clear(p->ledger, account, clock_wall_ms());
    if (err == MSA_ENOENT) {
        admin_refuse(call->chan, call->id, 409, "the account is not risky");
    } else if (err < 0) {
        admin_refuse(call->chan, call->id, 507, "%s", msa_strerror(err));
    } else {
        access_note(p->ledger, account, call->actor, call->op, clock_wall_ms());
        struct view login = admin_text(call->args, "login");
        log_cleared(call);
        policy_reply_when_durable(p, call, json_pack("{s:s%}", "login", login.n > 0 ? login.p : "", login.n));
    }
}

/* ---- many at once ---- */

struct many {
    struct policy *p;
    const struct admin_call *call;
    const json_t *set;
    json_t *logins;
    json_t *errors;
    size_t looked_at, changed, failed;
    bool is_dry;
    int64_t now_ms;
};

static void change_one(struct many *m, const json_t *who)
{
    struct loaded l;
    char detail[ACCOUNT_DETAIL_MAX] = "";
    bool is_changed = false;
    load(m->p, who, &l);
    m->looked_at++;
    int err = change(m->p, &l, m->set, beside_many, m->is_dry, &is_changed, detail);
    if (err != MSA_OK && m->failed++ < ERRORS_MAX)
        json_array_append_new(m->errors, json_pack("{s:s%, s:s}", "login", l.account.login.p,
                                                   l.account.login.n, "detail", detail));
    if (err == MSA_OK && is_changed) {
        m->changed++;
        json_array_append_new(m->logins, json_stringn(l.account.login.p, l.account.login.n));
        if (!m->is_dry)
            access_note(m->p->ledger, l.account.id, m->call->actor, m->call->op, m->now_ms);
    }
    unload(&l);
}

/* Accounts of one class: gathered first, as a walk may not change what it walks over. */
struct gathering {
    struct view class_name;
    struct view after;
    json_t *accounts;
    char last[32];
    unsigned looked_at;
    bool is_cut;
};

static bool gather_one(void *arg, struct view key, struct view value)
{
    struct gathering *g = arg;
    struct account a;
    uint64_t id = 0;
    for (size_t i = 0; i < key.n; i++)
        id = id << 8 | (unsigned char)key.p[i];
    if (json_array_size(g->accounts) == MANY_MAX || g->looked_at == 20 * MANY_MAX) {
        g->is_cut = true;
        return false;
    }
    g->looked_at++;
    snprintf(g->last, sizeof g->last, "%llu", (unsigned long long)id);
    if (account_unpack(value, &a) == MSA_OK && view_eq(a.class_name, g->class_name))
        json_array_append_new(g->accounts,
                              json_pack("{s:I, s:s%, s:I}", "account", (json_int_t)id, "login",
                                        a.login.n > 0 ? a.login.p : "", a.login.n, "created_ms",
                                        (json_int_t)a.created_ms));
    return true;
}

/* From behind the id `after` on. */
static json_t *gather_class(struct policy *p, const json_t *args, struct gathering *g)
{
    char first[8];
    uint64_t after = 0;
    (void)view_parse_u64(admin_text(args, "after"), UINT64_MAX - 1, &after);
    for (int i = 0; i < 8; i++)
        first[i] = (char)((after + 1) >> (56 - 8 * i));
    *g = (struct gathering){.class_name = admin_text(args, "class"), .accounts = json_array()};
    ledger_each(p->ledger, LEDGER_ACCOUNTS, view_of(first, sizeof first), gather_one, g);
    return g->accounts;
}

static void op_set_many(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct gathering g = {0};
    json_t *accounts = json_incref(json_object_get(call->args, "accounts"));
    size_t i;
    const json_t *who;
    if (!accounts && admin_text(call->args, "class").n > 0)
        accounts = gather_class(p, call->args, &g);
    struct many m = {.p = p, .call = call, .set = json_object_get(call->args, "set"),
                     .is_dry = admin_flag(call->args, "dry_run"), .now_ms = clock_wall_ms()};
    if (!json_is_object(m.set) || !json_is_array(accounts) || json_array_size(accounts) > MANY_MAX) {
        json_decref(accounts);
        admin_refuse(call->chan, call->id, 400,
                     "give 'set', and 'logins' (at most %d) or a 'class'", MANY_MAX);
        return;
    }
    m.logins = json_array();
    m.errors = json_array();
    json_array_foreach(accounts, i, who) {
        change_one(&m, who);
    }
    json_decref(accounts);
    json_t *missing = json_object_get(call->args, "missing");
    json_t *o = json_pack("{s:I, s:I, s:I, s:o, s:o, s:O?}", "looked_at", (json_int_t)m.looked_at,
                          "changed", (json_int_t)m.changed, "failed", (json_int_t)m.failed, "logins",
                          m.logins, "errors", m.errors, "missing", missing);
    if (o && g.is_cut)
        json_object_set_new(o, "next", json_string(g.last));
    if (m.is_dry)
        admin_reply(call->chan, call->id, 200, o);
    else
        policy_reply_when_durable(p, call, o);
}

/* ---- who looked ---- */

struct listing {
    json_t *list;
    size_t room;
};

static bool list_access(void *arg, const struct access *a)
{
    struct listing *l = arg;
    if (json_array_size(l->list) == l->room)
        return false;
    json_array_append_new(l->list, json_pack("{s:I, s:s%, s:s%}", "at_ms", (json_int_t)a->at_ms,
                                             "actor", a->actor.p, a->actor.n, "op", a->op.p,
                                             a->op.n));
    return true;
}

static void op_access(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    int64_t room = admin_number(call->args, "limit", ACCESS_DEFAULT);
    struct listing l = {.list = json_array()};
    l.room = room < 1 ? 1 : room > ACCESS_MAX ? ACCESS_MAX : (size_t)room;
    access_each(p->ledger, (uint64_t)admin_number(call->args, "account", 0), list_access, &l);
    access_note(p->ledger, (uint64_t)admin_number(call->args, "account", 0), call->actor, call->op,
                clock_wall_ms());
    admin_reply(call->chan, call->id, 200, json_pack("{s:o}", "access", l.list));
}

/* ---- where an address is ---- */

static void op_lookup(void *state, const struct admin_call *call)
{
    const struct policy *p = state;
    struct ipaddr ip;
    struct place place;
    char country[3];
    if (!ipaddr_parse(admin_text(call->args, "ip"), &ip)) {
        admin_refuse(call->chan, call->id, 400, "'ip' is an IPv4 or IPv6 address");
        return;
    }
    geo_lookup(p->geo, &ip, &place);
    country_text(place.country, country);
    json_t *o = json_pack("{s:s, s:b, s:I, s:o}", "country",
                          place.country == COUNTRY_NONE ? "unknown" : country, "home",
                          account_default_is_home(p->config, place.country), "asn",
                          (json_int_t)place.asn, "databases", geo_describe(p->geo));
    if (o && place.has_coordinates)
        json_object_set_new(o, "coordinates", json_pack("{s:f, s:f}", "latitude",
                                                        (double)place.latitude_deg, "longitude",
                                                        (double)place.longitude_deg));
    admin_reply(call->chan, call->id, 200, o);
}

const struct admin_op policy_ops_account[POLICY_OPS_ACCOUNT_COUNT] = {
    {"settings.show", op_show, false},
    {"settings.set", op_set, true},
    {"settings.set-many", op_set_many, true},
    {"risk.clear", op_clear_risk, true},
    {"risk.show", op_show_risk, false},
    {"access.list", op_access, false},
    {"geo.lookup", op_lookup, false},
};
