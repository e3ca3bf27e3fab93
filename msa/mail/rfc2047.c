#include "msa/mail/rfc2047.h"

#include <stdbool.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/base64.h"

struct encoded_word {
    struct view charset; /* without the language of RFC 2231 */
    struct view text;
    char encoding; /* 'b' or 'q' */
};

struct decoder {
    struct charsets *cs;
    struct buf raw;  /* decoded bytes of words side by side that share `charset` */
    struct buf text; /* the same in UTF-8, before control characters are taken out */
    struct view charset;
    struct view source; /* where those words stand in the field */
    struct buf *out;
};

static bool is_blank_or_fold(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A word at the front of `*v` is taken off. */
static bool take_word(struct view *v, struct encoded_word *out)
{
    if (!view_has_prefix(*v, VIEW_LIT("=?")))
        return false;
    struct view rest = view_slice(*v, 2, v->n);
    struct view charset = view_cut(&rest, '?');
    struct view encoding = view_cut(&rest, '?');
    size_t end = view_find(rest, '?');
    bool is_closed = end + 1 < rest.n && rest.p[end + 1] == '=';
    out->text = view_slice(rest, 0, end);
    out->charset = view_cut(&charset, '*');
    out->encoding = encoding.n == 1 ? ascii_lower(encoding.p[0]) : '\0';
    if (!is_closed || (out->encoding != 'b' && out->encoding != 'q'))
        return false;
    for (const char *p = v->p; p < out->text.p + out->text.n; p++)
        if (is_blank_or_fold(*p))
            return false;
    *v = view_slice(rest, end + 2, rest.n);
    return true;
}

/* ---- the two encodings
 * ------------------------------------------------------------------------- */

static int decode_q(struct view text, struct buf *out)
{
    while (text.n > 0) {
        int high = text.n >= 3 && text.p[0] == '=' ? ascii_hex_value(text.p[1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.p[2]) : -1;
        char c = text.p[0] == '_' ? ' ' : text.p[0];
        if (low >= 0)
            c = (char)(high << 4 | low);
        int err = buf_add_char(out, c);
        if (err < 0)
            return err;
        text = view_slice(text, low >= 0 ? 3 : 1, text.n);
    }
    return MSA_OK;
}

/* Padding is often forgotten; it is put right before the strict decoder sees the text. */
static int decode_b(struct view text, struct buf *out)
{
    struct buf padded;
    while (text.n > 0 && text.p[text.n - 1] == '=')
        text.n--;
    buf_init(&padded, text.n + 3);
    buf_add(&padded, text);
    while (buf_len(&padded) % 4 != 0 && !buf_failed(&padded))
        buf_add_char(&padded, '=');
    int err = buf_failed(&padded) ? MSA_ENOMEM : base64_decode(buf_view(&padded), out);
    buf_fini(&padded);
    return err;
}

/* ---- decoding
 * ---------------------------------------------------------------------------------- */

/* Gives out the words held back. */
static int flush(struct decoder *d)
{
    if (d->source.n == 0)
        return MSA_OK;
    int err = charset_to_utf8(d->cs, d->charset, buf_view(&d->raw), &d->text);
    struct view text = err == MSA_ENOENT ? d->source : buf_view(&d->text);
    if (err == MSA_OK || err == MSA_ENOENT)
        err = utf8_add_clean(d->out, text);
    buf_reset(&d->raw);
    buf_reset(&d->text);
    d->source = VIEW_EMPTY;
    return err;
}

/* Holds back a word that stands in `source`. MSA_EINVAL if it does not decode. */
static int hold_word(struct decoder *d, const struct encoded_word *word, struct view source)
{
    if (d->source.n > 0 && !view_eq_nocase(word->charset, d->charset)) {
        int err = flush(d);
        if (err < 0)
            return err;
    }
    int err = word->encoding == 'b' ? decode_b(word->text, &d->raw)
                                    : decode_q(word->text, &d->raw);
    if (err < 0)
        return err;
    const char *start = d->source.n > 0 ? d->source.p : source.p;
    d->source = view_of(start, (size_t)(source.p + source.n - start));
    d->charset = word->charset;
    return MSA_OK;
}

/* Text up to the next "=?" or the end. White space alone between two words vanishes. */
static int give_plain(struct decoder *d, struct view *in, size_t least)
{
    size_t n = least, blank = 0;
    while (n < in->n && !view_has_prefix(view_slice(*in, n, in->n), VIEW_LIT("=?")))
        n++;
    while (blank < n && is_blank_or_fold(in->p[blank]))
        blank++;
    struct view plain = view_slice(*in, 0, n);
    struct view behind = view_slice(*in, n, in->n);
    struct encoded_word next;
    struct view peek = behind;
    *in = behind;
    if (d->source.n > 0 && blank == n && take_word(&peek, &next))
        return MSA_OK;
    int err = flush(d);
    while (err == MSA_OK && plain.n > 0) {
        struct view line = view_cut(&plain, '\n'); /* CRLF of a fold goes, the blank stays */
        if (line.n > 0 && line.p[line.n - 1] == '\r' && plain.n > 0)
            line.n--;
        err = utf8_add_clean(d->out, line);
    }
    return err;
}

static int decode_all(struct decoder *d, struct view in)
{
    while (in.n > 0) {
        struct view rest = in;
        struct encoded_word word;
        int err = MSA_EINVAL;
        if (take_word(&rest, &word))
            err = hold_word(d, &word, view_slice(in, 0, in.n - rest.n));
        if (err == MSA_EINVAL) /* no word here, or a broken one: it is text */
            err = give_plain(d, &in, view_has_prefix(in, VIEW_LIT("=?")) ? 2 : 0);
        else
            in = rest;
        if (err < 0)
            return err;
    }
    return flush(d);
}

int rfc2047_decode(struct charsets *cs, struct view body, struct buf *out)
{
    struct decoder d = {.cs = cs, .out = out};
    struct view in = view_trim(body);
    buf_init(&d.raw, in.n);
    buf_init(&d.text, CHARSET_GROWTH * in.n + 3);
    int err = decode_all(&d, in);
    buf_fini(&d.raw);
    buf_fini(&d.text);
    return err;
}

/* ---- encoding
 * ---------------------------------------------------------------------------------- */

#define LINE_MAX_CHARS 76 /* RFC 2047 section 2 */
#define WORD_FRAME     12 /* "=?UTF-8?B?" and "?=" */
#define WORD_BYTES_MAX 45 /* 60 characters of base64 */
#define PLAIN_MAX      900

static bool has_control(struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    return false;
}

/* Whole characters from the front of `text` that fit in `most` bytes; one at least. */
static size_t chars_that_fit(struct view text, size_t most)
{
    size_t n = 0;
    while (n < text.n) {
        uint32_t code;
        size_t next = n + utf8_decode(view_slice(text, n, text.n), &code);
        if (n > 0 && next > most)
            break;
        n = next;
    }
    return n;
}

static int add_word(struct view bytes, struct buf *out)
{
    int err = buf_add_cstr(out, "=?UTF-8?B?");
    if (err == MSA_OK)
        err = base64_encode(bytes, out);
    return err < 0 ? err : buf_add_cstr(out, "?=");
}

int rfc2047_encode(struct view text, size_t column, struct buf *out)
{
    if (has_control(text) || !utf8_is_valid(text))
        return MSA_EINVAL;
    bool looks_encoded = text.n > 0 && memmem(text.p, text.n, "=?", 2);
    if (utf8_is_ascii(text) && !looks_encoded && text.n <= PLAIN_MAX)
        return buf_add(out, text);
    size_t room = column + WORD_FRAME < LINE_MAX_CHARS ? LINE_MAX_CHARS - column - WORD_FRAME : 0;
    size_t most = room / 4 * 3 < WORD_BYTES_MAX ? room / 4 * 3 : WORD_BYTES_MAX;
    while (text.n > 0) {
        size_t n = chars_that_fit(text, most);
        int err = add_word(view_slice(text, 0, n), out);
        text = view_slice(text, n, text.n);
        if (err == MSA_OK && text.n > 0)
            err = buf_add_cstr(out, "\r\n ");
        if (err < 0)
            return err;
        most = WORD_BYTES_MAX;
    }
    return MSA_OK;
}
