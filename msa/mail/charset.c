#include "msa/mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"

enum charset_kind {
    KIND_ICONV = 0,
    KIND_UTF8, /* and ASCII, which is a part of it */
    KIND_JIS,  /* ISO-2022-JP, by way of EUC */
    KIND_KR,   /* ISO-2022-KR, likewise */
};

/* What mail calls them (RFC 2978 names and habits) and what converts them. Labels are widened
 * to what programs really send under them, as browsers do: ISO-8859-1 is Windows-1252,
 * Shift_JIS is CP932. */
static const struct charset {
    const char *label;
    const char *iconv_name;
    enum charset_kind kind;
} table[] = {
    {"us-ascii", NULL, KIND_UTF8},
    {"ascii", NULL, KIND_UTF8},
    {"utf-8", NULL, KIND_UTF8},
    {"utf8", NULL, KIND_UTF8},
    {"iso-2022-jp", "EUC-JP-MS", KIND_JIS},
    {"iso-2022-jp-1", "EUC-JP-MS", KIND_JIS},
    {"iso-2022-jp-2", "EUC-JP-MS", KIND_JIS},
    {"iso-2022-jp-3", "EUC-JP-MS", KIND_JIS},
    {"iso-2022-jp-2004", "EUC-JP-MS", KIND_JIS},
    {"iso-2022-jp-ms", "EUC-JP-MS", KIND_JIS},
    {"cp50221", "EUC-JP-MS", KIND_JIS},
    {"euc-jp", "EUC-JP-MS", KIND_ICONV},
    {"x-euc-jp", "EUC-JP-MS", KIND_ICONV},
    {"shift_jis", "CP932", KIND_ICONV},
    {"sjis", "CP932", KIND_ICONV},
    {"shift-jis", "CP932", KIND_ICONV},
    {"x-sjis", "CP932", KIND_ICONV},
    {"windows-31j", "CP932", KIND_ICONV},
    {"cp932", "CP932", KIND_ICONV},
    {"iso-8859-1", "CP1252", KIND_ICONV},
    {"latin1", "CP1252", KIND_ICONV},
    {"windows-1252", "CP1252", KIND_ICONV},
    {"cp1252", "CP1252", KIND_ICONV},
    {"iso-8859-2", "ISO-8859-2", KIND_ICONV},
    {"iso-8859-3", "ISO-8859-3", KIND_ICONV},
    {"iso-8859-4", "ISO-8859-4", KIND_ICONV},
    {"iso-8859-5", "ISO-8859-5", KIND_ICONV},
    {"iso-8859-6", "ISO-8859-6", KIND_ICONV},
    {"iso-8859-7", "ISO-8859-7", KIND_ICONV},
    {"iso-8859-8", "ISO-8859-8", KIND_ICONV},
    {"iso-8859-9", "CP1254", KIND_ICONV},
    {"iso-8859-15", "ISO-8859-15", KIND_ICONV},
    {"windows-1250", "CP1250", KIND_ICONV},
    {"windows-1251", "CP1251", KIND_ICONV},
    {"windows-1253", "CP1253", KIND_ICONV},
    {"windows-1254", "CP1254", KIND_ICONV},
    {"windows-1255", "CP1255", KIND_ICONV},
    {"windows-1256", "CP1256", KIND_ICONV},
    {"windows-1257", "CP1257", KIND_ICONV},
    {"windows-1258", "CP1258", KIND_ICONV},
    {"koi8-r", "KOI8-R", KIND_ICONV},
    {"koi8-u", "KOI8-U", KIND_ICONV},
    {"tis-620", "CP874", KIND_ICONV},
    {"windows-874", "CP874", KIND_ICONV},
    {"gb2312", "GB18030", KIND_ICONV},
    {"gbk", "GB18030", KIND_ICONV},
    {"gb18030", "GB18030", KIND_ICONV},
    {"big5", "BIG5", KIND_ICONV},
    {"big5-hkscs", "BIG5-HKSCS", KIND_ICONV},
    {"iso-2022-kr", "UHC", KIND_KR},
    {"euc-kr", "UHC", KIND_ICONV},
    {"cp949", "UHC", KIND_ICONV},
    {"ks_c_5601-1987", "UHC", KIND_ICONV},
    {"utf-16", "UTF-16", KIND_ICONV}, /* a byte order mark decides, else this machine's */
    {"utf-16le", "UTF-16LE", KIND_ICONV},
    {"utf-16be", "UTF-16BE", KIND_ICONV},
};
#define CHARSETS (sizeof table / sizeof table[0])

