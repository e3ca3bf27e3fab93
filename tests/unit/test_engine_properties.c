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
        EVENT_MESSAGE, EVENT_CONTENT, EVENT_REJECTED,     EVENT_MAILBOX};
    struct event e = event_of(kinds[random_below(8)], at_ms);
    e.account = 1 + random_below(3);
    e.place.country = (uint16_t)('A' << 8 | ('A' + (int)random_below(5)));
    e.is_home = random_below(2);
    e.ip.bytes[13] = (uint8_t)random_below(4); /* blocks */
    e.ip.bytes[15] = (uint8_t)random_below(8);
    e.sender_hash = random_below(6);
    e.recipients = random_below(20);
    e.wrong_password = random_below(6);
    e.tried_account_hash = random_below(6);
    e.account_sessions = random_below(6);
    e.account_sending = random_below(6);
    e.score_hundredths = (int32_t)random_below(1000);
    return e;
}

static const struct view names[] = {VIEW_LIT("a"), VIEW_LIT("b"), VIEW_LIT("c"),
                                    VIEW_LIT("d"), VIEW_LIT("e"), VIEW_LIT("f"),
                                    VIEW_LIT("g"), VIEW_LIT("h")};

static struct rule_when random_when(void)
{
    return (struct rule_when){
        .origin = (enum rule_origin)random_below(3),
        .mailbox = random_below(2) ? (enum rule_mailbox)random_below(4) : MAILBOX_ANY,
        .block = random_below(2) ? (enum rule_block)random_below(4) : BLOCK_ANY,
        .min_recipients = random_below(3) ? 0 : random_below(10),
        .also = &names[random_below(8)],
        .also_count = random_below(3) == 0,
    };
}

static struct rule random_rule(unsigned i)
{
    enum rule_subject per = (enum rule_subject)random_below(PER_EVERYONE + 1);
    return (struct rule){.name = names[i],
                         .count = (enum rule_count)random_below(COUNT_KIND_COUNT),
                         .per = random_below(2) ? PER_ACCOUNT : per,
                         .within_ms = (int64_t)(1 + random_below(24)) * HOUR_MS,
                         .limit = 1 + random_below(8),
                         .actions = 1u << random_below(11),
                         .delay_ms = random_below(5000),
                         .lock_ms = MINUTE_MS,
                         .lock_max_ms = HOUR_MS,
                         .score_hundredths = 100,
                         .pool = names[i],
                         .spare = random_below(2) ? random_below(5) : 0,
                         .when = random_when()};
}

/* Mostly minutes, at times a day: habits need days. */
static int64_t random_step(void)
{
    return random_below(40) == 0 ? DAY_MS : (int64_t)random_below(20) * MINUTE_MS;
}

static bool same_verdict(const struct verdict *a, const struct verdict *b)
{
    return a->actions == b->actions && a->delay_ms == b->delay_ms &&
           a->lock_until_ms == b->lock_until_ms &&
           a->score_hundredths == b->score_hundredths && view_eq(a->pool, b->pool) &&
           a->is_counted == b->is_counted;
}

/* Which rules, with what they counted and read, in one order whatever theirs. */
static bool same_reasons(const struct verdict *a, const struct verdict *b)
{
    if (a->reason_count != b->reason_count)
        return false;
    for (unsigned i = 0; i < a->reason_count; i++) {
        const struct reason *x = &a->reasons[i], *y = &b->reasons[i];
        if (!view_eq(x->rule->name, y->rule->name) || x->value != y->value ||
            x->until_ms != y->until_ms || strcmp(x->grounds, y->grounds) != 0)
            return false;
    }
    return true;
}

#define RULES 8

Test(engine_properties, the_order_of_rules_does_not_matter, .init = engine_begin,
     .fini = engine_end)
{
    unsigned asked_for = 0, acted = 0;
    for (unsigned seed = 0; seed < 200; seed++) {
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
            struct event e = random_event(now += random_step());
            engine_decide(&set, store, &e, &v);
            engine_decide(&set2, other, &e, &v2);
            cr_assert(same_verdict(&v, &v2), "seed %u event %d", seed, n);
            cr_assert(same_reasons(&v, &v2), "seed %u event %d", seed, n);
            cr_assert(
                eq(int, (int)v.circumstances.mailbox, (int)v2.circumstances.mailbox));
            cr_assert(eq(int, (int)v.circumstances.block, (int)v2.circumstances.block));
            asked_for += v.circumstances.also[0] != 0;
            acted += !verdict_is_pass(&v);
        }
        store_memory_free(&other);
    }
    cr_assert(gt(uint, asked_for, 1000), "or `also` was never tried");
    cr_assert(gt(uint, acted, 500));
}

