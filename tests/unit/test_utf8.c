#include <criterion/criterion.h>

#include "msa/base/utf8.h"

TestSuite(utf8, .timeout = 20);

Test(utf8, knows_what_is_well_formed)
{
    static const struct view good[] = {
        VIEW_LIT(""),
        VIEW_LIT("plain"),
        VIEW_LIT("\xc2\x80 \xdf\xbf"),
        VIEW_LIT("\xe0\xa0\x80\xef\xbf\xbf"),
        VIEW_LIT("\xed\x9f\xbf\xee\x80\x80"),
        VIEW_LIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
        VIEW_LIT("a\0b"),
    };
    static const struct view bad[] = {
        VIEW_LIT("\x80"),             VIEW_LIT("\xbf"),         VIEW_LIT("\xc0\x80"),
        VIEW_LIT("\xc1\xbf"),         VIEW_LIT("\xc2"),         VIEW_LIT("\xc2\x20"),
        VIEW_LIT("\xe0\x9f\xbf"),     VIEW_LIT("\xe3\x81"),     VIEW_LIT("\xed\xa0\x80"),
        VIEW_LIT("\xf0\x8f\xbf\xbf"), VIEW_LIT("\xf0\x9f\x92"), VIEW_LIT("\xf4\x90\x80\x80"),
        VIEW_LIT("\xf5\x80\x80\x80"), VIEW_LIT("\xff"),         VIEW_LIT("ok\xfe"),
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(utf8_is_valid(good[i]), "case %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(utf8_is_valid(bad[i]), "case %zu", i);
}

Test(utf8, brings_every_code_point_back)
{
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char text[4];
        uint32_t back = 0;
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        size_t n = utf8_encode(code, text);
        cr_assert_eq(utf8_decode(view_of(text, n), &back), n);
        cr_assert_eq(back, is_surrogate ? 0xfffd : code);
        cr_assert_eq(utf8_decode(view_of(text, n - 1), &back), 0, "cut off: U+%X", code);
        cr_assert_eq(utf8_count(view_of(text, n)), 1);
        cr_assert_eq(utf8_is_ascii(view_of(text, n)), code < 0x80);
    }
}

Test(utf8, cleans_text_for_one_line)
{
    static const struct {
        struct view in, want;
    } cases[] = {
        {VIEW_LIT("plain \xe3\x81\x82"), VIEW_LIT("plain \xe3\x81\x82")},
        {VIEW_LIT("a\r\n\0b\x1b\x7f"), VIEW_LIT("a   b  ")},
        {VIEW_LIT("\xc2\x85\xe2\x80\xa8|"), VIEW_LIT("  |")},
        {VIEW_LIT("\x8eR\xe3\x81"), VIEW_LIT("\xef\xbf\xbdR\xef\xbf\xbd\xef\xbf\xbd")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(utf8_add_clean(&out, cases[i].in), 0);
        cr_assert(view_eq(buf_view(&out), cases[i].want), "case %zu", i);
        buf_fini(&out);
    }
    struct buf small;
    buf_init(&small, 2);
    cr_assert_lt(utf8_add_clean(&small, VIEW_LIT("abc")), 0);
    buf_fini(&small);
}
