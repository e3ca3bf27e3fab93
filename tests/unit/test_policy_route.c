/* Where a message goes: alignment, rules, scanners, in what policy answers to the end of the body. */
#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "policy_fixture.h"

TestSuite(policy_route, .timeout = 60, .fini = pf_end);

#define HOME   "192.0.2.1"
#define ABROAD "198.51.100.1"

/* Networks of documentation are countries of their own here. */
#define COUNTRIES                                                                                  \
    "rules { home JP; }\n"                                                                         \
    "geo { place JP { networks 192.0.2.0/24; } place US { networks 198.51.100.0/24; }\n"           \
    "      place FR { networks 203.0.113.0/24; } place DE { networks 10.1.0.0/16; } }\n"
static struct pf_answer sign_in(enum pf_worker w, uint64_t session, const char *ip)
{
    pf_connect(w, session, ip);
    return pf_login(w, session, ip, PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0);
}

static struct pf_answer mail(enum pf_worker w, uint64_t session, const char *ip)
{
    return pf_mail(w, session, ip, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN);
}

static struct pf_answer quota(enum pf_worker w, uint64_t session, const char *ip, unsigned n)
{
    mail(w, session, ip);
    return pf_quota(w, session, ip, PF_TARO, PF_TARO_LOGIN, n);
}

/* ---- sender and author ---- */

static struct pf_answer author(const char *address)
{
    sign_in(PF_A, 1, HOME);
    struct pf_answer q = quota(PF_A, 1, HOME, 1);
    struct pf_answer a =
        pf_route(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, address, q.reservation, 0);
    pf_settle(PF_A, 1, q.reservation, false);
    return a;
}

Test(policy_route, an_account_uses_its_own_address)
{
    pf_begin("");
    sign_in(PF_A, 1, HOME);
    cr_assert_eq(mail(PF_A, 1, HOME).verdict, VERDICT_ALLOW);
    struct pf_answer a = pf_mail(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, "boss@example.jp");
    cr_assert_eq(a.verdict, VERDICT_REFUSE);
    cr_assert_neq(a.text[0], '\0', "it is told why");
    cr_assert_eq(pf_mail(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, "").verdict, VERDICT_REFUSE);
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
    a = pf_mail(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, "boss@example.jp");
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(a.sender, PF_TARO_LOGIN);
    pf_reload(" align a { check header; mismatch score; add_score 6.0; }\n"
              "rule odd { count messages; within 1h; limit 0; when { min_score 5.0; } then hold; }");
    cr_assert(author("boss@example.jp").held_for, "the score is seen by the rules");
    cr_assert_not(author(PF_TARO_LOGIN).held_for);
}

Test(policy_route, a_rule_may_want_strict_alignment)
{
    pf_begin(COUNTRIES "align all { check off; }\n"
                       "rule abroad { count messages; within 1h; limit 0; when { from overseas; } then align; }");
    sign_in(PF_A, 1, HOME);
    cr_assert_eq(author("boss@example.jp").verdict, VERDICT_ALLOW);
    sign_in(PF_A, 2, ABROAD);
    struct pf_answer q = quota(PF_A, 2, ABROAD, 1);
    cr_assert_eq(pf_route(PF_A, 2, ABROAD, PF_TARO, PF_TARO_LOGIN, "boss@example.jp", q.reservation, 0).verdict,
                 VERDICT_REFUSE);
}

Test(policy_route, an_author_that_looks_like_another_account_is_scored)
{
    pf_begin("align all { check off; }\n"
             "rule odd { count messages; within 1h; limit 0; when { min_score 4.0; } then hold; }");
    pf_connect(PF_A, 5, HOME);
    pf_login(PF_A, 5, HOME, 8, "boss@example.jp", AUTH_OK, 0);
    cr_assert_not(author("other@example.jp").held_for);
    cr_assert(author("b0ss@example.jp").held_for);
}

/* ---- the rest of a message ---- */

Test(policy_route, a_scanner_is_obeyed_and_the_whole_score_told)
{
    pf_begin("rule odd { count messages; within 1h; limit 0; when { min_score 1.0; } then score; add_score 2.0; }");
    sign_in(PF_A, 1, HOME);
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
    struct pf_answer q = quota(PF_A, 1, HOME, 1);
    a = pf_route(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 3000);
    cr_assert(a.verdict == VERDICT_ALLOW && !a.held_for);
    cr_assert_eq(a.score_milli, 5000);
}

Test(policy_route, a_rule_may_hold_or_choose_another_pool)
{
    pf_begin("rule odd { count messages; within 1h; limit 1000; when { min_score 5.0; } then pool; to_pool doubtful; }\n"
             "rule bad { count messages; within 1h; limit 0; when { min_score 9.0; } then hold; }\n"
             "policy { default_pool main; } pool main { } pool doubtful { }");
    sign_in(PF_A, 1, HOME);
    struct pf_answer q = quota(PF_A, 1, HOME, 1);
    struct pf_answer a =
        pf_route(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 1000);
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(a.pool, "main");
    cr_assert_not(a.held_for);
    a = pf_route(PF_A, 1, HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, q.reservation, 9500);
    cr_assert(a.held_for);
}
