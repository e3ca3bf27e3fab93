#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/err.h"
#include "tests/unit/engine_fixture.h"

TestSuite(engine_properties, .timeout = 20);

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

static struct event random_event(int64_t at_ms)
{
    static const enum event_kind kinds[] = {
        EVENT_CONNECT, EVENT_LOGIN,   EVENT_LOGIN_FAILED, EVENT_TRANSACTION,
        EVENT_MESSAGE, EVENT_CONTENT, EVENT_REJECTED};
    struct event e = event_of(kinds[random_below(7)], at_ms);
    e.account = 1 + random_below(3);
    e.place.country = (uint16_t)('A' << 8 | ('A' + (int)random_below(5)));
    e.is_home = random_below(2);
    e.ip.bytes[15] = (uint8_t)random_below(8);
    e.recipients = random_below(20);
    e.wrong_password = random_below(6);
    e.tried_account_hash = random_below(6);
    e.account_sessions = random_below(6);
    e.account_sending = random_below(6);
    e.score_hundredths = (int32_t)random_below(1000);
    return e;
}

static struct rule random_rule(unsigned i)
{
    static const char names[][8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    return (struct rule){.name = view_cstr(names[i]),
                         .count = (enum rule_count)random_below(COUNT_KIND_COUNT),
                         .per = (enum rule_subject)random_below(PER_EVERYONE + 1),
                         .within_ms = (int64_t)(1 + random_below(24)) * HOUR_MS,
                         .limit = 1 + random_below(8),
                         .actions = 1u << random_below(10),
                         .delay_ms = random_below(5000),
                         .lock_ms = MINUTE_MS,
                         .lock_max_ms = HOUR_MS,
                         .score_hundredths = 100,
                         .pool = view_cstr(names[i]),
                         .spare = random_below(2) ? random_below(5) : 0,
                         .when = {.origin = (enum rule_origin)random_below(3)}};
}

static bool same_verdict(const struct verdict *a, const struct verdict *b)
{
    return a->actions == b->actions && a->delay_ms == b->delay_ms &&
           a->lock_until_ms == b->lock_until_ms &&
           a->score_hundredths == b->score_hundredths && view_eq(a->pool, b->pool) &&
           a->is_counted == b->is_counted;
}

#define RULES 8

Test(engine_properties, the_order_of_rules_does_not_matter, .init = engine_begin,
     .fini = engine_end)
{
    for (unsigned seed = 0; seed < 60; seed++) {
        struct rule rules[RULES], reversed[RULES];
        struct store *other = store_memory_new();
        random_state = seed;
        for (unsigned i = 0; i < RULES; i++)
            rules[i] = reversed[RULES - 1 - i] = random_rule(i);
        struct rule_set set = set_of(rules, RULES), set2 = set_of(reversed, RULES);
        int64_t now = T0;
        store_memory_free(&store);
        store = store_memory_new();
        for (int n = 0; n < 300; n++) {
            struct verdict v, v2;
            struct event e = random_event(now += random_below(20) * MINUTE_MS);
            engine_decide(&set, store, &e, &v);
            engine_decide(&set2, other, &e, &v2);
            cr_assert(same_verdict(&v, &v2), "seed %u event %d", seed, n);
        }
        store_memory_free(&other);
    }
}

Test(engine_properties, shadow_rules_change_no_verdict, .init = engine_begin,
     .fini = engine_end)
{
    unsigned shadows_acted = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct rule rules[RULES];
        struct store *other = store_memory_new();
        random_state = seed;
        for (unsigned i = 0; i < RULES; i++) {
            rules[i] = random_rule(i);
            rules[i].is_shadow = i >= RULES / 2;
            rules[i].within_ms += (int64_t)i * MINUTE_MS; /* no two rules share a cell */
        }
        struct rule_set with = set_of(rules, RULES), without = set_of(rules, RULES / 2);
        int64_t now = T0;
        store_memory_free(&store);
        store = store_memory_new();
        for (int n = 0; n < 300; n++) {
            struct verdict v, v2;
            struct event e = random_event(now += random_below(20) * MINUTE_MS);
            engine_decide(&with, store, &e, &v);
            engine_decide(&without, other, &e, &v2);
            cr_assert(same_verdict(&v, &v2), "seed %u event %d", seed, n);
            shadows_acted += v.reason_count > v2.reason_count;
        }
        store_memory_free(&other);
    }
    cr_assert(gt(uint, shadows_acted, 100), "or this shows nothing");
}
