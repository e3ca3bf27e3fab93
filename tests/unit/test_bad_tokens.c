#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "msa/console/bad_tokens.h"

TestSuite(bad_tokens, .timeout = 20);

static struct bad_tokens all = {.key = 7};

static struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

static void note(const char *text, unsigned count, int64_t now_ms)
{
    struct ipaddr a = ip(text);
    while (count-- > 0)
        (void)bad_tokens_note(&all, &a, now_ms);
}

static uint32_t wait_s(const char *text, int64_t now_ms)
{
    struct ipaddr a = ip(text);
    return bad_tokens_wait_s(&all, &a, now_ms);
}

Test(bad_tokens, an_address_has_so_many_in_a_minute)
{
    struct ipaddr a = ip("192.0.2.1");
    for (int i = 1; i < BAD_TOKENS_MAX; i++)
        cr_assert_not(bad_tokens_note(&all, &a, 1000));
    cr_assert_eq(wait_s("192.0.2.1", 1000), 0);
    cr_assert(bad_tokens_note(&all, &a, 2000), "it is said once");
    cr_assert_not(bad_tokens_note(&all, &a, 2000));
    cr_assert_eq(wait_s("192.0.2.1", 2000), 59);
    cr_assert_eq(wait_s("192.0.2.1", 1000 + BAD_TOKENS_WINDOW_MS - 1), 1);
    cr_assert_eq(wait_s("192.0.2.1", 1000 + BAD_TOKENS_WINDOW_MS), 0);
    cr_assert_eq(wait_s("192.0.2.2", 2000), 0);
    note("192.0.2.1", 1, 1000 + BAD_TOKENS_WINDOW_MS);
    cr_assert_eq(wait_s("192.0.2.1", 1000 + BAD_TOKENS_WINDOW_MS), 0, "it began anew");
}

Test(bad_tokens, a_network_of_ipv6_is_one_and_mapped_addresses_are_ipv4)
{
    note("2001:db8::1", BAD_TOKENS_MAX, 0);
    cr_assert_gt(wait_s("2001:db8::ffff:1", 0), 0);
    cr_assert_eq(wait_s("2001:db8:0:1::1", 0), 0);
    note("::ffff:192.0.2.9", BAD_TOKENS_MAX, 0);
    cr_assert_gt(wait_s("192.0.2.9", 0), 0);
}

Test(bad_tokens, nobodys_address_is_not_counted)
{
    struct ipaddr none = {{0}};
    for (int i = 0; i < 2 * BAD_TOKENS_MAX; i++)
        cr_assert_not(bad_tokens_note(&all, &none, 0));
    cr_assert_eq(bad_tokens_wait_s(&all, &none, 0), 0);
}

Test(bad_tokens, many_addresses_push_the_oldest_out_and_no_more)
{
    char text[32];
    note("192.0.2.1", BAD_TOKENS_MAX, 100);
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        note(text, 1, 50);
    }
    cr_assert_gt(wait_s("192.0.2.1", 100), 0, "those that began before it went first");
}
