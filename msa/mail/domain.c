#include "msa/mail/domain.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"

#define LABEL_MAX 63
/* A name in UTF-8 before conversion; no name of 255 octets in A-labels is longer. */
#define UNICODE_MAX 1020

static bool is_let_dig(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

static bool label_is_ldh(struct view label)
{
    if (label.n == 0 || label.n > LABEL_MAX || !is_let_dig(label.p[0]) ||
        !is_let_dig(label.p[label.n - 1]))
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_let_dig(label.p[i]) && label.p[i] != '-')
            return false;
    return true;
}

static bool is_all_digits(struct view label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!ascii_is_digit(label.p[i]))
            return false;
    return true;
}

bool domain_is_ldh(struct view name)
{
    if (name.n == 0 || name.n > DOMAIN_MAX || name.p[name.n - 1] == '.')
        return false;
    struct view label = VIEW_EMPTY;
    while (name.n > 0) {
        label = view_cut(&name, '.');
        if (!label_is_ldh(label))
            return false;
    }
    return !is_all_digits(label);
}

static int lower_copy(struct view name, char out[static DOMAIN_SIZE])
{
    for (size_t i = 0; i < name.n; i++)
        out[i] = ascii_lower(name.p[i]);
    out[name.n] = '\0';
    return (int)name.n;
}

static int unicode_to_ascii(struct view name, char out[static DOMAIN_SIZE])
{
    char text[UNICODE_MAX + 1];
    char *ascii = NULL;
    if (name.n > UNICODE_MAX)
        return MSA_ETOOBIG;
    if (!utf8_is_valid(name) || !view_to_cstr(name, text, sizeof text))
        return MSA_EINVAL;
    /* Without IDN2_USE_STD3_ASCII_RULES: with it "a_b" is not refused, the underscore is
     * dropped and another name comes out. So the result is checked by ourselves, also because
     * mapping may yield ASCII that is not LDH (U+2100 becomes "a/c"). */
    int rc = idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (rc == IDN2_MALLOC)
        return MSA_ENOMEM;
    if (rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_TOO_BIG_LABEL)
        return MSA_ETOOBIG;
    if (rc != IDN2_OK)
        return MSA_EINVAL;
    struct view mapped = view_cstr(ascii);
    int n = domain_is_ldh(mapped) ? lower_copy(mapped, out) : MSA_EINVAL;
    idn2_free(ascii);
    return n;
}

int domain_to_ascii(struct view name, char out[static DOMAIN_SIZE])
{
    if (!utf8_is_ascii(name))
        return unicode_to_ascii(name, out);
    if (name.n > DOMAIN_MAX)
        return MSA_ETOOBIG;
    return domain_is_ldh(name) ? lower_copy(name, out) : MSA_EINVAL;
}

int domain_to_unicode(struct view name, char out[static DOMAIN_UNICODE_SIZE])
{
    char *unicode = NULL;
    if (!view_to_cstr(name, out, DOMAIN_UNICODE_SIZE))
        return MSA_ETOOBIG;
    int rc = strstr(out, "xn--") ? idn2_to_unicode_8z8z(out, &unicode, 0) : IDN2_ENCODING_ERROR;
    if (rc == IDN2_MALLOC)
        return MSA_ENOMEM;
    if (rc != IDN2_OK)
        return (int)name.n;
    bool fits = view_to_cstr(view_cstr(unicode), out, DOMAIN_UNICODE_SIZE);
    idn2_free(unicode);
    return fits ? (int)strlen(out) : MSA_ETOOBIG;
}

bool domain_parse_literal(struct view text, struct ipaddr *out)
{
    static const struct view v6_tag = VIEW_LIT("IPv6:");
    if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return false;
    text = view_slice(text, 1, text.n - 1);
    bool is_v6 = view_has_prefix_nocase(text, v6_tag);
    if (is_v6)
        text = view_slice(text, v6_tag.n, text.n);
    bool has_colon = view_find(text, ':') < text.n;
    return is_v6 == has_colon && ipaddr_parse(text, out);
}

int domain_canonical(struct view text, char out[static DOMAIN_SIZE])
{
    struct ipaddr addr;
    char digits[IPADDR_TEXT_MAX];
    if (text.n == 0 || text.p[0] != '[')
        return domain_to_ascii(text, out);
    if (!domain_parse_literal(text, &addr))
        return MSA_EINVAL;
    ipaddr_format(&addr, digits);
    return snprintf(out, DOMAIN_SIZE, "[%s%s]", ipaddr_is_v4(&addr) ? "" : "IPv6:", digits);
}
