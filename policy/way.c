#include "policy/way.h"

#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/risk.h"

/* ---- what is known ---- */

/* Kinds that tell of abuse; to be deferred or to travel does not. */
static bool is_serious(enum restriction_kind kind)
{
    return kind == RESTRICTION_SUSPENDED || kind == RESTRICTION_LOCKED || kind == RESTRICTION_HELD;
}

static struct policy_restricted *remembered_of(struct policy *p, uint64_t account)
{
    return &p->restricted[(account ^ account >> 32) % POLICY_RESTRICTED_MAX];
}

static bool see_restriction(void *arg, const struct restriction *r)
{
    struct policy_restricted *l = arg;
    int64_t at_ms = r->last_ms > r->at_ms ? r->last_ms : r->at_ms;
    if (is_serious(r->kind) && at_ms > l->last_ms)
        l->last_ms = at_ms;
    return true;
}

void way_note_restriction(struct policy *p, const struct restriction *r)
{
    struct policy_restricted *l = remembered_of(p, r->account);
    if (l->account == r->account)
        (void)see_restriction(l, r);
}

/* Only where a route asks for it, and for an account that has sent lately from memory: else it is a walk over all its
 * records. */
static int64_t restricted_ago_ms(struct policy *p, uint64_t account, int64_t now_ms)
{
    struct restrictions_filter filter = {.account = account};
    struct policy_restricted *l = remembered_of(p, account);
    if (routes_ask_restricted_ms(p->routes) == 0 || account == 0)
        return -1;
    if (l->account != account) {
        *l = (struct policy_restricted){.account = account};
        do
            filter.after = restrictions_each(p->restrictions, &filter, now_ms, see_restriction, l);
        while (filter.after != 0);
    }
    if (l->last_ms == 0)
        return -1;
    return l->last_ms < now_ms ? now_ms - l->last_ms : 0;
}

/* ---- pools ---- */

/* A pool that somebody asks for, by position; the latest one asked for is taken. */
struct pools_asked {
    const struct config *config;
    bool is_any;
    uint32_t position;
};

static void ask_for(struct pools_asked *a, uint32_t position)
{
    if (!a->is_any || position > a->position)
        a->position = position;
    a->is_any = true;
}

/* The rules' pool is checked by the configuration, that of a risk may be gone: then the most suspect one takes its
 * place, for it must not be the clean one. */
static void ask_for_name(struct pools_asked *a, struct view name)
{
    uint32_t last = a->config->pool_count > 0 ? a->config->pool_count - 1 : 0;
    if (name.n > 0)
        ask_for(a, route_pool_position(a->config, name, last));
}

static const char *taken(const struct pools_asked *a)
{
    if (a->is_any && a->position < a->config->pool_count)
        return a->config->pools[a->position].name;
    return a->config->policy.default_pool;
}

/* ---- what is insisted on ---- */

static void refuse_by(enum policy_verdict verdict, struct view text, const char *otherwise,
                      struct answer *answer)
{
    struct answer told = {.verdict = verdict};
    if (text.n == 0 || !view_to_cstr(text, told.text, sizeof told.text))
        (void)view_to_cstr(view_cstr(otherwise), told.text, sizeof told.text);
    answer_fold(answer, &told);
}

static void obey_scanner(const struct msg_policy_route_ask *ask, struct way *out,
                         struct answer *answer)
{
    static const char text[] = "message refused by a content scanner";
    switch (ask->score_action) {
    case SCORE_ACTION_NONE: return;
    case SCORE_ACTION_HOLD: out->held_for |= HELD_FOR_ROUTE; return;
    case SCORE_ACTION_DEFER: refuse_by(VERDICT_DEFER, ask->score_text, text, answer); return;
    default: refuse_by(VERDICT_REFUSE, ask->score_text, text, answer);
    }
}