#define NO_CONVERTER ((iconv_t)-1)
#define REPLACEMENT  VIEW_LIT("\xef\xbf\xbd")

struct charsets {
    iconv_t converter[CHARSETS]; /* NO_CONVERTER where none is needed or none is there */
};

struct charsets *charsets_new(void)
{
    struct charsets *cs = calloc(1, sizeof *cs);
    if (!cs)
        return NULL;
    for (size_t i = 0; i < CHARSETS; i++)
        cs->converter[i] =
            table[i].iconv_name ? iconv_open("UTF-8", table[i].iconv_name) : NO_CONVERTER;
    return cs;
}

void charsets_free(struct charsets *cs)
{
    if (!cs)
        return;
    for (size_t i = 0; i < CHARSETS; i++)
        if (cs->converter[i] != NO_CONVERTER)
            iconv_close(cs->converter[i]);
    free(cs);
}

/* One call of iconv; moves `*in` on. True if it stopped at a byte it could not take. */
static bool convert_some(iconv_t cd, struct view *in, char *dst, size_t room, size_t *written)
{
    char *from = (char *)(uintptr_t)in->p; /* iconv's prototype lacks a const */
    size_t left = in->n, dst_left = room;
    size_t rc = iconv(cd, &from, &left, &dst, &dst_left);
    bool is_stuck = rc == (size_t)-1 && errno != E2BIG;
    *written = room - dst_left;
    is_stuck |= left == in->n && *written == 0; /* no progress: never loop on it */
    *in = view_slice(*in, in->n - left, in->n);
    return is_stuck;
}

static int convert(iconv_t cd, struct view in, struct buf *out)
{
    char chunk[4096];
    iconv(cd, NULL, NULL, NULL, NULL); /* the state of an earlier text */
    while (in.n > 0) {
        size_t n;
        bool is_stuck = convert_some(cd, &in, chunk, sizeof chunk, &n);
        int err = buf_append(out, chunk, n);
        if (err == MSA_OK && is_stuck && in.n > 0) {
            err = buf_add(out, REPLACEMENT);
            in = view_slice(in, 1, in.n);
        }
        if (err < 0)
            return err;
    }
    char *dst = chunk;
    size_t room = sizeof chunk;
    iconv(cd, NULL, NULL, &dst, &room); /* CP1255 and CP1258 hold back a letter for its accent */
    return buf_append(out, chunk, sizeof chunk - room);
}

/* ---- ISO-2022-JP
 * ------------------------------------------------------------------------------- */

enum jis_set { JIS_ASCII, JIS_KANA, JIS_0208, JIS_0212 };

/* An escape sequence at the front of `v`: its length, or 0. */
static size_t jis_escape(struct view v, enum jis_set *set_out)
{
    static const struct {
        struct view text;
        enum jis_set set;
    } escapes[] = {
        {VIEW_LIT("\x1b(B"), JIS_ASCII}, {VIEW_LIT("\x1b(J"), JIS_ASCII},
        {VIEW_LIT("\x1b(I"), JIS_KANA},  {VIEW_LIT("\x1b$@"), JIS_0208},
        {VIEW_LIT("\x1b$B"), JIS_0208},  {VIEW_LIT("\x1b$(D"), JIS_0212},
        {VIEW_LIT("\x1b$(B"), JIS_0208}, {VIEW_LIT("\x1b$(@"), JIS_0208},
        {VIEW_LIT("\x1b$(O"), JIS_0208}, {VIEW_LIT("\x1b$(Q"), JIS_0208}, /* JIS X 0213, which holds it */
    };
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (view_has_prefix(v, escapes[i].text)) {
            *set_out = escapes[i].set;
            return escapes[i].text.n;
        }
    return 0;
}

/* One character as EUC-JP: high bits set, half width kana behind SS2, JIS X 0212 behind SS3. The bytes of `v` that
 * it takes; `*dst` has room for three. */
static size_t jis_char(struct view v, enum jis_set set, char **dst)
{
    bool is_graphic = (unsigned char)v.p[0] > 0x20 && (unsigned char)v.p[0] < 0x7f;
    if (set == JIS_ASCII || !is_graphic) {
        *(*dst)++ = v.p[0];
        return 1;
    }
    if (set == JIS_KANA && (unsigned char)v.p[0] > 0x5f) {
        *(*dst)++ = (char)0xff; /* no kana: one replacement, not two */
        return 1;
    }
    size_t n = set == JIS_KANA || v.n < 2 ? 1 : 2;
    if (set != JIS_0208)
        *(*dst)++ = (char)(set == JIS_KANA ? 0x8e : 0x8f);
    for (size_t i = 0; i < n; i++)
        *(*dst)++ = (char)(v.p[i] | 0x80);
    return n;
}

