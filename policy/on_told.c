/* What policy is only told: what smarthosts said of the recipients, and what came back later. */
#include "policy/outcome.h"

#include "msa/base/err.h"
#include "policy/account.h"
#include "policy/facts.h"
#include "policy/state.h"

#define WORK_BYTES_MAX (256u << 10)

int outcome_note(struct policy *p, uint64_t account_id, struct view login, const struct ipaddr *ip,
                 struct view results)
{
    struct account account;
    struct place place = {0};
    struct buf bytes;
    struct arena work;
    struct event e;
    struct verdict v;
    arena_init(&work, WORK_BYTES_MAX);
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    account_load(p->ledger, account_id, &bytes, &account);
    account.login = login;
    if (!ipaddr_is_none(ip))
        geo_lookup(p->geo, ip, &place);
    policy_facts(p, EVENT_REJECTED, ip, &place, &account, &e);
    int err = facts_rejected(p->rules->hash_key, results, &work, &e);
    if (err == MSA_OK && (e.recipients > 0 || e.spam_refusals > 0))
        (void)policy_decide(p, &e, login, &v);
    buf_fini(&bytes);
    arena_fini(&work);
    return err;
}

int policy_on_outcome(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_relay_outcome outcome;
    (void)c;
    if (msg_relay_outcome_decode(m->payload, &outcome) < 0)
        return MSA_EPROTO;
    int err = outcome_note(p, outcome.account, outcome.login, &outcome.client_ip, outcome.results);
    return err == MSA_EPROTO ? err : MSA_OK;
}
