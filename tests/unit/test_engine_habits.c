/* What the engine knows of an account's ways, and rules that ask for other rules. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "tests/unit/engine_fixture.h"

TestSuite(engine_habits, .timeout = 20, .init = engine_begin, .fini = engine_end);

#define DAYS(n) ((n) * (int64_t)DAY_MS)

static struct verdict happen(const struct rule_set *set, enum event_kind kind,
                             const char *from, int64_t at_ms)
{
    struct event e = event_of(kind, at_ms);
    e.ip = ip(from);
    return decide(set, &e);
}

/* Acts on each message under its condition. */
static struct rule_set asking(struct rule *r, struct rule_when when)
{
    *r = (struct rule){.name = VIEW_LIT("asks"),
                       .count = COUNT_MESSAGES,
                       .per = PER_ACCOUNT,
                       .within_ms = HOUR_MS,
                       .limit = 0,
                       .actions = THEN_REFUSE,
                       .when = when};
    return set_of(r, 1);
}

static bool acts(const struct rule_set *set, const char *from, int64_t at_ms)
{
    struct verdict v = happen(set, EVENT_MESSAGE, from, at_ms);
    return !verdict_is_pass(&v);
}

/* ---- mailbox ---- */

Test(engine_habits, reading_speaks_for_the_block_around_it)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.mailbox = MAILBOX_ELSEWHERE});
    happen(&set, EVENT_MAILBOX, "198.51.7.1", T0);
    cr_assert(not(acts(&set, "198.51.200.9", T0 + 1000)), "another /24 of one carrier");
    cr_assert(acts(&set, "203.0.113.9", T0 + 1000));
    happen(&set, EVENT_MAILBOX, "203.0.113.9", T0 + DAYS(2));
    cr_assert(acts(&set, "198.51.7.1", T0 + DAYS(2)), "two days later it is old");
    happen(&set, EVENT_MAILBOX, "2001:db8:1:2::3", T0 + DAYS(2));
    cr_assert(not(acts(&set, "2001:db8:ffff::1", T0 + DAYS(2))));
    cr_assert(acts(&set, "2001:db9::1", T0 + DAYS(2)));
}

Test(engine_habits, abroad_reading_speaks_for_the_country)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.mailbox = MAILBOX_ELSEWHERE});
    struct event mailbox = event_of(EVENT_MAILBOX, T0),
                 mail = event_of(EVENT_MESSAGE, T0);
    mailbox.ip = ip("203.0.113.1");
    mail.ip = ip("198.51.100.1");
    mailbox.place.country = mail.place.country = US;
    mailbox.is_home = mail.is_home = false;
    decide(&set, &mailbox);
    struct verdict v = decide(&set, &mail);
    cr_assert(verdict_is_pass(&v));
    cr_assert(eq(int, (int)v.circumstances.mailbox, MAILBOX_HERE));
    mail.place.country = JP + 1;
    v = decide(&set, &mail);
    cr_assert(not(verdict_is_pass(&v)));
}

Test(engine_habits, who_is_never_seen_reading_does_not_read_elsewhere)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.mailbox = MAILBOX_ELSEWHERE});
    struct event other = event_of(EVENT_MAILBOX, T0);
    other.account = 2;
    decide(&set, &other);
    cr_assert(not(acts(&set, "203.0.113.9", T0)), "on the web, perhaps");
    set = asking(&r, (struct rule_when){.mailbox = MAILBOX_NOT_HERE});
    cr_assert(acts(&set, "203.0.113.9", T0));
    happen(&set, EVENT_MAILBOX, "203.0.113.9", T0);
    cr_assert(not(acts(&set, "203.0.113.9", T0)));
    set = asking(&r, (struct rule_when){.mailbox = MAILBOX_HERE});
    cr_assert(acts(&set, "203.0.113.9", T0));
}

Test(engine_habits, reports_that_stopped_make_nobody_a_thief)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.mailbox = MAILBOX_ELSEWHERE});
    struct event other = event_of(EVENT_MAILBOX, T0 + DAYS(2));
    happen(&set, EVENT_MAILBOX, "198.51.7.1", T0);
    cr_assert(not(acts(&set, "203.0.113.9", T0 + DAYS(2))), "nobody is seen reading");
    other.account = 2;
    decide(&set, &other);
    cr_assert(acts(&set, "203.0.113.9", T0 + DAYS(2)), "others are, he is not");
}

/* ---- blocks ---- */

