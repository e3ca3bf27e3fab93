#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "policy/reservation.h"

TestSuite(reservation, .timeout = 20);

static const uint8_t hash_key[16] = "0123456789abcde";

static struct rule rules[] = {
    {.name = {"messages", 8},
     .count = COUNT_MESSAGES,
     .within_ms = 3600000,
     .limit = 3,
     .actions = THEN_DEFER},
    {.name = {"bytes", 5},
     .count = COUNT_BYTES,
     .within_ms = 3600000,
     .limit = 10,
     .actions = THEN_DEFER},
};

static struct rule_set set;

static void seal(void)
{
    set = (struct rule_set){
        .v6_source_bits = 64, .v4_network_bits = 24, .v6_network_bits = 48};
    memcpy(set.hash_key, hash_key, sizeof hash_key);
    rules_seal(&set, rules, 2);
}

/* A message as the role decides about it; its arrays die right after. */
static struct reservation *message(struct store *store, uint64_t id, bool *passed_out)
{
    uint32_t hashes[] = {1, 2, 3};
    char domain[] = "one.example";
    struct destination d = {.hash = 9, .domain = view_cstr(domain), .recipients = 3};
    struct event e = {.kind = EVENT_MESSAGE,
                      .at_ms = 1780000000000,
                      .account = 7,
                      .recipients = 3,
                      .recipient_hashes = hashes,
                      .destinations = &d,
                      .destination_count = 1};
    struct verdict v;
    cr_assert_eq(engine_decide(&set, store, &e, &v), MSA_OK);
    *passed_out = verdict_is_pass(&v);
    struct reservation *r = *passed_out ? reservation_new(id, &set, &e, &v) : NULL;
    memset(hashes, 0xff, sizeof hashes);
    memset(domain, 'x', sizeof domain - 1);
    return r;
}

static bool content(struct store *store, struct reservation *r, uint64_t kib)
{
    struct event e = {
        .kind = EVENT_CONTENT, .at_ms = 1780000001000, .account = 7, .bytes = kib * 1024};
    struct verdict v;
    cr_assert_eq(engine_decide(&set, store, &e, &v), MSA_OK);
    if (verdict_is_pass(&v))
        cr_assert_eq(reservation_add_content(r, &set, &e, &v), MSA_OK);
    return verdict_is_pass(&v);
}

Test(reservation, keeps_its_own_copy_of_the_facts)
{
    bool passed;
    seal();
    struct store *store = store_memory_new();
    struct reservation *r = message(store, 1, &passed);
    cr_assert(passed);
    cr_assert_eq(r->message.recipient_hashes[2], 3);
    cr_assert(view_eq(r->message.destinations[0].domain, VIEW_LIT("one.example")));
    reservation_free(&r);
    cr_assert_null(r);
    store_memory_free(&store);
}

Test(reservation, what_is_given_back_can_be_used_again)
{
    struct reservation *held[3];
    bool passed;
    seal();
    struct store *store = store_memory_new();
    for (int i = 0; i < 3; i++) {
        held[i] = message(store, (uint64_t)i + 1, &passed);
        cr_assert(passed);
    }
    cr_assert_null(message(store, 4, &passed));
    cr_assert_not(passed, "three are under way");
    cr_assert(content(store, held[0], 10));
    cr_assert_not(content(store, held[1], 1));
    reservation_give_back(held[0], &set, store);
    cr_assert(content(store, held[1], 10), "the content was given back, too");
    struct reservation *again = message(store, 5, &passed);
    cr_assert(passed);
    cr_assert_null(message(store, 6, &passed));
    cr_assert_not(passed, "exactly one was given back");
    reservation_free(&again);
    for (int i = 0; i < 3; i++)
        reservation_free(&held[i]);
    store_memory_free(&store);
}

Test(reservation, what_was_not_counted_is_not_given_back)
{
    struct event e = {
        .kind = EVENT_MESSAGE, .at_ms = 1780000000000, .account = 7, .recipients = 1};
    struct verdict v;
    bool passed;
    seal();
    struct store *store = store_memory_new();
    struct reservation *counted = message(store, 1, &passed);
    verdict_init(&v); /* the counters could not answer */
    struct reservation *r = reservation_new(2, &set, &e, &v);
    reservation_give_back(r, &set, store);
    reservation_free(&r);
    reservation_free(&counted);
    for (int i = 0; i < 2; i++) {
        r = message(store, 3, &passed);
        cr_assert(passed);
        reservation_free(&r);
    }
    cr_assert_null(message(store, 4, &passed));
    store_memory_free(&store);
}

Test(reservation, remembers_what_the_rules_said)
{
    struct event e = {.kind = EVENT_MESSAGE, .account = 7};
    struct verdict v;
    char pool[] = "doubtful";
    verdict_init(&v);
    v.actions = THEN_HOLD | THEN_SCORE | THEN_POOL;
    v.score_hundredths = 300;
    v.pool = view_cstr(pool);
    struct reservation *r = reservation_new(1, &set, &e, &v);
    memset(pool, 'x', sizeof pool - 1);
    verdict_init(&v);
    v.actions = THEN_ALIGN;
    v.score_hundredths = 50;
    cr_assert_eq(reservation_add_content(r, &set, &e, &v), MSA_OK);
    cr_assert(r->is_held);
    cr_assert(r->must_align);
    cr_assert_eq(r->score_hundredths, 350);
    cr_assert(view_eq(r->pool, VIEW_LIT("doubtful")));
    reservation_free(&r);
}

#define SEND_RULE(rule_name, most, ...) \
    {.name = {rule_name, sizeof rule_name - 1}, .count = COUNT_MESSAGES, .within_ms = 3600000, .limit = most, __VA_ARGS__}

/* Whoever has sent once has only two more, and a reload puts another rule before both. */
Test(reservation, what_another_rule_let_count_is_given_back_after_a_reload_moved_that_rule)
{
    static const struct view busy = {"busy", 4};
    static struct rule before[] = {
        SEND_RULE("busy", 1, .actions = THEN_NOTIFY),
        SEND_RULE("few", 2, .actions = THEN_DEFER, .when = {.also = &busy, .also_count = 1}),
    };
    static struct rule after[] = {
        SEND_RULE("many", 1000, .actions = THEN_NOTIFY),
        SEND_RULE("few", 2, .actions = THEN_DEFER, .when = {.also = &busy, .also_count = 1}),
        SEND_RULE("busy", 1, .actions = THEN_NOTIFY),
    };
    struct reservation *r[3];
    bool passed;
    seal();
    rules_seal(&set, before, 2);
    struct store *store = store_memory_new();
    for (int i = 0; i < 3; i++) {
        r[i] = message(store, (uint64_t)i + 1, &passed);
        cr_assert(passed);
    }
    rules_seal(&set, after, 3);
    cr_assert_null(message(store, 4, &passed));
    cr_assert_not(passed, "two were counted by `few`");
    reservation_give_back(r[2], &set, store);
    reservation_free(&r[2]);
    r[2] = message(store, 5, &passed);
    cr_assert(passed, "one of them was given back");
    for (int i = 0; i < 3; i++)
        reservation_free(&r[i]);
    store_memory_free(&store);
}
