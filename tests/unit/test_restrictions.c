/* Records of restrictions as the desk finds them: what stands, until when, and what a release lifts. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

TestSuite(restrictions, .timeout = 60, .fini = pf_end);

#define HOUR_MS   INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

/* ---- what stands ---- */

#define GUESSING                                                                                   \
    "rule guess { count passwords; per account-network; within 1h; limit 3; then lock; lock 10m; " \
    "lock_max 1d; }"

static void guess(uint64_t session, const char *ip, uint64_t password)
{
    pf_connect(PF_A, session, ip);
    pf_login(PF_A, session, ip, PF_TARO, PF_TARO_LOGIN, AUTH_BAD_CREDENTIALS, password);
}

/* The only one that stands; its number in *times_out. */
static int64_t standing_until_ms(json_int_t *times_out)
{
    json_t *o = pf_op("restriction.list", "{}", NULL), *list = json_object_get(o, "restrictions");
    cr_assert_eq(json_array_size(list), 1);
    int64_t until_ms = json_integer_value(json_object_get(json_array_get(list, 0), "until_ms"));
    *times_out = json_integer_value(json_object_get(json_array_get(list, 0), "times"));
    json_decref(o);
    return until_ms;
}

Test(restrictions, a_lock_that_holds_again_stands_in_its_record)
{
    json_int_t times;
    pf_begin(GUESSING);
    for (uint64_t i = 1; i <= 3; i++)
        guess(i, PF_ABROAD, i);
    cr_assert_eq(standing_until_ms(&times), PF_T0_MS + 10 * MINUTE_MS);
    pf_advance(11 * MINUTE_MS);
    guess(4, PF_ABROAD, 4);
    cr_assert_eq(standing_until_ms(&times), PF_T0_MS + (11 + 20) * MINUTE_MS, "the second lock is longer");
    cr_assert_eq(times, 2);
}

static size_t page_of_standing(const char *after, unsigned limit, char next_out[32])
{
    char args[128];
    snprintf(args, sizeof args, "{\"limit\":%u%s%s%s}", limit, *after ? ",\"after\":\"" : "", after, *after ? "\"" : "");
    json_t *o = pf_op("restriction.list", args, NULL);
    const char *next = json_string_value(json_object_get(o, "next"));
    size_t count = json_array_size(json_object_get(o, "restrictions"));
    snprintf(next_out, 32, "%s", next ? next : "");
    json_decref(o);
    return count;
}

Test(restrictions, what_stands_is_found_in_pages_and_after_a_restart)
{
    char next[32];
    pf_begin(GUESSING "rule few { count messages; within 1h; limit 0; then defer; }");
    for (uint64_t i = 1; i <= 3; i++)
        guess(i, PF_ABROAD, i);
    pf_taro_signs_in(PF_A, 4, PF_HOME);
    pf_taro_sends(PF_A, 4, PF_HOME, 1); /* a record of what does not stand */
    json_decref(pf_op("restriction.suspend", "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"x\"}", NULL));
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(page_of_standing("", 10, next), 2, "a lock and a suspension");
        cr_assert_str_empty(next);
        cr_assert_eq(page_of_standing("", 1, next), 1);
        cr_assert_eq(page_of_standing(next, 1, next), 1);
        cr_assert_str_empty(next);
        pf_restart();
    }
    pf_advance(11 * MINUTE_MS);
    cr_assert_eq(page_of_standing("", 10, next), 1, "the lock is over");
}

Test(restrictions, a_longer_suspension_takes_the_place_of_a_shorter_one)
{
#define SUSPEND(hours) "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"asked for\"" hours "}"
    char first[32], second[32];
    pf_begin("");
    json_decref(pf_op("restriction.suspend", SUSPEND(",\"hours\":2"), NULL));
    pf_standing_id(first);
    json_decref(pf_op("restriction.suspend", SUSPEND(",\"hours\":1"), NULL));
    cr_assert_str_eq(pf_standing_id(second), first, "it is shorter");
    json_decref(pf_op("restriction.suspend", SUSPEND(""), NULL));
    cr_assert_str_neq(pf_standing_id(second), first);
    json_decref(pf_op("restriction.suspend", SUSPEND(",\"hours\":9"), NULL));
    pf_advance(3 * HOUR_MS);
    pf_advance(2000);
    cr_assert_eq(pf_taro_signs_in(PF_A, 1, PF_HOME).verdict, VERDICT_REFUSE, "it was to last");
    cr_assert_eq(pf_seen.let_go, 0);
#undef SUSPEND
}

/* ---- what a release lifts ---- */

Test(restrictions, what_comes_after_a_release_is_a_record_of_its_own)
{
    char id[2][32];
    pf_begin("rule doubtful { count messages; within 1h; limit 0; then hold; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(pf_send_one(1, PF_HOME));
        json_t *o = pf_op("restriction.list", "{\"all\":true}", NULL), *list = json_object_get(o, "restrictions");
        cr_assert_eq(json_array_size(list), i + 1);
        snprintf(id[i], sizeof id[i], "%s", json_string_value(json_object_get(json_array_get(list, i), "id")));
        json_decref(o);
        pf_release(id[i]);
        cr_assert_eq(pf_seen.let_go, i + 1, "held again, it is let go again");
    }
}

#define SPRAYING "rule spray { count failed-accounts; per address; within 1h; limit 2; then lock; lock 6h; lock_max 1d; }"

static void spray(void)
{
    for (uint64_t i = 1; i <= 2; i++) {
        char login[32];
        snprintf(login, sizeof login, "nobody%u@example.jp", (unsigned)i);
        pf_connect(PF_A, i, PF_ABROAD);
        pf_login(PF_A, i, PF_ABROAD, 0, login, AUTH_NO_SUCH_USER, i);
    }
    cr_assert_eq(pf_taro_signs_in(PF_A, 9, PF_ABROAD).verdict, VERDICT_REFUSE);
}

Test(restrictions, an_address_that_is_locked_is_let_in_by_a_release)
{
    char id[32];
    pf_begin(SPRAYING);
    spray();
    pf_release(pf_standing_id(id));
    cr_assert_eq(pf_taro_signs_in(PF_A, 10, PF_ABROAD).verdict, VERDICT_ALLOW);
}

Test(restrictions, a_release_that_cannot_lift_says_so)
{
    char id[32], args[128];
    unsigned status;
    pf_begin("privacy { addresses hash; }\n" SPRAYING);
    spray();
    snprintf(args, sizeof args, "{\"id\":\"%s\",\"note\":\"an office\"}", pf_standing_id(id));
    json_decref(pf_op("restriction.release", args, &status));
    cr_assert_eq(status, 409);
    pf_standing_id(id); /* it stands as before */
}

Test(restrictions, mail_that_a_rule_of_all_held_is_let_go_by_its_record)
{
    pf_begin("rule burst { count messages; per everyone; within 1h; limit 0; then hold; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert(pf_send_one(1, PF_HOME));
    json_t *o = pf_op("restriction.list", "{\"all\":true,\"account\":7}", NULL), *list = json_object_get(o, "restrictions");
    cr_assert_eq(json_array_size(list), 1);
    pf_release(json_string_value(json_object_get(json_array_get(list, 0), "id")));
    json_decref(o);
    cr_assert_eq(pf_seen.held_account, PF_TARO);
    cr_assert_eq(pf_seen.let_go, 1);
}
