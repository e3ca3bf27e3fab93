#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/login.h"

TestSuite(login, .timeout = 20);

Test(login, makes_one_name_of_all_spellings)
{
    static const char *const cases[][2] = {
        {"taro", "taro@example.jp"},
        {"TARO", "taro@example.jp"},
        {"Taro@Example.JP", "taro@example.jp"},
        {"taro@other.example", "taro@other.example"},
        {"\xef\xbd\x94\xef\xbd\x81\xef\xbd\x92\xef\xbd\x8f", "taro@example.jp"}, /* full width */
        {"taro\xef\xbc\xa0other.example", "taro@other.example"}, /* U+FF20, a wide "@" */
        {"ta\xc2\xadro", "taro@example.jp"},                     /* soft hyphen */
        {"ta\xe2\x81\xa0ro", "taro@example.jp"},                 /* word joiner */
        {"ta\xe2\x80\x8bro", "ta ro@example.jp"},                /* RFC 3454 takes it for a space */
        {"\xc3\x84nne", "\xc3\xa4nne@example.jp"},               /* composed ... */
        {"A\xcc\x88nne", "\xc3\xa4nne@example.jp"},              /* ... and not */
        {"stra\xc3\x9f""e", "strasse@example.jp"},
        {"\xe4\xba\x8c\xe3\x83\x8e\xe5\xae\xae", "\xe4\xba\x8c\xe3\x83\x8e\xe5\xae\xae@example.jp"},
        {"\xef\xbd\xb1", "\xe3\x82\xa2@example.jp"},             /* half width kana */
        {"taro@B\xc3\x9c""CHER.example", "taro@xn--bcher-kva.example"},
        {"\xd8\xa7\x31\xd8\xa7", "\xd8\xa7\x31\xd8\xa7@example.jp"}, /* written from the right */
        {"two words", "two words@example.jp"},
        {"a\xc2\xa0""b", "a b@example.jp"},                      /* a space that does not break */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[LOGIN_SIZE], again[LOGIN_SIZE];
        int n = login_canonical(view_cstr(cases[i][0]), VIEW_LIT("example.jp"), out);
        cr_expect_eq(n, (int)strlen(cases[i][1]), "%s: %d", cases[i][0], n);
        cr_expect_str_eq(out, cases[i][1]);
        cr_expect_eq(login_canonical(view_cstr(out), VIEW_EMPTY, again), n);
        cr_expect_str_eq(again, out);
    }
}

/* Names of ASCII alone do not go through stringprep: with a letter that is none they do, and nothing else changes. */
Test(login, ascii_is_prepared_as_among_other_letters)
{
    char plain[LOGIN_SIZE], other[LOGIN_SIZE];
    for (char c = ' '; c <= '~'; c++) {
        const char short_name[] = {'x', c, 'y', '\0'}, long_name[] = {'x', c, 'y', '\xc3', '\xa9', '\0'};
        int n = login_canonical(view_cstr(short_name), VIEW_EMPTY, plain);
        int other_n = login_canonical(view_cstr(long_name), VIEW_EMPTY, other);
        if (c == '@')
            continue; /* parts the name */
        cr_assert_eq(n, 3, "%c: %d", c, n);
        cr_assert_eq(other_n, 5, "%c: %d", c, other_n);
        cr_assert_eq(memcmp(plain, other, 3), 0, "%c: %s, %s", c, plain, other);
    }
}

