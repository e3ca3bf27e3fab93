/* IP addresses and prefixes. One form for both families: 16 bytes, IPv4 as ::ffff:a.b.c.d, so that
 * the two spellings of a v4 address can never be two sources. Scope ids are dropped. */
#ifndef MSA_BASE_IPADDR_H
#define MSA_BASE_IPADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "msa/base/view.h"

struct ipaddr {
    uint8_t bytes[16]; /* all zero: no address */
};

struct ipprefix {
    struct ipaddr addr; /* bits behind the length are zero */
    uint8_t bits;       /* 0 … 128; a v4 /24 is 120 */
};

#define IPADDR_TEXT_MAX 46   /* with NUL */
#define IPPREFIX_TEXT_MAX 50 /* with NUL */

bool ipaddr_is_v4(const struct ipaddr *a);
bool ipaddr_is_none(const struct ipaddr *a);
bool ipaddr_is_loopback(const struct ipaddr *a);
bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b);

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; no brackets, no scope, no port. */
bool ipaddr_parse(struct view text, struct ipaddr *out);
void ipaddr_format(const struct ipaddr *a, char out[IPADDR_TEXT_MAX]);

/* AF_INET or AF_INET6; false for any other family. */
bool ipaddr_from_sockaddr(const struct sockaddr *sa, struct ipaddr *out, uint16_t *port_out);
socklen_t ipaddr_to_sockaddr(const struct ipaddr *a, uint16_t port, struct sockaddr_storage *out);

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the length must be zero. */
bool ipprefix_parse(struct view text, struct ipprefix *out);
void ipprefix_format(const struct ipprefix *p, char out[IPPREFIX_TEXT_MAX]);
bool ipprefix_contains(const struct ipprefix *p, const struct ipaddr *a);

/* The network of `a`: its first `v4_bits` (of 32) or `v6_bits` (of 128) bits. */
struct ipprefix ipaddr_network(const struct ipaddr *a, unsigned v4_bits, unsigned v6_bits);

#endif
