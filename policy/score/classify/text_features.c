/* Grams and words. The text is folded into characters that both are taken from: small letters, digits as 0, white
 * space as one SP, no links and no addresses. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/classify/features.h"

#define WORD_BYTES_MAX   40
#define LINK_BYTES_MAX   2048
#define SCHEME_BYTES_MAX 8

enum kind { KIND_SPACE, KIND_LETTER, KIND_WIDE, KIND_DIGIT, KIND_MARK, KIND_OTHER };

static bool is_between(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* Characters that show nothing, put between letters to hide a word. */
static bool is_invisible(uint32_t c)
{
    return c == 0xad || c == 0x34f || is_between(c, 0x200b, 0x200f) || is_between(c, 0x202a, 0x202e) ||
           is_between(c, 0x2060, 0x2064) || c == 0xfeff || is_between(c, 0xfe00, 0xfe0f);
}

static uint32_t fold(uint32_t c)
{
    if (is_between(c, 0xff01, 0xff5e))
        c -= 0xfee0;
    if (c < 0x80)
        return is_between(c, 'A', 'Z') ? c + 32 : is_between(c, '0', '9') ? '0' : c;
    if ((is_between(c, 0xc0, 0xde) && c != 0xd7) || is_between(c, 0x391, 0x3a9) || is_between(c, 0x410, 0x42f))
        return c + 32;
    if (is_between(c, 0x400, 0x40f))
        return c + 80;
    if (c == 0x2019 || c == 0x2018)
        return '\'';
    return c;
}

static bool is_wide(uint32_t c)
{
    return is_between(c, 0x3040, 0x30ff) || is_between(c, 0x3400, 0x9fff) ||
           is_between(c, 0xac00, 0xd7af) || is_between(c, 0xff66, 0xff9f) || is_between(c, 0x20000, 0x3ffff);
}

/* Of one that is folded. */
static enum kind kind_of(uint32_t c)
{
    if (is_between(c, 'a', 'z'))
        return KIND_LETTER;
    if (c <= ' ' || c == 0x7f || c == 0xa0 || c == 0x3000 || is_between(c, 0x2000, 0x200a) || c == 0xfffd)
        return KIND_SPACE;
    if (c == '0')
        return KIND_DIGIT;
    if (c == '$' || c == '%' || c == '!' || c == 0xa3 || c == 0xa5 || c == 0x20ac)
        return KIND_MARK;
    if (c < 0x80)
        return KIND_OTHER;
    if (is_wide(c))
        return KIND_WIDE;
    if (is_between(c, 0xc0, 0x24f) || is_between(c, 0x370, 0x1fff))
        return KIND_LETTER;
    return KIND_OTHER;
}

/* The state of one pass: the word that is being read, and the last characters. */
struct taker {
    struct features *f;
    char *out;             /* of f->folded: room for as many bytes as there are in the text, and some more */
    size_t base;           /* what stood in it before */
    size_t out_bytes;
    enum kind kind;        /* of the word */
    uint32_t word_hash;
    size_t word_start;
    size_t word_bytes;
    uint64_t run;          /* the last four characters, one above the other */
    unsigned run_count;
    uint32_t wide_before;  /* 0: the last one was none */
    size_t wide_offset;
    bool has_grams;
    bool has_space;        /* the last one was white space */
};

static void end_word(struct taker *t)
{
    if (t->word_bytes)
        features_add_word(t->f, t->word_hash, t->word_start, t->word_bytes);
    t->word_bytes = 0;
}

static void take_gram(struct taker *t, uint32_t c)
{
    t->run = t->run << 16 ^ c;
    if (t->run_count == 3)
        features_add_gram(t->f, (uint32_t)((t->run * 0x9e3779b97f4a7c15u) >> 32));
    else
        t->run_count++;
}

static void lengthen_word(struct taker *t, uint32_t c, size_t bytes)
{
    if (t->word_bytes + bytes > WORD_BYTES_MAX)
        return;
    t->word_hash = (t->word_hash ^ c) * 16777619u;
    t->word_bytes += bytes;
}

/* Each two neighbours are a word. */
static void take_wide(struct taker *t, uint32_t c, size_t offset, size_t bytes)
{
    if (t->wide_before)
        features_add_word(t->f, (t->wide_before * 0x9e3779b1u) ^ (c * 0x85ebca6bu), t->wide_offset,
                          offset + bytes - t->wide_offset);
    t->wide_before = c;
    t->wide_offset = offset;
}

static void take_word(struct taker *t, uint32_t c, enum kind kind, size_t offset, size_t bytes)
{
    bool is_same = kind == t->kind || (c == '\'' && t->kind == KIND_LETTER);
    if (is_same && t->word_bytes) {
        lengthen_word(t, c, bytes);
        return;
    }
    end_word(t);
    t->kind = kind;
    if (kind == KIND_WIDE) {
        take_wide(t, c, offset, bytes);
        return;
    }
    t->wide_before = 0;
    if (kind == KIND_SPACE || kind == KIND_OTHER)
        return;
    t->word_hash = 2166136261u;
    t->word_start = offset;
    lengthen_word(t, c, bytes);
}

