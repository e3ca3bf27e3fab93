/* What the policy process does in answer to what sessions and relay ask and tell. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy_fixture.h"

TestSuite(policy_role, .timeout = 60, .fini = pf_end);

#define HOUR_MS INT64_C(3600000)

#define THREE_COUNTRIES                                                                            \
    PF_COUNTRIES "rule three { count countries; per account; within 6h; limit 3; then suspend notify;\n" \
              "  because \"three countries\"; }\n"

static void suspend_by_three_countries(void)
{
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_taro_signs_in(PF_B, 2, PF_ABROAD);
    cr_assert_eq(pf_taro_signs_in(PF_A, 3, "203.0.113.1").verdict, VERDICT_REFUSE);
}

/* ---- volume ---- */

Test(policy_role, limits_of_the_policy_block_hold_without_any_rule)
{
    pf_begin("policy { messages 3/1h; recipients off; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    for (int i = 0; i < 3; i++)
        cr_assert(pf_send_one(1, PF_HOME));
    struct pf_answer a = pf_taro_sends(PF_A, 1, PF_HOME, 1);
    cr_assert_eq(a.verdict, VERDICT_DEFER);
    cr_assert_str_eq(a.text, "at most 3 messages in an hour");
    pf_settle(PF_A, 1, 0, false);
    pf_advance(2 * HOUR_MS);
    cr_assert(pf_send_one(1, PF_HOME));
}

Test(policy_role, messages_under_way_count_and_what_fails_is_given_back)
{
    struct pf_answer a[4];
    pf_begin("policy { messages 3/1h; recipients off; }");
    for (uint64_t s = 0; s < 4; s++) {
        pf_taro_signs_in(PF_A, s, PF_HOME);
        a[s] = pf_taro_sends(PF_A, s, PF_HOME, 1);
    }
    cr_assert_eq(a[2].verdict, VERDICT_ALLOW);
    cr_assert_eq(a[3].verdict, VERDICT_DEFER, "the fourth at the same time");
    pf_settle(PF_A, 0, a[0].reservation, false);
    cr_assert(pf_send_one(3, PF_HOME));
    pf_settle(PF_A, 1, a[1].reservation, true);
    pf_settle(PF_A, 1, a[1].reservation, false); /* twice gives nothing back */
    cr_assert_not(pf_send_one(3, PF_HOME));
}

/* The session has given up waiting and says that nothing came of it, which is true of a reservation, too, that it never
 * heard of. */
Test(policy_role, a_reservation_whose_answer_came_too_late_is_given_back)
{
    pf_begin("policy { messages 1/1h; recipients off; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert_eq(pf_taro_sends(PF_A, 1, PF_HOME, 1).verdict, VERDICT_ALLOW);
    pf_settle(PF_A, 1, 0, false);
    cr_assert(pf_send_one(1, PF_HOME));
    cr_assert_not(pf_send_one(1, PF_HOME));
}

Test(policy_role, a_worker_that_dies_leaves_its_messages_used)
{
    pf_begin("policy { messages 2/1h; recipients off; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_taro_sends(PF_A, 1, PF_HOME, 1);
    pf_lose_worker(PF_A);
    pf_taro_signs_in(PF_A, 2, PF_HOME);
    cr_assert(pf_send_one(2, PF_HOME));
    cr_assert_not(pf_send_one(2, PF_HOME), "nobody knows whether the first one left");
}

Test(policy_role, a_message_that_can_never_fit_is_refused_for_good)
{
    pf_begin("policy { messages off; recipients 10/1h; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert_eq(pf_taro_sends(PF_A, 1, PF_HOME, 11).verdict, VERDICT_REFUSE);
    pf_settle(PF_A, 1, 0, false);
    cr_assert_eq(pf_taro_sends(PF_A, 1, PF_HOME, 10).verdict, VERDICT_ALLOW);
}

Test(policy_role, what_is_open_at_once_is_counted)
{
    pf_begin("rule sessions { count sessions; per account; limit 2; then refuse; }\n"
             "rule sending { count sending; per account; limit 1; then defer; }");
    cr_assert_eq(pf_taro_signs_in(PF_A, 1, PF_HOME).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_taro_signs_in(PF_B, 2, PF_ABROAD).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_taro_signs_in(PF_A, 3, PF_HOME).verdict, VERDICT_REFUSE);
    pf_disconnect(PF_A, 3);
    cr_assert_eq(pf_taro_mails(PF_A, 1, PF_HOME).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_taro_mails(PF_B, 2, PF_ABROAD).verdict, VERDICT_DEFER);
    pf_settle(PF_B, 2, 0, false);
    pf_settle(PF_A, 1, 0, false); /* RSET */
    cr_assert_eq(pf_taro_mails(PF_B, 2, PF_ABROAD).verdict, VERDICT_ALLOW);
    pf_disconnect(PF_A, 1);
    cr_assert_eq(pf_taro_signs_in(PF_A, 4, PF_HOME).verdict, VERDICT_ALLOW);
}

Test(policy_role, a_session_older_than_this_process_is_asked_to_come_again)
{
    pf_begin("");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_taro_mails(PF_A, 1, PF_HOME);
    pf_restart();
    cr_assert_eq(pf_quota(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, 1).verdict, VERDICT_DEFER);
    cr_assert_eq(pf_taro_sends(PF_A, 1, PF_HOME, 1).verdict, VERDICT_ALLOW, "with its next MAIL it is known");
}

Test(policy_role, counters_outlive_the_process)
{
    pf_begin("policy { messages 2/1h; recipients off; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_send_one(1, PF_HOME);
    pf_send_one(1, PF_HOME);
    pf_restart();
    pf_taro_signs_in(PF_A, 2, PF_HOME);
    cr_assert_not(pf_send_one(2, PF_HOME));
}

/* ---- suspension ---- */

Test(policy_role, a_suspension_cuts_sessions_and_holds_mail)
{
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    cr_assert_eq(pf_seen.kills[PF_A], 1);
    cr_assert_eq(pf_seen.kills[PF_B], 1);
    cr_assert_eq(pf_seen.killed_account, PF_TARO);
    cr_assert_eq(pf_seen.holds, 1);
    cr_assert_eq(pf_seen.held_account, PF_TARO);
    struct pf_answer a = pf_taro_mails(PF_A, 1, PF_HOME);
    cr_assert_eq(a.verdict, VERDICT_CLOSE, "a session that the kill has missed");
    cr_assert_str_eq(a.text, "please contact the support desk");
    cr_assert_eq(pf_login(PF_A, 4, PF_HOME, PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0).verdict, VERDICT_REFUSE);
}

Test(policy_role, a_suspension_in_mid_message_ends_it)
{
    pf_begin(THREE_COUNTRIES);
    pf_taro_signs_in(PF_A, 9, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 9, PF_HOME, 1);
    suspend_by_three_countries();
    struct pf_answer a =
        pf_route(PF_A, 9, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 0);
    cr_assert_eq(a.verdict, VERDICT_CLOSE);
}

Test(policy_role, the_record_tells_the_whole_story)
{
    char id[32], args[64];
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    snprintf(args, sizeof args, "{\"id\":\"%s\"}", pf_standing_id(id));
    json_t *r = pf_op("restriction.show", args, NULL);
    const char *grounds = json_string_value(json_object_get(r, "grounds"));
    cr_assert_str_eq(json_string_value(json_object_get(r, "rule")), "three");
    cr_assert_str_eq(json_string_value(json_object_get(r, "because")), "three countries");
    cr_assert_str_eq(json_string_value(json_object_get(r, "login")), PF_TARO_LOGIN);
    cr_assert_str_eq(json_string_value(json_object_get(r, "country")), "FR");
    cr_assert_str_eq(json_string_value(json_object_get(r, "source")), "203.0.113.1");
    cr_assert(strstr(grounds, "FR") && strstr(grounds, "US") && strstr(grounds, "JP"), "%s", grounds);
    cr_assert_eq(json_integer_value(json_object_get(r, "at_ms")), PF_T0_MS);
    json_decref(r);
}

Test(policy_role, a_release_begins_anew_and_lets_the_mail_go)
{
    char id[32];
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    pf_release(pf_standing_id(id));
    cr_assert_eq(pf_seen.let_go, 1);
    cr_assert_eq(pf_taro_signs_in(PF_A, 5, "203.0.113.1").verdict, VERDICT_ALLOW, "the windows are clean");
    cr_assert_eq(pf_taro_signs_in(PF_A, 6, PF_HOME).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_taro_signs_in(PF_A, 7, PF_ABROAD).verdict, VERDICT_REFUSE, "three again");
}

Test(policy_role, a_release_wants_a_reason_and_happens_once)
{
    char id[32], args[128];
    unsigned status;
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    snprintf(args, sizeof args, "{\"id\":\"%s\"}", pf_standing_id(id));
    json_decref(pf_op("restriction.release", args, &status));
    cr_assert_eq(status, 400);
    pf_release(id);
    snprintf(args, sizeof args, "{\"id\":\"%s\",\"note\":\"x\"}", id);
    json_decref(pf_op("restriction.release", args, &status));
    cr_assert_eq(status, 409);
}

Test(policy_role, a_suspension_outlives_the_process)
{
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    pf_restart();
    cr_assert_eq(pf_taro_signs_in(PF_A, 4, PF_HOME).verdict, VERDICT_REFUSE);
    cr_assert_eq(pf_seen.kills[PF_A], 2, "workers may have missed it");
    cr_assert_geq(pf_seen.holds, 2, "relay, too");
}

Test(policy_role, relay_hears_of_a_suspension_and_a_release_that_it_was_away_for)
{
    char id[32];
    pf_begin(THREE_COUNTRIES);
    pf_take_relay(true);
    suspend_by_three_countries();
    cr_assert_eq(pf_seen.holds, 0);
    pf_take_relay(false);
    cr_assert_eq(pf_seen.holds, 1);
    pf_lose_relay();
    cr_assert_eq(pf_seen.holds, 1, "it has said that it holds");
    pf_take_relay(true);
    pf_release(pf_standing_id(id));
    pf_advance(5000);
    cr_assert_eq(pf_seen.let_go, 0);
    pf_take_relay(false);
    cr_assert_eq(pf_seen.let_go, 1);
    pf_advance(5000);
    cr_assert_eq(pf_seen.let_go, 1, "once");
}

Test(policy_role, by_hand_for_a_time)
{
    pf_begin("");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"asked for\",\"hours\":2}",
                      NULL));
    cr_assert_eq(pf_seen.kills[PF_A], 1);
    cr_assert_eq(pf_taro_signs_in(PF_A, 2, PF_HOME).verdict, VERDICT_REFUSE);
    pf_advance(2 * HOUR_MS + 2000);
    pf_advance(2000);
    cr_assert_eq(pf_taro_signs_in(PF_A, 3, PF_HOME).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_seen.let_go, 1);
}

Test(policy_role, shadow_rules_only_speak)
{
    pf_begin(PF_COUNTRIES "rule two { count countries; within 1d; limit 2; then suspend; mode shadow; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert_eq(pf_taro_signs_in(PF_A, 2, PF_ABROAD).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_seen.kills[PF_A], 0);
    json_t *o = pf_op("restriction.list", "{\"all\":true}", NULL);
    cr_assert_eq(json_array_size(json_object_get(o, "restrictions")), 0);
    json_decref(o);
}

/* ---- guessing ---- */

static struct pf_answer guess(uint64_t session, const char *ip, uint64_t password)
{
    pf_connect(PF_A, session, ip);
    return pf_login(PF_A, session, ip, PF_TARO, PF_TARO_LOGIN, AUTH_BAD_CREDENTIALS, password);
}

#define GUESSING                                                                                   \
    "rule guess { count passwords; per account-network; within 1h; limit 3; then lock; lock 10m; " \
    "lock_max 1d; }"

Test(policy_role, a_guesser_is_locked_out_and_the_owner_elsewhere_is_not)
{
    pf_begin(GUESSING);
    for (uint64_t i = 1; i <= 3; i++)
        cr_assert_eq(guess(i, PF_ABROAD, i).verdict, VERDICT_REFUSE);
    cr_assert_eq(pf_taro_signs_in(PF_A, 4, PF_ABROAD).verdict, VERDICT_REFUSE, "the right password at last");
    cr_assert_eq(pf_taro_signs_in(PF_A, 5, PF_HOME).verdict, VERDICT_ALLOW);
    pf_advance(11 * 60000);
    cr_assert_eq(pf_taro_signs_in(PF_A, 6, PF_ABROAD).verdict, VERDICT_ALLOW);
}

Test(policy_role, a_forgotten_device_locks_nobody_out)
{
    pf_begin(GUESSING);
    for (uint64_t i = 1; i <= 50; i++)
        guess(i, PF_HOME, 42);
    cr_assert_eq(pf_taro_signs_in(PF_A, 99, PF_HOME).verdict, VERDICT_ALLOW);
}

Test(policy_role, a_knocking_guesser_is_one_record_that_counts)
{
    pf_begin("rule spray { count failed-accounts; per address; within 1h; limit 2; then refuse; }");
    for (uint64_t i = 1; i <= 5; i++) {
        char login[32];
        snprintf(login, sizeof login, "nobody%u@example.jp", (unsigned)i);
        pf_connect(PF_A, i, PF_ABROAD);
        pf_login(PF_A, i, PF_ABROAD, 0, login, AUTH_NO_SUCH_USER, i);
        pf_advance(61000);
    }
    json_t *o = pf_op("restriction.list", "{\"all\":true}", NULL);
    json_t *list = json_object_get(o, "restrictions");
    cr_assert_eq(json_array_size(list), 1);
    json_t *r = json_array_get(list, 0);
    cr_assert_eq(json_integer_value(json_object_get(r, "times")), 6,
                 "four tries and three greetings; the last one is not written yet");
    cr_assert_str_eq(json_string_value(json_object_get(r, "login")), "", "it is of a source");
    json_decref(o);
}

Test(policy_role, failures_slow_the_source_down_from_its_greeting_on)
{
    pf_begin("rule slow { count failures; per address; within 10m; limit 3; then delay; delay 5s; }");
    cr_assert_eq(pf_connect(PF_A, 1, PF_ABROAD).delay_ms, 0);
    for (uint64_t i = 1; i <= 3; i++)
        guess(i, PF_ABROAD, 42);
    cr_assert_eq(pf_connect(PF_A, 9, PF_ABROAD).delay_ms, 5000);
    cr_assert_eq(pf_connect(PF_A, 10, PF_HOME).delay_ms, 0);
}

/* ---- the rest of a message ---- */

Test(policy_role, refused_recipients_count_against_the_account)
{
    pf_begin("rule rejected { count rejected-recipients; within 1h; limit 5; then suspend; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_outcome(PF_TARO, PF_TARO_LOGIN, 4, 10);
    cr_assert(pf_send_one(1, PF_HOME));
    pf_outcome(PF_TARO, PF_TARO_LOGIN, 1, 0);
    cr_assert_eq(pf_seen.kills[PF_A], 1);
    cr_assert_eq(pf_taro_mails(PF_A, 1, PF_HOME).verdict, VERDICT_CLOSE);
}

Test(policy_role, fixed_answers_are_emergency_brakes)
{
    pf_begin("policy { connect refuse; }");
    cr_assert_eq(pf_connect(PF_A, 1, PF_HOME).verdict, VERDICT_REFUSE);
    pf_reload(" policy { login defer; route hold; }");
    cr_assert_eq(pf_taro_signs_in(PF_A, 2, PF_HOME).verdict, VERDICT_DEFER);
    pf_reload(" policy { route hold; }");
    pf_taro_signs_in(PF_A, 3, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 3, PF_HOME, 1);
    cr_assert(pf_route(PF_A, 3, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 0).held_for);
}

Test(policy_role, a_reload_keeps_what_was_counted)
{
    pf_begin("policy { messages 2/1h; recipients off; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_send_one(1, PF_HOME);
    pf_reload(" policy { messages 2/1h; recipients off; connect accept; }");
    cr_assert(pf_send_one(1, PF_HOME));
    cr_assert_not(pf_send_one(1, PF_HOME));
}

Test(policy_role, addresses_are_kept_as_privacy_wants_them)
{
    pf_begin("privacy { addresses network; }\n" THREE_COUNTRIES);
    suspend_by_three_countries();
    json_t *o = pf_op("restriction.list", "{}", NULL);
    json_t *r = json_array_get(json_object_get(o, "restrictions"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(r, "source")), "203.0.113.0/24");
    json_decref(o);
}

/* ---- notices ---- */

#define NOTICE "notice { from abuse@example.jp; desk desk@example.jp; customer yes; }\n"

static void wait_for_notices(unsigned count)
{
    for (int i = 0; i < 2000 && pf_seen.notices < count; i++)
        pf_wait();
    pf_turns();
    cr_assert_eq(pf_seen.notices, count, "%u notices", pf_seen.notices);
}

Test(policy_role, a_suspension_and_its_end_are_told_once_each)
{
    char id[32];
    pf_begin(NOTICE THREE_COUNTRIES);
    suspend_by_three_countries();
    pf_taro_signs_in(PF_A, 4, "203.0.113.1");
    wait_for_notices(2);
    pf_release(pf_standing_id(id));
    wait_for_notices(4);
    pf_restart();
    pf_taro_signs_in(PF_A, 5, PF_HOME);
    wait_for_notices(4);
}

Test(policy_role, nobody_is_told_who_is_not_configured)
{
    pf_begin(THREE_COUNTRIES);
    suspend_by_three_countries();
    pf_advance(60000);
    cr_assert_eq(pf_seen.notices, 0);
}

Test(policy_role, who_has_not_heard_of_a_suspension_does_not_hear_of_its_end)
{
    char id[32];
    pf_begin(NOTICE);
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"x\",\"quiet\":true}", NULL));
    pf_release(pf_standing_id(id));
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":8,\"login\":\"a@example.jp\",\"note\":\"x\"}", NULL));
    wait_for_notices(2);
}

Test(policy_role, by_hand_and_quietly_tells_nobody)
{
    pf_begin(NOTICE);
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":8,\"login\":\"a@example.jp\",\"note\":\"x\",\"quiet\":true}", NULL));
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"x\"}", NULL));
    wait_for_notices(2);
}

