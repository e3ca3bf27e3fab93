#include "policy/score/fold.h"

#include "msa/base/err.h"
#include "msa/base/utf8.h"

/* Thai, kana, Han and what is drawn like them. */
bool fold_is_wide(uint32_t c)
{
    return (c >= 0x0E00 && c < 0x0E80) || c == 0x3005 || (c >= 0x3041 && c < 0x3100) ||
           (c >= 0x3400 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) ||
           (c >= 0xFF66 && c < 0xFFA0) || (c >= 0x20000 && c < 0x32000);
}

static bool is_invisible(uint32_t c)
{
    return c == 0xAD || c == 0x034F || c == 0x061C || (c >= 0x180B && c <= 0x180E) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF;
}

static bool is_space(uint32_t c)
{
    return c <= 0x20 || c == 0x7F || c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F;
}

uint32_t fold_code(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (is_invisible(c))
        return 0;
    if (c >= 0xFF01 && c < 0xFF5F)
        return fold_code(c - 0xFEE0);
    if ((c >= 0xC0 && c < 0xDF && c != 0xD7) || (c >= 0x391 && c < 0x3AA) ||
        (c >= 0x410 && c < 0x430))
        return c + 32;
    return c;
}

/* Where in the text we are: what stands before, and whether white space is to come. */
struct folding {
    struct buf *out;
    size_t begin; /* nothing of ours stands before */
    bool is_wide;
    bool has_space;
};

static int add_code(struct folding *f, uint32_t c)
{
    char bytes[4];
    bool is_wide = fold_is_wide(c);
    int err = MSA_OK;
    if (f->has_space && buf_len(f->out) > f->begin && !(f->is_wide && is_wide))
        err = buf_add_char(f->out, ' ');
    f->has_space = false;
    f->is_wide = is_wide;
    return err < 0 ? err : buf_append(f->out, bytes, utf8_encode(c, bytes));
}

static bool is_plain(char c) { return (unsigned char)c > 0x20 && (unsigned char)c < 0x7F; }

/* Most text is ASCII words with a SP between them: these without a call for each byte. */
static size_t add_plain_run(struct folding *f, struct view text, int *err)
{
    size_t n = 0;
    while (n < text.n && (is_plain(text.p[n]) || (n > 0 && text.p[n] == ' ' && n + 1 < text.n && is_plain(text.p[n + 1]))))
        n++;
    if (n == 0)
        return 0;
    if (f->has_space && buf_len(f->out) > f->begin)
        *err = buf_add_char(f->out, ' ');
    f->has_space = f->is_wide = false;
    char *at = buf_reserve(f->out, n);
    if (!at) {
        *err = MSA_ETOOBIG;
        return n;
    }
    for (size_t i = 0; i < n; i++)
        at[i] = ascii_lower(text.p[i]);
    buf_commit(f->out, n);
    return n;
}

int fold_add(struct buf *out, struct view text)
{
    struct folding f = {.out = out, .begin = buf_len(out)};
    int err = MSA_OK;
    while (text.n > 0 && err >= 0) {
        uint32_t c;
        size_t n = add_plain_run(&f, text, &err);
        if (n == 0) {
            n = utf8_decode(text, &c);
            if (n == 0 || is_space(c))
                f.has_space = true;
            else if ((c = fold_code(c)) != 0)
                err = add_code(&f, c);
            n += n == 0;
        }
        text = view_slice(text, n, text.n);
    }
    return err;
}