static int jis_to_euc(struct view in, struct buf *euc)
{
    enum jis_set set = JIS_ASCII;
    char *start = buf_reserve(euc, 2 * in.n + 1), *dst = start; /* kana grow from one byte to two */
    if (!start)
        return MSA_ENOMEM;
    while (in.n > 0) {
        size_t n = in.p[0] == '\x1b' ? jis_escape(in, &set) : 0;
        if (n == 0)
            n = jis_char(in, set, &dst);
        in.p += n;
        in.n -= n;
    }
    buf_commit(euc, (size_t)(dst - start));
    return MSA_OK;
}

/* ISO-2022-KR (RFC 1557): SO and SI switch, one sequence says so at the front of a line. */
static int kr_to_euc(struct view in, struct buf *euc)
{
    static const struct view designator = VIEW_LIT("\x1b$)C");
    bool is_shifted = false;
    char *start = buf_reserve(euc, in.n + 1), *dst = start;
    if (!start)
        return MSA_ENOMEM;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '\x1b' && view_has_prefix(view_slice(in, i, in.n), designator))
            i += designator.n - 1;
        else if (c == '\x0e' || c == '\x0f')
            is_shifted = c == '\x0e';
        else
            *dst++ = is_shifted && (unsigned char)c > 0x20 ? (char)(c | 0x80) : c;
        is_shifted &= c != '\n';
    }
    buf_commit(euc, (size_t)(dst - start));
    return MSA_OK;
}

/* The bytes at the front of `v` that are well-formed. */
static size_t valid_length(struct view v)
{
    size_t n = 0;
    while (n < v.n) {
        uint32_t code;
        size_t step = (unsigned char)v.p[n] < 0x80 ? 1 : utf8_decode(view_slice(v, n, v.n), &code);
        if (step == 0)
            break;
        n += step;
    }
    return n;
}

static int clean_utf8(struct view in, struct buf *out)
{
    while (in.n > 0) {
        size_t n = valid_length(in), room = out->max - buf_len(out);
        if (n > room) { /* what fits is appended, in whole characters */
            n = room;
            while (n > 0 && ((unsigned char)in.p[n] & 0xc0) == 0x80)
                n--;
            buf_append(out, in.p, n);
            return buf_append(out, in.p + n, in.n - n);
        }
        int err = buf_append(out, in.p, n);
        in = view_slice(in, n, in.n);
        if (err == MSA_OK && in.n > 0) {
            err = buf_add(out, REPLACEMENT);
            in = view_slice(in, 1, in.n);
        }
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

/* By way of EUC; without a converter for its ASCII alone. */
static int convert_shifted(iconv_t cd, enum charset_kind kind, struct view in, struct buf *out)
{
    struct buf euc;
    buf_init(&euc, 2 * in.n + 1);
    int err = kind == KIND_JIS ? jis_to_euc(in, &euc) : kr_to_euc(in, &euc);
    if (err == MSA_OK)
        err = cd == NO_CONVERTER ? clean_utf8(buf_view(&euc), out) : convert(cd, buf_view(&euc), out);
    buf_fini(&euc);
    return err;
}

/* ---- */

static int ascii_of(const struct charset *known, struct view bytes, struct buf *out)
{
    bool is_shifted = known && (known->kind == KIND_JIS || known->kind == KIND_KR);
    return is_shifted ? convert_shifted(NO_CONVERTER, known->kind, bytes, out)
                      : clean_utf8(bytes, out);
}

static const struct charset *find_charset(struct view label)
{
    for (size_t i = 0; i < CHARSETS; i++)
        if (view_eq_nocase(label, view_cstr(table[i].label)))
            return &table[i];
    return NULL;
}

int charset_to_utf8(struct charsets *cs, struct view label, struct view bytes, struct buf *out)
{
    const struct charset *known = find_charset(label);
    if (!cs)
        return ascii_of(known, bytes, out);
    if (!known)
        return MSA_ENOENT;
    if (known->kind == KIND_UTF8)
        return clean_utf8(bytes, out);
    iconv_t converter = cs->converter[known - table];
    if (converter == NO_CONVERTER)
        return MSA_ENOENT;
    return known->kind == KIND_ICONV ? convert(converter, bytes, out)
                                     : convert_shifted(converter, known->kind, bytes, out);
}
