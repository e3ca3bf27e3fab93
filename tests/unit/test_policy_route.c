/* Where a message goes: alignment, rules, scanners, in what policy answers to the end of the body. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "policy_fixture.h"

TestSuite(policy_route, .timeout = 60, .fini = pf_end);

/* ---- sender and author ---- */

static struct pf_answer author(const char *address)
{
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 1, PF_HOME, 1);
    struct pf_answer a =
        pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, address, q.reservation, 0);
    pf_settle(PF_A, 1, q.reservation, false);
    return a;
}

Test(policy_route, an_account_uses_its_own_address)
{
    pf_begin("");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert_eq(pf_taro_mails(PF_A, 1, PF_HOME).verdict, VERDICT_ALLOW);
    struct pf_answer a = pf_mail(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, "boss@example.jp");
    cr_assert_eq(a.verdict, VERDICT_REFUSE);
    cr_assert_neq(a.text[0], '\0', "it is told why");
    cr_assert_eq(pf_mail(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, "").verdict, VERDICT_REFUSE);
    cr_assert_eq(author(PF_TARO_LOGIN).verdict, VERDICT_ALLOW);
    cr_assert_eq(author("boss@example.jp").verdict, VERDICT_REFUSE);
}

Test(policy_route, a_mismatch_is_mended_or_scored_as_the_block_says)
{
    pf_begin("align a { check both; mismatch add-sender; }");
    struct pf_answer a = author("partner@example.com");
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_eq(a.sender_field, SENDER_SET_LOGIN);
    pf_reload(" align a { check envelope; mismatch rewrite; }");
    a = pf_mail(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, "boss@example.jp");
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(a.sender, PF_TARO_LOGIN);
    pf_reload(" align a { check header; mismatch score; add_score 6.0; }\n"
              "rule odd { count messages; within 1h; limit 0; when { min_score 5.0; } then hold; }");
    cr_assert(author("boss@example.jp").held_for, "the score is seen by the rules");
    cr_assert_not(author(PF_TARO_LOGIN).held_for);
}

Test(policy_route, a_rule_may_want_strict_alignment)
{
    pf_begin(PF_COUNTRIES "align all { check off; }\n"
                       "rule abroad { count messages; within 1h; limit 0; when { from overseas; } then align; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    cr_assert_eq(author("boss@example.jp").verdict, VERDICT_ALLOW);
    pf_taro_signs_in(PF_A, 2, PF_ABROAD);
    struct pf_answer q = pf_taro_sends(PF_A, 2, PF_ABROAD, 1);
    cr_assert_eq(pf_route(PF_A, 2, PF_ABROAD, PF_TARO, PF_TARO_LOGIN, "boss@example.jp", q.reservation, 0).verdict,
                 VERDICT_REFUSE);
}

Test(policy_route, an_author_that_looks_like_another_account_is_scored)
{
    pf_begin("align all { check off; }\n"
             "rule odd { count messages; within 1h; limit 0; when { min_score 4.0; } then hold; }");
    pf_connect(PF_A, 5, PF_HOME);
    pf_login(PF_A, 5, PF_HOME, 8, "boss@example.jp", AUTH_OK, 0);
    cr_assert_not(author("other@example.jp").held_for);
    cr_assert(author("b0ss@example.jp").held_for);
}

/* ---- the rest of a message ---- */

Test(policy_route, a_scanner_is_obeyed_and_the_whole_score_told)
{
    pf_begin("rule odd { count messages; within 1h; limit 0; when { min_score 1.0; } then score; add_score 2.0; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    pf_scanner_says(SCORE_ACTION_REFUSE, "a virus was found");
    struct pf_answer a = author(PF_TARO_LOGIN);
    cr_assert_eq(a.verdict, VERDICT_REFUSE);
    cr_assert_str_eq(a.text, "a virus was found");
    pf_scanner_says(SCORE_ACTION_DEFER, "");
    a = author(PF_TARO_LOGIN);
    cr_assert_eq(a.verdict, VERDICT_DEFER);
    cr_assert_str_eq(a.text, "message refused by a content scanner");
    pf_scanner_says(SCORE_ACTION_HOLD, "");
    a = author(PF_TARO_LOGIN);
    cr_assert(a.verdict == VERDICT_ALLOW && a.held_for);
    struct pf_answer q = pf_taro_sends(PF_A, 1, PF_HOME, 1);
    a = pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 3000);
    cr_assert(a.verdict == VERDICT_ALLOW && !a.held_for);
    cr_assert_eq(a.score_milli, 5000);
}

Test(policy_route, a_rule_may_hold_or_choose_another_pool)
{
    pf_begin("rule odd { count messages; within 1h; limit 1000; when { min_score 5.0; } then pool; to_pool doubtful; }\n"
             "rule bad { count messages; within 1h; limit 0; when { min_score 9.0; } then hold; }\n"
             "policy { default_pool main; } pool main { } pool doubtful { }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 1, PF_HOME, 1);
    struct pf_answer a =
        pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 1000);
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(a.pool, "main");
    cr_assert_not(a.held_for);
    a = pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 9500);
    cr_assert(a.held_for);
}