Test(login, refuses_what_is_no_name)
{
    static const struct view bad[] = {
        VIEW_LIT(""),
        VIEW_LIT(" taro"),
        VIEW_LIT("taro "),
        VIEW_LIT("\xe3\x80\x80taro"), /* an ideographic space */
        VIEW_LIT("taro\t"),
        VIEW_LIT("ta\nro"),
        VIEW_LIT("taro\0"),
        VIEW_LIT("taro\0admin"),
        VIEW_LIT("\x7f"),
        VIEW_LIT("a\xc2\x85"), /* C1 */
        VIEW_LIT("\xff"),
        VIEW_LIT("\xe3\x81"),
        VIEW_LIT("@"),
        VIEW_LIT("@example.jp"),
        VIEW_LIT("taro@"),
        VIEW_LIT("taro @example.jp"),
        VIEW_LIT("taro@ example.jp"),
        VIEW_LIT("taro@a@b"),
        VIEW_LIT("taro\xef\xb9\xab""a@b"),
        VIEW_LIT("taro@[192.0.2.1]"),
        VIEW_LIT("taro@a_b"),
        VIEW_LIT("taro@192.0.2.1"),
        VIEW_LIT("\xc2\xad"),             /* nothing is left of it */
        VIEW_LIT("\xe2\x80\xae""oratA"),  /* right-to-left override */
        VIEW_LIT("\xd8\xa7\x31""a"),      /* left and right mixed */
        VIEW_LIT("\xee\x80\x80"),         /* private use */
        VIEW_LIT("\xf0\x9f\x92\x8c"),     /* not in Unicode 3.2 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[LOGIN_SIZE];
        int n = login_canonical(bad[i], VIEW_LIT("example.jp"), out);
        cr_expect_eq(n, MSA_EINVAL, "case %zu: %s", i, out);
        cr_expect_str_eq(out, "");
    }
}

Test(login, is_bounded)
{
    char text[LOGIN_TYPED_MAX + 1], out[LOGIN_SIZE];
    memset(text, 'a', sizeof text);
    cr_assert_eq(login_canonical(view_of(text, LOGIN_TYPED_MAX), VIEW_EMPTY, out), LOGIN_TYPED_MAX);
    cr_assert_eq(login_canonical(view_of(text, LOGIN_TYPED_MAX + 1), VIEW_EMPTY, out), MSA_ETOOBIG);
    cr_assert_str_eq(out, "");
    for (size_t i = 0; i + 3 <= LOGIN_TYPED_MAX; i += 3)
        memcpy(text + i, "\xef\xb7\xba", 3); /* U+FDFA grows elevenfold */
    cr_assert_lt(login_canonical(view_of(text, LOGIN_TYPED_MAX), VIEW_EMPTY, out), 0);
    cr_assert_eq(login_canonical(VIEW_LIT("taro"), VIEW_EMPTY, out), 4);
    cr_assert_str_eq(out, "taro");
}

Test(login, prepares_passwords)
{
    static const struct {
        struct view raw, want;
    } cases[] = {
        {VIEW_LIT("secret"), VIEW_LIT("secret")},
        {VIEW_LIT(" a b "), VIEW_LIT(" a b ")},
        {VIEW_LIT("I\xc2\xadX"), VIEW_LIT("IX")},             /* RFC 4013 section 3 */
        {VIEW_LIT("\xc2\xaa"), VIEW_LIT("a")},
        {VIEW_LIT("\xe2\x85\xa8"), VIEW_LIT("IX")},
        {VIEW_LIT("\xc3\xa9"), VIEW_LIT("\xc3\xa9")},
        {VIEW_LIT("e\xcc\x81"), VIEW_LIT("\xc3\xa9")},
        {VIEW_LIT("a\x07"), VIEW_LIT("a\x07")},               /* prohibited: as it is */
        {VIEW_LIT("\xd8\xa7\x31"), VIEW_LIT("\xd8\xa7\x31")}, /* bad bidi: as it is */
        {VIEW_LIT("\x8eR"), VIEW_LIT("\x8eR")},               /* Shift_JIS: as it is */
        {VIEW_LIT("\xc2\xad"), VIEW_LIT("\xc2\xad")},         /* never empty */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init_secret(&out, 100);
        cr_assert_eq(login_prepare_password(cases[i].raw, &out), MSA_OK);
        cr_expect(view_eq(buf_view(&out), cases[i].want), "case %zu", i);
        buf_fini(&out);
    }
}

Test(login, refuses_passwords_that_are_none)
{
    static char text[LOGIN_PASSWORD_MAX + 1];
    struct buf out;
    memset(text, 'a', sizeof text);
    buf_init_secret(&out, 2000);
    cr_assert_eq(login_prepare_password(VIEW_EMPTY, &out), MSA_EINVAL);
    cr_assert_eq(login_prepare_password(VIEW_LIT("a\0b"), &out), MSA_EINVAL);
    cr_assert_eq(login_prepare_password(view_of(text, sizeof text), &out), MSA_ETOOBIG);
    cr_assert_eq(buf_len(&out), 0);
    cr_assert_eq(login_prepare_password(view_of(text, LOGIN_PASSWORD_MAX), &out), MSA_OK);
    cr_assert_eq(buf_len(&out), LOGIN_PASSWORD_MAX);
    buf_fini(&out);
}
