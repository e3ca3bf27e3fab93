/* Whom a proxy speaks for: nobody without a listed proxy; what stands before the part that names the client changes
 * nothing; and who is named stands in the field, or has connected. */
#include <string.h>

#include "msa/console/forwarded.h"
#include "tests/fuzz/fuzz.h"

static struct ipaddr address(const char *text)
{
    struct ipaddr ip;
    must(ipaddr_parse(view_cstr(text), &ip));
    return ip;
}

static void check(enum config_proxy_header which, struct view header)
{
    struct ipprefix proxies[2];
    const struct config_console config = {.trusted_proxies = {proxies, 2}, .proxy_header = which};
    const struct ipaddr proxy = address("10.0.0.1"), stranger = address("192.0.2.66");
    must(ipprefix_parse(VIEW_LIT("10.0.0.0/8"), &proxies[0]) && ipprefix_parse(VIEW_LIT("2001:db8:1::/48"), &proxies[1]));

    struct ipaddr of_stranger = forwarded_client(&config, &stranger, header);
    must(ipaddr_eq(&of_stranger, &stranger));

    struct ipaddr found = forwarded_client(&config, &proxy, header);
    must(!ipaddr_is_none(&found));

    /* A proxy adds the client behind all that the client has written, and is believed. */
    char longer[4096];
    static const char *const added[] = {
        [CONFIG_PROXY_X_FORWARDED_FOR] = ", 192.0.2.66", [CONFIG_PROXY_FORWARDED] = ", for=\"192.0.2.66:25\";proto=https"};
    size_t n = strlen(added[which]);
    if (header.n + n > sizeof longer)
        return;
    if (header.n > 0)
        memcpy(longer, header.p, header.n);
    memcpy(longer + header.n, added[which], n);
    found = forwarded_client(&config, &proxy, view_of(longer, header.n + n));
    must(ipaddr_eq(&found, &stranger));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(CONFIG_PROXY_X_FORWARDED_FOR, fuzz_view(data, size));
    check(CONFIG_PROXY_FORWARDED, fuzz_view(data, size));
    return 0;
}
