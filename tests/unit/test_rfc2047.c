#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/rfc2047.h"

TestSuite(rfc2047, .timeout = 20);

Test(rfc2047, decodes_for_display)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", ""},
        {" a\r\n b", "a b"},
        {"=?ISO-8859-1?Q?Jan_Kr=FCtisch?=", "Jan Kr\xc3\xbctisch"},
        {"=?iso-2022-jp?B?GyRCOzNFRBsoQg==?=", "\xe5\xb1\xb1\xe7\x94\xb0"},
        {"=?UTF-8?B?5bGx?=", "\xe5\xb1\xb1"},
        {"=?UTF-8*ja?B?5bGx?=", "\xe5\xb1\xb1"}, /* with RFC 2231's language */
        {"=?utf-8?b?5bGx?= <a@b>", "\xe5\xb1\xb1 <a@b>"},
        {"a =?utf-8?q?b?= =?utf-8?q?c?= d", "a bc d"},
        {"=?utf-8?q?b?=\r\n =?iso-8859-1?q?=FC?=", "b\xc3\xbc"},
        {"=?utf-8?q?=E5=B1?= =?utf-8?q?=B1?=", "\xe5\xb1\xb1"}, /* a character cut in two */
        {"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
        {"=?utf-8?q?a?==?utf-8?q?b?=", "ab"},
        {"=?utf-8?b?YQ?=", "a"},                          /* no padding */
        {"=?utf-8?q?=4?= =?utf-8?q?=ZZ=?=", "=4=ZZ="},    /* no hexadecimal digits */
        {"=?utf-8?b?!!?=", "=?utf-8?b?!!?="},             /* broken words are text */
        {"=?utf-8?q?a?= =?utf-8?b?!!?= b", "a=?utf-8?b?!!?= b"},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?q?a b?=", "=?utf-8?q?a b?="},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"=?", "=?"},
        {"=?=?=?", "=?=?=?"},
        {"=?utf-7?q?+ADw-?=", "=?utf-7?q?+ADw-?="},
        {"=?utf-8?q?a=0D=0ABcc:_x=00?=", "a  Bcc: x "},   /* no line end comes out */
        {"=?utf-8?q?a=40b?=", "a@b"},
        {"raw \xe5\xb1\xb1 \x8eR", "raw \xe5\xb1\xb1 \xef\xbf\xbdR"},
        {"a\rb\nc\x01", "a bc "},
    };
    struct charsets *cs = charsets_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 200);
        cr_assert_eq(rfc2047_decode(cs, view_cstr(cases[i][0]), &out), MSA_OK);
        cr_expect(view_eq(buf_view(&out), view_cstr(cases[i][1])), "%s: %.*s", cases[i][0],
                  (int)buf_len(&out), out.data);
        buf_fini(&out);
    }
    charsets_free(cs);
}

/* Words of every length at every column: lines stay within 76, words within 75, and all comes
 * back. */
Test(rfc2047, encodes_what_it_decodes)
{
    struct charsets *cs = charsets_new();
    for (size_t column = 0; column < 90; column += 9)
        for (size_t count = 1; count < 120; count++) {
            char text[3 * 120 + 4];
            struct buf encoded, back;
            for (size_t i = 0; i < count; i++)
                memcpy(text + 3 * i, i % 7 == 3 ? "a b" : "\xe5\xb1\xb1", 3);
            memcpy(text + 3 * count, "\xf0\x9f\x92\x8c", 4);
            struct view plain = view_of(text, 3 * count + 4);
            buf_init(&encoded, 2000);
            buf_init(&back, 2000);
            cr_assert_eq(rfc2047_encode(plain, column, &encoded), MSA_OK);
            struct view lines = buf_view(&encoded);
            for (size_t at = column; lines.n > 0; at = 0) {
                size_t n = view_cut(&lines, '\r').n;
                cr_assert(at + n <= 76 || (at > 56 && n <= 75), "%zu + %zu", at, n);
                lines = view_slice(lines, 1, lines.n);
            }
            cr_assert_eq(rfc2047_decode(cs, buf_view(&encoded), &back), MSA_OK);
            cr_assert(view_eq(buf_view(&back), plain), "%.*s", (int)buf_len(&back), back.data);
            buf_fini(&encoded);
            buf_fini(&back);
        }
    charsets_free(cs);
}

Test(rfc2047, encodes_only_what_needs_it)
{
    static const struct {
        struct view in, want;
    } cases[] = {
        {VIEW_LIT("Undelivered Mail"), VIEW_LIT("Undelivered Mail")},
        {VIEW_LIT(""), VIEW_LIT("")},
        {VIEW_LIT("=?x"), VIEW_LIT("=?UTF-8?B?PT94?=")},
        {VIEW_LIT("\xe5\xb1\xb1"), VIEW_LIT("=?UTF-8?B?5bGx?=")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(rfc2047_encode(cases[i].in, 9, &out), MSA_OK);
        cr_assert(view_eq(buf_view(&out), cases[i].want), "case %zu", i);
        buf_fini(&out);
    }
    struct buf out;
    buf_init(&out, 100);
    cr_assert_eq(rfc2047_encode(VIEW_LIT("a\r\nBcc: x"), 9, &out), MSA_EINVAL);
    cr_assert_eq(rfc2047_encode(VIEW_LIT("\x8eR"), 9, &out), MSA_EINVAL);
    cr_assert_eq(buf_len(&out), 0);
    buf_fini(&out);
}

/* Every cut of a busy text: no fault, valid UTF-8, no control characters. */
Test(rfc2047, survives_every_cut)
{
    static const char text[] = "a =?iso-2022-jp?B?GyRCOzNFRBsoQg==?=\r\n"
                               " =?utf-8*de?q?=C3=BC=0A?= \x8e";
    struct charsets *cs = charsets_new();
    for (size_t from = 0; from < sizeof text - 1; from++)
        for (size_t to = from; to < sizeof text - 1; to++) {
            char *piece = malloc(to - from + 1);
            struct buf out;
            buf_init(&out, 1000);
            memcpy(piece, text + from, to - from);
            cr_assert_eq(rfc2047_decode(cs, view_of(piece, to - from), &out), MSA_OK);
            cr_assert(utf8_is_valid(buf_view(&out)));
            for (size_t i = 0; i < buf_len(&out); i++)
                cr_assert((unsigned char)out.data[i] >= 0x20);
            buf_fini(&out);
            free(piece);
        }
    charsets_free(cs);
}
