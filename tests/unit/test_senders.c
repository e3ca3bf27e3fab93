#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/sender_pattern.h"
#include "policy/senders.h"

TestSuite(senders, .timeout = 20);

static const struct view plus = VIEW_LIT("+");

Test(senders, writes_patterns_in_one_form)
{
    static const struct {
        const char *text, *want; /* NULL: no pattern */
    } cases[] = {
        {"taro@example.jp", "taro@example.jp"},
        {" \tTaro@EXAMPLE.JP ", "Taro@example.jp"},
        {"\"taro\"@example.jp", "taro@example.jp"},
        {"\"t o\"@example.jp", "\"t o\"@example.jp"},
        {"taro@\xe4\xbe\x8b\xe3\x81\x88.jp", "taro@xn--r8jz45g.jp"},
        {"@\xe4\xbe\x8b\xe3\x81\x88.JP", "@xn--r8jz45g.jp"},
        {"@Example.JP", "@example.jp"},
        {"@localhost", "@localhost"},
        {".Example.JP", ".example.jp"},
        {"delegated:boss@Example.jp", "delegated:boss@example.jp"},
        {"DELEGATED:@example.jp", "delegated:@example.jp"},
        {"taro@[192.0.2.1]", "taro@[192.0.2.1]"},
        {"", NULL},
        {"taro", NULL},
        {"@", NULL},
        {".", NULL},
        {".jp", NULL},
        {"@.example.jp", NULL},
        {"@example..jp", NULL},
        {"*@example.jp", "*@example.jp"},
        {"@*", NULL},
        {"delegated:", NULL},
        {"delegated:delegated:taro@example.jp", NULL},
        {"taro@example.jp hanako@example.jp", NULL},
        {"<taro@example.jp>", NULL},
        {"taro@example.jp\n@example.com", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[SENDER_PATTERN_SIZE];
        int n = sender_pattern_parse(view_cstr(cases[i].text), out);
        cr_expect_eq(n > 0, cases[i].want != NULL, "%s: %d", cases[i].text, n);
        cr_expect_str_eq(out, cases[i].want ? cases[i].want : "", "%s", cases[i].text);
    }
}

Test(senders, matches_addresses)
{
    static const struct {
        const char *pattern, *address, *separators;
        bool want;
    } cases[] = {
        {"taro@example.jp", "taro@example.jp", "+", true},
        {"taro@example.jp", "TARO@example.jp", "+", true},
        {"taro@example.jp", "taro+news@example.jp", "+", true},
        {"taro@example.jp", "taro+@example.jp", "+", true},
        {"taro@example.jp", "taro-news@example.jp", "+", false},
        {"taro@example.jp", "taro-news@example.jp", "+-", true},
        {"taro@example.jp", "taro+news@example.jp", "", false},
        {"taro@example.jp", "tarot@example.jp", "+", false},
        {"taro@example.jp", "+taro@example.jp", "+", false},
        {"taro@example.jp", "tar@example.jp", "+", false},
        {"taro@example.jp", "taro@example.com", "+", false},
        {"taro@example.jp", "taro@sub.example.jp", "+", false},
        {"taro@example.jp", "\"taro@example.jp\"@example.com", "+", false},
        {"taro+news@example.jp", "taro@example.jp", "+", false},
        {"\"t o\"@example.jp", "\"t o\"@example.jp", "+", true},
        {"\"t o\"@example.jp", "\"t o\"+x@example.jp", "+", false},
        {"@example.jp", "anybody@example.jp", "", true},
        {"@example.jp", "anybody@sub.example.jp", "", false},
        {"@example.jp", "anybody@notexample.jp", "", false},
        {"@example.jp", "\"x@example.jp\"@example.com", "", false},
        {"@example.jp", "@example.jp", "", false},
        {".example.jp", "anybody@sub.example.jp", "", true},
        {".example.jp", "anybody@a.b.example.jp", "", true},
        {".example.jp", "anybody@example.jp", "", false},
        {".example.jp", "anybody@notexample.jp", "", false},
        {"delegated:boss@example.jp", "boss@example.jp", "", true},
        {"delegated:@example.jp", "boss@example.jp", "", true},
        {"taro@example.jp", "", "+", false},
        {"@example.jp", "", "+", false},
        {"", "taro@example.jp", "+", false},
        {"", "", "+", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(sender_pattern_matches(view_cstr(cases[i].pattern),
                                            view_cstr(cases[i].address),
                                            view_cstr(cases[i].separators)),
                     cases[i].want, "%s %s [%s]", cases[i].pattern, cases[i].address,
                     cases[i].separators);
}

static void expect_list(const struct buf *list, const char *want)
{
    struct view got = buf_view(list);
    cr_expect(view_eq(got, view_cstr(want)), "[%.*s] not [%s]", (int)got.n, got.p, want);
    cr_expect(senders_are_sound(got));
}

Test(senders, keeps_each_pattern_once)
{
    struct buf list;
    buf_init(&list, SENDERS_BYTES_MAX);
    cr_expect_eq(senders_add(&list, VIEW_LIT("info@Example.jp")), MSA_OK);
    cr_expect_eq(senders_add(&list, VIEW_LIT("@example.com")), MSA_OK);
    cr_expect_eq(senders_add(&list, VIEW_LIT("INFO@example.JP")), MSA_OK);
    cr_expect_eq(senders_add(&list, VIEW_LIT("delegated:boss@example.jp")), MSA_OK);
    cr_expect_eq(senders_add(&list, VIEW_LIT("nobody")), MSA_EINVAL);
    expect_list(&list, "info@example.jp\n@example.com\ndelegated:boss@example.jp\n");
    cr_expect_eq(senders_remove(&list, VIEW_LIT("@EXAMPLE.com")), MSA_OK);
    cr_expect_eq(senders_remove(&list, VIEW_LIT("@example.com")), MSA_ENOENT);
    cr_expect_eq(senders_remove(&list, VIEW_LIT("boss@example.jp")), MSA_ENOENT,
                 "another claim");
    expect_list(&list, "info@example.jp\ndelegated:boss@example.jp\n");
    cr_expect_eq(senders_remove(&list, VIEW_LIT("delegated:boss@example.jp")), MSA_OK);
    cr_expect_eq(senders_remove(&list, VIEW_LIT("info@example.jp")), MSA_OK);
    expect_list(&list, "");
    buf_fini(&list);
}

Test(senders, is_bounded)
{
    struct buf list;
    char pattern[300];
    buf_init(&list, SENDERS_BYTES_MAX);
    for (int i = 0; i < SENDERS_MAX; i++) {
        snprintf(pattern, sizeof pattern, "a%d@example.jp", i);
        cr_assert_eq(senders_add(&list, view_cstr(pattern)), MSA_OK);
    }
    cr_expect_eq(senders_add(&list, VIEW_LIT("b@example.jp")), MSA_EFULL);
    cr_expect_eq(senders_add(&list, VIEW_LIT("a7@example.jp")), MSA_OK, "there already");
    cr_expect_eq(senders_count(buf_view(&list)), SENDERS_MAX);
    buf_reset(&list);
    int err = MSA_OK;
    for (int i = 0; err == MSA_OK && i < SENDERS_MAX; i++) {
        snprintf(pattern, sizeof pattern, "%060d@%060d.%060d.example.jp", i, 1, 2);
        err = senders_add(&list, view_cstr(pattern));
    }
    cr_expect_eq(err, MSA_EFULL, "bytes");
    cr_expect_eq(senders_remove(&list, VIEW_LIT("nobody@example.jp")), MSA_ENOENT);
    cr_expect(senders_are_sound(buf_view(&list)));
    buf_fini(&list);
}

Test(senders, knows_lists_that_it_has_not_made)
{
    static const char *const broken[] = {
        "taro@example.jp",
        "taro@Example.jp\n",
        "\n",
        "taro@example.jp\n\n",
        "taro@example.jp\ntaro@example.jp\n",
        "nobody\n",
        " taro@example.jp\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_expect_not(senders_are_sound(view_cstr(broken[i])), "[%s]", broken[i]);
    cr_expect(senders_are_sound(VIEW_EMPTY));
}

Test(senders, finds_the_best_claim)
{
    const struct view list =
        VIEW_LIT("delegated:@example.jp\ntaro@example.jp\n@example.com\n");
    cr_expect_eq(senders_claim(list, VIEW_LIT("boss@example.jp"), plus),
                 SENDER_IS_DELEGATED);
    cr_expect_eq(senders_claim(list, VIEW_LIT("taro+x@example.jp"), plus), SENDER_IS_OWN);
    cr_expect_eq(senders_claim(list, VIEW_LIT("any@example.com"), plus), SENDER_IS_OWN);
    cr_expect_eq(senders_claim(list, VIEW_LIT("any@example.net"), plus),
                 SENDER_NOT_ALLOWED);
    cr_expect_eq(senders_claim(list, VIEW_EMPTY, plus), SENDER_NOT_ALLOWED);
    cr_expect_eq(senders_claim(VIEW_EMPTY, VIEW_LIT("a@b.example"), plus),
                 SENDER_NOT_ALLOWED);
}
