#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/err.h"
#include "tests/unit/engine_fixture.h"

TestSuite(engine, .timeout = 20);

Test(engine, volume_passes_up_to_the_limit_and_no_further, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("volume"),
                     .count = COUNT_MESSAGES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 100,
                     .actions = THEN_DEFER};
    struct rule_set set = set_of(&r, 1);
    unsigned passed = 0;
    for (int i = 0; i < 200; i++) {
        struct event e = event_of(EVENT_MESSAGE, T0 + i * 1000);
        struct verdict v = decide(&set, &e);
        passed += verdict_is_pass(&v);
        if (i == 100) {
            cr_assert(eq(uint, v.reason_count, 1));
            cr_assert(eq(u32, v.reasons[0].value, 101));
            cr_assert(eq(u32, v.reasons[0].limit, 100));
        }
    }
    cr_assert(eq(uint, passed, 100));
    struct event other = event_of(EVENT_MESSAGE, T0 + 200000);
    other.account = 2;
    struct verdict v = decide(&set, &other);
    cr_assert(verdict_is_pass(&v), "another account has its own count");
}

Test(engine, what_was_given_back_can_be_used_again, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("recipients"),
                     .count = COUNT_RECIPIENTS,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 10,
                     .actions = THEN_REFUSE};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_MESSAGE, T0);
    e.recipients = 10;
    struct verdict v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v) && v.is_counted);
    v = decide(&set, &e);
    cr_assert(not(verdict_is_pass(&v)));
    cr_assert(not(v.is_counted));
    cr_assert(eq(int, engine_give_back(&set, store, &e, &v.circumstances), MSA_OK));
    v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v));
}

Test(engine, a_refused_message_uses_up_nothing_of_other_rules, .init = engine_begin,
     .fini = engine_end)
{
    struct rule rules[] = {
        {.name = VIEW_LIT("few"),
         .count = COUNT_RECIPIENTS,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 5,
         .actions = THEN_REFUSE},
        {.name = VIEW_LIT("day"),
         .count = COUNT_MESSAGES,
         .per = PER_ACCOUNT,
         .within_ms = DAY_MS,
         .limit = 2,
         .actions = THEN_REFUSE},
    };
    struct rule_set set = set_of(rules, 2);
    struct event big = event_of(EVENT_MESSAGE, T0);
    big.recipients = 6;
    for (int i = 0; i < 10; i++)
        decide(&set, &big);
    struct event small = event_of(EVENT_MESSAGE, T0);
    struct verdict v = decide(&set, &small);
    cr_assert(verdict_is_pass(&v));
    v = decide(&set, &small);
    cr_assert(verdict_is_pass(&v));
    v = decide(&set, &small);
    cr_assert(not(verdict_is_pass(&v)));
}

Test(engine, four_countries_in_a_day_suspend, .init = engine_begin, .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("countries-1d"),
                     .count = COUNT_COUNTRIES,
                     .per = PER_ACCOUNT,
                     .within_ms = DAY_MS,
                     .limit = 4,
                     .actions = THEN_SUSPEND | THEN_NOTIFY};
    struct rule_set set = set_of(&r, 1);
    static const char *const countries[] = {"JP", "JP", "KR", "US", "US", "BR"};
    for (size_t i = 0; i < 6; i++) {
        struct event e = event_of(EVENT_LOGIN, T0 + (int64_t)i * HOUR_MS);
        e.place.country = country_code(view_cstr(countries[i]));
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, (v.actions & THEN_SUSPEND) != 0, i == 5), "sign-in %zu", i);
        if (i == 5)
            cr_assert(strstr(v.reasons[0].grounds, "BR ") == v.reasons[0].grounds, "%s",
                      v.reasons[0].grounds);
    }
}

Test(engine, a_sign_of_the_sign_in_holds_for_the_messages, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("countries-pool"),
                     .count = COUNT_COUNTRIES,
                     .per = PER_ACCOUNT,
                     .within_ms = DAY_MS,
                     .limit = 2,
                     .actions = THEN_POOL,
                     .pool = VIEW_LIT("suspect")};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_LOGIN, T0);
    decide(&set, &e);
    e.place.country = country_code(VIEW_LIT("US"));
    decide(&set, &e);
    struct event message = event_of(EVENT_CONTENT, T0 + HOUR_MS);
    struct verdict v = decide(&set, &message);
    cr_assert(view_eq(v.pool, VIEW_LIT("suspect")));
    message.at_ms = T0 + 2 * (int64_t)DAY_MS;
    v = decide(&set, &message);
    cr_assert(eq(sz, v.pool.n, 0), "it runs out");
}

