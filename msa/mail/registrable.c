#include "msa/mail/registrable.h"

#include <libpsl.h>
#include <string.h>

#include "msa/base/ipaddr.h"

bool registrable_domain(struct view host, char out[static DOMAIN_SIZE])
{
    struct ipaddr ip;
    if (host.n == 0 || !view_to_cstr(host, out, DOMAIN_SIZE)) {
        out[0] = '\0';
        return false;
    }
    for (char *p = out; *p; p++)
        *p = ascii_lower(*p);
    if (ipaddr_parse(host, &ip)) /* "192.0.2.1" has no suffix, and "2.1" would be found */
        return true;
    const char *found = psl_registrable_domain(psl_builtin(), out);
    if (found && found != out)
        memmove(out, found, strlen(found) + 1);
    return true;
}
