#include "policy/score/content/url_scan.h"

#include <string.h>

#include "msa/base/utf8.h"

#define LOCAL_MAX        64 /* of a mail address (RFC 5321 section 4.5.3.1.1) */
#define DOMAIN_MAX_SHOWN 255
#define AUTHORITY_MAX    512 /* keeps the scan linear */

struct scan {
    struct document_reader *r;
    size_t part;
    unsigned flags;
    struct view text;
    size_t done; /* before this nothing is looked at again */
};

static bool is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* ---- where a URL ends ---- */

static bool ends_url(char c)
{
    return (unsigned char)c <= ' ' || c == '<' || c == '>' || c == '"' || c == 0x7f;
}

/* Japanese is written right behind a URL. So other letters belong to it only in a label
 * of the host that begins with one, or if they are Latin; never the marks of Japanese
 * text. Their length, or 0. */
static size_t foreign_letter(struct view rest, bool is_label_foreign)
{
    uint32_t code;
    size_t n = utf8_decode(rest, &code);
    bool is_mark = (code >= 0x2000 && code < 0x2070) ||
                   (code >= 0x3000 && code < 0x3040) || code >= 0xff00;
    if (n == 0 || code < 0xc0 || is_mark)
        return 0;
    return is_label_foreign || code < 0x250 ? n : 0;
}

/* The end of the host, user and port that begin at `at`. */
static size_t authority_end(struct view text, size_t at)
{
    bool is_label_start = true, is_foreign = false;
    size_t most = at + AUTHORITY_MAX;
    while (at < text.n && at < most && !ends_url(text.p[at]) &&
           !strchr("/\\?#", text.p[at])) {
        size_t n = 1;
        if ((unsigned char)text.p[at] >= 0x80) {
            is_foreign |= is_label_start;
            n = foreign_letter(view_slice(text, at, text.n), is_foreign);
            if (n == 0)
                break;
        }
        is_label_start = strchr(".@:", text.p[at]) != NULL;
        is_foreign &= !is_label_start;
        at += n;
    }
    return at;
}

static size_t count_of(struct view v, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += v.p[i] == c;
    return n;
}

/* Marks of the sentence around it are no part of a URL; a closing bracket is one if it
 * was opened inside. */
static size_t without_marks(struct view text, size_t from, size_t to)
{
    size_t opened = count_of(view_slice(text, from, to), '(');
    size_t closed = count_of(view_slice(text, from, to), ')');
    while (to > from && strchr(".,;:!?'\")]}*_|`", text.p[to - 1])) {
        if (text.p[to - 1] == ')' && closed-- <= opened)
            break;
        to--;
    }
    return to;
}

static size_t url_end(struct view text, size_t from, size_t authority)
{
    size_t most = from + DOCUMENT_URL_BYTES_MAX;
    size_t to = authority_end(text, authority);
    if (to < text.n && strchr("/\\?#", text.p[to]))
        while (to < text.n && to < most && !ends_url(text.p[to]) &&
               (unsigned char)text.p[to] < 0x80)
            to++;
    return without_marks(text, from, to);
}

/* ---- the three kinds ---- */

/* At ":" of "://": the scheme stands before it. */
static size_t take_url(struct scan *s, size_t colon)
{
    static const struct view schemes[] = {VIEW_LIT("http"), VIEW_LIT("https"),
                                          VIEW_LIT("ftp")};
    size_t from = colon;
    while (from > s->done && colon - from < 8 && ascii_is_alpha(s->text.p[from - 1]))
        from--;
    struct view before = view_slice(s->text, from, colon);
    for (size_t i = sizeof schemes / sizeof schemes[0]; i > 0; i--) {
        struct view scheme = schemes[i - 1];
        if (!view_has_suffix_nocase(before, scheme))
            continue;
        from = colon - scheme.n;
        size_t to = url_end(s->text, from, colon + 3);
        if (to <= colon + 3)
            return colon + 1;
        url_add(s->r, s->part, DOCUMENT_LINK_TEXT, view_slice(s->text, from, to),
                s->flags);
        return to;
    }
    return colon + 1;
}

/* "www.example.jp": what mail programs make a link without being asked. */
static size_t take_www(struct scan *s, size_t from)
{
    char url[DOCUMENT_URL_BYTES_MAX + 8] = "http://";
    size_t to = url_end(s->text, from, from);
    if (to <= from + 5 || to - from > DOCUMENT_URL_BYTES_MAX)
        return from + 4;
    struct view shown = view_slice(s->text, from, to);
    memcpy(url + 7, shown.p, shown.n);
    struct document_link *link =
        url_add(s->r, s->part, DOCUMENT_LINK_TEXT, view_of(url, shown.n + 7),
                s->flags | DOCUMENT_LINK_NO_SCHEME);
    if (link)
        link->url = view_slice(link->url, 7, link->url.n);
    return to;
}

static bool is_local_char(char c)
{
    return is_word(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/* At "@": a mail address around it. */
static size_t take_address(struct scan *s, size_t at)
{
    char url[8 + LOCAL_MAX + 1 + DOMAIN_MAX_SHOWN] = "mailto:";
    size_t from = at, to = at + 1;
    while (from > s->done && at - from < LOCAL_MAX && is_local_char(s->text.p[from - 1]))
        from--;
    while (to < s->text.n && to - at <= DOMAIN_MAX_SHOWN &&
           (is_word(s->text.p[to]) || s->text.p[to] == '-' || s->text.p[to] == '.'))
        to++;
    while (to > at + 1 && !is_word(s->text.p[to - 1]))
        to--;
    struct view domain = view_slice(s->text, at + 1, to);
    if (from == at || view_find(domain, '.') == domain.n || domain.p[0] == '.' ||
        domain.p[0] == '-')
        return at + 1;
    memcpy(url + 7, s->text.p + from, to - from);
    url_add(s->r, s->part, DOCUMENT_LINK_TEXT, view_of(url, 7 + to - from),
            s->flags | DOCUMENT_LINK_NO_SCHEME);
    return to;
}

/* Something that may be in a link stands at `i`: behind the link, or one on. */
static size_t look(struct scan *s, size_t i)
{
    struct view rest = view_slice(s->text, i, s->text.n);
    size_t next = i + 1;
    if (rest.p[0] == ':' && view_has_prefix(rest, VIEW_LIT("://")))
        next = take_url(s, i);
    else if (rest.p[0] == '@')
        next = take_address(s, i);
    else if (view_has_prefix_nocase(rest, VIEW_LIT("www.")) &&
             (i == s->done || !is_word(s->text.p[i - 1])))
        next = take_www(s, i);
    if (next > i + 1)
        s->done = next;
    return next;
}

void url_scan(struct document_reader *r, size_t part, size_t from, size_t to,
              unsigned flags)
{
    struct scan s = {.r = r,
                     .part = part,
                     .flags = flags,
                     .text = view_slice(buf_view(&r->text), from, to)};
    for (size_t i = 0; i < s.text.n && !(r->doc.facts & DOCUMENT_TOO_MANY_LINKS);) {
        char c = s.text.p[i];
        bool may_begin = c == ':' || c == '@' || c == 'w' || c == 'W';
        i = may_begin ? look(&s, i) : i + 1;
    }
}