Test(engine, travel_faster_than_a_plane_is_seen, .init = engine_begin, .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("speed"),
                     .count = COUNT_SPEED,
                     .per = PER_ACCOUNT,
                     .limit = 1000,
                     .actions = THEN_SUSPEND};
    struct rule_set set = set_of(&r, 1);
    struct event tokyo = event_of(EVENT_LOGIN, T0), moscow = tokyo;
    tokyo.place = (struct place){.country = JP,
                                 .has_coordinates = true,
                                 .latitude_deg = 35.7f,
                                 .longitude_deg = 139.7f};
    moscow.place = (struct place){.country = 'R' << 8 | 'U',
                                  .has_coordinates = true,
                                  .latitude_deg = 55.8f,
                                  .longitude_deg = 37.6f};
    struct verdict v = decide(&set, &tokyo);
    cr_assert(verdict_is_pass(&v), "the first place is no journey");
    moscow.at_ms = T0 + 12 * HOUR_MS; /* 7,500 km in 12 h: a flight */
    v = decide(&set, &moscow);
    cr_assert(verdict_is_pass(&v));
    tokyo.at_ms = moscow.at_ms + HOUR_MS;
    v = decide(&set, &tokyo);
    cr_assert(not(verdict_is_pass(&v)));
    cr_assert(gt(u32, v.reasons[0].value, 7000));
    cr_assert(lt(u32, v.reasons[0].value, 8000));
}

Test(engine, the_same_wrong_password_counts_once, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("passwords"),
                     .count = COUNT_PASSWORDS,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 5,
                     .actions = THEN_LOCK,
                     .lock_ms = 10 * MINUTE_MS,
                     .lock_max_ms = DAY_MS};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_LOGIN_FAILED, T0);
    e.wrong_password = 42;
    for (int i = 0; i < 1000; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v), "a forgotten device");
    }
    for (uint64_t i = 1; i <= 4; i++) {
        e.wrong_password = i;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), i < 4));
    }
}

Test(engine, a_lock_holds_grows_and_spares_the_owner, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("guess"),
                     .count = COUNT_FAILURES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 3,
                     .actions = THEN_LOCK,
                     .lock_ms = 10 * MINUTE_MS,
                     .lock_max_ms = HOUR_MS};
    struct rule_set set = set_of(&r, 1);
    /* The owner has signed in from home on an earlier day. */
    struct event owner = event_of(EVENT_LOGIN, T0 - 3 * (int64_t)DAY_MS);
    owner.ip = ip("198.51.100.7");
    decide(&set, &owner);

    struct event thief = event_of(EVENT_LOGIN_FAILED, T0);
    struct verdict v = {0};
    for (int i = 0; i < 3; i++)
        v = decide(&set, &thief);
    cr_assert(eq(i64, v.lock_until_ms, T0 + 10 * MINUTE_MS));

    thief.kind = EVENT_LOGIN; /* now with the right password */
    thief.at_ms = T0 + MINUTE_MS;
    v = decide(&set, &thief);
    cr_assert(not(verdict_is_pass(&v)));
    cr_assert(v.reasons[0].is_standing_lock);

    owner.at_ms = T0 + MINUTE_MS;
    v = decide(&set, &owner);
    cr_assert(verdict_is_pass(&v), "the owner's own network stays open");

    thief.at_ms = T0 + 2 * HOUR_MS;
    v = decide(&set, &thief);
    cr_assert(verdict_is_pass(&v), "the lock has run out");
    thief.kind = EVENT_LOGIN_FAILED;
    for (int i = 0; i < 3; i++)
        v = decide(&set, &thief);
    cr_assert(eq(i64, v.lock_until_ms, thief.at_ms + 20 * MINUTE_MS), "twice as long");
}

