/* The PROXY protocol's header, versions 1 and 2, as a load balancer in front of us sends it. A pure
 * parser over what has arrived so far; whether the peer may say it is the caller's matter, and so is to take no
 * byte more than `length` from the socket (MSG_PEEK): what follows may be TLS.
 * https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt */
#ifndef MSA_IO_PROXY_H
#define MSA_IO_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

struct proxy_header {
    bool is_local; /* LOCAL or UNKNOWN: use the socket's own addresses */
    struct ipaddr source;
    uint16_t source_port;
    struct ipaddr destination;
    uint16_t destination_port;
    size_t length; /* bytes to take from the front of the input */
};

enum proxy_versions { PROXY_V1 = 1, PROXY_V2 = 2, PROXY_ANY = 3 };

/* MSA_OK, MSA_EAGAIN (more bytes are needed; at most 107 for v1, 16 + length for v2, at most 1 KiB),
 * or MSA_EPROTO. */
int proxy_parse(struct view input, enum proxy_versions allowed, struct proxy_header *out);

#endif
