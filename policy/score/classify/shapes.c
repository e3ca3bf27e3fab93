/* How a message is made, whoever wrote it about what. Each shape is a fact or a coarse number (a power of two, a
 * tenth): fine ones would tell single senders apart. The header's fields count by being there and by how they
 * agree with each other, never by the names in them. */
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/classify/features.h"
#include "policy/score/classify/shape_header.h"

static unsigned magnitude(uint64_t n, unsigned most)
{
    unsigned m = 0;
    for (; n && m < most; n >>= 1)
        m++;
    return m;
}

/* `part` of `whole` in steps of 1/steps. */
static unsigned share(uint64_t part, uint64_t whole, unsigned steps)
{
    return whole ? (unsigned)(part * steps / whole) : 0;
}

static void fact(struct features *f, bool holds, const char *name)
{
    if (holds)
        features_add_shape(f, name, 0);
}

/* ---- parts ---- */

static const char *charset_class(struct view charset)
{
    static const char *const western[] = {"iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii", "utf-8"};
    static const char *const japanese[] = {"iso-2022-jp", "shift_jis", "euc-jp", "windows-31j"};
    if (!charset.n)
        return "charset-none";
    for (size_t i = 0; i < sizeof western / sizeof western[0]; i++)
        if (view_eq_nocase(charset, view_cstr(western[i])))
            return i < 3 ? "charset-western" : i == 3 ? "charset-ascii" : "charset-utf8";
    for (size_t i = 0; i < sizeof japanese / sizeof japanese[0]; i++)
        if (view_eq_nocase(charset, view_cstr(japanese[i])))
            return "charset-japanese";
    return "charset-other";
}

static void take_parts(struct features *f, const struct document *d)
{
    static const char *const encodings[] = {"encoding-none", "encoding-base64", "encoding-quoted",
                                            "encoding-uu", "encoding-unknown"};
    bool has_image = false, has_other = false;
    for (size_t i = 0; i < d->part_count; i++) {
        const struct document_part *p = &d->parts[i];
        if (p->kind == DOCUMENT_PART_TEXT || p->kind == DOCUMENT_PART_HTML) {
            features_add_shape(f, encodings[p->encoding], 0);
            features_add_shape(f, charset_class(p->charset), 0);
        } else if (p->kind == DOCUMENT_PART_OTHER) {
            bool is_image = view_has_prefix(p->media_type, VIEW_LIT("image/"));
            has_image = has_image || is_image;
            has_other = has_other || !is_image;
        }
    }
    fact(f, has_image, "image-part");
    fact(f, has_other, "other-part");
    if (!d->part_count)
        return;
    static const char *const types[] = {"text/plain", "text/html", "multipart/alternative", "multipart/mixed",
                                        "multipart/related", "multipart/signed"};
    unsigned type = 0;
    while (type < 6 && !view_eq(d->parts[0].media_type, view_cstr(types[type])))
        type++;
    features_add_shape(f, type < 6 ? types[type] : "type-other", 0);
}