Test(engine, locks_are_found_without_counting_and_spare_who_reads_mail,
     .init = engine_begin, .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("guess"),
                     .count = COUNT_FAILURES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 3,
                     .actions = THEN_LOCK,
                     .lock_ms = 10 * MINUTE_MS,
                     .lock_max_ms = HOUR_MS};
    struct rule_set set = set_of(&r, 1);
    struct event owner = event_of(EVENT_MAILBOX, T0 - 3 * (int64_t)DAY_MS);
    owner.ip = ip("198.51.100.7");
    decide(&set, &owner);

    struct event thief = event_of(EVENT_LOGIN_FAILED, T0);
    struct verdict v;
    for (int i = 0; i < 10; i++)
        cr_assert(eq(int, engine_find_locks(&set, store, &thief, &v), 0));
    cr_assert(verdict_is_pass(&v), "nothing was counted");
    for (int i = 0; i < 3; i++)
        decide(&set, &thief);

    struct event e = event_of(EVENT_LOGIN, T0 + MINUTE_MS);
    cr_assert(eq(int, engine_find_locks(&set, store, &e, &v), 0));
    cr_assert(eq(u32, v.actions, THEN_LOCK));
    cr_assert(eq(u32, v.reason_count, 1));
    cr_assert(v.reasons[0].is_standing_lock);
    e.ip = owner.ip;
    cr_assert(eq(int, engine_find_locks(&set, store, &e, &v), 0));
    cr_assert(verdict_is_pass(&v), "the network where mail is read stays open");
    e = event_of(EVENT_LOGIN, T0 + HOUR_MS);
    cr_assert(eq(int, engine_find_locks(&set, store, &e, &v), 0));
    cr_assert(verdict_is_pass(&v), "the lock has run out");
}

Test(engine, one_source_that_tries_many_names_is_locked, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("spray"),
                     .count = COUNT_FAILED_ACCOUNTS,
                     .per = PER_ADDRESS,
                     .within_ms = HOUR_MS,
                     .limit = 5,
                     .actions = THEN_LOCK,
                     .lock_ms = HOUR_MS,
                     .lock_max_ms = HOUR_MS};
    struct rule_set set = set_of(&r, 1);
    struct verdict v = {0};
    for (uint64_t i = 0; i < 5; i++) {
        struct event e = event_of(EVENT_LOGIN_FAILED, T0);
        e.account = 0; /* no such name */
        e.tried_account_hash = i;
        v = decide(&set, &e);
    }
    cr_assert(not(verdict_is_pass(&v)));
    struct event other = event_of(EVENT_LOGIN, T0 + MINUTE_MS);
    v = decide(&set, &other);
    cr_assert(not(verdict_is_pass(&v)), "for every account from there");
    other.ip = ip("192.0.2.2");
    v = decide(&set, &other);
    cr_assert(verdict_is_pass(&v));
}

Test(engine, ipv6_is_one_source_by_64_bits, .init = engine_begin, .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("volume"),
                     .count = COUNT_MESSAGES,
                     .per = PER_ADDRESS,
                     .within_ms = HOUR_MS,
                     .limit = 2,
                     .actions = THEN_DEFER};
    struct rule_set set = set_of(&r, 1);
    static const char *const addresses[] = {"2001:db8::1", "2001:db8::2",
                                            "2001:db8::ffff:1", "2001:db8:0:1::1"};
    static const bool want[] = {true, true, false, true};
    for (size_t i = 0; i < 4; i++) {
        struct event e = event_of(EVENT_MESSAGE, T0);
        e.ip = ip(addresses[i]);
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), want[i]), "%s", addresses[i]);
    }
}

Test(engine, one_campaign_through_many_accounts_is_one_fingerprint, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("campaign"),
                     .count = COUNT_ACCOUNTS,
                     .per = PER_FINGERPRINT,
                     .within_ms = DAY_MS,
                     .limit = 3,
                     .actions = THEN_HOLD};
    struct rule_set set = set_of(&r, 1);
    static const uint64_t prints[2] = {111, 222}, other[1] = {333};
    for (uint64_t account = 1; account <= 3; account++) {
        struct event e = event_of(EVENT_CONTENT, T0);
        e.account = account;
        e.fingerprints = prints;
        e.fingerprint_count = 2;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, (v.actions & THEN_HOLD) != 0, account == 3));
    }
    struct event e = event_of(EVENT_CONTENT, T0);
    e.fingerprints = other;
    e.fingerprint_count = 1;
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, 0));
}

Test(engine, conditions_choose_the_events, .init = engine_begin, .fini = engine_end)
{
    struct rule rules[] = {
        {.name = VIEW_LIT("overseas"),
         .count = COUNT_MESSAGES,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 1,
         .actions = THEN_DEFER,
         .when = {.origin = FROM_OVERSEAS}},
        {.name = VIEW_LIT("new"),
         .count = COUNT_RECIPIENTS,
         .per = PER_ACCOUNT,
         .within_ms = DAY_MS,
         .limit = 10,
         .actions = THEN_REFUSE,
         .when = {.younger_than_ms = 14ll * DAY_MS}},
        {.name = VIEW_LIT("no-mailbox"),
         .count = COUNT_MESSAGES,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 3,
         .actions = THEN_HOLD,
         .when = {.mailbox = MAILBOX_NOT_HERE}},
    };
    struct rule_set set = set_of(rules, 3);
    struct event e = event_of(EVENT_MESSAGE, T0);
    struct event mailbox = event_of(EVENT_MAILBOX, T0);
    decide(&set, &mailbox);
    e.account_age_ms = 20ll * DAY_MS;
    e.recipients = 50;
    for (int i = 0; i < 10; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(eq(uint, v.actions, 0));
    }
    e.is_home = false;
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, 0), "what was sent at home does not count");
    v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, THEN_DEFER));
    e.is_home = true;
    e.account_age_ms = DAY_MS;
    v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, THEN_REFUSE));
}

