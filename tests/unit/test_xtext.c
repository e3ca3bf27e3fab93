#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "msa/mail/xtext.h"

TestSuite(xtext, .timeout = 20);

Test(xtext, decodes)
{
    static const struct {
        struct view in, want;
    } cases[] = {
        {VIEW_LIT(""), VIEW_LIT("")},
        {VIEW_LIT("rfc822~!"), VIEW_LIT("rfc822~!")},
        {VIEW_LIT("a+2Bb+3Dc+20d"), VIEW_LIT("a+b=c d")},
        {VIEW_LIT("+E3+81+82"), VIEW_LIT("\xe3\x81\x82")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out, again;
        buf_init(&out, 100);
        buf_init(&again, 100);
        cr_assert_eq(xtext_decode(cases[i].in, &out), MSA_OK);
        cr_assert(view_eq(buf_view(&out), cases[i].want), "case %zu", i);
        cr_assert_eq(xtext_encode(cases[i].want, &again), MSA_OK);
        cr_assert(view_eq(buf_view(&again), cases[i].in), "case %zu", i);
        buf_fini(&out);
        buf_fini(&again);
    }
}

Test(xtext, refuses)
{
    static const struct view bad[] = {
        VIEW_LIT("+"),        VIEW_LIT("a+"),      VIEW_LIT("a+2"),   VIEW_LIT("a+2b"),
        VIEW_LIT("a+G0"),     VIEW_LIT("a=b"),     VIEW_LIT("a b"),   VIEW_LIT("\x7f"),
        VIEW_LIT("+0D+0AX"),  VIEW_LIT("a+00"),    VIEW_LIT("+1B"),   VIEW_LIT("+7F"),
        VIEW_LIT("\xe3\x81"), VIEW_LIT("a\rb"),    VIEW_LIT("a\0b"),
    };
    struct buf out;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_not(xtext_is_valid(bad[i]), "case %zu", i);
        cr_assert_eq(xtext_decode(bad[i], &out), MSA_EINVAL);
        cr_assert_eq(buf_len(&out), 0);
    }
    cr_assert_eq(xtext_encode(VIEW_LIT("a\rb"), &out), MSA_EINVAL);
    cr_assert_eq(buf_len(&out), 0);
    buf_fini(&out);
}

Test(xtext, leaves_a_full_buffer_as_it_was)
{
    struct buf out;
    buf_init(&out, 4);
    cr_assert_eq(buf_add_cstr(&out, "ab"), MSA_OK);
    cr_assert_eq(xtext_encode(VIEW_LIT("c+"), &out), MSA_ETOOBIG);
    cr_assert(view_eq(buf_view(&out), VIEW_LIT("ab")));
    cr_assert_eq(xtext_decode(VIEW_LIT("cde"), &out), MSA_ETOOBIG);
    cr_assert(view_eq(buf_view(&out), VIEW_LIT("ab")));
    buf_fini(&out);
}
