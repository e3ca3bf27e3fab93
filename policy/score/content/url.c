#include <string.h>

#include "msa/base/ipaddr.h"
#include "policy/score/content/hex.h"
#include "policy/score/content/text.h"
#include "policy/score/content/url_scan.h"

/* ---- schemes ---- */

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* "http:" taken off the front of `*url`; empty if no scheme is there. */
static struct view take_scheme(struct view *url)
{
    size_t n = 0;
    while (n < url->n &&
           (ascii_is_alpha(url->p[n]) ||
            (n > 0 && (ascii_is_digit(url->p[n]) || strchr("+-.", url->p[n])))))
        n++;
    if (n == 0 || n == url->n || url->p[n] != ':')
        return VIEW_EMPTY;
    struct view scheme = view_slice(*url, 0, n);
    *url = view_slice(*url, n + 1, url->n);
    return scheme;
}

static bool is_dangerous(struct view scheme)
{
    return view_eq_nocase(scheme, VIEW_LIT("data")) ||
           view_eq_nocase(scheme, VIEW_LIT("javascript")) ||
           view_eq_nocase(scheme, VIEW_LIT("vbscript"));
}

/* ---- hosts ---- */

/* Percent signs resolved, lower case; of a longer one the end, which is what counts. */
static void set_host(struct view host, struct url_facts *out)
{
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n > URL_HOST_MAX)
        host = view_slice(host, host.n - URL_HOST_MAX, host.n);
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (hex_octet(view_slice(host, i, host.n), '%', &c)) {
            out->flags |= DOCUMENT_LINK_ESCAPED_HOST;
            i += 2;
        }
        out->flags |= (unsigned char)c >= 0x80 ? DOCUMENT_LINK_8BIT_HOST : 0u;
        out->host[out->host_bytes++] = ascii_lower(c);
    }
    out->host[out->host_bytes] = '\0';
}

static bool is_number(struct view label)
{
    bool is_hex = view_has_prefix_nocase(label, VIEW_LIT("0x"));
    for (size_t i = is_hex ? 2 : 0; i < label.n; i++)
        if (is_hex ? ascii_hex_value(label.p[i]) < 0 : !ascii_is_digit(label.p[i]))
            return false;
    return label.n > 0;
}

static bool is_plain_ipv4(struct view host)
{
    char text[20];
    struct ipaddr ip;
    return view_to_cstr(host, text, sizeof text) && ipaddr_parse(view_cstr(text), &ip);
}

/* A host whose last label is a number is an IPv4 address, however it is written (WHATWG
 * URL 3.5). */
static void look_at_host(struct url_facts *out)
{
    struct view host = view_of(out->host, out->host_bytes), rest = host;
    if (host.n > 0 && host.p[0] == '[') {
        out->flags |= DOCUMENT_LINK_IP_LITERAL;
        return;
    }
    while (rest.n > 0) {
        struct view label = view_cut(&rest, '.');
        if (view_has_prefix(label, VIEW_LIT("xn--")))
            out->flags |= DOCUMENT_LINK_PUNYCODE;
        if (rest.n == 0 && is_number(label))
            out->flags |= is_plain_ipv4(host) ? DOCUMENT_LINK_IP_LITERAL
                                              : DOCUMENT_LINK_NUMBER_HOST;
    }
}

/* "user@host:port" without what follows. */
static void look_at_authority(struct view rest, struct url_facts *out)
{
    size_t n = 0;
    while (n < rest.n && !is_slash(rest.p[n]) && rest.p[n] != '?' && rest.p[n] != '#')
        n++;
    rest = view_slice(rest, 0, n);
    const char *at = rest.n > 0 ? memrchr(rest.p, '@', rest.n) : NULL;
    if (at) {
        out->flags |= DOCUMENT_LINK_USERINFO;
        rest = view_slice(rest, (size_t)(at - rest.p) + 1, rest.n);
    }
    size_t end =
        rest.n > 0 && rest.p[0] == '[' ? view_find(rest, ']') + 1 : view_find(rest, ':');
    if (end < rest.n && rest.p[end] == ':')
        out->flags |= DOCUMENT_LINK_PORT;
    set_host(view_slice(rest, 0, end), out);
    look_at_host(out);
}

/* "mailto:a@x.example,b@y.example?subject=…". */
static void look_at_mailto(struct view rest, struct url_facts *out)
{
    rest = view_slice(rest, 0, view_find(rest, '?'));
    rest = view_slice(rest, 0, view_find(rest, ','));
    size_t at = view_find(rest, '@');
    out->flags |= DOCUMENT_LINK_MAILTO;
    set_host(view_slice(rest, at + 1, rest.n), out);
}

