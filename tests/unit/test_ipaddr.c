#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "msa/base/ipaddr.h"

TestSuite(ipaddr, .timeout = 20);

static struct ipaddr addr(const char *text)
{
    struct ipaddr a = {{0}};
    cr_assert(ipaddr_parse(view_cstr(text), &a), "%s", text);
    return a;
}

static struct ipprefix prefix(const char *text)
{
    struct ipprefix p = {.bits = 0};
    cr_assert(ipprefix_parse(view_cstr(text), &p), "%s", text);
    return p;
}

Test(ipaddr, addresses_in_and_out)
{
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:201", "192.0.2.1"},
        {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"::1", "::1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[IPADDR_TEXT_MAX];
        struct ipaddr a = addr(rows[i][0]);
        ipaddr_format(&a, text);
        cr_assert(eq(str, text, (char *)rows[i][1]));
    }
}

Test(ipaddr, what_is_no_address)
{
    static const char *const rows[] = {
        "",          " 192.0.2.1", "192.0.2.1 ",  "192.0.2",   "192.0.2.256", "192.0.2.01",
        "192.0.2.1.1", "0x7f.0.0.1", "2130706433", "127.1",     ":::",         "1::2::3",
        "[::1]",     "fe80::1%1",  "::1/128",     "::ffff:192.0.2.256",       "g::1",
        "1:2:3:4:5:6:7:8:9", "192.0.2.1:25", "localhost", "-1.0.0.0",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ipaddr a = {{7}};
        cr_assert(not(ipaddr_parse(view_cstr(rows[i]), &a)), "%s", rows[i]);
        cr_assert(a.bytes[0] == 7, "%s", rows[i]);
    }
    struct ipaddr a;
    cr_assert(not(ipaddr_parse(VIEW_LIT("::1\0"), &a)));
}

Test(ipaddr, kinds)
{
    static const struct {
        const char *text;
        bool v4, none, loopback;
    } rows[] = {
        {"127.0.0.1", true, false, true},        {"127.255.0.9", true, false, true},
        {"128.0.0.1", true, false, false},       {"::1", false, false, true},
        {"::ffff:127.0.0.1", true, false, true}, {"::", false, true, false},
        {"0.0.0.0", true, false, false},         {"::2", false, false, false},
        {"::127.0.0.1", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ipaddr a = addr(rows[i].text);
        cr_assert(ipaddr_is_v4(&a) == rows[i].v4, "%s", rows[i].text);
        cr_assert(ipaddr_is_none(&a) == rows[i].none, "%s", rows[i].text);
        cr_assert(ipaddr_is_loopback(&a) == rows[i].loopback, "%s", rows[i].text);
    }
}

Test(ipaddr, sockaddr_there_and_back)
{
    static const char *const rows[] = {"192.0.2.1", "2001:db8::7"};
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage ss;
        struct ipaddr a = addr(rows[i]), back;
        uint16_t port = 0;
        socklen_t len = ipaddr_to_sockaddr(&a, 587, &ss);
        cr_assert(eq(sz, len, i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)));
        cr_assert(ipaddr_from_sockaddr((struct sockaddr *)&ss, &back, &port));
        cr_assert(ipaddr_eq(&a, &back));
        cr_assert(eq(u16, port, 587));
    }
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct ipaddr a;
    uint16_t port;
    cr_assert(not(ipaddr_from_sockaddr((struct sockaddr *)&un, &a, &port)));
}

Test(ipaddr, a_mapped_peer_of_a_v6_socket_is_the_v4_address)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = 3};
    struct ipaddr got, want = addr("203.0.113.9");
    uint16_t port;
    inet_pton(AF_INET6, "::ffff:203.0.113.9", &in6.sin6_addr);
    cr_assert(ipaddr_from_sockaddr((struct sockaddr *)&in6, &got, &port));
    cr_assert(ipaddr_eq(&got, &want));
}

Test(ipaddr, prefixes_in_and_out)
{
    static const char *const rows[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},       {"192.0.2.1", "192.0.2.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},         {"::/0", "::/0"},
        {"2001:db8::/32", "2001:db8::/32"}, {"2001:db8::1", "2001:db8::1/128"},
        {"192.0.2.128/25", "192.0.2.128/25"}, {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[IPPREFIX_TEXT_MAX];
        struct ipprefix p = prefix(rows[i][0]);
        ipprefix_format(&p, text);
        cr_assert(eq(str, text, (char *)rows[i][1]));
    }
}

Test(ipaddr, what_is_no_prefix)
{
    static const char *const rows[] = {
        "10.0.0.1/8", "192.0.2.0/33", "::/129", "2001:db8::1/32", "10.0.0.0/", "/8",
        "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "10/8", "", "0.0.0.1/0",
        "10.0.0.0/99999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ipprefix p = {.bits = 77};
        cr_assert(not(ipprefix_parse(view_cstr(rows[i]), &p)), "%s", rows[i]);
        cr_assert(p.bits == 77, "%s", rows[i]);
    }
}

Test(ipaddr, prefixes_contain)
{
    static const struct {
        const char *prefix, *addr;
        bool want;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", true},   {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},  {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},  {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},      {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false}, {"::/0", "2001:db8::1", true},
        {"::1", "::1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ipprefix p = prefix(rows[i].prefix);
        struct ipaddr a = addr(rows[i].addr);
        cr_assert(ipprefix_contains(&p, &a) == rows[i].want, "%s in %s", rows[i].addr,
                  rows[i].prefix);
    }
}

Test(ipaddr, the_network_of_an_address)
{
    static const struct {
        const char *addr;
        unsigned v4, v6;
        const char *want;
    } rows[] = {
        {"192.0.2.77", 24, 64, "192.0.2.0/24"},
        {"192.0.2.77", 32, 64, "192.0.2.77/32"},
        {"192.0.2.77", 0, 64, "0.0.0.0/0"},
        {"2001:db8:1:2:3:4:5:6", 24, 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3:4:5:6", 24, 56, "2001:db8:1::/56"},
        {"2001:db8:1:ff:3:4:5:6", 24, 57, "2001:db8:1:80::/57"},
        {"2001:db8::1", 24, 128, "2001:db8::1/128"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[IPPREFIX_TEXT_MAX];
        struct ipaddr a = addr(rows[i].addr);
        struct ipprefix p = ipaddr_network(&a, rows[i].v4, rows[i].v6);
        ipprefix_format(&p, text);
        cr_assert(eq(str, text, (char *)rows[i].want));
        cr_assert(ipprefix_contains(&p, &a));
    }
}
