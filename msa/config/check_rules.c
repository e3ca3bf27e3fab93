/* Contradictions within the rules, and the bound on what they remember of one subject. */
#include <string.h>

#include "msa/config/check.h"
#include "msa/config/private.h"

/* The engine's bounds; tests/unit/test_rules.c holds them together. */
#define DISTINCT_LIMIT    120
#define SWITCHES_LIMIT    40
#define RECORD_RULE_BYTES 6000
#define RECORD_RULE_CELLS 56
#define ALSO_LIMIT        4

#define PER(word)  (1u << CONFIG_PER_##word)
#define PER_SOURCE (PER(ADDRESS) | PER(NETWORK))
#define PER_USER \
    (PER(ACCOUNT) | PER(ACCOUNT_NETWORK) | PER(ACCOUNT_COUNTRY) | PER(DOMAIN))
#define PER_MAIL    (PER(FINGERPRINT) | PER(DESTINATION))
#define PER_SIGN_IN (PER_USER | PER_SOURCE | PER(EVERYONE))

/* Of whom each thing can be counted: an address has no countries, a sign-in no
 * recipients. */
static const unsigned subjects_of[] = {
    [CONFIG_COUNT_MESSAGES] = PER_SIGN_IN | PER_MAIL,
    [CONFIG_COUNT_RECIPIENTS] = PER_SIGN_IN | PER_MAIL,
    [CONFIG_COUNT_NEW_RECIPIENTS] = PER_SIGN_IN,
    [CONFIG_COUNT_BYTES] = PER_SIGN_IN | PER(FINGERPRINT),
    [CONFIG_COUNT_SESSIONS] = PER(ACCOUNT) | PER(ADDRESS),
    [CONFIG_COUNT_SENDING] = PER(ACCOUNT) | PER(ADDRESS),
    [CONFIG_COUNT_REJECTED_RECIPIENTS] = PER_SIGN_IN | PER(DESTINATION),
    [CONFIG_COUNT_LOGINS] = PER_SIGN_IN,
    [CONFIG_COUNT_FAILURES] = PER_SIGN_IN,
    [CONFIG_COUNT_FAILED_ACCOUNTS] = PER_SOURCE | PER(EVERYONE),
    [CONFIG_COUNT_PASSWORDS] = PER_SIGN_IN,
    [CONFIG_COUNT_COUNTRIES] = PER(ACCOUNT) | PER(DOMAIN) | PER(EVERYONE),
    [CONFIG_COUNT_NETWORKS] =
        PER(ACCOUNT) | PER(ACCOUNT_COUNTRY) | PER(DOMAIN) | PER(EVERYONE),
    [CONFIG_COUNT_ADDRESSES] = PER_USER | PER(NETWORK) | PER(EVERYONE),
    [CONFIG_COUNT_ACCOUNTS] = PER_SOURCE | PER(FINGERPRINT) | PER(DOMAIN) | PER(EVERYONE),
    [CONFIG_COUNT_SWITCHES] = PER(ACCOUNT) | PER(DOMAIN),
    [CONFIG_COUNT_SPEED] = PER(ACCOUNT),
    [CONFIG_COUNT_REFUSALS] = PER_SIGN_IN,
    [CONFIG_COUNT_BLOCKS] = PER_USER | PER(EVERYONE),
    [CONFIG_COUNT_SENDERS] = PER_SIGN_IN,
    [CONFIG_COUNT_SPAM_REFUSALS] = PER_SIGN_IN,
};

#define COUNT(word) (1u << CONFIG_COUNT_##word)
#define OF_CONTENT                                                                \
    (COUNT(MESSAGES) | COUNT(RECIPIENTS) | COUNT(NEW_RECIPIENTS) | COUNT(BYTES) | \
     COUNT(ACCOUNTS))
#define OF_RECIPIENTS (COUNT(MESSAGES) | COUNT(RECIPIENTS) | COUNT(REJECTED_RECIPIENTS))
#define OF_WIDTH \
    (COUNT(MESSAGES) | COUNT(RECIPIENTS) | COUNT(NEW_RECIPIENTS) | COUNT(SENDERS))
#define OF_A_MOMENT (COUNT(SESSIONS) | COUNT(SENDING) | COUNT(SPEED))
#define OF_DIFFERENT                                                                  \
    (COUNT(FAILED_ACCOUNTS) | COUNT(PASSWORDS) | COUNT(COUNTRIES) | COUNT(NETWORKS) | \
     COUNT(ADDRESSES) | COUNT(ACCOUNTS) | COUNT(BLOCKS) | COUNT(SENDERS))

static bool is_one_of(enum config_rule_count count, unsigned counts)
{
    return counts >> count & 1;
}

static void check_window(const struct checker *c, const struct config_rule *r)
{
    bool is_of_a_moment = is_one_of(r->count, OF_A_MOMENT);
    if (r->within_ms == 0 && !is_of_a_moment)
        report_add(c->errs, check_place(c, &r->within_ms, r),
                   "rule '%s' needs a window: within 1h, for example", r->name);
    if (r->within_ms > 0 && is_of_a_moment)
        report_add(c->errs, check_place(c, &r->within_ms, r),
                   "rule '%s' measures a moment: leave 'within' out", r->name);
}