Test(policy_route, a_worker_that_claims_more_recipients_than_it_reserved_is_no_danger)
{
    pf_begin("rule fresh { count new-recipients; per account; within 1h; limit 1000; then defer; }");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 1, PF_HOME, 2);
    pf_claim_recipients(50000000); /* far beyond what lies behind the two */
    cr_assert_eq(pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 0).verdict,
                 VERDICT_ALLOW);
}

/* ---- routes ---- */

#define ROUTES                                                                                     \
    "policy { default_pool main; } pool main { } pool suspect { }\n"                               \
    "route spam { when { min_score 12.0; } then hold; to_pool suspect; }\n"                        \
    "route doubtful { when { min_score 6.0; } then pool; to_pool suspect; stay 24h; clean_below 3.0; }\n"

#define HOUR_MS INT64_C(3600000)

static struct pf_answer scored(int64_t score_milli)
{
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, 1, PF_HOME, 1);
    struct pf_answer a = pf_route(PF_A, 1, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN,
                                  q.reservation, score_milli);
    pf_settle(PF_A, 1, q.reservation, true);
    return a;
}

static bool is_shown_risky(void)
{
    json_t *o = pf_op("settings.show", "{\"account\":7,\"login\":\"taro@example.jp\"}", NULL);
    const json_t *risky = json_object_get(o, "risky");
    bool is_there = risky != NULL;
    if (is_there) {
        cr_expect_str_eq(json_string_value(json_object_get(risky, "pool")), "suspect");
        cr_expect_str_eq(json_string_value(json_object_get(risky, "route")), "doubtful");
    }
    json_decref(o);
    return is_there;
}

Test(policy_route, the_score_chooses_the_way)
{
    pf_begin(ROUTES);
    cr_expect_str_eq(scored(5990).pool, "main");
    struct pf_answer a = scored(12000);
    cr_expect_eq(a.held_for, HELD_FOR_ROUTE);
    cr_expect_str_eq(a.pool, "suspect");
    cr_expect_str_eq(scored(0).pool, "main", "a route without stay leaves nothing behind");
    cr_expect_not(is_shown_risky());
}

Test(policy_route, one_in_shadow_is_counted_and_changes_nothing)
{
    pf_begin("policy { default_pool main; } pool main { } pool suspect { }\n"
             "route trial { mode shadow; when { min_score 6.0; } then refuse; to_pool suspect; stay 1h; }");
    cr_expect_str_eq(scored(1000).pool, "main");
    struct pf_answer a = scored(7000);
    cr_expect_eq(a.verdict, VERDICT_ALLOW);
    cr_expect_str_eq(a.pool, "main");
    cr_expect_not(is_shown_risky());
    json_t *o = pf_op("policy.status", "{}", NULL);
    cr_expect_eq(json_integer_value(json_object_get(o, "shadow_routes")), 1);
    json_decref(o);
}

Test(policy_route, a_risky_account_stays_until_it_was_clean_for_the_time_also_over_a_restart)
{
    pf_begin(ROUTES);
    cr_expect_str_eq(scored(6000).pool, "suspect");
    cr_expect_str_eq(scored(0).pool, "suspect");
    cr_expect(is_shown_risky());
    pf_advance(23 * HOUR_MS);
    cr_expect_str_eq(scored(3000).pool, "suspect", "not clean: the time begins anew");
    pf_restart();
    pf_advance(23 * HOUR_MS);
    cr_expect_str_eq(scored(2990).pool, "suspect");
    cr_expect(is_shown_risky());
    pf_advance(2 * HOUR_MS);
    cr_expect_str_eq(scored(2990).pool, "main");
    cr_expect_not(is_shown_risky());
}

