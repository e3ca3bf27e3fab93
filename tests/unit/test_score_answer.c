/* What the session takes from the score process, and what it does not. */
#include <criterion/criterion.h>

#include "smtp/score_answer.h"

TestSuite(score_answer, .timeout = 10);

static const struct msg_score_answer plain = {
    .is_scored = true,
    .score_milli = 1500,
    .findings = VIEW_LIT("FINE 1.5"),
    .fingerprints = VIEW_LIT("1234567812345678"),
    .action = SCORE_ACTION_HOLD,
    .text = VIEW_LIT("message looks like spam"),
};

Test(score_answer, what_the_score_process_says_is_sound)
{
    static const char *const findings[] = {
        "", "A 0", "A -1.5", "late:av 0", "main/R_X(1) 1000000.125", "BAYES -2.25\nLINK_IP 1.2", "busy:score 0\n",
    };
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        struct msg_score_answer a = plain;
        a.findings = view_cstr(findings[i]);
        cr_assert_null(score_answer_fault(&a), "%s", findings[i]);
    }
    cr_assert_null(score_answer_fault(&(struct msg_score_answer){.is_scored = false}));
}

Test(score_answer, findings_that_are_none_are_not_taken)
{
    static const char *const findings[] = {
        "A",       "A ",       " 1",     "A 1 2",    "A nan",   "A inf",    "A -",      "A .5",
        "A 1.",    "A 1.2345", "A 1e3",  "A +1",     "A 0x1",   "A 12345678", "A 1\r",  "A 1\n\nB 1",
        "A\r\nB 1", "\x01 1",  "\xe3\x81\x82 1", "\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 1",
    };
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        struct msg_score_answer a = plain;
        a.findings = view_cstr(findings[i]);
        cr_assert_not_null(score_answer_fault(&a), "%s", findings[i]);
    }
    struct msg_score_answer a = plain;
    a.findings = view_of("A\0B 1", 5);
    cr_assert_not_null(score_answer_fault(&a));
}

Test(score_answer, numbers_have_bounds)
{
    static const struct {
        int64_t milli;
        bool is_sound;
    } rows[] = {
        {IPC_SCORE_MILLI_MAX, true}, {IPC_SCORE_MILLI_MAX + 1, false}, {-IPC_SCORE_MILLI_MAX, true},
        {-IPC_SCORE_MILLI_MAX - 1, false}, {INT64_MAX, false}, {INT64_MIN, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct msg_score_answer a = plain;
        a.score_milli = rows[i].milli;
        cr_assert_eq(score_answer_fault(&a) == NULL, rows[i].is_sound, "%lld", (long long)rows[i].milli);
        cr_assert_eq(ipc_score_bounded(a.score_milli) == a.score_milli, rows[i].is_sound);
    }
    for (unsigned action = 0; action < 256; action++) {
        struct msg_score_answer a = plain;
        a.action = (uint8_t)action;
        cr_assert_eq(score_answer_fault(&a) == NULL, action <= SCORE_ACTION_REFUSE, "%u", action);
    }
}

Test(score_answer, fingerprints_are_whole_and_texts_one_line)
{
    struct msg_score_answer a = plain;
    a.fingerprints = view_slice(plain.fingerprints, 0, 15);
    cr_assert_not_null(score_answer_fault(&a));
    static const char *const texts[] = {"no\r\n250 yes", "\x1b[2J", "\xc2\x85", "tab\t"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        a = plain;
        a.text = view_cstr(texts[i]);
        cr_assert_not_null(score_answer_fault(&a), "%s", texts[i]);
    }
}
