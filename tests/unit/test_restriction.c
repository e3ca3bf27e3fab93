#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "policy/engine/event.h"
#include "policy/restriction.h"

TestSuite(restriction, .timeout = 20);

static struct restriction example(void)
{
    return (struct restriction){
        .kind = RESTRICTION_SUSPENDED,
        .id = 77,
        .account = 7,
        .at_ms = 1780000000000,
        .last_ms = 1780000000001,
        .times = 3,
        .country = country_code(VIEW_LIT("US")),
        .login = VIEW_LIT("taro@example.jp"),
        .rule = VIEW_LIT("four-countries"),
        .because = VIEW_LIT("signed in from four countries within a day"),
        .grounds = VIEW_LIT("US 2026-06-01T01:02Z, JP 2026-06-01T00:02Z"),
        .source = VIEW_LIT("192.0.2.1"),
        .told = VIEW_LIT("please contact the support desk"),
        .release_note = VIEW_LIT("\xe9\x9b\xbb\xe8\xa9\xb1"),
    };
}

static void encode(const struct restriction *r, struct buf *out)
{
    buf_init(out, 2 * RESTRICTION_BYTES_MAX);
    cr_assert_eq(restriction_encode(r, out), MSA_OK);
}

Test(restriction, survives_the_form_on_disk)
{
    struct restriction r = example(), back;
    struct buf bytes;
    encode(&r, &bytes);
    cr_assert_eq(restriction_decode(buf_view(&bytes), &back), MSA_OK);
    cr_assert_eq(back.kind, r.kind);
    cr_assert_eq(back.id, 77);
    cr_assert_eq(back.account, 7);
    cr_assert_eq(back.at_ms, r.at_ms);
    cr_assert_eq(back.last_ms, r.last_ms);
    cr_assert_eq(back.times, 3);
    cr_assert_eq(back.country, r.country);
    cr_assert(view_eq(back.login, r.login));
    cr_assert(view_eq(back.grounds, r.grounds));
    cr_assert(view_eq(back.release_note, r.release_note));
    cr_assert(view_eq(back.released_by, VIEW_EMPTY));
    buf_fini(&bytes);
}

Test(restriction, every_cut_and_every_longer_record_is_damaged)
{
    struct restriction r = example(), back;
    struct buf bytes;
    encode(&r, &bytes);
    for (size_t n = 0; n < buf_len(&bytes); n++)
        cr_assert_eq(restriction_decode(view_slice(buf_view(&bytes), 0, n), &back),
                     MSA_ECORRUPT);
    buf_add_char(&bytes, 'x');
    cr_assert_eq(restriction_decode(buf_view(&bytes), &back), MSA_ECORRUPT);
    buf_fini(&bytes);
}

Test(restriction, of_an_unknown_version_or_kind_is_damaged)
{
    struct restriction r = example(), back;
    struct buf bytes;
    char copy[RESTRICTION_BYTES_MAX];
    encode(&r, &bytes);
    size_t n = buf_len(&bytes);
    memcpy(copy, buf_view(&bytes).p, n);
    copy[0]++;
    cr_assert_eq(restriction_decode(view_of(copy, n), &back), MSA_ECORRUPT);
    copy[0]--;
    copy[1] = RESTRICTION_KIND_COUNT;
    cr_assert_eq(restriction_decode(view_of(copy, n), &back), MSA_ECORRUPT);
    buf_fini(&bytes);
}

Test(restriction, texts_are_cleaned_and_cut_between_characters)
{
    struct restriction r = example(), back;
    struct buf bytes;
    char text[RESTRICTION_TEXT_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text + RESTRICTION_TEXT_MAX - 1, "\xe9\x9b\xbb", 3);
    text[0] = '\n';
    r.grounds = view_of(text, sizeof text);
    encode(&r, &bytes);
    cr_assert_eq(restriction_decode(buf_view(&bytes), &back), MSA_OK);
    cr_assert_eq(back.grounds.n, RESTRICTION_TEXT_MAX - 1);
    cr_assert_eq(back.grounds.p[0], ' ');
    json_t *o = restriction_json(&back, r.at_ms);
    cr_assert_not_null(json_object_get(o, "grounds"));
    json_decref(o);
    buf_fini(&bytes);
}

Test(restriction, stands_until_it_is_released_or_its_time_is_over)
{
    struct restriction r = example();
    cr_assert(restriction_is_standing(&r, r.at_ms + 1));
    r.until_ms = r.at_ms + 10;
    cr_assert(restriction_is_standing(&r, r.at_ms + 9));
    cr_assert_not(restriction_is_standing(&r, r.at_ms + 10));
    r.until_ms = 0;
    r.released_ms = 1;
    cr_assert_not(restriction_is_standing(&r, r.at_ms + 1));
    r = example();
    r.kind = RESTRICTION_LIMITED;
    cr_assert_not(restriction_is_standing(&r, r.at_ms + 1), "that was of one message");
}

Test(restriction, json_says_what_the_support_desk_asks)
{
    struct restriction r = example();
    json_t *o = restriction_json(&r, r.at_ms);
    cr_assert_str_eq(json_string_value(json_object_get(o, "kind")), "suspended");
    cr_assert_str_eq(json_string_value(json_object_get(o, "country")), "US");
    cr_assert_str_eq(json_string_value(json_object_get(o, "login")), "taro@example.jp");
    cr_assert(json_is_true(json_object_get(o, "standing")));
    cr_assert_null(json_object_get(o, "released_by"));
    json_decref(o);
}