Test(policy_route, the_desk_ends_it_and_says_why)
{
    unsigned status;
    pf_begin(ROUTES);
    scored(6000);
    json_decref(pf_op("risk.clear", "{\"account\":7,\"login\":\"taro@example.jp\"}", &status));
    cr_expect_eq(status, 400);
    json_decref(pf_op("risk.clear",
                      "{\"account\":7,\"login\":\"taro@example.jp\",\"note\":\"his own letter\"}", &status));
    cr_expect_eq(status, 200);
    cr_expect_str_eq(scored(0).pool, "main");
    json_decref(pf_op("risk.clear",
                      "{\"account\":7,\"login\":\"taro@example.jp\",\"note\":\"again\"}", &status));
    cr_expect_eq(status, 409);
}

Test(policy_route, a_pool_that_a_reload_took_away_is_not_replaced_by_the_clean_one)
{
    pf_begin(ROUTES);
    scored(6000);
    pf_reload(" policy { default_pool main; } pool main { } pool worse { }");
    cr_expect_str_eq(scored(0).pool, "worse");
}

Test(policy_route, of_rule_and_route_the_stricter_holds)
{
    pf_begin("policy { default_pool main; } pool main { } pool odd { } pool suspect { }\n"
             "rule odd { count messages; within 1h; limit 0; then pool; to_pool odd; }\n"
             "route low { when { min_score 9.0; } then pool; to_pool suspect; }\n"
             "route no { when { min_score 8.0; } then refuse; text \"not this\"; }\n"
             "route all { then pool; to_pool main; }\n");
    cr_expect_str_eq(scored(0).pool, "odd", "later in the file than the route's");
    cr_expect_str_eq(scored(9000).pool, "suspect");
    struct pf_answer a = scored(8000);
    cr_expect_eq(a.verdict, VERDICT_REFUSE);
    cr_expect_str_eq(a.text, "not this");
}

Test(policy_route, reported_bounces_count_like_those_of_the_smarthost)
{
    unsigned status;
    pf_begin("rule spam { count spam-refusals; within 1d; limit 2; then suspend; }\n"
             "rule nobody { count rejected-recipients; within 1d; limit 100; then suspend; }\n");
    pf_taro_signs_in(PF_A, 1, PF_HOME);
    json_t *o = pf_op("outcome.report", "{\"account\":7,\"login\":\"taro@example.jp\",\"code\":550,"
                                        "\"status\":\"5.7.1\",\"recipient\":\"a@x.jp\"}", &status);
    cr_expect_eq(status, 200);
    cr_expect_str_eq(json_string_value(json_object_get(o, "class")), "spam");
    json_decref(o);
    o = pf_op("outcome.report", "{\"account\":7,\"login\":\"taro@example.jp\",\"status\":\"5.2.2\"}", &status);
    cr_expect_str_eq(json_string_value(json_object_get(o, "class")), "full");
    json_decref(o);
    cr_expect_eq(pf_taro_mails(PF_A, 1, PF_HOME).verdict, VERDICT_ALLOW);
    json_decref(pf_op("outcome.report", "{\"account\":7,\"login\":\"taro@example.jp\",\"status\":\"5.7.26\"}",
                      &status));
    cr_expect_eq(pf_seen.kills[PF_A], 1, "the second refusal is the limit");
    json_decref(pf_op("outcome.report", "{\"account\":7,\"login\":\"taro@example.jp\",\"status\":\"spam\"}",
                      &status));
    cr_expect_eq(status, 400);
    json_decref(pf_op("outcome.report", "{\"account\":7,\"login\":\"taro@example.jp\"}", &status));
    cr_expect_eq(status, 400);
    json_decref(pf_op("outcome.report", "{\"code\":550}", &status));
    cr_expect_eq(status, 400, "whose?");
}

#define HANA UINT64_C(8)

/* "login class", or the status. */
static const char *reported(const char *whose)
{
    static char text[200];
    char args[600];
    unsigned status;
    snprintf(args, sizeof args, "{%s,\"status\":\"5.7.1\"}", whose);
    json_t *o = pf_op("outcome.report", args, &status);
    if (status == 200)
        snprintf(text, sizeof text, "%s %s", json_string_value(json_object_get(o, "login")),
                 json_string_value(json_object_get(o, "class")));
    else
        snprintf(text, sizeof text, "%u", status);
    json_decref(o);
    return text;
}

