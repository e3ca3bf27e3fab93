/* How a message is made, whoever wrote it about what. Each shape is a fact or a coarse number (a power of two, a
 * tenth): fine ones would tell single senders apart. The header's fields count by being there and by how they
 * agree with each other, never by the names in them.
 *
 * Left out is what was measured to do harm with mail of sources that were not learnt from: lengths, capitals,
 * punctuation and the like of the text, and charsets, encodings and types of its parts. They tell newsletters from
 * letters better than spam from ham. */
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

static void fact(struct features *f, bool holds, const char *name)
{
    if (holds)
        features_add_shape(f, name, 0);
}

/* ---- HTML ---- */

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

#define LINK_WORD_LEAST 3
#define LINK_WORD_MOST  14
#define LINK_WORD_BYTES 300 /* of a link are looked at */

/* "unsubscribe", "cgi", "track": what programs make of links carries over to hosts never seen. */
static void take_link_words(struct features *f, struct view path_and_query)
{
    uint32_t hash = 0;
    size_t length = 0;
    for (size_t i = 0; i <= path_and_query.n && i < LINK_WORD_BYTES; i++) {
        char c = i < path_and_query.n ? ascii_lower(path_and_query.p[i]) : '\0';
        if (ascii_is_alpha(c)) {
            hash = ((length++ ? hash : 2166136261u) ^ (unsigned char)c) * 16777619u;
            continue;
        }
        if (length >= LINK_WORD_LEAST && length <= LINK_WORD_MOST)
            features_add_shape(f, "link-word", hash);
        length = 0;
    }
}

static void take_path(struct features *f, const struct document_link *l)
{
    struct view rest = l->url;
    size_t at = l->host.n ? 0 : rest.n;
    while (at + l->host.n <= rest.n && !view_eq_nocase(view_slice(rest, at, at + l->host.n), l->host))
        at++;
    rest = view_slice(rest, at + l->host.n, rest.n);
    take_link_words(f, rest);
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

int features_take_shapes(struct features *f, const struct document *d, struct document_reader *r,
                         struct view subject)
{
    take_html(f, d);
    take_links(f, d);
    shape_header_subject(f, subject);
    return shape_header_take(f, d, r);
}
