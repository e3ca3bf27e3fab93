#include <criterion/criterion.h>

#include "policy/answer.h"

TestSuite(answer, .timeout = 20);

static const struct rule hourly = {
    .count = COUNT_MESSAGES, .within_ms = 3600000, .limit = 400, .actions = THEN_DEFER};
static const struct rule daily = {.count = COUNT_RECIPIENTS,
                                  .within_ms = 86400000,
                                  .limit = 100,
                                  .spare = 50,
                                  .actions = THEN_DEFER};
static const struct rule sign = {.count = COUNT_COUNTRIES,
                                 .within_ms = 6 * 3600000,
                                 .limit = 3,
                                 .actions = THEN_SUSPEND | THEN_NOTIFY};
static const struct rule guess = {
    .count = COUNT_PASSWORDS, .within_ms = 3600000, .limit = 8, .actions = THEN_LOCK};

static struct verdict verdict_by(const struct rule *r)
{
    struct verdict v;
    verdict_init(&v);
    v.actions = r->actions;
    v.reasons[v.reason_count++] = (struct reason){.rule = r, .limit = r->limit};
    return v;
}

Test(answer, says_a_limit_of_volume_plainly)
{
    static const struct {
        const struct rule rule;
        const char *want;
    } cases[] = {
        {{.count = COUNT_MESSAGES, .within_ms = 3600000, .limit = 400},
         "at most 400 messages in an hour"},
        {{.count = COUNT_RECIPIENTS, .within_ms = 86400000, .limit = 9},
         "at most 9 recipients in a day"},
        {{.count = COUNT_NEW_RECIPIENTS, .within_ms = 7200000, .limit = 9},
         "at most 9 new recipients in 2 hours"},
        {{.count = COUNT_BYTES, .within_ms = 90000, .limit = 9},
         "at most 9 KiB in 90 seconds"},
        {{.count = COUNT_SENDING, .limit = 3}, "at most 3 messages at the same time"},
        {{.count = COUNT_COUNTRIES, .within_ms = 3600000, .limit = 3}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[ANSWER_TEXT_MAX];
        struct reason reason = {.rule = &cases[i].rule, .limit = cases[i].rule.limit};
        answer_say_limit(&reason, text);
        cr_expect_str_eq(text, cases[i].want);
    }
}

Test(answer, what_is_full_may_come_again_and_what_never_fits_may_not)
{
    struct event e = {.kind = EVENT_MESSAGE, .recipients = 150};
    struct verdict v = verdict_by(&daily);
    struct answer a = answer_of(&v, &e);
    cr_assert_eq(a.verdict, VERDICT_DEFER);
    cr_assert_str_eq(a.text, "at most 100 recipients in a day");
    e.recipients = 151; /* more than the window and the reserve together */
    cr_assert_eq(answer_of(&v, &e).verdict, VERDICT_REFUSE);
    v = verdict_by(&hourly);
    cr_assert_eq(answer_of(&v, &e).verdict, VERDICT_DEFER);
}

Test(answer, a_suspension_ends_a_session_and_refuses_a_sign_in)
{
    struct verdict v = verdict_by(&sign);
    struct event e = {.kind = EVENT_LOGIN};
    cr_assert_eq(answer_of(&v, &e).verdict, VERDICT_REFUSE);
    e.kind = EVENT_MESSAGE;
    struct answer a = answer_of(&v, &e);
    cr_assert_eq(a.verdict, VERDICT_CLOSE);
    cr_assert_str_eq(a.text, ANSWER_SUSPENDED_TEXT);
}

Test(answer, how_abuse_was_recognised_is_not_said)
{
    struct verdict v = verdict_by(&guess);
    struct event e = {.kind = EVENT_LOGIN_FAILED};
    struct answer a = answer_of(&v, &e);
    cr_assert_eq(a.verdict, VERDICT_REFUSE);
    cr_assert_str_eq(a.text, "");
}

Test(answer, shadow_rules_say_nothing)
{
    struct event e = {.kind = EVENT_MESSAGE, .recipients = 1};
    struct verdict v = verdict_by(&hourly);
    v.actions = 0;
    v.reasons[0].is_shadow = true;
    struct answer a = answer_of(&v, &e);
    cr_assert_eq(a.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(a.text, "");
}

Test(answer, the_stricter_of_two_and_the_longer_delay)
{
    struct answer a = {.verdict = VERDICT_DEFER, .delay_ms = 5, .text = "one"};
    const struct answer milder = {.verdict = VERDICT_ALLOW, .delay_ms = 9, .text = "two"};
    const struct answer stricter = {
        .verdict = VERDICT_REFUSE, .delay_ms = 1, .text = "three"};
    answer_fold(&a, &milder);
    cr_assert_eq(a.verdict, VERDICT_DEFER);
    cr_assert_eq(a.delay_ms, 9);
    cr_assert_str_eq(a.text, "one");
    answer_fold(&a, &stricter);
    cr_assert_eq(a.verdict, VERDICT_REFUSE);
    cr_assert_str_eq(a.text, "three");
}
