#include "msa/mail/shown.h"

#include <stdbool.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/local_part.h"
#include "msa/mail/path.h"
#include "msa/mail/rfc2047.h"

/* Characters of no width or of none of their own: Default_Ignorable_Code_Point of
 * Unicode. */
static bool is_invisible(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x061c, 0x061c},   {0x115f, 0x1160},
        {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x202a, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* Wide ASCII, the small "@" and the full stops of CJK as what they look like. */
static uint32_t narrow(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e)
        return c - 0xff01 + '!';
    if (c == 0xfe6b)
        return '@';
    return c == 0x3002 || c == 0xff61 || c == 0x2024 || c == 0xfe52 ? '.' : c;
}

/* `text` is UTF-8 of our own making. */
static void simplify(struct view text, struct buf *out)
{
    while (text.n > 0) {
        uint32_t code = 0xfffd;
        char bytes[4];
        size_t n = utf8_decode(text, &code);
        if (!is_invisible(code))
            buf_append(out, bytes, utf8_encode(narrow(code), bytes));
        text = view_slice(text, n > 0 ? n : 1, text.n);
    }
}

/* ---- words round an "@"
 * ---------------------------------------------------------------------- */

/* From U+3000 on: Japanese and Chinese text touches an address without a space between.
 */
static bool is_east_asian(char c)
{
    return (unsigned char)c >= 0xe3 && (unsigned char)c < 0xf0;
}

static bool is_domain_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
           (unsigned char)c >= 0x80;
}

/* Where the local part begins that ends at `at`, not before `from`. */
static size_t local_begin(struct view v, size_t from, size_t at)
{
    size_t begin = at;
    while (begin > from && (char_is_atext(v.p[begin - 1]) || v.p[begin - 1] == '.'))
        begin--;
    if (at > begin && (unsigned char)v.p[at - 1] < 0x80)
        for (size_t i = begin; i < at; i++)
            if (is_east_asian(v.p[i]))
                begin = i + 3; /* its sequence is three bytes long */
    while (begin < at && v.p[begin] == '.')
        begin++;
    return begin;
}

static size_t domain_end(struct view v, size_t at)
{
    size_t end = at + 1;
    bool is_ascii = end < v.n && (unsigned char)v.p[end] < 0x80;
    while (end < v.n && is_domain_char(v.p[end]) &&
           !(is_ascii && is_east_asian(v.p[end])))
        end++;
    while (end > at + 1 && (v.p[end - 1] == '.' || v.p[end - 1] == '-'))
        end--;
    return end;
}

/* One address with a dot in its domain; nothing is added for what is none. */
static int add_address(struct view text, size_t at, struct buf *out)
{
    struct path path;
    char canonical[PATH_CANONICAL_SIZE];
    struct view domain = view_slice(text, at + 1, text.n);
    if (view_find(domain, '.') == domain.n || path_parse_address(text, &path) < 0)
        return 0;
    int n = path_canonical(&path, canonical);
    if (n <= 0)
        return n == MSA_ENOMEM ? n : 0;
    canonical[n] = '\n';
    int err = buf_append(out, canonical, (size_t)n + 1);
    return err < 0 ? err : 1;
}

static int add_all(struct view v, struct buf *out)
{
    int count = 0;
    size_t from = 0;
    for (size_t at = view_find(v, '@'); at < v.n;
         at = at + 1 + view_find(view_slice(v, at + 1, v.n), '@')) {
        size_t begin = local_begin(v, from, at), end = domain_end(v, at);
        int added = add_address(view_slice(v, begin, end), at - begin, out);
        if (added < 0)
            return added;
        count += added;
        if (count > SHOWN_ADDRESSES_MAX)
            return MSA_ETOOBIG;
        from = at + 1;
    }
    return count;
}

int shown_addresses(struct view body, struct buf *out)
{
    struct buf text, simple;
    buf_init(&text, 3 * body.n + 3);
    buf_init(&simple, 3 * body.n + 3);
    int err = rfc2047_decode(NULL, body, &text);
    if (err == MSA_OK)
        simplify(buf_view(&text), &simple);
    if (err == MSA_OK)
        err = buf_failed(&simple) ? MSA_ENOMEM : add_all(buf_view(&simple), out);
    buf_fini(&text);
    buf_fini(&simple);
    return err;
}
