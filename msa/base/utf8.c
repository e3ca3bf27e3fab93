#include "msa/base/utf8.h"

#include "msa/base/err.h"

/* Length, bits in the first byte, and the least code point that needs this length. */
struct form {
    size_t n;
    uint32_t bits;
    uint32_t least;
};

static struct form form_of(unsigned char first)
{
    if (first < 0x80)
        return (struct form){1, first, 0};
    if (first >= 0xc2 && first < 0xe0)
        return (struct form){2, first & 0x1fu, 0x80};
    if (first >= 0xe0 && first < 0xf0)
        return (struct form){3, first & 0x0fu, 0x800};
    if (first >= 0xf0 && first < 0xf5)
        return (struct form){4, first & 0x07u, 0x10000};
    return (struct form){0, 0, 0};
}

static bool is_scalar(uint32_t code)
{
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t utf8_decode(struct view v, uint32_t *code_out)
{
    struct form form = v.n > 0 ? form_of((unsigned char)v.p[0]) : (struct form){0, 0, 0};
    if (form.n == 0 || form.n > v.n)
        return 0;
    uint32_t code = form.bits;
    for (size_t i = 1; i < form.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (c & 0x3fu);
    }
    if (code < form.least || !is_scalar(code))
        return 0;
    *code_out = code;
    return form.n;
}

bool utf8_is_valid(struct view v)
{
    for (size_t at = 0; at < v.n;) {
        uint32_t code;
        size_t n = (unsigned char)v.p[at] < 0x80 ? 1 : utf8_decode(view_slice(v, at, v.n), &code);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

bool utf8_is_ascii(struct view v)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < v.n; i++)
        seen |= (unsigned char)v.p[i];
    return seen < 0x80;
}

size_t utf8_count(struct view v)
{
    size_t count = 0;
    for (size_t i = 0; i < v.n; i++)
        count += ((unsigned char)v.p[i] & 0xc0) != 0x80;
    return count;
}

size_t utf8_encode(uint32_t code, char out[static 4])
{
    if (!is_scalar(code))
        code = 0xfffd;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return n;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029;
}

int utf8_add_clean(struct buf *out, struct view v)
{
    while (v.n > 0) {
        uint32_t code;
        size_t n = utf8_decode(v, &code);
        struct view clean = n == 0             ? VIEW_LIT("\xef\xbf\xbd")
                            : is_control(code) ? VIEW_LIT(" ")
                                               : view_slice(v, 0, n);
        int err = buf_add(out, clean);
        if (err < 0)
            return err;
        v = view_slice(v, n ? n : 1, v.n);
    }
    return MSA_OK;
}
