#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"

TestSuite(codec, .timeout = 20);

static void put_all(struct buf *b)
{
    static const struct ipaddr ip = {{[15] = 1}};
    put_u8(b, 0xfe);
    put_u16(b, 0xfedc);
    put_u32(b, 0xfedcba98);
    put_u64(b, 0xfedcba9876543210);
    put_i64(b, INT64_MIN);
    put_u8(b, 1);
    put_bytes(b, VIEW_LIT("a\0b"));
    put_cstr(b, "text");
    put_cstr(b, NULL);
    put_ipaddr(b, &ip);
}

/* 0 only if every field was read and held what put_all wrote. */
static int get_all(struct view bytes)
{
    struct reader r = reader_of(bytes);
    struct ipaddr ip;
    bool same = get_u8(&r) == 0xfe;
    same = get_u16(&r) == 0xfedc && same;
    same = get_u32(&r) == 0xfedcba98 && same;
    same = get_u64(&r) == 0xfedcba9876543210 && same;
    same = get_i64(&r) == INT64_MIN && same;
    same = get_bool(&r) && same;
    same = view_eq(get_bytes(&r, 3), VIEW_LIT("a\0b")) && same;
    same = view_eq(get_bytes(&r, 100), VIEW_LIT("text")) && same;
    same = get_bytes(&r, 0).n == 0 && same;
    get_ipaddr(&r, &ip);
    same = ipaddr_is_loopback(&ip) && same;
    int err = reader_end(&r);
    return err == MSA_OK && !same ? MSA_ECORRUPT : err;
}

Test(codec, what_is_written_is_read_and_nothing_less_or_more)
{
    struct buf b;
    buf_init(&b, 1000);
    put_all(&b);
    cr_assert(not(buf_failed(&b)));
    struct view whole = buf_view(&b);
    cr_assert(eq(int, get_all(whole), MSA_OK));
    for (size_t n = 0; n < whole.n; n++)
        cr_assert(eq(int, get_all(view_slice(whole, 0, n)), MSA_EPROTO));
    buf_add_char(&b, 'x');
    cr_assert(eq(int, get_all(buf_view(&b)), MSA_EPROTO));
    buf_fini(&b);
}

Test(codec, the_bytes_are_little_endian)
{
    struct buf b;
    buf_init(&b, 100);
    put_u16(&b, 0x0102);
    put_u32(&b, 0x03040506);
    put_bytes(&b, VIEW_LIT("hi"));
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("\2\1\6\5\4\3\2\0\0\0hi")));
    buf_fini(&b);
}

Test(codec, a_field_that_does_not_fit_ends_the_writing)
{
    struct buf b;
    buf_init(&b, 3);
    put_u16(&b, 1);
    put_u32(&b, 2);
    put_u8(&b, 3); /* would fit, but the message is broken already */
    cr_assert(buf_failed(&b));
    cr_assert(eq(sz, buf_len(&b), 2));
    buf_reset(&b);
    put_bytes(&b, VIEW_LIT(""));
    cr_assert(buf_failed(&b));
    cr_assert(eq(sz, buf_len(&b), 0));
    buf_fini(&b);
}

Test(codec, a_failed_reader_gives_nothing_more)
{
    struct reader r = reader_of(VIEW_LIT("\1\2\3"));
    cr_assert(eq(u32, get_u32(&r), 0));
    cr_assert(eq(u8, get_u8(&r), 0));
    cr_assert(get_bytes(&r, 10).p == NULL);
    struct ipaddr ip;
    memset(&ip, 7, sizeof ip);
    get_ipaddr(&r, &ip);
    cr_assert(ipaddr_is_none(&ip));
    cr_assert(eq(int, reader_end(&r), MSA_EPROTO));
}

Test(codec, lengths_from_outside_are_not_believed)
{
    static const struct {
        struct view bytes;
        size_t max;
    } rows[] = {
        {{"\xff\xff\xff\xff" "abc", 7}, SIZE_MAX}, /* longer than what is there */
        {{"\4\0\0\0abc", 7}, 100},
        {{"\3\0\0\0abc", 7}, 2}, /* there, but over the field's maximum */
        {{"\3\0\0", 3}, 100},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reader r = reader_of(rows[i].bytes);
        cr_assert(get_bytes(&r, rows[i].max).p == NULL, "row %zu", i);
        cr_assert(eq(int, reader_end(&r), MSA_EPROTO));
    }
}

Test(codec, a_bool_is_zero_or_one)
{
    for (int n = 0; n < 256; n++) {
        char byte = (char)n;
        struct reader r = reader_of(view_of(&byte, 1));
        cr_assert(eq(int, get_bool(&r), n == 1));
        cr_assert(eq(int, reader_end(&r), n <= 1 ? MSA_OK : MSA_EPROTO));
    }
}

Test(codec, nothing_at_all)
{
    struct reader r = reader_of(VIEW_EMPTY);
    cr_assert(eq(int, reader_end(&r), MSA_OK));
    cr_assert(eq(u64, get_u64(&r), 0));
    cr_assert(eq(int, reader_end(&r), MSA_EPROTO));
}
