/* What the support desk does with an account's settings, and what becomes of live sessions. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

TestSuite(ops_account, .timeout = 60, .fini = pf_end);

#define TARO   "\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"created_ms\":1700000000000"
#define HOME   "192.0.2.1"
#define ABROAD "198.51.100.1"
#define COUNTRIES                                                                                  \
    "rules { home JP; }\n"                                                       \
    "geo { place JP { networks 192.0.2.0/24; } place US { networks 198.51.100.0/24; } }\n"         \
    "rule slow { count messages; per account; within 1h; limit 3; when { classes business; } then defer; }\n"

static json_t *run(const char *op, const char *args, unsigned want)
{
    unsigned status;
    json_t *answer = pf_op(op, args, &status);
    cr_assert_eq(status, want, "%s %s: %u %s", op, args, status,
                 json_string_value(json_object_get(answer, "detail")));
    return answer;
}

static void do_op(const char *op, const char *args, unsigned want)
{
    json_decref(run(op, args, want));
}

static void has_text(const char *op, const char *args, const char *key, const char *want)
{
    json_t *answer = run(op, args, 200);
    cr_assert_str_eq(json_string_value(json_object_get(answer, key)), want);
    json_decref(answer);
}

static void has_number(const char *op, const char *args, const char *key, int want)
{
    json_t *answer = run(op, args, 200);
    cr_assert_eq(json_integer_value(json_object_get(answer, key)), want, "%s", key);
    json_decref(answer);
}

static enum policy_verdict sign_in(uint64_t session, const char *ip)
{
    pf_connect(PF_A, session, ip);
    return pf_login(PF_A, session, ip, PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0).verdict;
}

Test(ops_account, what_is_set_is_shown_and_outlives_the_process)
{
    pf_begin(COUNTRIES);
    has_text("settings.show", "{" TARO "}", "overseas", "default");
    do_op("settings.set", "{" TARO ",\"overseas\":\"block\",\"class\":\"business\",\"note\":\"asked\"}", 200);
    pf_restart();
    has_text("settings.show", "{" TARO "}", "overseas", "block");
    has_text("settings.show", "{" TARO "}", "class", "business");
}

Test(ops_account, what_makes_no_sense_changes_nothing)
{
    pf_begin(COUNTRIES);
    json_t *answer = run("settings.set", "{" TARO ",\"note\":\"x\",\"class\":\"busness\"}", 400);
    cr_assert(strstr(json_string_value(json_object_get(answer, "detail")), "business"));
    json_decref(answer);
    do_op("settings.set", "{\"note\":\"whose?\"}", 400);
    do_op("settings.set-many", "{\"set\":{}}", 400);
    do_op("settings.set-many", "{\"accounts\":[]}", 400);
    do_op("geo.lookup", "{\"ip\":\"nowhere\"}", 400);
    has_text("settings.show", "{" TARO "}", "note", "");
}

Test(ops_account, sessions_from_abroad_end_when_the_customer_blocks_them)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(sign_in(1, HOME), VERDICT_ALLOW);
    do_op("settings.set", "{" TARO ",\"overseas\":\"block\"}", 200);
    cr_assert_eq(pf_seen.kills[PF_A], 0, "nobody is abroad");
    do_op("settings.set", "{" TARO ",\"exceptions\":[{\"country\":\"US\"}]}", 200);
    cr_assert_eq(sign_in(2, ABROAD), VERDICT_ALLOW);
    do_op("settings.set", "{" TARO ",\"note\":\"on a journey\"}", 200);
    cr_assert_eq(pf_seen.kills[PF_A], 0, "the journey is allowed");
    do_op("settings.set", "{" TARO ",\"exceptions\":[]}", 200);
    pf_turns();
    cr_assert_eq(pf_seen.kills[PF_A], 1);
    cr_assert_eq(pf_seen.kills[PF_B], 1, "every worker may have some");
    cr_assert_eq(pf_seen.killed_account, PF_TARO);
    cr_assert_eq(sign_in(3, ABROAD), VERDICT_REFUSE);
    cr_assert_eq(sign_in(4, HOME), VERDICT_ALLOW);
}

Test(ops_account, whoever_stays_signed_in_beyond_his_journey_sends_no_more)
{
    char set[256];
    pf_begin(COUNTRIES);
    snprintf(set, sizeof set, "{" TARO ",\"overseas\":\"block\",\"exceptions\":[{\"country\":\"US\",\"until_ms\":%lld}]}",
             (long long)PF_T0_MS + 60000);
    do_op("settings.set", set, 200);
    cr_assert_eq(sign_in(1, ABROAD), VERDICT_ALLOW);
    cr_assert_eq(sign_in(2, HOME), VERDICT_ALLOW);
    pf_advance(59999);
    cr_assert_eq(pf_taro_mails(PF_A, 1, ABROAD).verdict, VERDICT_ALLOW);
    pf_settle(PF_A, 1, 0, false);
    pf_advance(1);
    struct pf_answer a = pf_taro_mails(PF_A, 1, ABROAD);
    cr_assert_eq(a.verdict, VERDICT_CLOSE);
    cr_assert_str_eq(a.text, "signing in from overseas is blocked for this account");
    cr_assert_eq(pf_taro_mails(PF_A, 2, HOME).verdict, VERDICT_ALLOW);
}

Test(ops_account, a_block_holds_for_sessions_older_than_the_process)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(sign_in(1, ABROAD), VERDICT_ALLOW);
    pf_restart();
    do_op("settings.set", "{" TARO ",\"overseas\":\"block\"}", 200);
    cr_assert_eq(pf_taro_mails(PF_A, 1, ABROAD).verdict, VERDICT_CLOSE);
}

Test(ops_account, a_session_that_is_over_is_not_cut)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(sign_in(1, ABROAD), VERDICT_ALLOW);
    pf_disconnect(PF_A, 1);
    do_op("settings.set", "{" TARO ",\"overseas\":\"block\"}", 200);
    pf_turns();
    cr_assert_eq(pf_seen.kills[PF_A], 0);
}

#define MANY "{\"accounts\":[{\"account\":7,\"login\":\"a\"},{\"account\":8,\"login\":\"b\"}],"

Test(ops_account, many_are_tried_first_and_then_done)
{
    pf_begin(COUNTRIES);
    has_number("settings.set-many", MANY "\"set\":{\"class\":\"business\"},\"dry_run\":true}", "changed", 2);
    has_text("settings.show", "{" TARO "}", "class", "");
    has_number("settings.set-many", MANY "\"set\":{\"class\":\"business\"}}", "changed", 2);
    has_text("settings.show", "{" TARO "}", "class", "business");
    has_number("settings.set-many", MANY "\"set\":{\"class\":\"business\"}}", "changed", 0);
    has_number("settings.set-many", MANY "\"set\":{\"class\":\"nonsense\"}}", "failed", 2);
    has_number("settings.set-many", "{\"class\":\"business\",\"set\":{\"overseas\":\"block\"}}", "changed", 2);
    has_text("settings.show", "{\"account\":8,\"login\":\"b\"}", "overseas", "block");
}

Test(ops_account, whoever_looks_or_changes_is_noted)
{
    char args[128];
    pf_begin(COUNTRIES);
    do_op("settings.show", "{" TARO "}", 200);
    do_op("settings.set", "{" TARO ",\"note\":\"x\"}", 200);
    json_t *made = run("restriction.suspend", "{" TARO ",\"note\":\"x\"}", 200);
    const char *id = json_string_value(json_object_get(made, "restriction"));
    snprintf(args, sizeof args, "{\"id\":\"%s\",\"note\":\"y\"}", id);
    do_op("restriction.list", "{" TARO "}", 200);
    do_op("restriction.list", "{}", 200); /* of no account */
    do_op("restriction.show", args, 200);
    do_op("restriction.release", args, 200);
    json_decref(made);
    static const char *const want[] = {"restriction.release", "restriction.show", "restriction.list",
                                       "restriction.suspend", "settings.set", "settings.show"};
    json_t *answer = run("access.list", "{" TARO "}", 200);
    json_t *list = json_object_get(answer, "access");
    cr_assert_eq(json_array_size(list), 6);
    for (size_t i = 0; i < 6; i++)
        cr_assert_str_eq(json_string_value(json_object_get(json_array_get(list, i), "op")), want[i]);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "actor")), "desk");
    json_decref(answer);
    has_number("settings.set-many", MANY "\"set\":{\"note\":\"z\"},\"dry_run\":true}", "changed", 2);
    answer = run("access.list", "{\"account\":8,\"login\":\"b\"}", 200);
    cr_assert_eq(json_array_size(json_object_get(answer, "access")), 0, "a trial changes nothing");
    json_decref(answer);
}

Test(ops_account, places_of_the_configuration_are_looked_up)
{
    pf_begin(COUNTRIES);
    has_text("geo.lookup", "{\"ip\":\"" ABROAD "\"}", "country", "US");
    has_text("geo.lookup", "{\"ip\":\"203.0.113.9\"}", "country", "unknown");
}