static void check_limit(const struct checker *c, const struct config_rule *r)
{
    uint32_t most = UINT32_MAX;
    if (is_one_of(r->count, OF_DIFFERENT))
        most = DISTINCT_LIMIT;
    else if (r->count == CONFIG_COUNT_SWITCHES)
        most = SWITCHES_LIMIT;
    if (r->limit > most)
        report_add(c->errs, check_place(c, &r->limit, r),
                   "rule '%s' counts different ones, and remembers no more than %u",
                   r->name, most);
}

static void check_sense(const struct checker *c, const struct config_rule *r)
{
    if (!(subjects_of[r->count] >> r->per & 1))
        report_add(c->errs, check_place(c, &r->per, r),
                   "rule '%s' can never act: what it counts is not known per that",
                   r->name);
    if (r->when.min_score_milli > CONFIG_SCORE_ANY_MILLI &&
        !is_one_of(r->count, OF_CONTENT))
        report_add(c->errs, check_place(c, &r->when.min_score_milli, r),
                   "rule '%s' can never act: what it counts has no score", r->name);
    if (r->when.min_recipients > 0 && !is_one_of(r->count, OF_WIDTH))
        report_add(c->errs, check_place(c, &r->when.min_recipients, r),
                   "rule '%s' can never act: what it counts has no recipients", r->name);
    if (r->when.destinations.count > 0 && !is_one_of(r->count, OF_RECIPIENTS))
        report_add(c->errs, check_place(c, &r->when.destinations, r),
                   "rule '%s' can never act: what it counts has no destination", r->name);
}

/* Others may ask for a rule only where the account's record answers. */
static bool is_rule_per_account(const struct checker *c, const char *name)
{
    for (uint32_t i = 0; i < c->cfg->rule_count; i++)
        if (strcmp(c->cfg->rule[i].name, name) == 0)
            return c->cfg->rule[i].per == CONFIG_PER_ACCOUNT;
    return false;
}

static void check_also(const struct checker *c, const struct config_rule *r)
{
    const struct config_strings *also = &r->when.also;
    if (also->count > ALSO_LIMIT)
        report_add(c->errs, check_place(c, also, &r->when),
                   "rule '%s' asks for more than %d other rules", r->name, ALSO_LIMIT);
    for (uint32_t i = 0; i < also->count; i++)
        if (!is_rule_per_account(c, also->items[i]))
            report_add(c->errs, check_place(c, also, &r->when),
                       "rule '%s' asks for '%s': there is no such rule per account",
                       r->name, also->items[i]);
}

void check_country(const struct checker *c, const char *country, const void *field,
                   const void *block)
{
    if (strlen(country) != 2 || !ascii_is_alpha(country[0]) ||
        !ascii_is_alpha(country[1]))
        report_add(c->errs, check_place(c, field, block),
                   "'%s' is not a country: write two letters (ISO 3166), such as JP",
                   country);
}

static void check_rule(const struct checker *c, const struct config_rule *r)
{
    check_window(c, r);
    check_limit(c, r);
    check_sense(c, r);
    check_also(c, r);
    if (r->then & CONFIG_THEN_POOL)
        check_pool_name(c, &r->pool, r);
    if (r->lock_max_ms < r->lock_ms)
        report_add(c->errs, check_place(c, &r->lock_max_ms, r),
                   "'lock_max' may not be less than 'lock'");
    for (uint32_t i = 0; i < r->when.countries.count; i++)
        check_country(c, r->when.countries.items[i], &r->when.countries, &r->when);
}

/* ---- how much is remembered
 * ------------------------------------------------------------------- */

/* The most bytes that the rule may take in a record: see policy/engine/record.c. */
static uint32_t bytes_of(const struct config_rule *r)
{
    bool is_list = is_one_of(r->count, OF_DIFFERENT | COUNT(SWITCHES));
    uint32_t limit = r->limit < DISTINCT_LIMIT ? r->limit : DISTINCT_LIMIT;
    return (is_list ? 8 + 8 * (limit + 4) : 81) + 16 + 15;
}

static uint32_t cells_of(const struct config_rule *r)
{
    return 1u + (r->spare > 0) + ((r->then & CONFIG_THEN_LOCK) != 0);
}

static void check_memory(const struct checker *c, enum config_rule_subject per)
{
    uint32_t bytes = 0, cells = 0;
    for (uint32_t i = 0; i < c->cfg->rule_count; i++) {
        const struct config_rule *r = &c->cfg->rule[i];
        if (r->per != per || r->mode == CONFIG_MODE_OFF)
            continue;
        bytes += bytes_of(r);
        cells += cells_of(r);
        if (bytes <= RECORD_RULE_BYTES && cells <= RECORD_RULE_CELLS)
            continue;
        report_add(c->errs, check_place(c, r, r),
                   "rule '%s' is one too many of its kind ('per'): all of them together "
                   "may remember %d bytes in %d counts of each",
                   r->name, RECORD_RULE_BYTES, RECORD_RULE_CELLS);
        return;
    }
}

void check_rules(const struct checker *c)
{
    const struct config_rules *all = &c->cfg->rules;
    for (uint32_t i = 0; i < c->cfg->rule_count; i++)
        check_rule(c, &c->cfg->rule[i]);
    for (unsigned per = 0; per <= CONFIG_PER_EVERYONE; per++)
        check_memory(c, (enum config_rule_subject)per);
    for (uint32_t i = 0; i < c->cfg->geo.place_count; i++)
        check_country(c, c->cfg->geo.places[i].country, &c->cfg->geo.places[i],
                      &c->cfg->geo.places[i]);
    for (uint32_t i = 0; i < all->home.count; i++)
        check_country(c, all->home.items[i], &all->home, all);
}
