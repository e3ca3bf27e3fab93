/* The registrable domain of a host name. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/mail/registrable.h"

TestSuite(registrable, .timeout = 20);

static const struct vector {
    const char *host;
    const char *domain;
} vectors[] = {
    {"example.com", "example.com"},
    {"WWW.Example.COM", "example.com"},
    {"a.b.shop.example.co.jp", "example.co.jp"},
    {"example.tokyo.jp", "example.tokyo.jp"},
    {"taro.github.io", "taro.github.io"}, /* each is somebody else's */
    {"co.jp", "co.jp"},
    {"localhost", "localhost"},
    {"192.0.2.1", "192.0.2.1"},
    {"2001:db8::1", "2001:db8::1"},
    {"xn--wgv71a119e.jp", "xn--wgv71a119e.jp"},
    {".", "."},
    {"..", ".."},
};

Test(registrable, hosts_give_their_domain)
{
    char out[DOMAIN_SIZE];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_expect(registrable_domain(view_cstr(vectors[i].host), out));
        cr_expect_str_eq(out, vectors[i].domain, "%s: %s", vectors[i].host, out);
    }
}

Test(registrable, what_is_no_host_gives_nothing)
{
    char out[DOMAIN_SIZE] = "x", long_one[400];
    memset(long_one, 'a', sizeof long_one);
    cr_expect_not(registrable_domain(VIEW_EMPTY, out));
    cr_expect_str_empty(out);
    cr_expect_not(registrable_domain(view_of(long_one, sizeof long_one), out));
    cr_expect_str_empty(out);
    cr_expect_not(registrable_domain(view_of("a\0b.com", 7), out));
}
