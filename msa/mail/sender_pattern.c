#include "msa/mail/sender_pattern.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/domain.h"

static const struct view delegated = VIEW_LIT(SENDER_DELEGATED);

static struct view without_prefix(struct view pattern)
{
    if (view_has_prefix_nocase(pattern, delegated))
        return view_slice(pattern, delegated.n, pattern.n);
    return pattern;
}

/* "@name" or ".name". */
static int parse_domain(struct view text, char *out)
{
    char domain[DOMAIN_SIZE];
    int n = domain_to_ascii(view_slice(text, 1, text.n), domain);
    if (n < 0)
        return n;
    if (text.p[0] == '.' && !strchr(domain, '.'))
        return MSA_EINVAL;
    out[0] = text.p[0];
    memcpy(out + 1, domain, (size_t)n + 1);
    return n + 1;
}

static int parse_address(struct view text, char *out)
{
    struct path path;
    char canonical[PATH_CANONICAL_SIZE];
    int err = path_parse_address(text, &path);
    if (err < 0)
        return err;
    int n = path_canonical(&path, canonical);
    if (n > 0)
        memcpy(out, canonical, (size_t)n + 1);
    return n > 0 ? n : MSA_EINVAL;
}

int sender_pattern_parse(struct view text, char out[static SENDER_PATTERN_SIZE])
{
    struct view trimmed = view_trim(text), rest = without_prefix(trimmed);
    size_t prefix = trimmed.n - rest.n;
    out[0] = '\0';
    if (rest.n == 0)
        return MSA_EINVAL;
    bool is_domain = rest.p[0] == '@' || rest.p[0] == '.';
    int n =
        is_domain ? parse_domain(rest, out + prefix) : parse_address(rest, out + prefix);
    if (n > 0)
        memcpy(out, delegated.p, prefix);
    return n > 0 ? n + (int)prefix : n;
}

/* ---- matching
 * -------------------------------------------------------------------------------- */

/* The last "@" of a canonical address stands before its domain: a domain has none. */
static size_t at_of(struct view address)
{
    const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;
    return at ? (size_t)(at - address.p) : address.n;
}

static bool is_separator(struct view separators, char c)
{
    return view_find(separators, c) < separators.n;
}

/* The same local part, or it with a detail behind. One that needs quotes has no details.
 */
static bool local_matches(struct view own, struct view local, struct view separators)
{
    if (view_eq_nocase(own, local))
        return true;
    bool is_quoted = own.n == 0 || own.p[0] == '"';
    return !is_quoted && view_has_prefix_nocase(local, own) &&
           is_separator(separators, local.p[own.n]);
}

bool sender_address_matches(struct view own, struct view address, struct view separators)
{
    size_t own_at = at_of(own), at = at_of(address);
    if (own_at == own.n || at == address.n)
        return false;
    return view_eq(view_slice(own, own_at, own.n), view_slice(address, at, address.n)) &&
           local_matches(view_slice(own, 0, own_at), view_slice(address, 0, at),
                         separators);
}

bool sender_pattern_matches(struct view pattern, struct view address,
                            struct view separators)
{
    struct view rest = without_prefix(pattern);
    size_t at = at_of(address);
    if (rest.n == 0 || at == address.n || at == 0)
        return false;
    if (rest.p[0] == '@')
        return view_eq(rest, view_slice(address, at, address.n));
    if (rest.p[0] != '.')
        return sender_address_matches(rest, address, separators);
    struct view domain = view_slice(address, at + 1, address.n);
    return domain.n > rest.n && view_has_suffix_nocase(domain, rest);
}

bool sender_pattern_is_delegated(struct view pattern)
{
    return view_has_prefix_nocase(pattern, delegated);
}
