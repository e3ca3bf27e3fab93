#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/base64.h"

TestSuite(base64, .timeout = 20);

Test(base64, knows_the_rfc_vectors)
{
    static const char *const vectors[][2] = {
        {"", ""},           {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xef", "/+8="},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct buf plain, text;
        buf_init(&plain, 100);
        buf_init(&text, 100);
        cr_assert_eq(base64_encode(view_cstr(vectors[i][0]), &text), MSA_OK);
        cr_assert(view_eq(buf_view(&text), view_cstr(vectors[i][1])));
        cr_assert_eq(base64_decode(view_cstr(vectors[i][1]), &plain), MSA_OK);
        cr_assert(view_eq(buf_view(&plain), view_cstr(vectors[i][0])));
        buf_fini(&plain);
        buf_fini(&text);
    }
}

Test(base64, refuses_anything_else)
{
    static const struct view bad[] = {
        VIEW_LIT("Z"),        VIEW_LIT("Zg"),       VIEW_LIT("Zg="),      VIEW_LIT("Zg==="),
        VIEW_LIT("===="),     VIEW_LIT("=Zg="),     VIEW_LIT("Z==="),     VIEW_LIT("Zg==Zg=="),
        VIEW_LIT("Zg=g"),     VIEW_LIT("Zh=="),     VIEW_LIT("Zm9="),     VIEW_LIT("Zm 9"),
        VIEW_LIT("Zm9v\r\n"), VIEW_LIT("Zm9v\r\n=="), VIEW_LIT("Zm-v"),   VIEW_LIT("Zm_v"),
        VIEW_LIT("Zm\0v"),    VIEW_LIT("\xe3\x81\x82z"), VIEW_LIT(" Zm9v"), VIEW_LIT("Zm9v===="),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(base64_decode(bad[i], &out), MSA_EINVAL, "case %zu", i);
        cr_assert_eq(buf_len(&out), 0);
        buf_fini(&out);
    }
}

/* Every block size, in a buffer of exactly that size: one byte more would be seen
 * (CVE-2018-6789). */
Test(base64, fills_a_buffer_to_the_byte)
{
    for (size_t n = 1; n < 300; n++) {
        char bytes[300];
        struct buf text, plain, small;
        secret_random(bytes, n);
        buf_init(&text, (n + 2) / 3 * 4);
        buf_init_secret(&plain, n);
        buf_init(&small, n - 1);
        cr_assert_eq(base64_encode(view_of(bytes, n), &text), MSA_OK);
        cr_assert_eq(buf_len(&text), text.max);
        cr_assert_eq(base64_decode(buf_view(&text), &plain), MSA_OK);
        cr_assert(view_eq(buf_view(&plain), view_of(bytes, n)));
        cr_assert_eq(base64_decode(buf_view(&text), &small), MSA_ETOOBIG);
        buf_fini(&text);
        buf_fini(&plain);
        buf_fini(&small);
    }
}

/* Whatever decodes is written again in the same way: no two texts mean the same bytes. */
Test(base64, has_one_text_for_each_value)
{
    static const char letters[] = "AQgw/=+z";
    for (unsigned number = 0; number < 8 * 8 * 8 * 8; number++) {
        char text[4];
        struct buf plain, again;
        for (unsigned i = 0, rest = number; i < 4; i++, rest /= 8)
            text[i] = letters[rest % 8];
        buf_init(&plain, 3);
        buf_init(&again, 4);
        if (base64_decode(view_of(text, 4), &plain) == MSA_OK) {
            cr_assert_eq(base64_encode(buf_view(&plain), &again), MSA_OK);
            cr_assert(view_eq(buf_view(&again), view_of(text, 4)));
        }
        buf_fini(&plain);
        buf_fini(&again);
    }
}
