#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/view.h"

TestSuite(view, .timeout = 20);

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

Test(view, of_a_null_string_is_empty)
{
    cr_assert(view_cstr(NULL).n == 0);
    cr_assert(view_eq(view_cstr(""), VIEW_EMPTY));
    cr_assert(view_cstr("abc").n == 3);
    cr_assert(view_eq(VIEW_LIT("a\0b"), view_of("a\0b", 3)));
}

Test(view, slice_is_cut_to_the_length)
{
    static const struct {
        size_t from, to;
        const char *want;
    } rows[] = {
        {0, 5, "hello"}, {1, 3, "el"}, {0, 0, ""}, {5, 5, ""},
        {3, 99, "lo"},   {9, 99, ""},  {4, 2, ""}, {0, SIZE_MAX, "hello"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view got = view_slice(VIEW_LIT("hello"), rows[i].from, rows[i].to);
        cr_assert(view_eq(got, view_cstr(rows[i].want)), "row %zu: %.*s", i, (int)got.n, got.p);
    }
    cr_assert(view_slice(VIEW_EMPTY, 0, 10).n == 0);
}

Test(view, equality_and_prefixes)
{
    static const struct {
        const char *a, *b;
        bool eq, eq_nocase, prefix, prefix_nocase, suffix_nocase;
    } rows[] = {
        {"", "", true, true, true, true, true},
        {"abc", "abc", true, true, true, true, true},
        {"abc", "ABC", false, true, false, true, true},
        {"abc", "", false, false, true, true, true},
        {"", "a", false, false, false, false, false},
        {"MAIL FROM:<a>", "mail from:", false, false, false, true, false},
        {"MAIL FROM:<a>", "MAIL", false, false, true, true, false},
        {"a.Example.JP", ".example.jp", false, false, false, false, true},
        {"[", "{", false, false, false, false, false},     /* 0x20 apart, but no letters */
        {"\xc3\xa4", "\xc3\x84", false, false, false, false, false}, /* ASCII case only */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view a = view_cstr(rows[i].a), b = view_cstr(rows[i].b);
        cr_assert(view_eq(a, b) == rows[i].eq, "row %zu", i);
        cr_assert(view_eq_nocase(a, b) == rows[i].eq_nocase, "row %zu", i);
        cr_assert(view_has_prefix(a, b) == rows[i].prefix, "row %zu", i);
        cr_assert(view_has_prefix_nocase(a, b) == rows[i].prefix_nocase, "row %zu", i);
        cr_assert(view_has_suffix_nocase(a, b) == rows[i].suffix_nocase, "row %zu", i);
    }
    cr_assert(not(view_eq(VIEW_LIT("a\0b"), VIEW_LIT("a\0c"))));
}

Test(view, cmp_orders_by_bytes_then_by_length)
{
    static const char *const ascending[] = {"", "A", "AB", "B", "a", "\x7f", "\x80", "\xff"};
    const int n = (int)(sizeof ascending / sizeof ascending[0]);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            cr_assert(eq(int, sign(view_cmp(view_cstr(ascending[i]), view_cstr(ascending[j]))),
                         sign(i - j)));
}

Test(view, find_gives_the_length_when_absent)
{
    cr_assert(eq(sz, view_find(VIEW_LIT("a.b.c"), '.'), 1));
    cr_assert(eq(sz, view_find(VIEW_LIT("abc"), '.'), 3));
    cr_assert(eq(sz, view_find(VIEW_LIT("ab\0c"), '\0'), 2));
    cr_assert(eq(sz, view_find(VIEW_EMPTY, 'x'), 0));
}

Test(view, trim_takes_blanks_and_nothing_else)
{
    static const char *const rows[][2] = {
        {"", ""}, {" \t ", ""}, {" a b\t", "a b"}, {"\r\na", "\r\na"}, {"a", "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert(view_eq(view_trim(view_cstr(rows[i][0])), view_cstr(rows[i][1])), "row %zu", i);
}

Test(view, cut_walks_over_a_list)
{
    struct view rest = VIEW_LIT("a,,bc");
    cr_assert(view_eq(view_cut(&rest, ','), VIEW_LIT("a")));
    cr_assert(view_eq(view_cut(&rest, ','), VIEW_EMPTY));
    cr_assert(view_eq(view_cut(&rest, ','), VIEW_LIT("bc")));
    cr_assert(rest.n == 0);
    cr_assert(view_cut(&rest, ',').n == 0);
    struct view trailing = VIEW_LIT("a,");
    cr_assert(view_eq(view_cut(&trailing, ','), VIEW_LIT("a")));
    cr_assert(trailing.n == 0);
}

Test(view, parse_u64_takes_digits_up_to_the_maximum)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t want;
    } rows[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"007", 10, true, 7},
        {"255", 255, true, 255},
        {"256", 255, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"", 9, false, 0},
        {"-1", 9, false, 0},
        {"+1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x10", 99, false, 0},
        {"1e3", 9999, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t got = 4711;
        cr_assert(view_parse_u64(view_cstr(rows[i].text), rows[i].max, &got) == rows[i].ok,
                  "row %zu", i);
        cr_assert(eq(u64, got, rows[i].ok ? rows[i].want : 4711));
    }
}

Test(view, take_char_takes_only_what_stands_in_front)
{
    struct view v = VIEW_LIT("ab");
    cr_assert(not(view_take_char(&v, 'b')));
    cr_assert(eq(sz, v.n, 2));
    cr_assert(view_take_char(&v, 'a'));
    cr_assert(view_take_char(&v, 'b'));
    cr_assert(not(view_take_char(&v, '\0')), "nothing is left");
    cr_assert(eq(sz, v.n, 0));
}

Test(view, to_cstr_refuses_what_a_c_string_cannot_hold)
{
    char dst[4];
    cr_assert(view_to_cstr(VIEW_LIT("abc"), dst, sizeof dst));
    cr_assert(eq(str, dst, "abc"));
    cr_assert(not(view_to_cstr(VIEW_LIT("abcd"), dst, sizeof dst)));
    cr_assert(eq(str, dst, ""));
    memcpy(dst, "xyz", 4);
    cr_assert(not(view_to_cstr(VIEW_LIT("a\0b"), dst, sizeof dst)));
    cr_assert(eq(str, dst, ""));
    cr_assert(view_to_cstr(VIEW_EMPTY, dst, sizeof dst));
    cr_assert(not(view_to_cstr(VIEW_EMPTY, dst, 0)));
}