void url_look(struct view url, struct url_facts *out)
{
    *out = (struct url_facts){0};
    struct view rest = url, scheme = take_scheme(&rest);
    size_t slashes = 0;
    while (slashes < rest.n && is_slash(rest.p[slashes]))
        slashes++;
    struct view behind = view_slice(rest, slashes, rest.n);
    if (scheme.n == 0 && slashes < 2) {
        out->flags |= DOCUMENT_LINK_RELATIVE;
    } else if (scheme.n ==
               0) { /* "//host/": the scheme of the page, which a mail has not */
        out->flags |= DOCUMENT_LINK_NO_SCHEME;
        look_at_authority(behind, out);
    } else if (view_eq_nocase(scheme, VIEW_LIT("http")) ||
               view_eq_nocase(scheme, VIEW_LIT("https"))) {
        out->flags |= scheme.n == 5 ? DOCUMENT_LINK_HTTPS : 0u;
        look_at_authority(behind, out);
    } else if (view_eq_nocase(scheme, VIEW_LIT("mailto"))) {
        look_at_mailto(rest, out);
    } else if (view_eq_nocase(scheme, VIEW_LIT("cid"))) {
        out->flags |= DOCUMENT_LINK_RELATIVE;
    } else {
        out->flags |= DOCUMENT_LINK_OTHER_SCHEME;
        out->flags |= is_dangerous(scheme) ? DOCUMENT_LINK_DATA_OR_SCRIPT : 0u;
        if (slashes >= 2 && !is_dangerous(scheme))
            look_at_authority(behind, out);
    }
}

/* ---- what is shown ---- */

static bool is_host_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.';
}

/* Labels of letters, digits and hyphens, at least two, the last of two letters or more.
 */
static bool is_like_host(struct view host)
{
    struct view rest = host, label = VIEW_EMPTY;
    size_t count = 0;
    while (rest.n > 0) {
        label = view_cut(&rest, '.');
        count++;
        if (label.n == 0)
            return false;
    }
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_is_alpha(label.p[i]))
            return view_has_prefix_nocase(label, VIEW_LIT("xn--"));
    return count >= 2 && label.n >= 2;
}

void url_look_shown(struct view text, struct url_facts *out)
{
    *out = (struct url_facts){0};
    text = view_trim(text);
    text = view_slice(text, 0, view_find(text, ' ')); /* white space is folded */
    struct view rest = text, scheme = take_scheme(&rest);
    if (scheme.n > 0 && rest.n > 2 && is_slash(rest.p[0])) {
        url_look(text, out);
        return;
    }
    size_t n = 0;
    while (n < text.n && is_host_char(text.p[n]))
        n++;
    struct view host = view_slice(text, 0, n);
    bool has_end =
        n == text.n || is_slash(text.p[n]) || text.p[n] == ':' || text.p[n] == '?';
    if (has_end && is_like_host(host)) {
        set_host(host, out);
        look_at_host(out);
    }
}

/* ---- keeping ---- */

/* Without white space and control characters; what is over the limit is left out. */
static struct view clean_url(struct view url, char *dst, unsigned *flags)
{
    size_t n = 0;
    for (size_t i = 0; i < url.n; i++) {
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f)
            continue;
        if (n == DOCUMENT_URL_BYTES_MAX) {
            *flags |= DOCUMENT_LINK_CUT_SHORT;
            break;
        }
        dst[n++] = url.p[i];
    }
    return view_of(dst, n);
}

struct document_link *url_add(struct document_reader *r, size_t part,
                              enum document_link_source source, struct view url,
                              unsigned flags)
{
    char clean[DOCUMENT_URL_BYTES_MAX];
    struct url_facts facts;
    url = clean_url(url, clean, &flags);
    if (url.n == 0)
        return NULL;
    if (r->doc.link_count == DOCUMENT_LINKS_MAX) {
        r->doc.facts |= DOCUMENT_TOO_MANY_LINKS;
        return NULL;
    }
    url_look(url, &facts);
    struct document_link *link = &r->links[r->doc.link_count];
    *link = (struct document_link){
        .url = text_keep(r, url),
        .host = text_keep(r, view_of(facts.host, facts.host_bytes)),
        .source = source,
        .part = (uint16_t)part,
        .flags = facts.flags | flags,
    };
    r->doc.link_count++;
    return link;
}
