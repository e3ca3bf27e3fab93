/* The table of settings: routes. */
#include "msa/config/config.h"
#include "msa/config/schema_when.h"

static const struct schema_word then_words[] = {{"pool", CONFIG_ROUTE_POOL},
                                                {"hold", CONFIG_ROUTE_HOLD},
                                                {"defer", CONFIG_ROUTE_DEFER},
                                                {"refuse", CONFIG_ROUTE_REFUSE},
                                                {0}};

static const struct schema_word risky_words[] = {
    {"any", CONFIG_RISKY_ANY}, {"yes", CONFIG_RISKY_YES}, {"no", CONFIG_RISKY_NO}, {0}};

static const struct schema_word mode_words[] = {
    {"enforce", CONFIG_ROUTE_ENFORCED}, {"shadow", CONFIG_ROUTE_SHADOW}, {0}};

static const struct schema_word off_words[] = {{"off", 0}, {0}};

static const struct schema_key when_keys[] = {
    SCHEMA_WHEN_KEYS(config_route_when),
    {.name = "listener",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_route_when, listener),
     .roles = FOR_POLICY,
     .doc = "Clients of this listener."},
    {.name = "min_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_route_when, min_score_milli),
     .initial = "-1000.0",
     .min = CONFIG_SCORE_ANY_MILLI,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "Messages with at least this total score: content, behaviour (rules with `then score`) and "
            "alignment together; -1000 is every score."},
    {.name = "destinations",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_route_when, destinations),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Names of `destination` blocks, or domains: messages with a recipient there."},
    {.name = "findings",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_route_when, findings),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Names of what scoring found, one of which is enough; `msactl score check` prints them."},
    {.name = "restricted_within",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_route_when, restricted_within_ms),
     .words = off_words,
     .initial = "off",
     .min = 60000,
     .max = SCHEMA_AGE_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "Accounts that were suspended or locked, or had mail held by a rule, in this time: the "
            "restriction may have been released meanwhile."},
    {.name = "risky",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_route_when, risky),
     .words = risky_words,
     .initial = "any",
     .roles = FOR_POLICY,
     .doc = "Accounts that `stay` in a pool just now, or those that do not."},
};

static const struct schema_block when_block = {SCHEMA_KEYS(when_keys),
                                               .bytes = sizeof(struct config_route_when)};

static const struct schema_key route_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_route, name),
    .roles = FOR_POLICY,
    .doc = "Its name in log lines and in what the support desk sees."};

static const struct schema_key route_keys[] = {
    {.name = "when",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config_route, when),
     .block = &when_block,
     .roles = FOR_POLICY,
     .doc = "Which messages it takes; all that is written must hold. Without it: every one."},
    {.name = "then",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_route, then),
     .words = then_words,
     .initial = "pool",
     .roles = FOR_POLICY,
     .flags = SCHEMA_REQUIRED,
     .doc = "On through the pool `to_pool`; or `hold`, until the support desk releases, returns or deletes it; "
            "or `defer` (4xx) or `refuse` (5xx) it with `text`."},
    {.name = "to_pool",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_route, pool),
     .roles = FOR_POLICY,
     .doc = "The name of a pool. With `hold` the one that it will leave by."},
    {.name = "text",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_route, text),
     .max = 150,
     .roles = FOR_POLICY,
     .doc = "What the client is told by `defer` and `refuse`. ASCII is read everywhere."},
    {.name = "stay",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_route, stay_ms),
     .words = off_words,
     .initial = "off",
     .min = 60000,
     .max = SCHEMA_AGE_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "The account of a message that this route takes is risky: all its mail goes through `to_pool`, too, "
            "until it has been clean for so long. `msactl account show` tells of it, `msactl account "
            "clear-risk` ends it; a restart does not."},
    {.name = "clean_below",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_route, clean_below_milli),
     .initial = "-1000.0",
     .min = CONFIG_SCORE_ANY_MILLI,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "While the account stays, a message with at least this total score makes the time begin anew, even "
            "if no route takes it; -1000: only what a route with `stay` takes."},
    {.name = "mode",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_route, mode),
     .words = mode_words,
     .initial = "enforce",
     .roles = FOR_POLICY,
     .doc = "With `shadow` messages that it would take are logged and counted, and go as if it were not there: for "
            "trying a route."},
};

const struct schema_block schema_route = {SCHEMA_KEYS(route_keys), .label = &route_label,
                                          .bytes = sizeof(struct config_route)};