Test(engine_habits, a_block_becomes_familiar_by_use_on_three_earlier_days)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.block = BLOCK_UNFAMILIAR});
    for (int day = 0; day < 3; day++) {
        for (int i = 0; i < 3; i++)
            happen(&set, EVENT_LOGIN, "192.0.2.1", T0 + DAYS(day));
        cr_assert(acts(&set, "192.0.2.1", T0 + DAYS(day) + 1000), "day %d", day);
    }
    cr_assert(not(acts(&set, "192.0.2.1", T0 + DAYS(3))));
    cr_assert(not(acts(&set, "192.0.77.1", T0 + DAYS(3))), "the whole block is");
    cr_assert(acts(&set, "203.0.113.1", T0 + DAYS(3)));
    cr_assert(acts(&set, "192.0.2.1", T0 + DAYS(100)), "not for ever");
}

Test(engine_habits, who_tried_the_password_and_came_back_is_a_stranger)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.block = BLOCK_STRANGE});
    for (int day = 0; day < 9; day++)
        happen(&set, EVENT_MAILBOX, "192.0.2.1", T0 + DAYS(day));
    happen(&set, EVENT_LOGIN, "203.0.113.1", T0 + DAYS(2));
    happen(&set, EVENT_LOGIN, "203.0.113.1", T0 + DAYS(5));
    cr_assert(acts(&set, "203.0.113.1", T0 + DAYS(9)));
    cr_assert(not(acts(&set, "192.0.2.1", T0 + DAYS(9))));
}

Test(engine_habits, nothing_is_strange_while_nothing_is_known)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.block = BLOCK_STRANGE});
    cr_assert(not(acts(&set, "203.0.113.1", T0)));
    happen(&set, EVENT_LOGIN, "192.0.2.1", T0);
    cr_assert(not(acts(&set, "203.0.113.1", T0 + DAYS(5))), "one day is no habit");
}

Test(engine_habits, a_thief_with_many_addresses_does_not_push_out_the_owners)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.block = BLOCK_UNFAMILIAR});
    for (int day = 0; day < 3; day++)
        happen(&set, EVENT_LOGIN, "192.0.2.1", T0 + DAYS(day));
    struct event e = event_of(EVENT_LOGIN, T0 + DAYS(3));
    for (int i = 0; i < 1000; i++) {
        e.ip.bytes[12] = (uint8_t)(1 + i % 200);
        e.ip.bytes[13] = (uint8_t)(i / 200);
        decide(&set, &e);
    }
    cr_assert(not(acts(&set, "192.0.2.1", T0 + DAYS(3))));
}

Test(engine_habits, a_clock_that_steps_back_makes_no_strangers)
{
    struct rule r;
    struct rule_set set = asking(&r, (struct rule_when){.block = BLOCK_UNFAMILIAR});
    for (int day = 0; day < 5; day++)
        happen(&set, EVENT_LOGIN, "192.0.2.1", T0 + DAYS(day));
    cr_assert(not(acts(&set, "192.0.2.1", T0 + DAYS(3))));
}

/* ---- what rules count anew ---- */

static struct rule sign_of(const char *name, enum rule_count count, uint32_t limit)
{
    return (struct rule){.name = view_cstr(name),
                         .count = count,
                         .per = PER_ACCOUNT,
                         .within_ms = HOUR_MS,
                         .limit = limit,
                         .actions = THEN_SIGN};
}

Test(engine_habits, blocks_are_a_coarser_mesh_than_networks)
{
    struct rule rules[] = {sign_of("networks", COUNT_NETWORKS, 100),
                           sign_of("blocks", COUNT_BLOCKS, 3)};
    struct rule_set set = set_of(rules, 2);
    struct event e = event_of(EVENT_LOGIN, T0);
    for (uint8_t i = 0; i < 50; i++) {
        e.ip.bytes[14] = i;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(uint, v.reason_count, 0), "one carrier's /24s");
    }
    e.ip.bytes[13]++;
    decide(&set, &e);
    e.ip.bytes[13]++;
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.reason_count, 1));
    cr_assert(verdict_is_pass(&v));
}

Test(engine_habits, senders_are_counted_where_they_are_known)
{
    struct rule r = sign_of("senders", COUNT_SENDERS, 3);
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_MESSAGE, T0);
    for (uint64_t i = 0; i < 10; i++) {
        e.sender_hash = i % 2; /* unknown, and one */
        struct verdict v = decide(&set, &e);
        cr_assert(eq(uint, v.reason_count, 0));
    }
    for (uint64_t i = 1; i <= 3; i++) {
        e.sender_hash = i;
        struct verdict v = decide(&set, &e);
        cr_assert(eq(uint, v.reason_count, i == 3));
    }
}