Test(policy_role, blocked_sign_ins_from_overseas_are_told_once_a_day)
{
    pf_begin(NOTICE PF_COUNTRIES "accounts { overseas block; }");
    for (uint64_t i = 1; i <= 20; i++) {
        cr_assert_eq(pf_taro_signs_in(PF_A, i, i % 2 ? PF_ABROAD : "203.0.113.1").verdict, VERDICT_REFUSE);
        pf_advance(HOUR_MS / 10);
    }
    wait_for_notices(2);
    cr_assert_eq(pf_seen.kills[PF_A], 0);
}

Test(policy_role, a_rule_tells_only_where_it_says_notify)
{
    pf_begin(NOTICE "rule a { count messages; within 1h; limit 1; then defer; }\n"
                    "rule b { count messages; within 1h; limit 2; then defer notify; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert(pf_send_one(1, PF_HOME));
    for (int i = 0; i < 5; i++)
        cr_assert_not(pf_send_one(1, PF_HOME));
    pf_advance(60000);
    cr_assert_eq(pf_seen.notices, 0);
    pf_reload("" NOTICE
              "rule b { count messages; within 1h; limit 1; then defer notify; }");
    for (int i = 0; i < 5; i++)
        cr_assert_not(pf_send_one(1, PF_HOME));
    wait_for_notices(2);
}

static void wait_for_webhooks(unsigned count)
{
    for (int i = 0; i < 2000 && pf_seen.webhooks < count; i++)
        pf_wait();
    pf_turns();
    cr_assert_eq(pf_seen.webhooks, count, "%u webhooks", pf_seen.webhooks);
}

Test(policy_role, a_test_sends_each_kind_and_leaves_the_real_ones_untold)
{
    pf_begin("notice { from abuse@example.jp; desk desk@example.jp; events suspended released; }\n"
             "webhook crm { events overseas held suspended; }" THREE_COUNTRIES);
    json_decref(pf_op("notice.test", "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\"}", NULL));
    wait_for_notices(2);
    wait_for_webhooks(3);
    suspend_by_three_countries();
    wait_for_notices(3);
    wait_for_webhooks(4);
}

Test(policy_role, old_records_go_by_themselves)
{
    pf_begin("retention { restrictions 2d; access 1d; }");
    json_decref(pf_op("settings.show", "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\"}", NULL));
    for (int i = 0; i < 3; i++)
        pf_advance(24 * HOUR_MS);
    json_t *o = pf_op("access.list", "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\"}", NULL);
    cr_assert_eq(json_array_size(json_object_get(o, "access")), 0);
    json_decref(o);
}
