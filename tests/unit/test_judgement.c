/* What a service may say of a message is bounded and cleaned. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/services/judgement.h"

static struct judgement v;

static void setup(void) { judgement_init(&v); }
static void teardown(void) { judgement_fini(&v); }

TestSuite(judgement, .timeout = 20, .init = setup, .fini = teardown);

Test(judgement, keeps_the_weightiest_findings_in_order)
{
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "R%d", i);
        judgement_find(&v, "main", view_cstr(name), i % 2 ? i : -i);
    }
    cr_assert_eq(v.finding_count, JUDGEMENT_FINDINGS_MAX);
    cr_assert_str_eq(v.findings[0].name, "main/R99");
    cr_assert_eq(v.findings[1].milli, -98);
    cr_assert_str_eq(v.findings[JUDGEMENT_FINDINGS_MAX - 1].name, "main/R68");
}

Test(judgement, a_finding_has_no_blank_or_control_in_it)
{
    char longest[300];
    judgement_find(&v, "clam", view_of("Eicar\n Test\xff\0x", 14), 5);
    cr_assert_str_eq(v.findings[0].name, "clam/Eicar__Test__x");
    memset(longest, 'x', sizeof longest);
    judgement_find(&v, "clam", view_of(longest, sizeof longest), 9);
    cr_assert_eq(strlen(v.findings[0].name), FINDING_NAME_SIZE - 1);
}

Test(judgement, scores_stay_within_bounds)
{
    judgement_score(&v, INT64_MAX);
    judgement_score(&v, INT64_MAX);
    cr_assert_eq(v.score_milli, JUDGEMENT_SCORE_MAX);
    judgement_score(&v, INT64_MIN);
    cr_assert_eq(v.score_milli, 0);
    cr_assert_eq(judgement_weigh(1500, 2000), 3000);
    cr_assert_eq(judgement_weigh(INT64_MIN, 1000000), -JUDGEMENT_SCORE_MAX);
}

Test(judgement, the_strictest_action_holds)
{
    judgement_act(&v, CONFIG_ACT_DEFER, 0, VIEW_LIT("later"));
    judgement_act(&v, CONFIG_ACT_HOLD, 0, VIEW_LIT("held"));
    cr_assert_eq(v.action, SCORE_ACTION_DEFER);
    cr_assert_str_eq(v.text, "later");
    judgement_act(&v, CONFIG_ACT_REFUSE, 0, VIEW_LIT("no\r\nway\x80"));
    cr_assert_eq(v.action, SCORE_ACTION_REFUSE);
    cr_assert_str_eq(v.text, "no??way?");
    cr_assert_not(v.is_scored);
    cr_assert_eq(judgement_act(&v, CONFIG_ACT_SCORE, 2500, VIEW_EMPTY), 2500);
    cr_assert(v.is_scored && v.score_milli == 2500);
}

static const char *header_with(const char *name, const char *value, bool at_top, int want)
{
    static char text[JUDGEMENT_HEADER_MAX + 1];
    cr_assert_eq(judgement_add_field(&v, view_cstr(name), view_cstr(value), at_top), want, "%s:%s", name, value);
    cr_assert(view_to_cstr(buf_view(&v.header), text, sizeof text));
    return text;
}

Test(judgement, fields_are_whole_and_folded)
{
    cr_assert_str_eq(header_with("X-A", " one", false, MSA_OK), "X-A: one\r\n");
    cr_assert_str_eq(header_with("X-B", " two\nthree\r\n\tfour", false, MSA_OK),
                     "X-A: one\r\nX-B: two\r\n\tthree\r\n\tfour\r\n");
    cr_assert_str_eq(header_with("X-C", " top", true, MSA_OK),
                     "X-C: top\r\nX-A: one\r\nX-B: two\r\n\tthree\r\n\tfour\r\n");
}

Test(judgement, a_value_cannot_bring_a_field_or_an_empty_line)
{
    cr_assert_str_eq(header_with("X-A", " a\r\nBcc: b\r\n\r\nbody\x01\r", false, MSA_OK),
                     "X-A: a\r\n\tBcc: b\r\n\tbody\r\n");
    cr_assert_str_eq(header_with("X-B", "\n \n\t\r\nx", false, MSA_OK),
                     "X-A: a\r\n\tBcc: b\r\n\tbody\r\nX-B:\r\n\tx\r\n");
}

Test(judgement, what_is_no_field_is_not_added)
{
    static const char *const bad[] = {"", "a b", "a:b", "a\n", "\xc3\xa4",
                                      "x123456789012345678901234567890123456789012345678901234567890123456789012345678"};
    char value[9000];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_str_eq(header_with(bad[i], " x", false, MSA_EINVAL), "");
    memset(value, 'x', sizeof value);
    value[1200] = '\0';
    cr_assert_str_eq(header_with("A", value, false, MSA_EINVAL), "", "a line of 1,200 bytes");
    value[1200] = 'x';
    for (size_t i = 0; i < sizeof value; i += 80)
        value[i] = '\n';
    value[sizeof value - 1] = '\0';
    cr_assert_str_eq(header_with("A", value, false, MSA_ETOOBIG), "");
    value[5000] = '\0';
    header_with("A", value, false, MSA_OK);
    header_with("B", value, false, MSA_ETOOBIG);
    header_with("B", value, true, MSA_ETOOBIG);
    cr_assert_gt(buf_len(&v.header), 5000);
}
