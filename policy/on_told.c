/* What policy is only told: what smarthosts said of the recipients. */
#include "msa/base/err.h"
#include "policy/account.h"
#include "policy/facts.h"
#include "policy/state.h"

#define WORK_BYTES_MAX (256u << 10)

int policy_on_outcome(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_relay_outcome outcome;
    struct account account;
    struct place place;
    struct buf bytes;
    struct arena work;
    struct event e;
    struct verdict v;
    (void)c;
    if (msg_relay_outcome_decode(m->payload, &outcome) < 0)
        return MSA_EPROTO;
    arena_init(&work, WORK_BYTES_MAX);
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    account_load(p->ledger, outcome.account, &bytes, &account);
    account.login = outcome.login;
    geo_lookup(p->geo, &outcome.client_ip, &place);
    policy_facts(p, EVENT_REJECTED, &outcome.client_ip, &place, &account, &e);
    int err = facts_rejected(p->rules->hash_key, outcome.results, &work, &e);
    if (err == MSA_OK && e.recipients > 0)
        (void)policy_decide(p, &e, account.login, &v);
    buf_fini(&bytes);
    arena_fini(&work);
    return err == MSA_EPROTO ? err : MSA_OK;
}