static void obey_route(const struct route_choice *c, struct way *out, struct answer *answer)
{
    static const char text[] = "message refused by policy";
    if (c->then == CONFIG_ROUTE_HOLD)
        out->held_for |= HELD_FOR_ROUTE;
    else if (c->then == CONFIG_ROUTE_DEFER)
        refuse_by(VERDICT_DEFER, view_cstr(c->route->text), "", answer);
    else if (c->then == CONFIG_ROUTE_REFUSE)
        refuse_by(VERDICT_REFUSE, view_cstr(c->route->text), text, answer);
}

/* The switch for all mail. */
static void obey_brake(const struct config_policy *policy, struct way *out, struct answer *answer)
{
    if (policy->route == CONFIG_BRAKE_HOLD)
        out->held_for |= HELD_FOR_ROUTE;
    else if (policy->route == CONFIG_BRAKE_REJECT)
        refuse_by(VERDICT_REFUSE, VIEW_EMPTY, "message refused by policy", answer);
}

/* ---- the whole ---- */

static const char *const then_names[] = {"pool", "hold", "defer", "refuse"};

static void log_route(bool is_shadow, const struct route_choice *c, const struct msg_policy_route_ask *ask,
                      const char *pool, int64_t score_milli)
{
    struct log_line l;
    char id[MSGID_TEXT_MAX];
    if (!c->route)
        return;
    msgid_format(ask->message, id);
    if (is_shadow)
        log_begin(&l, LOG_LEVEL_INFO, "route-shadow");
    else
        log_begin(&l, LOG_LEVEL_INFO, "route");
    log_str(&l, "msg", id);
    log_view(&l, "user", ask->login);
    log_str(&l, "name", c->route->name);
    log_str(&l, "then", then_names[c->then]);
    log_str(&l, "pool", pool);
    log_num(&l, "score_milli", score_milli);
    log_end(&l);
}

static void note_risk(struct policy *p, const struct account *account, const struct risk *before,
                      const struct route_choice *c, int64_t score_milli, int64_t now_ms)
{
    if (c->route && c->route->stay_ms > 0)
        risk_begin(p->ledger, account->id, account->login, c->route, before, score_milli, now_ms);
    else if (before)
        risk_see(p->ledger, account->id, before, score_milli, now_ms);
}

void way_choose(struct policy *p, const struct account *account, const struct event *e,
                const struct verdict *v, const struct reservation *r,
                const struct msg_policy_route_ask *ask, int64_t score_milli, struct way *out,
                struct answer *answer)
{
    struct risk risk;
    struct route_choice c, shadow;
    struct pools_asked pools = {.config = p->config};
    bool is_risky = risk_load(p->ledger, account->id, e->at_ms, account->login, &risk);
    const struct route_facts facts = {
        .account_class = e->account_class,
        .account_age_ms = e->account_age_ms,
        .country = e->place.country,
        .is_home = e->is_home,
        .listener = e->listener,
        .score_milli = score_milli,
        .findings = ask->findings,
        .is_risky = is_risky,
        .restricted_ago_ms = restricted_ago_ms(p, account->id, e->at_ms),
    };
    routes_decide(p->routes, &facts, ask->recipients, &c, &shadow);
    if (c.route && c.route->pool[0])
        ask_for(&pools, c.pool);
    if (is_risky)
        ask_for_name(&pools, view_cstr(risk.pool));
    ask_for_name(&pools, v->pool.n > 0 || !r ? v->pool : r->pool);
    *out = (struct way){.pool = taken(&pools)};
    if ((v->actions & THEN_HOLD) || (r && r->is_held))
        out->held_for |= HELD_FOR_RULE;
    obey_route(&c, out, answer);
    obey_brake(&p->config->policy, out, answer);
    obey_scanner(ask, out, answer);
    note_risk(p, account, is_risky ? &risk : NULL, &c, score_milli, e->at_ms);
    log_route(false, &c, ask, out->pool, score_milli);
    log_route(true, &shadow, ask, shadow.route ? p->config->pools[shadow.pool].name : "", score_milli);
    p->counts.shadow_routes += shadow.route != NULL;
}
