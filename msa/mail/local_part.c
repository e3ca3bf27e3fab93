#include "msa/mail/local_part.h"

#include <string.h>

bool char_is_atext(char c)
{
    if (ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80)
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

bool local_is_dot_atom(struct view v)
{
    if (v.n == 0 || v.p[0] == '.' || v.p[v.n - 1] == '.')
        return false;
    for (size_t i = 0; i < v.n; i++) {
        bool is_single_dot = v.p[i] == '.' && v.p[i - 1] != '.';
        if (!char_is_atext(v.p[i]) && !is_single_dot)
            return false;
    }
    return true;
}

static bool is_printable(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7f;
}

bool local_take_quoted(struct view *in, struct view *quoted_out)
{
    if (in->n == 0 || in->p[0] != '"')
        return false;
    for (size_t i = 1; i < in->n; i++) {
        char c = in->p[i];
        if (c == '"') {
            *quoted_out = view_slice(*in, 0, i + 1);
            *in = view_slice(*in, i + 1, in->n);
            return true;
        }
        if (c == '\\' && ++i < in->n && (unsigned char)in->p[i] >= 0x80)
            return false; /* quoted-pairSMTP takes ASCII alone */
        if (i >= in->n || !is_printable(c) || !is_printable(in->p[i]))
            return false;
    }
    return false;
}

size_t local_unquote(struct view quoted, char *dst)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < quoted.n; i++) {
        if (quoted.p[i] == '\\')
            i++;
        dst[n++] = quoted.p[i];
    }
    return n;
}

size_t local_quote(struct view plain, char *dst)
{
    if (local_is_dot_atom(plain)) {
        memcpy(dst, plain.p, plain.n);
        return plain.n;
    }
    size_t n = 0;
    dst[n++] = '"';
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.p[i] == '"' || plain.p[i] == '\\')
            dst[n++] = '\\';
        dst[n++] = plain.p[i];
    }
    dst[n++] = '"';
    return n;
}
