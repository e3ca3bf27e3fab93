#include "msa/base/ipaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/assert.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
#define V4_OFFSET 12
#define V4_BITS   96 /* of the mapped form, before the 32 of the address */

bool ipaddr_is_v4(const struct ipaddr *a)
{
    return memcmp(a->bytes, v4_mapped, sizeof v4_mapped) == 0;
}

bool ipaddr_is_none(const struct ipaddr *a)
{
    static const struct ipaddr none;
    return ipaddr_eq(a, &none);
}

bool ipaddr_is_loopback(const struct ipaddr *a)
{
    static const struct ipaddr v6_loopback = {{[15] = 1}};
    return ipaddr_is_v4(a) ? a->bytes[V4_OFFSET] == 127 : ipaddr_eq(a, &v6_loopback);
}

bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void set_v4(struct ipaddr *out, const void *four_bytes)
{
    memcpy(out->bytes, v4_mapped, sizeof v4_mapped);
    memcpy(out->bytes + V4_OFFSET, four_bytes, 4);
}

bool ipaddr_parse(struct view text, struct ipaddr *out)
{
    char cstr[IPADDR_TEXT_MAX];
    uint8_t bytes[16];
    if (!view_to_cstr(text, cstr, sizeof cstr))
        return false;
    if (inet_pton(AF_INET, cstr, bytes) == 1)
        set_v4(out, bytes);
    else if (inet_pton(AF_INET6, cstr, bytes) == 1)
        memcpy(out->bytes, bytes, sizeof bytes);
    else
        return false;
    return true;
}

void ipaddr_format(const struct ipaddr *a, char out[IPADDR_TEXT_MAX])
{
    const char *text = ipaddr_is_v4(a)
                           ? inet_ntop(AF_INET, a->bytes + V4_OFFSET, out, IPADDR_TEXT_MAX)
                           : inet_ntop(AF_INET6, a->bytes, out, IPADDR_TEXT_MAX);
    MSA_ASSERT(text != NULL);
}

bool ipaddr_from_sockaddr(const struct sockaddr *sa, struct ipaddr *out, uint16_t *port_out)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        set_v4(out, &in.sin_addr);
        *port_out = ntohs(in.sin_port);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        memcpy(out->bytes, &in6.sin6_addr, sizeof out->bytes);
        *port_out = ntohs(in6.sin6_port);
    } else {
        return false;
    }
    return true;
}

socklen_t ipaddr_to_sockaddr(const struct ipaddr *a, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (ipaddr_is_v4(a)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&in.sin_addr, a->bytes + V4_OFFSET, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&in6.sin6_addr, a->bytes, sizeof a->bytes);
    memcpy(out, &in6, sizeof in6);
    return sizeof in6;
}

/* Clears all but the first `bits`; true if they were clear already. */
static bool clear_host_bits(struct ipaddr *a, unsigned bits)
{
    struct ipaddr before = *a;
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits <= i * 8 ? 0 : bits - i * 8;
        if (kept < 8)
            a->bytes[i] = (uint8_t)(a->bytes[i] & (0xff00 >> kept));
    }
    return ipaddr_eq(a, &before);
}

bool ipprefix_parse(struct view text, struct ipprefix *out)
{
    struct ipprefix p;
    bool has_length = view_find(text, '/') < text.n;
    struct view addr = view_cut(&text, '/');
    if (!ipaddr_parse(addr, &p.addr))
        return false;
    unsigned offset = ipaddr_is_v4(&p.addr) && view_find(addr, ':') == addr.n ? V4_BITS : 0;
    uint64_t bits = 128 - offset;
    if (has_length && !view_parse_u64(text, bits, &bits))
        return false;
    p.bits = (uint8_t)(offset + bits);
    if (!clear_host_bits(&p.addr, p.bits))
        return false;
    *out = p;
    return true;
}

void ipprefix_format(const struct ipprefix *p, char out[IPPREFIX_TEXT_MAX])
{
    char addr[IPADDR_TEXT_MAX];
    bool is_v4 = ipaddr_is_v4(&p->addr) && p->bits >= V4_BITS;
    ipaddr_format(&p->addr, addr);
    snprintf(out, IPPREFIX_TEXT_MAX, "%s/%d", addr, is_v4 ? p->bits - V4_BITS : p->bits);
}

bool ipprefix_contains(const struct ipprefix *p, const struct ipaddr *a)
{
    struct ipaddr masked = *a;
    clear_host_bits(&masked, p->bits);
    return ipaddr_eq(&masked, &p->addr);
}

struct ipprefix ipaddr_network(const struct ipaddr *a, unsigned v4_bits, unsigned v6_bits)
{
    struct ipprefix p = {.addr = *a};
    p.bits = (uint8_t)(ipaddr_is_v4(a) ? V4_BITS + v4_bits : v6_bits);
    clear_host_bits(&p.addr, p.bits);
    return p;
}