Test(engine_habits, messages_to_many_are_counted_apart)
{
    struct rule r = sign_of("wide", COUNT_MESSAGES, 2);
    r.actions = THEN_SUSPEND;
    r.when.min_recipients = 5;
    struct rule_set set = set_of(&r, 1);
    struct event e = event_of(EVENT_MESSAGE, T0);
    for (uint32_t i = 0; i < 50; i++) {
        e.recipients = i % 5;
        struct verdict v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v));
    }
    e.recipients = 5;
    for (int i = 0; i < 3; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(eq(int, verdict_is_pass(&v), i < 2));
    }
}

/* ---- also ---- */

static const struct view asked_for[] = {VIEW_LIT("countries")};

/* Movement is a sign; movement and more than two messages are too much. */
static struct rule_set moving_and_writing(struct rule rules[2])
{
    rules[0] = sign_of("countries", COUNT_COUNTRIES, 2);
    rules[1] = sign_of("volume", COUNT_MESSAGES, 2);
    rules[1].actions = THEN_SUSPEND;
    rules[1].when.also = asked_for;
    rules[1].when.also_count = 1;
    return set_of(rules, 2);
}

static void sign_in_from(const struct rule_set *set, uint16_t country)
{
    struct event e = event_of(EVENT_LOGIN, T0);
    e.place.country = country;
    struct verdict v = decide(set, &e);
    cr_assert(verdict_is_pass(&v));
}

Test(engine_habits, two_weak_signs_make_a_strong_one)
{
    struct rule rules[2];
    struct rule_set set = moving_and_writing(rules);
    sign_in_from(&set, JP);
    for (int i = 0; i < 10; i++)
        cr_assert(not(acts(&set, "192.0.2.1", T0)), "volume without movement");
    sign_in_from(&set, US);
    for (int i = 0; i < 2; i++)
        cr_assert(not(acts(&set, "192.0.2.1", T0)));
    struct event e = event_of(EVENT_MESSAGE, T0);
    struct verdict v = decide(&set, &e);
    cr_assert(eq(uint, v.actions, THEN_SUSPEND));
    cr_assert(strstr(v.reasons[0].grounds, "countries: US 20") != NULL, "%s",
              v.reasons[0].grounds);
    cr_assert(not(acts(&set, "192.0.2.1", T0 + 2 * HOUR_MS)), "the sign is old");
}

Test(engine_habits, a_sign_in_shadow_holds_for_no_other_rule)
{
    struct rule rules[2];
    struct rule_set set = moving_and_writing(rules);
    rules[0].is_shadow = true;
    set = set_of(rules, 2);
    sign_in_from(&set, JP);
    sign_in_from(&set, US);
    for (int i = 0; i < 10; i++)
        cr_assert(not(acts(&set, "192.0.2.1", T0)));
}

Test(engine_habits, a_rule_that_asks_for_none_that_is_there_never_acts)
{
    struct rule rules[2];
    moving_and_writing(rules);
    struct rule_set set = set_of(&rules[1], 1);
    for (int i = 0; i < 10; i++)
        cr_assert(not(acts(&set, "192.0.2.1", T0)));
}

Test(engine_habits, an_override_takes_a_sign_away)
{
    struct rule rules[2];
    struct rule_set set = moving_and_writing(rules);
    struct rule_override none = {rules[0].name_hash, UINT32_MAX};
    struct event e = event_of(EVENT_MESSAGE, T0);
    sign_in_from(&set, JP);
    sign_in_from(&set, US);
    e.overrides = &none;
    e.override_count = 1;
    for (int i = 0; i < 10; i++) {
        struct verdict v = decide(&set, &e);
        cr_assert(verdict_is_pass(&v));
    }
}

Test(engine_habits, what_was_counted_beside_a_sign_is_given_back_after_it)
{
    struct rule rules[2];
    struct rule_set set = moving_and_writing(rules);
    sign_in_from(&set, JP);
    sign_in_from(&set, US);
    struct event e = event_of(EVENT_MESSAGE, T0);
    struct verdict v = decide(&set, &e);
    cr_assert(v.is_counted);
    decide(&set, &e);
    engine_give_back(&set, store, &e, &v.circumstances);
    v = decide(&set, &e);
    cr_assert(verdict_is_pass(&v), "there was room for one again");
    v = decide(&set, &e);
    cr_assert(not(verdict_is_pass(&v)));
}
