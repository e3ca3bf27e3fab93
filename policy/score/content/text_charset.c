#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/text.h"

#define META_PEEK \
    2048 /* where a page says its charset (HTML 13.2.3.2 looks at 1,024 bytes) */

/* "<meta charset=x>" and "<meta http-equiv=… content='text/html; charset=x'>". */
static struct view meta_charset(struct view html)
{
    static const struct view key = VIEW_LIT("charset=");
    struct view head = view_slice(html, 0, META_PEEK);
    for (size_t i = 0; i + key.n <= head.n; i++) {
        if (!view_has_prefix_nocase(view_slice(head, i, head.n), key))
            continue;
        struct view rest = view_slice(head, i + key.n, head.n);
        if (rest.n > 0 && (rest.p[0] == '"' || rest.p[0] == '\''))
            rest = view_slice(rest, 1, rest.n);
        size_t n = 0;
        while (n < rest.n && (ascii_is_alpha(rest.p[n]) || ascii_is_digit(rest.p[n]) ||
                              rest.p[n] == '-' || rest.p[n] == '_'))
            n++;
        return view_slice(rest, 0, n);
    }
    return VIEW_EMPTY;
}

static bool has_jis_escape(struct view raw)
{
    return memmem(raw.p, raw.n, "\x1b$B", 3) || memmem(raw.p, raw.n, "\x1b$@", 3);
}

static bool has_replacement(struct view utf8)
{
    return utf8.n > 0 && memmem(utf8.p, utf8.n, "\xef\xbf\xbd", 3);
}

/* Hiragana and katakana, U+3040 to U+30FF: what no Japanese text lacks. */
static bool has_kana(struct view utf8)
{
    for (size_t i = 0; i + 2 < utf8.n; i++)
        if ((unsigned char)utf8.p[i] == 0xe3 && (unsigned char)utf8.p[i + 1] >= 0x81 &&
            (unsigned char)utf8.p[i + 1] <= 0x83)
            return true;
    return false;
}

/* Octets above 127 that nobody declared: Japanese if they are, else Windows-1252, which
 * has every octet. */
static int guess(struct document_reader *r, struct view raw, struct buf *out)
{
    static const struct view labels[] = {VIEW_LIT("euc-jp"), VIEW_LIT("shift_jis")};
    size_t before = buf_len(out);
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        int err = charset_to_utf8(r->charsets, labels[i], raw, out);
        struct view got = view_slice(buf_view(out), before, buf_len(out));
        if (err == MSA_ENOMEM ||
            (err == MSA_OK && !has_replacement(got) && has_kana(got)))
            return err;
        buf_truncate(out, before);
    }
    return charset_to_utf8(r->charsets, VIEW_LIT("windows-1252"), raw, out);
}

static int undeclared(struct document_reader *r, struct document_part *p, struct view raw,
                      struct buf *out)
{
    if (has_jis_escape(raw))
        return charset_to_utf8(r->charsets, VIEW_LIT("iso-2022-jp"), raw, out);
    if (utf8_is_ascii(raw))
        return buf_add(out, raw);
    p->defects |= DOCUMENT_PART_8BIT_UNDECLARED;
    return utf8_is_valid(raw) ? buf_add(out, raw) : guess(r, raw, out);
}

static bool is_ascii_label(struct view label)
{
    return label.n == 0 || view_eq_nocase(label, VIEW_LIT("us-ascii")) ||
           view_eq_nocase(label, VIEW_LIT("ascii"));
}

static int by_label(struct document_reader *r, struct document_part *p, struct view label,
                    struct view raw, struct buf *out)
{
    size_t before = buf_len(out);
    int err = charset_to_utf8(r->charsets, label, raw, out);
    if (err == MSA_ENOENT) {
        p->defects |= DOCUMENT_PART_UNKNOWN_CHARSET;
        return utf8_is_valid(raw) ? buf_add(out, raw) : guess(r, raw, out);
    }
    bool is_utf8 = view_has_prefix_nocase(label, VIEW_LIT("utf"));
    bool is_bad = is_utf8
                      ? !utf8_is_valid(raw)
                      : has_replacement(view_slice(buf_view(out), before, buf_len(out)));
    if (is_bad)
        p->defects |= DOCUMENT_PART_BAD_CHARSET;
    return err;
}

int text_to_utf8(struct document_reader *r, struct document_part *p, struct view raw,
                 struct buf *out)
{
    struct view label = p->charset;
    if (label.n == 0 && p->kind == DOCUMENT_PART_HTML)
        label = meta_charset(raw);
    int err = is_ascii_label(label) ? undeclared(r, p, raw, out)
                                    : by_label(r, p, label, raw, out);
    return err == MSA_ENOMEM ? err : MSA_OK; /* of a full buffer what fitted */
}
