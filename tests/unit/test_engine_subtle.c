/* What a rule engine gets wrong at first: who is punished, what is given back, what holds
 * for how long. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "tests/unit/engine_fixture.h"

TestSuite(engine_subtle, .timeout = 20, .init = engine_begin, .fini = engine_end);

Test(engine_subtle, guesses_by_strangers_slow_down_sign_ins_and_never_the_victims_mail)
{
    struct rule r = {.name = VIEW_LIT("guess"),
                     .count = COUNT_PASSWORDS,
                     .per = PER_ACCOUNT,
                     .within_ms = DAY_MS,
                     .limit = 3,
                     .actions = THEN_DELAY,
                     .delay_ms = 5000};
    struct rule_set set = set_of(&r, 1);
    struct event owner = event_of(EVENT_LOGIN, T0 - 3ll * DAY_MS);
    owner.ip = ip("198.51.100.7");
    decide(&set, &owner);
    struct event guess = event_of(EVENT_LOGIN_FAILED, T0);
    for (uint64_t i = 1; i <= 3; i++) {
        guess.wrong_password = i;
        struct verdict v = decide(&set, &guess);
        cr_assert(eq(i64, v.delay_ms, i == 3 ? 5000 : 0));
    }
    struct event lucky = event_of(EVENT_LOGIN, T0);
    struct verdict v = decide(&set, &lucky);
    cr_assert(eq(i64, v.delay_ms, 5000),
              "the right password takes as long as a wrong one");
    owner.at_ms = T0;
    v = decide(&set, &owner);
    cr_assert(eq(i64, v.delay_ms, 0), "the owner's own network does not wait");
    struct event mail = event_of(EVENT_MESSAGE, T0);
    v = decide(&set, &mail);
    cr_assert(eq(i64, v.delay_ms, 0));
}

Test(engine_subtle, a_source_of_failures_is_greeted_slowly)
{
    struct rule r = {.name = VIEW_LIT("tarpit"),
                     .count = COUNT_FAILURES,
                     .per = PER_ADDRESS,
                     .within_ms = HOUR_MS,
                     .limit = 3,
                     .actions = THEN_DELAY,
                     .delay_ms = 5000};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_LOGIN_FAILED, T0),
                 connect = event_of(EVENT_CONNECT, T0);
    connect.account = 0;
    for (int i = 0; i < 3; i++) {
        struct verdict v = decide(&set, &connect);
        cr_assert(eq(i64, v.delay_ms, 0));
        decide(&set, &e);
    }
    struct verdict v = decide(&set, &connect);
    cr_assert(eq(i64, v.delay_ms, 5000));
    connect.at_ms += 2 * HOUR_MS;
    v = decide(&set, &connect);
    cr_assert(eq(i64, v.delay_ms, 0));
}

Test(engine_subtle, a_name_that_does_not_exist_is_counted_like_one_that_does)
{
    struct rule r = {.name = VIEW_LIT("guess"),
                     .count = COUNT_PASSWORDS,
                     .per = PER_ACCOUNT_NETWORK,
                     .within_ms = HOUR_MS,
                     .limit = 4,
                     .actions = THEN_LOCK,
                     .lock_ms = HOUR_MS,
                     .lock_max_ms = HOUR_MS};
    struct rule_set set = set_of(&r, 1);
    struct event real = event_of(EVENT_LOGIN_FAILED, T0), none = real;
    none.account = ACCOUNT_UNKNOWN_BIT | 1;
    for (uint64_t i = 1; i <= 6; i++) {
        real.wrong_password = none.wrong_password = i;
        struct verdict v = decide(&set, &real), v2 = decide(&set, &none);
        cr_assert(eq(uint, v.actions, v2.actions));
        cr_assert(eq(int, verdict_is_pass(&v2), i < 4));
    }
}

Test(engine_subtle, a_message_that_is_refused_anyway_takes_nothing_from_the_reserve)
{
    struct rule rules[] = {
        {.name = VIEW_LIT("volume"),
         .count = COUNT_MESSAGES,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 1,
         .spare = 5,
         .actions = THEN_DEFER},
        {.name = VIEW_LIT("wide"),
         .count = COUNT_RECIPIENTS,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 50,
         .actions = THEN_REFUSE},
    };
    struct rule_set set = set_of(rules, 2);
    struct event e = event_of(EVENT_MESSAGE, T0), wide = e;
    wide.recipients = 60;
    decide(&set, &e);
    for (int i = 0; i < 10; i++)
        decide(&set, &wide);
    unsigned passed = 0;
    struct verdict v;
    for (int i = 0; i < 10; i++) {
        v = decide(&set, &e);
        passed += verdict_is_pass(&v);
    }
    cr_assert(eq(uint, passed, 5));
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, engine_give_back(&set, store, &e, &v.circumstances), MSA_OK));
    for (int i = 0; i < 10; i++) {
        v = decide(&set, &e);
        passed += verdict_is_pass(&v);
    }
    cr_assert(eq(uint, passed, 7), "what failed came back into the reserve");
}

Test(engine_subtle, what_was_counted_without_mailbox_access_is_given_back_after_one)
{
    struct rule r = {.name = VIEW_LIT("blind"),
                     .count = COUNT_MESSAGES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 1,
                     .actions = THEN_REFUSE,
                     .when = {.mailbox = MAILBOX_NOT_HERE}};
    struct rule_set set = set_of(&r, 1);
    struct event mailbox = event_of(EVENT_MAILBOX, T0), e = event_of(EVENT_MESSAGE, T0);
    mailbox.account = 2;
    decide(&set, &mailbox);
    struct verdict v = decide(&set, &e);
    cr_assert(v.is_counted && v.circumstances.mailbox != MAILBOX_HERE);
    mailbox.account = 1;
    decide(&set, &mailbox);
    engine_give_back(&set, store, &e, &v.circumstances);
    e.ip = ip("203.0.113.9");
    v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v), "the only one was given back");
}

Test(engine_subtle, release_reaches_the_records_of_account_and_network)
{
    struct rule r = {.name = VIEW_LIT("near"),
                     .count = COUNT_ADDRESSES,
                     .per = PER_ACCOUNT_COUNTRY,
                     .within_ms = DAY_MS,
                     .limit = 2,
                     .actions = THEN_SUSPEND};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_LOGIN, T0), other = e;
    other.ip = ip("192.0.2.2");
    decide(&set, &e);
    struct verdict v = decide(&set, &other);
    cr_assert(eq(uint, v.actions, THEN_SUSPEND));
    engine_forget_account(&set, store, 1, T0);
    v = decide(&set, &other);
    cr_assert(eq(uint, v.actions, 0));
    v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, THEN_SUSPEND), "and counts on");
}

Test(engine_subtle, destinations_are_counted_each_for_itself)
{
    struct view carriers[] = {VIEW_LIT("docomo.ne.jp"), VIEW_LIT("ezweb.ne.jp")};
    struct rule r = {.name = VIEW_LIT("carrier"),
                     .count = COUNT_RECIPIENTS,
                     .per = PER_DESTINATION,
                     .within_ms = HOUR_MS,
                     .limit = 10,
                     .actions = THEN_DEFER,
                     .when = {.destinations = carriers, .destination_count = 2}};
    struct rule_set set = set_of(&r, 1);
    struct destination to[] = {{1, VIEW_LIT("docomo.ne.jp"), 6},
                               {2, VIEW_LIT("example.jp"), 500},
                               {3, VIEW_LIT("ezweb.ne.jp"), 4}};
    struct event e = event_of(EVENT_MESSAGE, T0);
    e.recipients = 510;
    e.destinations = to;
    e.destination_count = 3;
    struct verdict v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v));
    v = decide(&set, &e);
    cr_assert(not(verdict_is_pass(&v)), "12 to the first carrier");
    cr_assert(eq(u32, v.reasons[0].value, 12));
    e.destinations = &to[2];
    e.destination_count = 1;
    v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v), "8 to the second");
    e.destinations = &to[1];
    v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v), "others do not matter");
}

Test(engine_subtle, a_domain_is_all_of_its_accounts)
{
    struct rule r = {.name = VIEW_LIT("tenant"),
                     .count = COUNT_MESSAGES,
                     .per = PER_DOMAIN,
                     .within_ms = HOUR_MS,
                     .limit = 3,
                     .actions = THEN_DEFER};
    struct rule_set set = set_of(&r, 1);
    for (uint64_t account = 1; account <= 5; account++) {
        struct event e = event_of(EVENT_MESSAGE, T0);
        e.account = account;
        e.domain = 77;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), account <= 3));
    }
}

Test(engine_subtle, a_lock_of_a_wrong_date_shuts_nobody_out)
{
    struct rule r = {.name = VIEW_LIT("lock"),
                     .count = COUNT_FAILURES,
                     .per = PER_ADDRESS,
                     .within_ms = HOUR_MS,
                     .limit = 1,
                     .actions = THEN_LOCK,
                     .lock_ms = HOUR_MS,
                     .lock_max_ms = HOUR_MS};
    struct rule_set set = set_of(&r, 1);
    struct event guess = event_of(EVENT_LOGIN_FAILED, T0 + 365ll * DAY_MS);
    struct verdict v = decide(&set, &guess);
    cr_assert(not(verdict_is_pass(&v)));
    struct event login = event_of(EVENT_LOGIN, T0);
    v = decide(&set, &login);
    cr_assert(verdict_is_pass(&v));
}

Test(engine_subtle, the_strictest_reasons_are_kept_whatever_the_order)
{
    static char names[2 * REASONS_MAX][8];
    struct rule rules[2 * REASONS_MAX];
    for (unsigned i = 0; i < 2 * REASONS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "r%02u", i);
        rules[i] = (struct rule){.name = view_cstr(names[i]),
                                 .count = COUNT_LOGINS,
                                 .per = PER_ACCOUNT,
                                 .within_ms = HOUR_MS,
                                 .limit = 1,
                                 .is_shadow = i % 3 == 0,
                                 .actions = i == 40 ? THEN_SUSPEND : THEN_NOTIFY};
    }
    struct rule_set set = set_of(rules, 2 * REASONS_MAX);
    struct event e = event_of(EVENT_LOGIN, T0);
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.reason_count, REASONS_MAX));
    cr_assert(view_eq(v.reasons[0].rule->name, VIEW_LIT("r40")));
    cr_assert(view_eq(v.reasons[1].rule->name, VIEW_LIT("r01")));
    for (unsigned i = 0; i < v.reason_count; i++)
        cr_assert(not(v.reasons[i].is_shadow));
}

Test(engine_subtle, an_own_limit_above_that_of_the_rule_is_reached_too)
{
    struct rule r = {.name = VIEW_LIT("addresses"),
                     .count = COUNT_ADDRESSES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 3,
                     .actions = THEN_SUSPEND};
    struct rule_set set = set_of(&r, 1);
    struct rule_override wider = {r.name_hash, 60};
    for (unsigned i = 1; i <= 60; i++) {
        struct event e = event_of(EVENT_LOGIN, T0);
        e.ip.bytes[15] = (uint8_t)i;
        e.overrides = &wider;
        e.override_count = 1;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), i < 60), "address %u", i);
    }
}