Test(engine_properties, shadow_rules_change_no_verdict, .init = engine_begin,
     .fini = engine_end)
{
    unsigned shadows_acted = 0;
    for (unsigned seed = 0; seed < 200; seed++) {
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
            struct event e = random_event(now += random_step());
            engine_decide(&with, store, &e, &v);
            engine_decide(&without, other, &e, &v2);
            cr_assert(same_verdict(&v, &v2), "seed %u event %d", seed, n);
            shadows_acted += v.reason_count > v2.reason_count;
        }
        store_memory_free(&other);
    }
    cr_assert(gt(uint, shadows_acted, 100), "or this shows nothing");
}

/* ---- clocks ---- */

/* Whatever the clock does, more than the limit never passes within one true window, and
 * nobody stays shut out once that window is over. */
Test(engine_properties, steps_of_the_clock_lose_nothing_and_lock_nobody_out,
     .init = engine_begin, .fini = engine_end)
{
    static const int64_t steps[] = {-3600000, 3600000, -86400000, 1000, -1000, -5000};
    for (unsigned seed = 0; seed < 100; seed++) {
        struct rule r = {.name = VIEW_LIT("volume"),
                         .count = COUNT_MESSAGES,
                         .per = PER_ACCOUNT,
                         .within_ms = HOUR_MS,
                         .limit = 10,
                         .actions = THEN_DEFER};
        struct rule_set set = set_of(&r, 1);
        unsigned passed = 0;
        random_state = seed;
        int64_t skew = 0;
        store_memory_free(&store);
        store = store_memory_new();
        for (int second = 0; second < 600; second++) { /* ten true minutes */
            if (random_below(60) == 0 && skew == 0)
                skew = steps[random_below(6)];
            struct event e = event_of(EVENT_MESSAGE, T0 + second * 1000 + skew);
            struct verdict v = decide(&set, &e);
            passed += verdict_is_pass(&v);
        }
        bool jumped_ahead =
            skew >= HOUR_MS; /* then an hour has passed as far as we see */
        cr_assert(le(uint, passed, jumped_ahead ? 20 : 10), "seed %u skew %ld", seed,
                  (long)skew);
        struct event e = event_of(EVENT_MESSAGE, T0 + 3 * (int64_t)HOUR_MS + skew);
        struct verdict v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v), "seed %u skew %ld: shut out", seed, (long)skew);
        e.at_ms = T0 + 3 * (int64_t)HOUR_MS; /* and the clock is put right */
        v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v), "seed %u: shut out by a clock put right", seed);
    }
}

/* ---- addresses ---- */

/* Lower halves of IPv6 addresses mean nothing, whatever is counted. */
Test(engine_properties, ipv6_counts_by_64_bits, .init = engine_begin, .fini = engine_end)
{
    for (unsigned seed = 0; seed < 100; seed++) {
        struct rule rules[RULES];
        struct store *other = store_memory_new();
        random_state = seed;
        for (unsigned i = 0; i < RULES; i++)
            rules[i] = random_rule(i);
        struct rule_set set = set_of(rules, RULES);
        int64_t now = T0;
        store_memory_free(&store);
        store = store_memory_new();
        for (int n = 0; n < 200; n++) {
            struct verdict v, v2;
            struct event e = random_event(now += random_step());
            e.ip = ip("2001:db8::");
            e.ip.bytes[3] = (uint8_t)random_below(3);
            e.ip.bytes[7] = (uint8_t)random_below(8);
            engine_decide(&set, store, &e, &v);
            for (unsigned i = 8; i < 16; i++)
                e.ip.bytes[i] = (uint8_t)random_below(256);
            engine_decide(&set, other, &e, &v2);
            cr_assert(same_verdict(&v, &v2), "seed %u event %d", seed, n);
        }
        store_memory_free(&other);
    }
}
