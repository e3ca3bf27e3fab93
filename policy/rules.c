#include "policy/rules.h"

#include <stdlib.h>
#include <string.h>

/* Both tables of words are one: the configuration cannot include the engine, which stands
 * above it. */
_Static_assert((int)CONFIG_COUNT_REFUSALS == (int)COUNT_REFUSALS, "words of `count`");
_Static_assert((int)CONFIG_COUNT_SPAM_REFUSALS == (int)COUNT_SPAM_REFUSALS,
               "words of `count`");
_Static_assert((int)CONFIG_COUNT_SENDERS == (int)COUNT_SENDERS, "words of `count`");
_Static_assert((int)CONFIG_COUNT_SWITCHES == (int)COUNT_SWITCHES, "words of `count`");
_Static_assert((int)CONFIG_COUNT_LOGINS == (int)COUNT_LOGINS, "words of `count`");
_Static_assert((int)CONFIG_PER_EVERYONE == (int)PER_EVERYONE, "words of `per`");
_Static_assert((int)CONFIG_PER_ACCOUNT_NETWORK == (int)PER_ACCOUNT_NETWORK,
               "words of `per`");
_Static_assert((int)CONFIG_THEN_SUSPEND == (int)THEN_SUSPEND, "words of `then`");
_Static_assert((int)CONFIG_THEN_DELAY == (int)THEN_DELAY, "words of `then`");
_Static_assert((int)CONFIG_THEN_SIGN == (int)THEN_SIGN, "words of `then`");
_Static_assert((int)CONFIG_FROM_OVERSEAS == (int)FROM_OVERSEAS, "words of `from`");
_Static_assert((int)CONFIG_MAILBOX_NOT_HERE == (int)MAILBOX_NOT_HERE,
               "words of `mailbox`");
_Static_assert((int)CONFIG_BLOCK_STRANGE == (int)BLOCK_STRANGE, "words of `block`");

#define MILLI_IN_HUNDREDTH 10

/* One block of memory: the set, its rules, then what their conditions point to. */
struct rules_block {
    struct rule_set set;
    struct rule rules[RULES_MAX];
    unsigned country_count, text_count;
    uint16_t *countries;
    struct view *texts; /* classes and domains */
};

static void count_lists(const struct config *cfg, struct rules_block *b)
{
    for (uint32_t i = 0; i < cfg->rule_count; i++) {
        b->country_count += cfg->rule[i].when.countries.count;
        b->text_count += cfg->rule[i].when.classes.count;
        b->text_count += cfg->rule[i].when.destinations.count;
        b->text_count += cfg->rule[i].when.also.count;
    }
}

static const struct view *take_texts(const struct config_strings *from,
                                     struct view **texts)
{
    const struct view *first = *texts;
    for (uint32_t i = 0; i < from->count; i++)
        *(*texts)++ = view_cstr(from->items[i]);
    return first;
}

static const uint16_t *take_countries(const struct config_strings *from,
                                      uint16_t **countries)
{
    const uint16_t *first = *countries;
    for (uint32_t i = 0; i < from->count; i++)
        *(*countries)++ = country_code(view_cstr(from->items[i]));
    return first;
}

static void fill_when(struct rule_when *when, const struct config_rule_when *from,
                      uint16_t **countries, struct view **texts)
{
    *when = (struct rule_when){
        .origin = (enum rule_origin)from->origin,
        .countries = take_countries(&from->countries, countries),
        .country_count = from->countries.count,
        .classes = take_texts(&from->classes, texts),
        .class_count = from->classes.count,
        .destinations = take_texts(&from->destinations, texts),
        .destination_count = from->destinations.count,
        .younger_than_ms = from->younger_than_ms,
        .older_than_ms = from->older_than_ms,
        .mailbox = (enum rule_mailbox)from->mailbox,
        .block = (enum rule_block)from->block,
        .also = take_texts(&from->also, texts),
        .also_count = from->also.count,
        .listener = view_cstr(from->listener),
        .protocol = view_cstr(from->protocol),
        .min_recipients = from->min_recipients,
        .has_min_score = from->min_score_milli > CONFIG_SCORE_ANY_MILLI,
        .min_score_hundredths = from->min_score_milli / MILLI_IN_HUNDREDTH,
    };
}

