#include "msa/mail/xtext.h"

#include "msa/base/err.h"

/* RFC 3461 section 4: capitals alone. */
static int hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* One character off the front: its value, or -1. */
static int take_char(struct view *v)
{
    unsigned char c = (unsigned char)v->p[0];
    size_t n = 1;
    if (c == '+') {
        int high = v->n >= 3 ? hex_value(v->p[1]) : -1;
        int low = v->n >= 3 ? hex_value(v->p[2]) : -1;
        if (high < 0 || low < 0)
            return -1;
        c = (unsigned char)(high << 4 | low);
        n = 3;
        if (is_control(c))
            return -1;
    } else if (c < '!' || c > '~' || c == '=') {
        return -1;
    }
    *v = view_slice(*v, n, v->n);
    return c;
}

bool xtext_is_valid(struct view v)
{
    while (v.n > 0)
        if (take_char(&v) < 0)
            return false;
    return true;
}

int xtext_decode(struct view v, struct buf *out)
{
    if (!xtext_is_valid(v))
        return MSA_EINVAL;
    char *dst = buf_reserve(out, v.n); /* decoded text is never longer */
    size_t n = 0;
    if (!dst)
        return v.n == 0 ? MSA_OK : MSA_ETOOBIG;
    while (v.n > 0)
        dst[n++] = (char)take_char(&v);
    buf_commit(out, n);
    return MSA_OK;
}

int xtext_encode(struct view plain, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t before = buf_len(out);
    for (size_t i = 0; i < plain.n; i++)
        if (is_control((unsigned char)plain.p[i]))
            return MSA_EINVAL;
    for (size_t i = 0; i < plain.n; i++) {
        unsigned char c = (unsigned char)plain.p[i];
        bool is_literal = c > ' ' && c < 0x7f && c != '+' && c != '=';
        char escaped[3] = {'+', hex[c >> 4], hex[c & 15]};
        int err = is_literal ? buf_append(out, &plain.p[i], 1) : buf_append(out, escaped, 3);
        if (err < 0) {
            buf_truncate(out, before);
            return err;
        }
    }
    return MSA_OK;
}
