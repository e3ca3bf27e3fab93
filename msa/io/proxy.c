#include "msa/io/proxy.h"

#include <string.h>

#include "msa/base/err.h"

#define V1_MAX        107 /* with CRLF, by the specification */
#define V2_HEAD_BYTES 16
#define V2_MAX        1024

static const char v1_signature[6] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const char v2_signature[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static struct view v1_start(void)
{
    return view_of(v1_signature, sizeof v1_signature);
}

static struct view v2_start(void)
{
    return view_of(v2_signature, sizeof v2_signature);
}

/* As far as both go. */
static bool begins_alike(struct view a, struct view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    return n == 0 || memcmp(a.p, b.p, n) == 0;
}

/* ---- version 1: a line of text ---- */

static bool parse_port(struct view text, uint16_t *out)
{
    uint64_t n;
    if (!view_parse_u64(text, 65535, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

/* "SOURCE DESTINATION SPORT DPORT", both addresses of the family announced. */
static bool parse_v1_addresses(struct view line, bool is_v4, struct proxy_header *h)
{
    struct view source = view_cut(&line, ' ');
    struct view destination = view_cut(&line, ' ');
    struct view source_port = view_cut(&line, ' ');
    return ipaddr_parse(source, &h->source) && ipaddr_parse(destination, &h->destination) &&
           (view_find(source, ':') == source.n) == is_v4 &&
           (view_find(destination, ':') == destination.n) == is_v4 &&
           parse_port(source_port, &h->source_port) && parse_port(line, &h->destination_port);
}

static int parse_v1(struct view input, struct proxy_header *h)
{
    size_t newline = view_find(view_slice(input, 0, V1_MAX), '\n');
    if (newline == input.n && input.n < V1_MAX)
        return MSA_EAGAIN;
    if (newline >= V1_MAX || newline == 0 || input.p[newline - 1] != '\r')
        return MSA_EPROTO;
    h->length = newline + 1;
    struct view line = view_slice(input, sizeof v1_signature, newline - 1);
    struct view family = view_cut(&line, ' ');
    if (view_eq(family, VIEW_LIT("UNKNOWN"))) { /* the rest of the line is to be ignored */
        h->is_local = true;
        return MSA_OK;
    }
    bool is_v4 = view_eq(family, VIEW_LIT("TCP4"));
    if (!is_v4 && !view_eq(family, VIEW_LIT("TCP6")))
        return MSA_EPROTO;
    return parse_v1_addresses(line, is_v4, h) ? MSA_OK : MSA_EPROTO;
}

/* ---- version 2: binary, big endian ---- */

static uint16_t get_be16(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static size_t v2_length(struct view input)
{
    return V2_HEAD_BYTES + (size_t)get_be16((const unsigned char *)input.p + 14);
}

static void get_v4(const unsigned char *p, struct ipaddr *out)
{
    *out = (struct ipaddr){.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->bytes + 12, p, 4);
}

/* What follows the addresses (TLVs) is skipped. */
static int parse_v2_addresses(const unsigned char *p, size_t n, uint8_t family, struct proxy_header *h)
{
    switch (family) {
    case 0x11: /* TCP over IPv4 */
        if (n < 12)
            return MSA_EPROTO;
        get_v4(p, &h->source);
        get_v4(p + 4, &h->destination);
        h->source_port = get_be16(p + 8);
        h->destination_port = get_be16(p + 10);
        return MSA_OK;
    case 0x21: /* TCP over IPv6 */
        if (n < 36)
            return MSA_EPROTO;
        memcpy(h->source.bytes, p, 16);
        memcpy(h->destination.bytes, p + 16, 16);
        h->source_port = get_be16(p + 32);
        h->destination_port = get_be16(p + 34);
        return MSA_OK;
    case 0x00: /* unspecified: "the receiver should use the real connection endpoints" */
        h->is_local = true;
        return MSA_OK;
    default: return MSA_EPROTO; /* datagrams, unix sockets: no client of ours comes by them */
    }
}

static int parse_v2(struct view input, struct proxy_header *h)
{
    if (input.n < V2_HEAD_BYTES)
        return MSA_EAGAIN;
    const unsigned char *p = (const unsigned char *)input.p;
    size_t length = v2_length(input);
    if (p[12] >> 4 != 2 || length > V2_MAX)
        return MSA_EPROTO;
    if (input.n < length)
        return MSA_EAGAIN;
    h->length = length;
    switch (p[12] & 0x0f) {
    case 0: /* LOCAL: a health check of the balancer's own */
        h->is_local = true;
        return MSA_OK;
    case 1: return parse_v2_addresses(p + V2_HEAD_BYTES, length - V2_HEAD_BYTES, p[13], h);
    default: return MSA_EPROTO;
    }
}

int proxy_parse(struct view input, enum proxy_versions allowed, struct proxy_header *out)
{
    *out = (struct proxy_header){0};
    if ((allowed & PROXY_V2) && begins_alike(input, v2_start()))
        return parse_v2(input, out);
    if ((allowed & PROXY_V1) && begins_alike(input, v1_start()))
        return parse_v1(input, out);
    return MSA_EPROTO;
}