static bool is_link_byte(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '(' && c != ')' && c != '[' && c != ']' &&
           c != ',';
}

/* Bytes at the front of `v` that are a link or an address, which say where mail comes from; 0: something else. */
static size_t skip_link(struct view v)
{
    size_t n = 0;
    bool has_at = false, has_scheme = false;
    while (n < v.n && n < LINK_BYTES_MAX && is_link_byte((unsigned char)v.p[n])) {
        has_at = has_at || (v.p[n] == '@' && n > 0);
        has_scheme = has_scheme || (n >= 3 && n < SCHEME_BYTES_MAX && v.p[n] == '/' && v.p[n - 1] == '/' && v.p[n - 2] == ':');
        n++;
    }
    bool is_www = view_has_prefix_nocase(v, VIEW_LIT("www."));
    return has_scheme || is_www || (has_at && memchr(v.p, '.', n)) ? n : 0;
}

/* One that is folded. */
static void take(struct taker *t, uint32_t c)
{
    enum kind kind = kind_of(c);
    if (kind == KIND_SPACE) {
        c = ' ';
        if (t->has_space)
            return;
    }
    t->has_space = kind == KIND_SPACE;
    size_t offset = t->base + t->out_bytes, n = 1;
    if (c < 0x80)
        t->out[t->out_bytes] = (char)c;
    else
        n = utf8_encode(c, t->out + t->out_bytes);
    t->out_bytes += n;
    if (t->has_grams)
        take_gram(t, c);
    take_word(t, c, kind, offset, n);
}

/* "Re: Fwd: [list] " says how a mail came about, which is a shape, and where. */
static struct view without_tags(struct view s)
{
    for (;;) {
        s = view_trim(s);
        if (s.n && s.p[0] == '[' && view_find(s, ']') < s.n)
            s = view_slice(s, view_find(s, ']') + 1, s.n);
        else if (view_has_prefix_nocase(s, VIEW_LIT("re:")) || view_has_prefix_nocase(s, VIEW_LIT("fw:")))
            s = view_slice(s, 3, s.n);
        else if (view_has_prefix_nocase(s, VIEW_LIT("fwd:")))
            s = view_slice(s, 4, s.n);
        else
            return s;
    }
}

/* What a link or an address cannot be without stands there, if anywhere; looked for once, not at each word. */
struct marks {
    size_t colon, at;
};

static size_t next_mark(struct view text, size_t from, char c)
{
    const char *mark = memchr(text.p + from, c, text.n - from);
    return mark ? (size_t)(mark - text.p) : SIZE_MAX;
}

/* Whether skip_link could find something at `i`. */
static bool may_be_link(struct marks *m, struct view text, size_t i)
{
    if (m->colon < i)
        m->colon = next_mark(text, i, ':');
    if (m->at < i)
        m->at = next_mark(text, i, '@');
    return m->colon < i + SCHEME_BYTES_MAX || m->at < i + LINK_BYTES_MAX || ascii_lower(text.p[i]) == 'w';
}

/* Behind it a link may begin. */
static bool is_edge(uint32_t c)
{
    return c <= '[' && (c <= ' ' || c == '<' || c == '(' || c == '"' || c == '[' || c == ':');
}

/* The next character of `text`, which is not empty, folded; 0: nothing that counts. */
static uint32_t next_folded(struct view text, size_t *bytes_out)
{
    uint32_t c;
    size_t n = utf8_decode(text, &c);
    *bytes_out = n ? n : 1;
    return n == 0 ? 0xfffd : is_invisible(c) ? 0 : fold(c);
}

int features_take_text(struct features *f, struct view text, bool is_subject)
{
    struct taker t = {.f = f, .kind = KIND_SPACE, .has_grams = !is_subject};
    struct marks marks = {0, 0};
    if (is_subject)
        text = without_tags(text);
    /* No character gets longer by folding; a malformed byte becomes a SP. */
    t.out = buf_reserve(&f->folded, text.n + 8);
    t.base = buf_len(&f->folded);
    if (!t.out)
        return MSA_ENOMEM;
    bool is_at_start = true;
    for (size_t i = 0, n = 1; i < text.n && f->count[FEATURE_GRAM] < FEATURE_GRAMS_MAX; i += n) {
        uint32_t c = (unsigned char)text.p[i];
        n = 1;
        if (is_at_start && may_be_link(&marks, text, i) && (n = skip_link(view_slice(text, i, text.n))) > 0) {
            take(&t, ' ');
            continue;
        }
        is_at_start = is_edge(c) || c >= 0x80;
        if (c < 0x80) {
            n = 1;
            take(&t, fold(c));
        } else if ((c = next_folded(view_slice(text, i, text.n), &n)) != 0) {
            take(&t, c);
        }
    }
    take(&t, ' ');
    end_word(&t);
    buf_commit(&f->folded, t.out_bytes);
    return MSA_OK;
}
