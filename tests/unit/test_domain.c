#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/domain.h"

TestSuite(domain, .timeout = 20);

Test(domain, has_one_canonical_form)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"Example.JP", "example.jp"},
        {"localhost", "localhost"},
        {"a-b.1x.example", "a-b.1x.example"},
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"b\xc3\xbc""cher.example", "xn--bcher-kva.example"},
        {"B\xc3\x9c""CHER.example", "xn--bcher-kva.example"},
        {"fa\xc3\x9f.example", "xn--fa-hia.example"}, /* not "fass": IDNA2008 */
        {"\xe9\xbb\x92\xe5\xb7\x9d.\xe6\x97\xa5\xe6\x9c\xac", "xn--5rtw95l.xn--wgv71a"},
        {"\xef\xbc\xa1\xef\xbd\x82.example", "ab.example"}, /* full width */
        {"a\xe3\x80\x82""example", "a.example"},             /* ideographic full stop */
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"[IPv6:2001:DB8:0::1]", "[IPv6:2001:db8::1]"},
        {"[ipv6:::ffff:192.0.2.1]", "[192.0.2.1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[DOMAIN_SIZE];
        int n = domain_canonical(view_cstr(cases[i].in), out);
        cr_assert_eq(n, (int)strlen(cases[i].want), "%s: %d", cases[i].in, n);
        cr_assert_str_eq(out, cases[i].want);
    }
}

Test(domain, refuses_what_is_no_name)
{
    static const char *const bad[] = {
        "",
        ".",
        ".a",
        "a.",
        "a..b",
        "-a.b",
        "a-.b",
        "a_b.example",
        "a\xc3\xa4_b.example", /* libidn2 with STD3 would drop the underscore */
        "a b",
        "a/b",
        "\xe2\x84\x80.example", /* U+2100 maps to "a/c" */
        "192.0.2.1",
        "a.1",
        "\xc3.example",
        "a\x01",
        "[192.0.2.256]",
        "[192.0.2.1",
        "[]",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[x400:a]",
        "[IPv6:fe80::1%eth0]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[DOMAIN_SIZE];
        cr_assert_eq(domain_canonical(view_cstr(bad[i]), out), MSA_EINVAL, "%s", bad[i]);
    }
    char out[DOMAIN_SIZE];
    cr_assert_eq(domain_canonical(VIEW_LIT("a\0b"), out), MSA_EINVAL);
}

Test(domain, knows_its_limits)
{
    char name[300], out[DOMAIN_SIZE];
    memset(name, 'a', sizeof name);
    cr_assert(domain_is_ldh(view_of(name, 63)));
    cr_assert_not(domain_is_ldh(view_of(name, 64)));
    for (size_t i = 50; i < sizeof name; i += 50)
        name[i] = '.';
    cr_assert_eq(domain_to_ascii(view_of(name, DOMAIN_MAX), out), DOMAIN_MAX);
    cr_assert_eq(domain_to_ascii(view_of(name, DOMAIN_MAX + 1), out), MSA_ETOOBIG);

    char wide[1200]; /* one label of U-label characters after the other */
    for (size_t i = 0; i + 3 <= sizeof wide; i += 3)
        memcpy(wide + i, i % 60 == 57 ? "\xe3\x80\x82" : "\xe3\x81\x82", 3);
    cr_assert_eq(domain_to_ascii(view_of(wide, 1200), out), MSA_ETOOBIG);
    cr_assert_lt(domain_to_ascii(view_of(wide, 957), out), 0);
    cr_assert_gt(domain_to_ascii(view_of(wide, 177), out), 0);
}
