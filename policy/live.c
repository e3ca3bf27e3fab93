/* One decision, live: facts in, the engine's verdict, what it brings about, what the
 * session is told. */
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "policy/account.h"
#include "policy/answer.h"
#include "policy/enforce.h"
#include "policy/facts.h"
#include "policy/rules.h"
#include "policy/state.h"

const char *policy_listener(struct policy *p, struct view name)
{
    for (unsigned i = 0; i < p->listener_count; i++)
        if (view_eq(view_cstr(p->listeners[i]), name))
            return p->listeners[i];
    if (p->listener_count == POLICY_LISTENERS_MAX ||
        !view_to_cstr(name, p->listeners[p->listener_count], sizeof p->listeners[0]))
        return "";
    return p->listeners[p->listener_count++];
}

void policy_count(struct policy *p, enum question question, enum policy_verdict verdict)
{
    p->counts.questions[question].asked++;
    if (verdict != VERDICT_ALLOW)
        p->counts.questions[question].refused++;
}

void policy_facts(const struct policy *p, enum event_kind kind, const struct ipaddr *ip,
                  const struct place *place, const struct account *account,
                  struct event *e)
{
    *e = (struct event){
        .kind = kind,
        .at_ms = clock_wall_ms(),
        .account_class = VIEW_LIT("default"),
        .account_age_ms = -1,
        .ip = *ip,
        .place = *place,
        .protocol = VIEW_LIT("smtp"),
    };
    if (!account)
        return;
    e->account = account->id;
    e->domain = facts_domain(p->rules->hash_key, account->login);
    e->is_home = account_is_home(account, p->config, place->country);
    if (account->class_name.n > 0)
        e->account_class = account->class_name;
    if (account->created_ms > 0)
        e->account_age_ms =
            e->at_ms > account->created_ms ? e->at_ms - account->created_ms : 0;
    e->overrides = account->overrides;
    e->override_count = account->override_count;
}

struct answer policy_decide(struct policy *p, const struct event *e, struct view login,
                            struct verdict *v)
{
    verdict_init(v);
    p->counts.events++;
    if (!p->counters ||
        engine_decide(p->rules, store_lmdb_store(p->counters), e, v) != MSA_OK)
        p->counts.undecided++;
    struct answer a = answer_of(v, e);
    enforce_verdict(p, e, v, login, &a);
    return a;
}
