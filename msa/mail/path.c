#include "msa/mail/path.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/domain.h"
#include "msa/mail/local_part.h"

/* A local part of 64 characters is at most 256 octets; quotes and backslashes may treble that. */
#define LOCAL_OCTETS_MAX 256

static char peek(struct view v)
{
    return v.n > 0 ? v.p[0] : '\0';
}

static struct view take(struct view *v, size_t n)
{
    struct view head = view_slice(*v, 0, n);
    *v = view_slice(*v, n, v->n);
    return head;
}

static bool take_local(struct view *rest, unsigned flags, struct path *out)
{
    if (peek(*rest) == '"')
        return local_take_quoted(rest, &out->local);
    size_t n = 0, dots = 0;
    for (; n < rest->n && (char_is_atext(rest->p[n]) || rest->p[n] == '.'); n++)
        dots += rest->p[n] == '.';
    out->local = take(rest, n);
    out->has_stray_dots = !local_is_dot_atom(out->local);
    return !out->has_stray_dots || (flags & PATH_STRAY_DOTS && dots < n);
}

static bool is_domain_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
           (unsigned char)c >= 0x80;
}

/* A name or a literal that has a canonical form. */
static int take_domain(struct view *rest, struct view *out)
{
    char canonical[DOMAIN_SIZE];
    size_t n = 0;
    if (peek(*rest) == '[')
        n = view_find(*rest, ']') + 1;
    else
        while (n < rest->n && is_domain_char(rest->p[n]))
            n++;
    *out = take(rest, n);
    int len = domain_canonical(*out, canonical);
    return len < 0 ? len : MSA_OK;
}

/* A-d-l ":" of RFC 5321 section 4.1.2: "@a,@b:" before the address. */
static int take_route(struct view *rest)
{
    do {
        struct view domain;
        if (!view_take_char(rest, '@'))
            return MSA_EINVAL;
        int err = take_domain(rest, &domain);
        if (err < 0)
            return err;
    } while (view_take_char(rest, ','));
    return view_take_char(rest, ':') ? MSA_OK : MSA_EINVAL;
}

static int check_local(struct view local)
{
    char plain[PATH_MAX_UTF8];
    if (!utf8_is_valid(local))
        return MSA_EINVAL;
    if (local.n > sizeof plain)
        return MSA_ETOOBIG;
    struct view v = local;
    if (peek(local) == '"')
        v = view_of(plain, local_unquote(local, plain));
    return utf8_count(v) > PATH_LOCAL_MAX ? MSA_ETOOBIG : MSA_OK;
}

/* local@domain off the front; no domain is left to the caller to judge. */
static int take_address(struct view *rest, unsigned flags, struct path *out)
{
    const char *start = rest->p;
    if (!take_local(rest, flags, out))
        return MSA_EINVAL;
    int err = check_local(out->local);
    if (err == MSA_OK && view_take_char(rest, '@'))
        err = take_domain(rest, &out->domain);
    out->address = view_of(start, (size_t)(rest->p - start));
    out->is_literal = peek(out->domain) == '[';
    out->is_utf8 = !utf8_is_ascii(out->address);
    return err;
}

static bool is_bare_postmaster(const struct path *p)
{
    return view_eq_nocase(p->local, VIEW_LIT("postmaster"));
}

/* What stands between the brackets. */
static int take_content(struct view *rest, enum path_kind kind, unsigned flags, struct path *out)
{
    if (peek(*rest) == '>') {
        out->is_null = true;
        return kind == PATH_REVERSE ? MSA_OK : MSA_EINVAL;
    }
    if (peek(*rest) == '@') {
        int err = flags & PATH_REFUSE_ROUTE ? MSA_EINVAL : take_route(rest);
        if (err < 0)
            return err;
        out->had_route = true;
    }
    int err = take_address(rest, flags, out);
    if (err < 0)
        return err;
    bool may_lack_domain =
        kind == PATH_FORWARD && !out->had_route && is_bare_postmaster(out);
    return out->domain.n > 0 || may_lack_domain ? MSA_OK : MSA_EINVAL;
}

int path_parse(struct view *in, enum path_kind kind, unsigned flags, struct path *out)
{
    struct view rest = *in;
    *out = (struct path){.is_null = false};
    if (!view_take_char(&rest, '<'))
        return MSA_EINVAL;
    int err = take_content(&rest, kind, flags, out);
    if (err < 0)
        return err;
    if (!view_take_char(&rest, '>') || (rest.n > 0 && rest.p[0] != ' '))
        return MSA_EINVAL;
    if (in->n - rest.n > (out->is_utf8 ? PATH_MAX_UTF8 : PATH_MAX_OCTETS))
        return MSA_ETOOBIG;
    *in = rest;
    return MSA_OK;
}

int path_parse_address(struct view text, struct path *out)
{
    struct view rest = text;
    *out = (struct path){.is_null = false};
    int err = take_address(&rest, 0, out);
    if (err < 0)
        return err;
    if (rest.n > 0 || out->domain.n == 0)
        return MSA_EINVAL;
    return text.n + 2 > (out->is_utf8 ? PATH_MAX_UTF8 : PATH_MAX_OCTETS) ? MSA_ETOOBIG : MSA_OK;
}

int path_canonical(const struct path *p, char dst[static PATH_CANONICAL_SIZE])
{
    char plain[PATH_MAX_UTF8];
    struct view local = p->local;
    dst[0] = '\0';
    if (p->is_null)
        return 0;
    if (local.n > sizeof plain)
        return MSA_ETOOBIG;
    if (peek(local) == '"')
        local = view_of(plain, local_unquote(local, plain));
    if (local.n > LOCAL_OCTETS_MAX)
        return MSA_ETOOBIG;
    size_t n = local_quote(local, dst);
    dst[n] = '\0';
    if (p->domain.n == 0) { /* <postmaster>, in any case */
        for (size_t i = 0; i < n; i++)
            dst[i] = ascii_lower(dst[i]);
        return (int)n;
    }
    dst[n++] = '@';
    int domain_n = domain_canonical(p->domain, dst + n);
    return domain_n < 0 ? domain_n : (int)n + domain_n;
}

bool path_eq(const struct path *a, const struct path *b)
{
    char left[PATH_CANONICAL_SIZE], right[PATH_CANONICAL_SIZE];
    int left_n = path_canonical(a, left), right_n = path_canonical(b, right);
    return left_n >= 0 && left_n == right_n && memcmp(left, right, (size_t)left_n) == 0;
}
