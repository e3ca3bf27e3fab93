/* Against pages of others that use our customers' browsers: names that were bound anew (DNS rebinding), requests across
 * sites (CSRF). */
#include <string.h>

#include "msa/base/secret.h"
#include "msa/console/api_call.h"

/* The host of a Host field or an origin, without its port. */
static struct view host_of(struct view authority)
{
    if (authority.n > 0 && authority.p[0] == '[')
        return view_slice(authority, 1, view_find(authority, ']'));
    return view_slice(authority, 0, view_find(authority, ':'));
}

static bool is_configured(const struct config *config, struct view host)
{
    if (view_eq_nocase(host, view_cstr(config->hostname)))
        return true;
    for (uint32_t i = 0; i < config->console.host_names.count; i++)
        if (view_eq_nocase(host, view_cstr(config->console.host_names.items[i])))
            return true;
    return false;
}

/* An address is no name that somebody else could bind to us. */
const char *guard_host(const struct console *c, const struct http_request *r)
{
    struct ipaddr ip;
    struct view host = host_of(http_request_header(r, "Host"));
    if (ipaddr_parse(host, &ip) || view_eq_nocase(host, VIEW_LIT("localhost")) || is_configured(c->config, host))
        return NULL;
    return "this host is not served here: console { host_names } lists those that are";
}

static bool is_own_origin(const struct http_request *r, struct view origin)
{
    struct view scheme = http_request_is_tls(r) ? VIEW_LIT("https://") : VIEW_LIT("http://");
    struct view https = VIEW_LIT("https://"); /* a proxy on this host may speak TLS for us */
    struct view host = http_request_header(r, "Host");
    if (view_has_prefix(origin, scheme) && view_eq_nocase(view_slice(origin, scheme.n, origin.n), host))
        return true;
    return view_has_prefix(origin, https) && view_eq_nocase(view_slice(origin, https.n, origin.n), host);
}

const char *guard_origin(const struct http_request *r)
{
    struct view site = http_request_header(r, "Sec-Fetch-Site");
    struct view origin = http_request_header(r, "Origin");
    if (site.n > 0 && !view_eq(site, VIEW_LIT("same-origin")))
        return "this request comes from another site";
    if (origin.n > 0 && !is_own_origin(r, origin))
        return "this request comes from another origin";
    return NULL;
}

const char *guard_csrf(const struct http_request *r, const struct caller *caller)
{
    if (http_request_header(r, "Sec-Fetch-Site").n == 0 && http_request_header(r, "Origin").n == 0)
        return "a change by cookie says its Origin";
    if (!secret_eq(http_request_header(r, "X-CSRF-Token"), view_cstr(caller->csrf)))
        return "the header X-CSRF-Token is missing or not that of the session";
    return NULL;
}
