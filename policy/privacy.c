#include "policy/privacy.h"

#include <inttypes.h>
#include <stdio.h>

#include "msa/base/table.h"

static void put_network(const struct policy *p, const struct ipaddr *ip,
                        char out[PRIVACY_SOURCE_MAX])
{
    char text[IPADDR_TEXT_MAX];
    struct ipprefix n =
        ipaddr_network(ip, p->rules->v4_network_bits, p->rules->v6_network_bits);
    ipaddr_format(&n.addr, text);
    snprintf(out, PRIVACY_SOURCE_MAX, "%s/%u", text,
             ipaddr_is_v4(ip) ? p->rules->v4_network_bits : p->rules->v6_network_bits);
}

void privacy_source(const struct policy *p, const struct ipaddr *ip,
                    char out[PRIVACY_SOURCE_MAX])
{
    char text[IPADDR_TEXT_MAX];
    switch (p->config->privacy.addresses) {
    case CONFIG_ADDRESSES_FULL:
        ipaddr_format(ip, text);
        snprintf(out, PRIVACY_SOURCE_MAX, "%s", text);
        return;
    case CONFIG_ADDRESSES_NETWORK:
        put_network(p, ip, out);
        return;
    case CONFIG_ADDRESSES_HASH:
        break;
    }
    snprintf(out, PRIVACY_SOURCE_MAX, "#%016" PRIx64,
             siphash13(p->hash_key, ip->bytes, sizeof ip->bytes));
}
