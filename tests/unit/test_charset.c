#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "msa/mail/charset.h"

TestSuite(charset, .timeout = 20);

Test(charset, converts_what_mail_uses)
{
    static const struct {
        const char *label;
        struct view bytes;
        const char *want;
    } cases[] = {
        {"utf-8", VIEW_LIT("\xe6\x97\xa5\xff"), "\xe6\x97\xa5\xef\xbf\xbd"},
        {"US-ASCII", VIEW_LIT("abc"), "abc"},
        {"iso-8859-1", VIEW_LIT("Kr\xfctisch \x80"), "Kr\xc3\xbctisch \xe2\x82\xac"},
        {"ISO-2022-JP", VIEW_LIT("\x1b$B;3ED\x1b(B!"), "\xe5\xb1\xb1\xe7\x94\xb0!"},
        {"iso-2022-jp", VIEW_LIT("\x1b$B-!\x1b(B"), "\xe2\x91\xa0"}, /* a circled 1 of NEC */
        {"iso-2022-jp", VIEW_LIT("\x1b(I1\x1b(B"), "\xef\xbd\xb1"},  /* half width kana */
        {"iso-2022-jp", VIEW_LIT("\x1b$B;"), "\xef\xbf\xbd"},        /* cut in two */
        {"iso-2022-jp", VIEW_LIT("\x1b$B;3\n;3"), "\xe5\xb1\xb1\n\xe5\xb1\xb1"},
        {"Shift_JIS", VIEW_LIT("\x8e\x52\x93\x63"), "\xe5\xb1\xb1\xe7\x94\xb0"},
        {"shift_jis", VIEW_LIT("\x87\x40"), "\xe2\x91\xa0"},
        {"euc-jp", VIEW_LIT("\xbb\xb3\xc5\xc4"), "\xe5\xb1\xb1\xe7\x94\xb0"},
        {"euc-jp", VIEW_LIT("\xbb\xb3\xc5"), "\xe5\xb1\xb1\xef\xbf\xbd"},
        {"gb2312", VIEW_LIT("\xc9\xbd"), "\xe5\xb1\xb1"},
        {"big5", VIEW_LIT("\xa4\x73"), "\xe5\xb1\xb1"},
        {"euc-kr", VIEW_LIT("\xb1\xe8"), "\xea\xb9\x80"},
        {"koi8-r", VIEW_LIT("\xeb"), "\xd0\x9a"},
        {"iso-2022-jp-3", VIEW_LIT("\x1b$(Q;3\x1b(B!"), "\xe5\xb1\xb1!"},
        {"iso-2022-jp", VIEW_LIT("\x1b$A"), "\x1b$A"}, /* Chinese in it is not read */
        {"iso-2022-kr", VIEW_LIT("\x1b$)Ca \x0e" "1h\x0f b\n\x0e" "1h\n1h"),
         "a \xea\xb9\x80 b\n\xea\xb9\x80\n" "1h"},
        {"iso-2022-jp", VIEW_LIT("\x1b(Iyy1"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbd\xb1"},
        {"big5-hkscs", VIEW_LIT("\xa4\x73"), "\xe5\xb1\xb1"},
        {"utf-16", VIEW_LIT("\xff\xfe\x71\x5c"), "\xe5\xb1\xb1"},
        {"utf-16be", VIEW_LIT("\x5c\x71\x5c"), "\xe5\xb1\xb1\xef\xbf\xbd"},
        {"utf-8", VIEW_LIT("\xff\xff" "a\xe5\xb1\xb1\xe5"), "\xef\xbf\xbd\xef\xbf\xbd" "a\xe5\xb1\xb1\xef\xbf\xbd"},
        {"windows-1255", VIEW_LIT("\xf9"), "\xd7\xa9"}, /* the converter waits for an accent */
    };
    struct charsets *cs = charsets_new();
    cr_assert_not_null(cs);
    for (int round = 0; round < 2; round++) /* nothing is left over from an earlier text */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct buf out;
            buf_init(&out, 100);
            struct view label = view_cstr(cases[i].label);
            cr_assert_eq(charset_to_utf8(cs, label, cases[i].bytes, &out), MSA_OK, "case %zu", i);
            cr_expect(view_eq(buf_view(&out), view_cstr(cases[i].want)), "case %zu: %.*s", i,
                      (int)buf_len(&out), out.data);
            buf_fini(&out);
        }
    charsets_free(cs);
}

Test(charset, refuses_what_is_not_on_the_list)
{
    static const char *const labels[] = {"", "utf-7", "ISO-2022-CN-EXT", "ibm1390",
                                         "utf-8//IGNORE"};
    struct charsets *cs = charsets_new();
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(charset_to_utf8(cs, view_cstr(labels[i]), VIEW_LIT("a"), &out), MSA_ENOENT);
        cr_assert_eq(buf_len(&out), 0);
        buf_fini(&out);
    }
    charsets_free(cs);
}

Test(charset, stops_at_a_full_buffer)
{
    static const char *const labels[] = {"utf-8", "iso-8859-1", "iso-2022-jp"};
    struct charsets *cs = charsets_new();
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        struct buf out;
        buf_init(&out, 3);
        int err = charset_to_utf8(cs, view_cstr(labels[i]), VIEW_LIT("abcdef"), &out);
        cr_assert_eq(err, MSA_ETOOBIG);
        buf_fini(&out);
    }

    struct buf none, out; /* what a converter held back then is not in the next text */
    buf_init(&none, 0);
    buf_init(&out, 10);
    const struct view label = VIEW_LIT("windows-1255");
    cr_assert_eq(charset_to_utf8(cs, label, VIEW_LIT("a\xf9"), &none), MSA_ETOOBIG);
    cr_assert_eq(charset_to_utf8(cs, label, VIEW_LIT("b"), &out), MSA_OK);
    cr_assert(view_eq(buf_view(&out), VIEW_LIT("b")));
    buf_fini(&out);
    charsets_free(cs);
}
