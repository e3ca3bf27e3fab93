/* The table of settings: fixed decisions, and what is kept of people. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word verdict_words[] = {
    {"accept", CONFIG_ACCEPT}, {"defer", CONFIG_DEFER}, {"refuse", CONFIG_REFUSE}, {0}};

static const struct schema_word route_words[] = {{"pool", CONFIG_BRAKE_OFF},
                                                 {"hold", CONFIG_BRAKE_HOLD},
                                                 {"reject", CONFIG_BRAKE_REJECT},
                                                 {0}};

static const struct schema_key policy_keys[] = {
    {.name = "connect",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_policy, connect),
     .words = verdict_words,
     .initial = "accept",
     .roles = FOR_POLICY,
     .doc = "The answer to every new connection: `defer` greets with 421, `refuse` with 554."},
    {.name = "login",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_policy, login),
     .words = verdict_words,
     .initial = "accept",
     .roles = FOR_POLICY,
     .doc = "The answer to every sign-in with the right password: `defer` is 454, `refuse` 535. Rules can only "
            "be stricter."},
    {.name = "messages",
     .type = SCHEMA_RATE,
     SCHEMA_FIELD(config_policy, messages),
     .initial = "500/1h",
     .max = UINT32_MAX,
     .roles = FOR_POLICY,
     .doc = "Messages of one account; beyond it 450 until the window has moved on. Holds while there is no "
            "`rule` block: rules say it better."},
    {.name = "recipients",
     .type = SCHEMA_RATE,
     SCHEMA_FIELD(config_policy, recipients),
     .initial = "2000/1h",
     .max = UINT32_MAX,
     .roles = FOR_POLICY,
     .doc = "Recipients of one account, counted over all its messages; as `messages`."},
    {.name = "route",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_policy, route),
     .words = route_words,
     .initial = "pool",
     .roles = FOR_POLICY,
     .doc = "A brake for all mail: `pool` lets it go as rules and routes say, `hold` keeps it in the queue "
            "until it is released with msactl, `reject` refuses it."},
    {.name = "default_pool",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_policy, default_pool),
     .roles = FOR_POLICY,
     .doc = "The pool that mail leaves by for which neither a rule nor a route has another. Empty: the first one in the "
            "file."},
};

const struct schema_block schema_policy = {
    SCHEMA_KEYS(policy_keys), .bytes = sizeof(struct config_policy)};

static const struct schema_word addresses_words[] = {{"full", CONFIG_ADDRESSES_FULL},
                                                     {"network", CONFIG_ADDRESSES_NETWORK},
                                                     {"hash", CONFIG_ADDRESSES_HASH},
                                                     {0}};

static const struct schema_key privacy_keys[] = {
    {.name = "addresses",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_privacy, addresses),
     .words = addresses_words,
     .initial = "full",
     .roles = FOR_POLICY,
     .doc = "In which form a client's address stands in the records of restrictions: in full, only its network, or "
            "a keyed hash that tells whether two records are of the same address. Counters keep hashes in any case."},
};

const struct schema_block schema_privacy = {
    SCHEMA_KEYS(privacy_keys), .bytes = sizeof(struct config_privacy)};
