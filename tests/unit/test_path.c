#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/path.h"

TestSuite(path, .timeout = 20);

Test(path, reads_paths)
{
    static const struct {
        const char *in;
        enum path_kind kind;
        const char *local, *domain, *canonical, *rest;
    } cases[] = {
        {"<>", PATH_REVERSE, "", "", "", ""},
        {"<> SIZE=1", PATH_REVERSE, "", "", "", " SIZE=1"},
        {"<taro@Example.JP>", PATH_REVERSE, "taro", "Example.JP", "taro@example.jp", ""},
        {"<Taro.Y+x@example.jp> RET=HDRS", PATH_REVERSE, "Taro.Y+x", "example.jp",
         "Taro.Y+x@example.jp", " RET=HDRS"},
        {"<Postmaster>", PATH_FORWARD, "Postmaster", "", "postmaster", ""},
        {"<postmaster@a.example>", PATH_FORWARD, "postmaster", "a.example",
         "postmaster@a.example", ""},
        {"<\"taro\"@example.jp>", PATH_FORWARD, "\"taro\"", "example.jp", "taro@example.jp", ""},
        {"<\"t\\a\\r.o\"@example.jp>", PATH_FORWARD, "\"t\\a\\r.o\"", "example.jp",
         "tar.o@example.jp", ""},
        {"<\"a b\"@example.jp>", PATH_FORWARD, "\"a b\"", "example.jp", "\"a b\"@example.jp", ""},
        {"<\"a@b>c\\\"\\\\\"@example.jp>", PATH_FORWARD, "\"a@b>c\\\"\\\\\"", "example.jp",
         "\"a@b>c\\\"\\\\\"@example.jp", ""},
        {"<\"\"@example.jp>", PATH_FORWARD, "\"\"", "example.jp", "\"\"@example.jp", ""},
        {"<\"a..b\"@example.jp>", PATH_FORWARD, "\"a..b\"", "example.jp", "\"a..b\"@example.jp",
         ""},
        {"<a@[192.0.2.1]>", PATH_FORWARD, "a", "[192.0.2.1]", "a@[192.0.2.1]", ""},
        {"<a@[IPv6:2001:DB8::1]>", PATH_FORWARD, "a", "[IPv6:2001:DB8::1]",
         "a@[IPv6:2001:db8::1]", ""},
        {"<\xe4\xba\x8c@\xe9\xbb\x92\xe5\xb7\x9d.\xe6\x97\xa5\xe6\x9c\xac>", PATH_FORWARD,
         "\xe4\xba\x8c", "\xe9\xbb\x92\xe5\xb7\x9d.\xe6\x97\xa5\xe6\x9c\xac",
         "\xe4\xba\x8c@xn--5rtw95l.xn--wgv71a", ""},
        {"<@hosta.int,@[IPv6:2001:db8::1]:a@b.example>", PATH_FORWARD, "a", "b.example",
         "a@b.example", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view in = view_cstr(cases[i].in);
        struct path p;
        char canonical[PATH_CANONICAL_SIZE];
        cr_assert_eq(path_parse(&in, cases[i].kind, 0, &p), MSA_OK, "%s", cases[i].in);
        cr_assert(view_eq(p.local, view_cstr(cases[i].local)), "%s", cases[i].in);
        cr_assert(view_eq(p.domain, view_cstr(cases[i].domain)), "%s", cases[i].in);
        cr_assert(view_eq(in, view_cstr(cases[i].rest)), "%s", cases[i].in);
        int n = path_canonical(&p, canonical);
        cr_assert_eq(n, (int)strlen(cases[i].canonical), "%s", cases[i].in);
        cr_assert_str_eq(canonical, cases[i].canonical);
    }
}

Test(path, refuses_bad_syntax_and_takes_nothing)
{
    static const struct {
        struct view in;
        enum path_kind kind;
    } cases[] = {
        {VIEW_LIT(""), PATH_REVERSE},
        {VIEW_LIT("<"), PATH_REVERSE},
        {VIEW_LIT("a@b"), PATH_REVERSE},
        {VIEW_LIT("<>"), PATH_FORWARD},
        {VIEW_LIT("< >"), PATH_REVERSE},
        {VIEW_LIT("<postmaster>"), PATH_REVERSE},
        {VIEW_LIT("<\"postmaster\">"), PATH_FORWARD},
        {VIEW_LIT("<@a.example:postmaster>"), PATH_FORWARD},
        {VIEW_LIT("<root>"), PATH_FORWARD},
        {VIEW_LIT("<a@>"), PATH_FORWARD},
        {VIEW_LIT("<@b>"), PATH_FORWARD},
        {VIEW_LIT("<a@b"), PATH_FORWARD},
        {VIEW_LIT("<a@b>SIZE=1"), PATH_FORWARD},
        {VIEW_LIT("<a@b>>"), PATH_FORWARD},
        {VIEW_LIT("<<a@b>>"), PATH_FORWARD},
        {VIEW_LIT("<a@b@c>"), PATH_FORWARD},
        {VIEW_LIT("<a b@c>"), PATH_FORWARD},
        {VIEW_LIT("<a..b@c>"), PATH_FORWARD},
        {VIEW_LIT("<.a@c>"), PATH_FORWARD},
        {VIEW_LIT("<a.@c>"), PATH_FORWARD},
        {VIEW_LIT("<a@c.>"), PATH_FORWARD},
        {VIEW_LIT("<a@b c>"), PATH_FORWARD},
        {VIEW_LIT("<a@b_c>"), PATH_FORWARD},
        {VIEW_LIT("<a(x)@b>"), PATH_FORWARD},
        {VIEW_LIT("<a,b@c>"), PATH_FORWARD},
        {VIEW_LIT("<\"a@b>"), PATH_FORWARD},
        {VIEW_LIT("<\"a\"b@c>"), PATH_FORWARD},
        {VIEW_LIT("<\"a\\\"@c>"), PATH_FORWARD},
        {VIEW_LIT("<\"a\0\"@c>"), PATH_FORWARD},
        {VIEW_LIT("<\"a\\\n\"@c>"), PATH_FORWARD},
        {VIEW_LIT("<\"a\\\xe3\x81\x82\"@c>"), PATH_FORWARD},
        {VIEW_LIT("<a\0@c>"), PATH_FORWARD},
        {VIEW_LIT("<\xe3\x81@c>"), PATH_FORWARD},
        {VIEW_LIT("<a@\xe3\x81>"), PATH_FORWARD},
        {VIEW_LIT("<a@192.0.2.1>"), PATH_FORWARD},
        {VIEW_LIT("<a@[192.0.2.1>"), PATH_FORWARD},
        {VIEW_LIT("<a@[192.0.2.1]x>"), PATH_FORWARD},
        {VIEW_LIT("<@a a@b>"), PATH_FORWARD},
        {VIEW_LIT("<@a,:a@b>"), PATH_FORWARD},
        {VIEW_LIT("<@a,b:a@b>"), PATH_FORWARD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view in = cases[i].in;
        struct path p;
        cr_assert_eq(path_parse(&in, cases[i].kind, 0, &p), MSA_EINVAL, "case %zu", i);
        cr_assert_eq(in.n, cases[i].in.n, "case %zu", i);
    }
}

/* Cut off anywhere, a path is an error and nothing is read behind the cut (the sanitizer
 * watches). */
Test(path, survives_every_cut)
{
    static const char whole[] = "<@a.example,@[192.0.2.1]:\"q \\\" s\"@\xe9\xbb\x92.example>";
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char *piece = malloc(n ? n : 1);
        memcpy(piece, whole, n);
        struct view in = view_of(piece, n);
        struct path p;
        cr_assert_lt(path_parse(&in, PATH_FORWARD, 0, &p), 0, "cut at %zu", n);
        free(piece);
    }
}

Test(path, tells_routes_literals_and_utf8)
{
    struct view routed = VIEW_LIT("<@a.example:b@c.example>");
    struct view literal = VIEW_LIT("<b@[192.0.2.1]>");
    struct view utf8 = VIEW_LIT("<\"\xc3\xa9 x\"@c.example>");
    struct path p;
    struct view in = routed;
    cr_assert_eq(path_parse(&in, PATH_REVERSE, PATH_REFUSE_ROUTE, &p), MSA_EINVAL);
    cr_assert_eq(path_parse(&routed, PATH_REVERSE, 0, &p), MSA_OK);
    cr_assert(p.had_route && !p.is_literal && !p.is_utf8 && !p.is_null);
    cr_assert(view_eq(p.address, VIEW_LIT("b@c.example")));
    cr_assert_eq(path_parse(&literal, PATH_REVERSE, PATH_REFUSE_ROUTE, &p), MSA_OK);
    cr_assert(!p.had_route && p.is_literal && !p.is_utf8);
    cr_assert_eq(path_parse(&utf8, PATH_REVERSE, 0, &p), MSA_OK);
    cr_assert(p.is_utf8);
}

static int parse_sized(size_t local_n, const char *local_char, size_t domain_n)
{
    char text[1024];
    size_t unit = strlen(local_char), n = 0;
    text[n++] = '<';
    for (size_t i = 0; i < local_n; i++, n += unit)
        memcpy(text + n, local_char, unit);
    text[n++] = '@';
    for (size_t i = 0; i < domain_n; i++)
        text[n++] = i % 50 == 49 && i + 1 < domain_n ? '.' : 'd';
    text[n++] = '>';
    struct view in = view_of(text, n);
    struct path p;
    return path_parse(&in, PATH_FORWARD, 0, &p);
}

Test(path, holds_the_lengths)
{
    cr_assert_eq(parse_sized(64, "l", 189), MSA_OK); /* 256 with brackets and @ */
    cr_assert_eq(parse_sized(64, "l", 190), MSA_ETOOBIG);
    cr_assert_eq(parse_sized(65, "l", 10), MSA_ETOOBIG);
    cr_assert_eq(parse_sized(1, "l", 252), MSA_OK);
    cr_assert_eq(parse_sized(64, "\xe3\x81\x82", 200), MSA_OK);
    cr_assert_eq(parse_sized(65, "\xe3\x81\x82", 10), MSA_ETOOBIG);
    cr_assert_eq(parse_sized(64, "\xf0\x9f\x92\x8c", 253), MSA_OK); /* 512 octets */
    cr_assert_eq(parse_sized(64, "\xf0\x9f\x92\x8c", 254), MSA_ETOOBIG);
    cr_assert_eq(parse_sized(200, "\xf0\x9f\x92\x8c", 10), MSA_ETOOBIG);
}

static bool same_address(const char *a, const char *b)
{
    struct path left, right;
    cr_assert_eq(path_parse_address(view_cstr(a), &left), MSA_OK, "%s", a);
    cr_assert_eq(path_parse_address(view_cstr(b), &right), MSA_OK, "%s", b);
    return path_eq(&left, &right);
}

Test(path, compares_by_meaning)
{
    cr_assert(same_address("a@b.example", "a@B.EXAMPLE"));
    cr_assert(same_address("a@b.example", "\"a\"@b.example"));
    cr_assert(same_address("a.b@b.example", "\"\\a.b\"@b.example"));
    cr_assert(same_address("a@b\xc3\xbc""cher.example", "a@xn--bcher-kva.example"));
    cr_assert(same_address("a@[192.0.2.1]", "a@[IPv6:::ffff:192.0.2.1]"));
    cr_assert_not(same_address("a@b.example", "A@b.example"));
    cr_assert_not(same_address("a@b.example", "a@c.example"));
    cr_assert_not(same_address("a@b.example", "\"a \"@b.example"));
    cr_assert_not(same_address("\"a@b.example\"@c.example", "a@b.example"));
}

Test(path, reads_addresses_without_brackets)
{
    static const char *const bad[] = {
        "", "a", "postmaster", "<a@b>", "a@b ", " a@b", "a@b>", "@a:b@c", "a@b,c@d", "a@",
    };
    struct path p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(path_parse_address(view_cstr(bad[i]), &p), MSA_EINVAL, "%s", bad[i]);
    cr_assert_eq(path_parse_address(VIEW_LIT("a@b.example"), &p), MSA_OK);
    cr_assert(view_eq(p.address, VIEW_LIT("a@b.example")));
}

Test(path, stray_dots_are_taken_where_asked_for)
{
    static const struct {
        const char *in;
        bool is_taken, has_stray_dots;
    } cases[] = {
        {"<a..b@c.example>", true, true}, {"<a.@c.example>", true, true},  {"<.a@c.example>", true, true},
        {"<a.b@c.example>", true, false}, {"<\"a..b\"@c.example>", true, false},
        {"<.@c.example>", false, false},  {"<..@c.example>", false, false}, {"<@c.example>", false, false},
        {"<a..b>", false, false},         {"<a. b@c.example>", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view in = view_cstr(cases[i].in);
        struct path p;
        cr_assert_eq(path_parse(&in, PATH_FORWARD, PATH_STRAY_DOTS, &p) == MSA_OK, cases[i].is_taken, "%s", cases[i].in);
        cr_assert(!cases[i].is_taken || p.has_stray_dots == cases[i].has_stray_dots, "%s", cases[i].in);
    }
}

Test(path, stray_dots_in_and_out_of_quotes_are_one_address)
{
    struct view in = VIEW_LIT("<a..b.@C.example>"), quoted = VIEW_LIT("<\"a..b.\"@c.example>");
    struct path a, b;
    cr_assert_eq(path_parse(&in, PATH_FORWARD, PATH_STRAY_DOTS, &a), MSA_OK);
    cr_assert_eq(path_parse(&quoted, PATH_FORWARD, 0, &b), MSA_OK);
    cr_assert(path_eq(&a, &b));
}
