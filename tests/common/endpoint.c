#include "tests/common/endpoint.h"

#include <string.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

bool endpoint_parse(const char *text, struct sockaddr_storage *out, socklen_t *length_out)
{
    const char *colon = strrchr(text, ':');
    struct view host = view_of(text, colon ? (size_t)(colon - text) : 0);
    struct ipaddr addr;
    uint64_t port;
    if (host.n > 2 && host.p[0] == '[')
        host = view_slice(host, 1, host.n - 1);
    if (!colon || !ipaddr_parse(host, &addr) || !view_parse_u64(view_cstr(colon + 1), 65535, &port))
        return false;
    *length_out = ipaddr_to_sockaddr(&addr, (uint16_t)port, out);
    return true;
}