static void take_html(struct features *f, const struct document *d)
{
    static const struct {
        enum document_fact bit;
        const char *name;
    } facts[] = {
        {DOCUMENT_HTML_ONLY, "html-only"},       {DOCUMENT_HAS_HIDDEN_TEXT, "hidden-text"},
        {DOCUMENT_IMAGE_ONLY, "image-only"},     {DOCUMENT_HAS_FORM, "form"},
        {DOCUMENT_HAS_SCRIPT, "script"},         {DOCUMENT_8BIT_UNDECLARED, "8bit-undeclared"},
        {DOCUMENT_BAD_CHARSET, "bad-charset"},   {DOCUMENT_BAD_ENCODING, "bad-encoding"},
        {DOCUMENT_HEADER_8BIT, "header-8bit"},   {DOCUMENT_NO_MIME_VERSION, "no-mime-version"},
        {DOCUMENT_HAS_ATTACHMENT, "attachment"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        fact(f, d->facts & facts[i].bit, facts[i].name);
    fact(f, (d->facts & DOCUMENT_HAS_HTML) && (d->facts & DOCUMENT_HAS_TEXT), "text-and-html");
    if (!(d->facts & DOCUMENT_HAS_HTML))
        return;
    const struct document_html *h = &d->html;
    features_add_shape(f, "html", 0);
    features_add_shape(f, "html-tags", magnitude(h->tag_count, 10) / 2);
    features_add_shape(f, "html-images", magnitude(h->image_count, 5));
    features_add_shape(f, "html-links", magnitude(h->link_count, 6));
    features_add_shape(f, "html-visible", magnitude(h->visible_bytes, 14));
    features_add_shape(f, "html-tags-to-text", magnitude((uint64_t)h->tag_count * 256 / (h->visible_bytes + 1), 8));
    fact(f, h->comment_count > 0, "html-comments");
    fact(f, h->split_word_count > 0, "split-words");
    fact(f, h->numeric_letter_count > 3, "numeric-letters");
    fact(f, h->zero_width_count > 2, "zero-width");
    fact(f, h->image_count && h->visible_bytes < 200, "image-and-little-text");
    fact(f, h->unknown_tag_count > 2, "unknown-tags");
}

/* ---- links ---- */

static bool is_token(struct view path)
{
    size_t run = 0;
    for (size_t i = 0; i < path.n; i++) {
        bool is_part = ascii_is_digit(path.p[i]) || ascii_is_alpha(path.p[i]);
        run = is_part ? run + 1 : 0;
        if (run >= 20)
            return true;
    }
    return false;
}

static void take_host(struct features *f, struct view host)
{
    struct view rest = host, label = VIEW_EMPTY, last = VIEW_EMPTY;
    unsigned labels = 0;
    while (rest.n) {
        label = last;
        last = view_cut(&rest, '.');
        labels++;
    }
    features_add_shape(f, "host-labels", labels < 6 ? labels : 6);
    bool has_digit = false, has_hyphen = memchr(label.p ? label.p : "", '-', label.n) != NULL, has_vowel = false;
    for (size_t i = 0; i < label.n; i++) {
        has_digit = has_digit || ascii_is_digit(label.p[i]);
        has_vowel = has_vowel || memchr("aeiouy", label.p[i], 6);
    }
    fact(f, has_digit, "host-digit");
    fact(f, has_hyphen, "host-hyphen");
    fact(f, label.n > 5 && !has_vowel, "host-no-vowel");
    fact(f, label.n > 15, "host-long");
    static const char *const kinds[] = {"com", "net", "org", "edu", "gov", "info", "biz"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (view_eq(last, view_cstr(kinds[i]))) {
            features_add_shape(f, kinds[i], 0);
            return;
        }
    features_add_shape(f, last.n == 2 ? "host-country" : "host-other-top", 0);
}

static void take_path(struct features *f, const struct document_link *l)
{
    struct view rest = l->url;
    size_t at = l->host.n ? 0 : rest.n;
    while (at + l->host.n <= rest.n && !view_eq_nocase(view_slice(rest, at, at + l->host.n), l->host))
        at++;
    rest = view_slice(rest, at + l->host.n, rest.n);
    struct view path = view_cut(&rest, '?');
    unsigned depth = 0;
    for (size_t i = 0; i < path.n; i++)
        depth += path.p[i] == '/';
    features_add_shape(f, "path-depth", depth < 5 ? depth : 5);
    fact(f, path.n <= 1 && !rest.n, "path-none");
    fact(f, rest.n > 0, "query");
    fact(f, rest.n > 40, "query-long");
    fact(f, memchr(rest.p ? rest.p : "", '@', rest.n) != NULL, "query-address");
    fact(f, is_token(path) || is_token(rest), "link-token");
}

static void take_links(struct features *f, const struct document *d)
{
    static const struct {
        unsigned bit;
        const char *name;
    } flags[] = {
        {DOCUMENT_LINK_USERINFO, "link-userinfo"},     {DOCUMENT_LINK_PORT, "link-port"},
        {DOCUMENT_LINK_IP_LITERAL, "link-ip"},         {DOCUMENT_LINK_NUMBER_HOST, "link-number"},
        {DOCUMENT_LINK_ESCAPED_HOST, "link-escaped"},  {DOCUMENT_LINK_PUNYCODE, "link-punycode"},
        {DOCUMENT_LINK_HOST_DIFFERS, "link-differs"},  {DOCUMENT_LINK_HIDDEN, "link-hidden"},
        {DOCUMENT_LINK_DATA_OR_SCRIPT, "link-script"},
    };
    unsigned count = 0, remote_images = 0, hosts = 0;
    struct view last_host = VIEW_EMPTY;
    for (size_t i = 0; i < d->link_count && i < 100; i++) {
        const struct document_link *l = &d->links[i];
        if (l->flags & DOCUMENT_LINK_MAILTO) {
            features_add_shape(f, "link-mailto", 0);
            continue;
        }
        for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++)
            fact(f, l->flags & flags[k].bit, flags[k].name);
        if (!l->host.n)
            continue;
        remote_images += l->source == DOCUMENT_LINK_IMAGE;
        fact(f, l->source == DOCUMENT_LINK_FORM, "form-remote");
        count++;
        if (view_eq(l->host, last_host))
            continue;
        hosts++;
        last_host = l->host;
        if (!(l->flags & (DOCUMENT_LINK_IP_LITERAL | DOCUMENT_LINK_NUMBER_HOST)))
            take_host(f, l->host);
        take_path(f, l);
    }
    features_add_shape(f, "links", magnitude(count, 6));
    features_add_shape(f, "link-hosts", magnitude(hosts, 4));
    features_add_shape(f, "remote-images", magnitude(remote_images, 4));
}

/* ---- text ---- */

struct text_counts {
    unsigned letters, capitals, digits, beyond_ascii, marks, questions, money, code, spaces;
    unsigned lines, quoted, blank, small_starts, capital_words, longest;
    bool has_signature, has_rule, has_run, has_attribution;
};

static void count_line(struct text_counts *t, struct view line)
{
    struct view s = view_trim(line);
    t->lines++;
    t->blank += s.n == 0;
    t->longest = line.n > t->longest ? (unsigned)line.n : t->longest;
    if (!s.n)
        return;
    t->quoted += s.p[0] == '>' || s.p[0] == '|';
    t->small_starts += s.p[0] >= 'a' && s.p[0] <= 'z';
    t->has_signature = t->has_signature || view_eq(s, VIEW_LIT("--"));
    t->has_attribution = t->has_attribution || view_has_suffix_nocase(s, VIEW_LIT("wrote:")) ||
                         view_has_suffix_nocase(s, VIEW_LIT("writes:"));
    unsigned run = 1, capitals = 0;
    for (size_t i = 0; i < s.n; i++) {
        capitals = s.p[i] >= 'A' && s.p[i] <= 'Z' ? capitals + 1 : 0;
        t->capital_words += capitals == 4;
        run = i && s.p[i] == s.p[i - 1] && s.p[i] != ' ' ? run + 1 : 1;
        t->has_run = t->has_run || (run == 6 && !memchr("-=_*~#.", s.p[i], 7));
        t->has_rule = t->has_rule || run == 15;
    }
}

static bool is_code(unsigned char c)
{
    static const uint64_t marks[4] = {
        [0] = 1ull << '(' | 1ull << ')' | 1ull << ';' | 1ull << '=' | 1ull << '<' | 1ull << '>' | 1ull << '/' |
              1ull << '#' | 1ull << '&' | 1ull << '*' | 1ull << '+',
        [1] = 1ull << ('{' - 64) | 1ull << ('}' - 64) | 1ull << ('[' - 64) | 1ull << (']' - 64) |
              1ull << ('\\' - 64) | 1ull << ('|' - 64) | 1ull << ('_' - 64),
    };
    return marks[c / 64] >> c % 64 & 1;
}

static void count_characters(struct text_counts *t, struct view text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        t->letters += ascii_is_alpha((char)c);
        t->capitals += c >= 'A' && c <= 'Z';
        t->digits += ascii_is_digit((char)c);
        t->beyond_ascii += c >= 0x80;
        t->marks += c == '!';
        t->questions += c == '?';
        t->money += (c == '$' || c == 0xa3 || c == 0xa5) && i + 1 < text.n && ascii_is_digit(text.p[i + 1]);
        t->spaces += c <= ' ';
        t->code += is_code(c);
    }
}

static void take_text(struct features *f, struct view text)
{
    struct text_counts t = {0};
    count_characters(&t, text);
    struct view rest = text;
    while (rest.n)
        count_line(&t, view_cut(&rest, '\n'));
    uint64_t shown = text.n - t.spaces;
    features_add_shape(f, "text-bytes", magnitude(text.n, 14));
    if (t.letters > 20)
        features_add_shape(f, "capitals", share(t.capitals, t.letters, 20) < 8 ? share(t.capitals, t.letters, 20) : 8);
    features_add_shape(f, "capital-words", magnitude(t.capital_words, 5));
    features_add_shape(f, "exclamations", magnitude(t.marks, 5));
    features_add_shape(f, "questions", magnitude(t.questions, 3));
    features_add_shape(f, "money", magnitude(t.money, 4));
    features_add_shape(f, "digits", share(t.digits, shown, 16) < 4 ? share(t.digits, shown, 16) : 4);
    features_add_shape(f, "code", magnitude(shown ? t.code * 200ull / shown : 0, 6));
    features_add_shape(f, "beyond-ascii", t.beyond_ascii ? 1 + share(t.beyond_ascii, text.n, 4) : 0);
    features_add_shape(f, "quoted", t.quoted ? 1 + share(t.quoted, t.lines, 4) : 0);
    features_add_shape(f, "blank-lines", share(t.blank, t.lines, 5));
    features_add_shape(f, "small-starts", share(t.small_starts, t.lines, 4));
    features_add_shape(f, "longest-line", magnitude(t.longest, 9));
    fact(f, t.has_signature, "signature");
    fact(f, t.has_attribution, "attribution");
    fact(f, t.has_run, "run");
    fact(f, t.has_rule, "rule");
}

int features_take_shapes(struct features *f, const struct document *d, struct document_reader *r,
                         struct view subject)
{
    take_parts(f, d);
    take_html(f, d);
    take_links(f, d);
    take_text(f, view_slice(d->text, 0, FEATURE_TEXT_BYTES));
    shape_header_subject(f, subject);
    return shape_header_take(f, d, r);
}