static void fill_rule(struct rule *r, const struct config_rule *from)
{
    *r = (struct rule){
        .name = view_cstr(from->name),
        .count = (enum rule_count)from->count,
        .per = (enum rule_subject)from->per,
        .within_ms = from->within_ms,
        .limit = from->limit,
        .spare = from->spare,
        .actions = from->then,
        .delay_ms = from->delay_ms,
        .lock_ms = from->lock_ms,
        .lock_max_ms = from->lock_max_ms,
        .score_hundredths = from->add_score_milli / MILLI_IN_HUNDREDTH,
        .pool = view_cstr(from->pool),
        .is_shadow = from->mode == CONFIG_MODE_SHADOW,
    };
}

/* The two limits of the `policy` block, as rules. */
static unsigned fill_shorthand(const struct config_policy *policy, struct rule *rules)
{
    const struct {
        const char *name;
        enum rule_count count;
        const struct config_rate *rate;
    } limits[] = {{"messages", COUNT_MESSAGES, &policy->messages},
                  {"recipients", COUNT_RECIPIENTS, &policy->recipients}};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].rate->limit == 0)
            continue;
        rules[count++] = (struct rule){
            .name = view_cstr(limits[i].name),
            .count = limits[i].count,
            .per = PER_ACCOUNT,
            .within_ms = limits[i].rate->window_ms,
            .limit = limits[i].rate->limit,
            .actions = THEN_DEFER,
        };
    }
    return count;
}

static void fill_set(const struct config *cfg, const uint8_t hash_key[16],
                     struct rules_block *b)
{
    uint16_t *countries = b->countries;
    struct view *texts = b->texts;
    unsigned count = 0;
    for (uint32_t i = 0; i < cfg->rule_count && count < RULES_MAX; i++) {
        if (cfg->rule[i].mode == CONFIG_MODE_OFF)
            continue;
        fill_rule(&b->rules[count], &cfg->rule[i]);
        fill_when(&b->rules[count++].when, &cfg->rule[i].when, &countries, &texts);
    }
    if (cfg->rule_count == 0)
        count = fill_shorthand(&cfg->policy, b->rules);
    b->set = (struct rule_set){
        .v6_source_bits = cfg->rules.v6_source_bits,
        .v4_network_bits = cfg->rules.v4_network_bits,
        .v6_network_bits = cfg->rules.v6_network_bits,
        .v4_block_bits = cfg->rules.v4_block_bits,
        .v6_block_bits = cfg->rules.v6_block_bits,
        .mailbox_lately_ms = cfg->rules.mailbox_lately_ms,
        .mailbox_habit_ms = cfg->rules.mailbox_habit_ms,
    };
    memcpy(b->set.hash_key, hash_key, sizeof b->set.hash_key);
    rules_seal(&b->set, b->rules, count);
}

struct rule_set *rules_new(const struct config *cfg, const uint8_t hash_key[16])
{
    struct rules_block *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    count_lists(cfg, b);
    b->countries = calloc(b->country_count + 1, sizeof *b->countries);
    b->texts = calloc(b->text_count + 1, sizeof *b->texts);
    struct rule_set *set = &b->set;
    if (b->countries && b->texts)
        fill_set(cfg, hash_key, b);
    else
        rules_free(&set);
    return set;
}

void rules_free(struct rule_set **set)
{
    if (!*set)
        return;
    struct rules_block *b = (struct rules_block *)(void *)*set; /* its first member */
    free(b->countries);
    free(b->texts);
    free(b);
    *set = NULL;
}

/* The set's rules are const only for the engine. */
static struct rule *rule_of(struct rule_set *set, struct view name)
{
    struct rules_block *b = (struct rules_block *)(void *)set;
    for (unsigned i = 0; i < set->rule_count; i++)
        if (view_eq(b->rules[i].name, name))
            return &b->rules[i];
    return NULL;
}

static void seal_again(struct rule_set *set, unsigned count)
{
    struct rules_block *b = (struct rules_block *)(void *)set;
    rules_seal(set, b->rules, count);
}

bool rules_set_limit(struct rule_set *set, struct view name, uint32_t limit)
{
    struct rule *r = rule_of(set, name);
    if (!r)
        return false;
    r->limit = limit;
    seal_again(set, set->rule_count); /* the room of what it remembers follows from it */
    return true;
}

bool rules_keep_only(struct rule_set *set, struct view name)
{
    struct rules_block *b = (struct rules_block *)(void *)set;
    const struct rule *r = rule_of(set, name);
    if (!r)
        return false;
    b->rules[0] = *r;
    seal_again(set, 1);
    return true;
}

bool rules_is_home(const struct config *cfg, uint16_t country)
{
    for (uint32_t i = 0; i < cfg->rules.home.count; i++)
        if (country_code(view_cstr(cfg->rules.home.items[i])) == country)
            return true;
    return false;
}