Test(policy_route, a_bounce_finds_whose_mail_it_was_by_id_and_message_id)
{
    char id[MSGID_TEXT_MAX], by_id[100];
    pf_begin("rule spam { count spam-refusals; within 1d; limit 3; then suspend; }\n");
    uint64_t taros = msgid_next();
    pf_sent(PF_A, 1, taros, "a@x.example", PF_TARO, PF_TARO_LOGIN);
    pf_sent(PF_A, 2, msgid_next(), "both@x.example", PF_TARO, PF_TARO_LOGIN);
    pf_sent(PF_A, 3, msgid_next(), "both@x.example", HANA, "hana@example.jp");
    pf_sent(PF_A, 4, msgid_next(), "", HANA, "hana@example.jp");
    msgid_format(taros, id);
    snprintf(by_id, sizeof by_id, "\"id\":\"%s\"", id);
    pf_taro_signs_in(PF_A, 9, PF_HOME);
    cr_expect_str_eq(reported(by_id), PF_TARO_LOGIN " spam");
    cr_expect_str_eq(reported("\"message_id\":\"<a@x.example>\""), PF_TARO_LOGIN " spam");
    cr_expect_str_eq(reported("\"message_id\":\"both@x.example\""), "409", "customers choose their Message-IDs");
    cr_expect_str_eq(reported("\"message_id\":\"a@X.example\""), "404");
    cr_expect_str_eq(reported("\"id\":\"0qh3qd000000z\""), "404");
    cr_expect_str_eq(reported("\"id\":\"no id\""), "400");
    cr_expect_str_eq(reported("\"id\":\"0qh3qd000000z\",\"message_id\":\"a@x.example\""), PF_TARO_LOGIN " spam");
    cr_expect_eq(pf_seen.kills[PF_A], 1, "the third is the limit");
    cr_expect_str_eq(reported("\"id\":\"0qh3qd000000z\",\"account\":8,\"login\":\"hana@example.jp\""), "hana@example.jp spam",
                     "as the last resort");
    pf_restart();
    cr_expect_str_eq(reported(by_id), PF_TARO_LOGIN " spam", "it outlives the process");
    pf_advance(8 * INT64_C(86400000));
    cr_expect_str_eq(reported(by_id), "404", "for a week");
}

Test(policy_route, where_nothing_is_kept_bounces_are_known_by_login)
{
    char id[MSGID_TEXT_MAX], by_id[100];
    pf_begin("retention { sent 0; }\n");
    uint64_t message = msgid_next();
    pf_sent(PF_A, 1, message, "a@x.example", PF_TARO, PF_TARO_LOGIN);
    msgid_format(message, id);
    snprintf(by_id, sizeof by_id, "\"id\":\"%s\"", id);
    cr_expect_str_eq(reported(by_id), "404");
    cr_expect_str_eq(reported("\"message_id\":\"a@x.example\""), "404");
}

/* ---- what the account did before ---- */

static const char *pool_now(uint64_t session)
{
    static struct pf_answer a;
    pf_taro_signs_in(PF_A, session, PF_HOME);
    struct pf_answer q = pf_taro_sends(PF_A, session, PF_HOME, 1);
    a = pf_route(PF_A, session, PF_HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 0);
    pf_settle(PF_A, session, q.reservation, true);
    pf_disconnect(PF_A, session);
    return a.pool;
}

static void suspend_for_an_hour(void)
{
    json_decref(pf_op("restriction.suspend",
                      "{\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"note\":\"spam\",\"hours\":1}", NULL));
    pf_advance(3600000);
    pf_advance(2000);
}

Test(policy_route, a_restriction_is_seen_by_the_next_message_also_of_who_was_looked_up_before)
{
    pf_begin("policy { default_pool main; } pool main { } pool doubtful { }\n"
             "route known { when { restricted_within 2d; } then pool; to_pool doubtful; }");
    cr_assert_str_eq(pool_now(1), "main");
    cr_assert_str_eq(pool_now(2), "main");
    suspend_for_an_hour();
    cr_assert_str_eq(pool_now(3), "doubtful");
    cr_assert_str_eq(pool_now(4), "doubtful");
    pf_restart();
    cr_assert_str_eq(pool_now(5), "doubtful");
    pf_advance(3 * INT64_C(86400000));
    cr_assert_str_eq(pool_now(6), "main");
}