Test(engine, an_override_replaces_the_limit_or_takes_the_rule_away, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("volume"),
                     .count = COUNT_MESSAGES,
                     .per = PER_ACCOUNT,
                     .within_ms = HOUR_MS,
                     .limit = 1,
                     .actions = THEN_REFUSE};
    struct rule_set set = set_of(&r, 1);
    struct rule_override wider = {r.name_hash, 3}, none = {r.name_hash, UINT32_MAX};
    struct event e = event_of(EVENT_MESSAGE, T0);
    e.overrides = &wider;
    e.override_count = 1;
    for (int i = 0; i < 5; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), i < 3));
    }
    e.overrides = &none;
    for (int i = 0; i < 50; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v));
    }
}

Test(engine, who_goes_on_after_refusals_is_suspended, .init = engine_begin,
     .fini = engine_end)
{
    struct rule rules[] = {
        {.name = VIEW_LIT("new"),
         .count = COUNT_MESSAGES,
         .per = PER_ACCOUNT,
         .within_ms = DAY_MS,
         .limit = 10,
         .actions = THEN_REFUSE},
        {.name = VIEW_LIT("insists"),
         .count = COUNT_REFUSALS,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 20,
         .actions = THEN_SUSPEND},
    };
    struct rule_set set = set_of(rules, 2);
    struct event e = event_of(EVENT_MESSAGE, T0);
    for (int i = 1; i <= 30; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), i <= 10));
        cr_assert(eq(int, (v.actions & THEN_SUSPEND) != 0, i == 30), "message %d", i);
    }
}

Test(engine, two_rules_on_one_count_count_it_once, .init = engine_begin,
     .fini = engine_end)
{
    struct rule rules[] = {
        {.name = VIEW_LIT("slow"),
         .count = COUNT_FAILURES,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 3,
         .actions = THEN_DELAY,
         .delay_ms = 1000},
        {.name = VIEW_LIT("lock"),
         .count = COUNT_FAILURES,
         .per = PER_ACCOUNT,
         .within_ms = HOUR_MS,
         .limit = 6,
         .actions = THEN_LOCK,
         .lock_ms = HOUR_MS,
         .lock_max_ms = HOUR_MS},
    };
    struct rule_set set = set_of(rules, 2);
    cr_assert(eq(u32, rules[0].cell_id, rules[1].cell_id));
    struct event e = event_of(EVENT_LOGIN_FAILED, T0);
    for (int i = 1; i <= 6; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, (v.actions & THEN_DELAY) != 0, i >= 3), "failure %d", i);
        cr_assert(eq(int, (v.actions & THEN_LOCK) != 0, i >= 6), "failure %d", i);
    }
}

Test(engine, release_lets_the_windows_begin_anew, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("countries"),
                     .count = COUNT_COUNTRIES,
                     .per = PER_ACCOUNT,
                     .within_ms = DAY_MS,
                     .limit = 2,
                     .actions = THEN_SUSPEND};
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_LOGIN, T0);
    decide(&set, &e);
    e.place.country = 'U' << 8 | 'S';
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, THEN_SUSPEND));
    cr_assert(eq(int, engine_forget_account(&set, store, 1, T0), MSA_OK));
    v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, 0));
}

Test(engine, a_laptop_may_send_its_outbox_after_a_flight, .init = engine_begin,
     .fini = engine_end)
{
    struct rule r = {.name = VIEW_LIT("volume"),
                     .count = COUNT_MESSAGES,
                     .per = PER_ACCOUNT,
                     .within_ms = 10 * MINUTE_MS,
                     .limit = 20,
                     .spare = 40,
                     .actions = THEN_DEFER};
    struct rule_set set = set_of(&r, 1);
    unsigned passed = 0;
    for (int i = 0; i < 100; i++) {
        struct event e = event_of(EVENT_MESSAGE, T0 + i * 100);
        struct verdict v = decide(&set, &e);
        passed += verdict_is_pass(&v);
    }
    cr_assert(eq(uint, passed, 60), "20, and 40 of the reserve");
}
