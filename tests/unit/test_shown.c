#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "msa/mail/shown.h"

TestSuite(shown, .timeout = 20);

Test(shown, finds_what_a_person_sees)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {" Taro <taro@example.jp>", "taro@example.jp\n"},
        {" \"boss@Bank.example\" <taro@example.jp>",
         "boss@bank.example\ntaro@example.jp\n"},
        {" taro@example.jp (boss@bank.example)", "taro@example.jp\nboss@bank.example\n"},
        {" =?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGU=?= <taro@example.jp>",
         "boss@bank.example\ntaro@example.jp\n"},
        {" =?utf-8?q?boss=40bank=2Eexample?= <taro@example.jp>",
         "boss@bank.example\ntaro@example.jp\n"},
        {" =?utf-8?q?boss=40?=\r\n =?utf-8?q?bank=2Eexample?= <taro@example.jp>",
         "boss@bank.example\ntaro@example.jp\n"},
        {" =?x-unknown?q?boss=40bank=2Eexample?= <a@b.example>",
         "boss@bank.example\na@b.example\n"},
        {" =?iso-2022-jp?b?GyRCOzNFRBsoQmJvc3NAYmFuay5leGFtcGxl?= <a@b.example>",
         "boss@bank.example\na@b.example\n"},
        {" =?iso-2022-jp?q?=1B$B@a@b.cd@=1B(B?= <a@b.example>",
         "a@b.example\n"}, /* kanji, not "@" */
        {" \"boss\xef\xbc\xa0"
         "bank\xef\xbc\x8e"
         "example\" <a@b.example>",
         "boss@bank.example\na@b.example\n"},
        {" \"bo\xe2\x80\x8bss@bank.example\" <a@b.example>",
         "boss@bank.example\na@b.example\n"},
        {" \"\xe5\xb1\xb1\xe7\x94\xb0"
         "boss@bank.example\xe3\x81\x95\xe3\x82\x93\" <a@b.example>",
         "boss@bank.example\na@b.example\n"},
        {" \"boss@b\xd0\xb0nk.example\" <a@b.example>",
         "boss@xn--bnk-6cd.example\na@b.example\n"},
        {" \"<boss@bank.example>.\" <a@b.example>", "boss@bank.example\na@b.example\n"},
        {" \"boss@bank.example\"@b.example", "boss@bank.example\n"},
        {" \"Mikel@@@Lindsaar\" <a@b.example>", "a@b.example\n"},
        {" \"tweet @taro or taro@home\" <a@b.example>", "a@b.example\n"},
        {" nobody", ""},
        {"", ""},
        {" @ @. .@ a@.b @b.example", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 1000);
        int n = shown_addresses(view_cstr(cases[i].body), &out);
        struct view got = buf_view(&out), left = got;
        cr_expect(view_eq(got, view_cstr(cases[i].want)), "[%s]: [%.*s]", cases[i].body,
                  (int)got.n, got.p);
        for (; left.n > 0; n--)
            view_cut(&left, '\n');
        cr_expect_eq(n, 0, "[%s]: the count", cases[i].body);
        buf_fini(&out);
    }
}

Test(shown, is_bounded)
{
    struct buf body, out;
    buf_init(&body, 100000);
    buf_init(&out, 10000);
    for (int i = 0; i <= SHOWN_ADDRESSES_MAX; i++)
        buf_addf(&body, " a%d@b.example", i);
    cr_expect_eq(shown_addresses(buf_view(&body), &out), MSA_ETOOBIG);
    buf_reset(&body);
    for (int i = 0; i < 60000; i++)
        buf_add_char(&body, "a@"[i % 2]);
    cr_expect_eq(shown_addresses(buf_view(&body), &out), 0);
    buf_fini(&body);
    buf_init(&body, 100000);
    for (int i = 0; i < 90000; i++)
        buf_add_char(&body, '@');
    cr_expect_eq(shown_addresses(buf_view(&body), &out), 0);
    buf_fini(&body);
    buf_fini(&out);
}
