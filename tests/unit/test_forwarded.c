/* Who asks, by the word of proxies: spoofing, chains, odd forms. */
#include <criterion/criterion.h>

#include "msa/console/forwarded.h"

TestSuite(forwarded, .timeout = 20);

static void expect_by(enum config_proxy_header which, const char *peer, const char *header, const char *wanted)
{
    struct ipprefix proxies[3];
    struct config_console config = {.trusted_proxies = {proxies, 3}, .proxy_header = which};
    struct ipaddr from, expected;
    char shown[IPADDR_TEXT_MAX];
    cr_assert(ipprefix_parse(VIEW_LIT("127.0.0.1"), &proxies[0]));
    cr_assert(ipprefix_parse(VIEW_LIT("10.0.0.0/8"), &proxies[1]));
    cr_assert(ipprefix_parse(VIEW_LIT("2001:db8:1::/48"), &proxies[2]));
    cr_assert(ipaddr_parse(view_cstr(peer), &from));
    cr_assert(ipaddr_parse(view_cstr(wanted), &expected));
    struct ipaddr found = forwarded_client(&config, &from, view_cstr(header));
    ipaddr_format(&found, shown);
    cr_assert(ipaddr_eq(&found, &expected), "%s by %s: %s", header, peer, shown);
}

static void expect(const char *peer, const char *header, const char *wanted)
{
    expect_by(CONFIG_PROXY_X_FORWARDED_FOR, peer, header, wanted);
}

Test(forwarded, only_a_listed_proxy_is_believed)
{
    expect("127.0.0.1", "192.0.2.1", "192.0.2.1");
    expect("192.0.2.66", "192.0.2.1", "192.0.2.66");
    expect("127.0.0.2", "192.0.2.1", "127.0.0.2");
    expect("127.0.0.1", "", "127.0.0.1");
}

Test(forwarded, what_the_client_wrote_before_is_believed_by_nobody)
{
    expect("127.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1");
    expect("127.0.0.1", "127.0.0.1, 192.0.2.1", "192.0.2.1");
    expect("127.0.0.1", "203.0.113.9, 192.0.2.1, 10.1.2.3", "192.0.2.1");
    expect("127.0.0.1", "10.9.9.9, 192.0.2.1, 10.1.2.3", "192.0.2.1");
    expect("127.0.0.1", "10.1.1.1,10.1.1.2", "10.1.1.1");
}

Test(forwarded, what_cannot_be_read_ends_it)
{
    expect("127.0.0.1", "192.0.2.1, nonsense", "127.0.0.1");
    expect("127.0.0.1", "192.0.2.1, unknown, 10.0.0.1", "10.0.0.1");
    expect("127.0.0.1", "192.0.2.1,", "127.0.0.1");
    expect("127.0.0.1", "::", "127.0.0.1");
    expect("127.0.0.1", ",,,", "127.0.0.1");
}

Test(forwarded, ports_and_brackets_are_understood)
{
    expect("127.0.0.1", "192.0.2.1:4711", "192.0.2.1");
    expect("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7");
    expect("127.0.0.1", "2001:db8::7", "2001:db8::7");
    expect("2001:db8:1::5", "::ffff:192.0.2.1", "192.0.2.1");
    expect("127.0.0.1", "\"192.0.2.1\"", "192.0.2.1");
    expect("127.0.0.1", "[", "127.0.0.1");
    expect("127.0.0.1", "\"", "127.0.0.1");
}

Test(forwarded, the_standards_field_is_read_where_it_is_configured)
{
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "for=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1");
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "proto=http; For=\"[2001:db8::7]:80\"", "2001:db8::7");
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "for=203.0.113.9, for=192.0.2.1, for=10.0.0.2", "192.0.2.1");
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "for=192.0.2.1;for=203.0.113.9", "127.0.0.1");
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "for=_hidden", "127.0.0.1");
    expect_by(CONFIG_PROXY_FORWARDED, "127.0.0.1", "192.0.2.1", "127.0.0.1");
    expect("127.0.0.1", "for=192.0.2.1", "127.0.0.1");
}
