#include "policy/score/content/html.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/utf8.h"
#include "policy/score/content/html_entity.h"
#include "policy/score/content/html_link.h"
#include "policy/score/content/html_style.h"
#include "policy/score/content/html_token.h"
#include "policy/score/content/text.h"

/* ---- elements ---- */

enum element_flag {
    BLOCK = 1 << 0,  /* begins and ends a line */
    VOID = 1 << 1,   /* has no inside */
    CELL = 1 << 2,   /* stands beside others on a line */
    RAW = 1 << 3,    /* its inside is not HTML and not shown */
    CLOSES = 1 << 4, /* a sibling of the same name ends it */
    SCOPE = 1 << 5,  /* a closing tag inside ends nothing outside */
};

static const struct element {
    const char *name;
    unsigned flags;
} elements[] = {
    /* by name, for bsearch */
    {"a", 0},
    {"abbr", 0},
    {"acronym", 0},
    {"address", BLOCK},
    {"area", VOID},
    {"article", BLOCK},
    {"aside", BLOCK},
    {"audio", 0},
    {"b", 0},
    {"base", VOID},
    {"basefont", VOID},
    {"bdo", 0},
    {"bgsound", VOID},
    {"big", 0},
    {"blink", 0},
    {"blockquote", BLOCK},
    {"body", BLOCK},
    {"br", VOID},
    {"button", 0},
    {"caption", BLOCK},
    {"center", BLOCK},
    {"cite", 0},
    {"code", 0},
    {"col", VOID},
    {"colgroup", 0},
    {"dd", BLOCK | CLOSES},
    {"del", 0},
    {"details", BLOCK},
    {"dfn", 0},
    {"dir", BLOCK},
    {"div", BLOCK},
    {"dl", BLOCK},
    {"dt", BLOCK | CLOSES},
    {"em", 0},
    {"embed", VOID},
    {"fieldset", BLOCK},
    {"figcaption", BLOCK},
    {"figure", BLOCK},
    {"font", 0},
    {"footer", BLOCK},
    {"form", BLOCK},
    {"frame", VOID},
    {"frameset", BLOCK},
    {"h1", BLOCK},
    {"h2", BLOCK},
    {"h3", BLOCK},
    {"h4", BLOCK},
    {"h5", BLOCK},
    {"h6", BLOCK},
    {"head", BLOCK},
    {"header", BLOCK},
    {"hr", BLOCK | VOID},
    {"html", BLOCK},
    {"i", 0},
    {"iframe", RAW},
    {"img", VOID},
    {"input", VOID},
    {"ins", 0},
    {"kbd", 0},
    {"label", 0},
    {"legend", BLOCK},
    {"li", BLOCK | CLOSES},
    {"link", VOID},
    {"main", BLOCK},
    {"map", 0},
    {"mark", 0},
    {"marquee", BLOCK},
    {"menu", BLOCK},
    {"meta", VOID},
    {"nav", BLOCK},
    {"nobr", 0},
    {"noframes", 0},
    {"noscript", 0},
    {"object", 0},
    {"ol", BLOCK},
    {"optgroup", 0},
    {"option", BLOCK | CLOSES},
    {"p", BLOCK | CLOSES},
    {"param", VOID},
    {"picture", 0},
    {"pre", BLOCK},
    {"q", 0},
    {"rp", 0},
    {"rt", 0},
    {"ruby", 0},
    {"s", 0},
    {"samp", 0},
    {"script", RAW},
    {"section", BLOCK},
    {"select", 0},
    {"small", 0},
    {"source", VOID},
    {"span", 0},
    {"strike", 0},
    {"strong", 0},
    {"style", RAW},
    {"sub", 0},
    {"summary", BLOCK},
    {"sup", 0},
    {"svg", 0},
    {"table", BLOCK | SCOPE},
    {"tbody", 0},
    {"td", CELL | CLOSES | SCOPE},
    {"template", 0},
    {"textarea", 0},
    {"tfoot", 0},
    {"th", CELL | CLOSES | SCOPE},
    {"thead", 0},
    {"time", 0},
    {"title", RAW},
    {"tr", BLOCK | CLOSES},
    {"tt", 0},
    {"u", 0},
    {"ul", BLOCK},
    {"var", 0},
    {"video", 0},
    {"wbr", VOID},
    {"xml", 0},
    {"xmp", BLOCK},
};
#define ELEMENTS (sizeof elements / sizeof elements[0])

static int by_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct element *)entry)->name);
}

/* NULL: HTML never had it. Office writes names with a colon, which are known to be
 * unknown. */
static const struct element *find_element(const char *name)
{
    static const struct element foreign = {"", 0};
    const struct element *e =
        bsearch(name, elements, ELEMENTS, sizeof elements[0], by_name);
    return !e && strchr(name, ':') ? &foreign : e;
}

/* ---- the page ---- */

#define OPEN_MAX 64

struct open_element {
    char name[HTML_NAME_MAX + 1];
    unsigned flags;
    struct html_look look;
};

struct page {
    struct document_reader *r;
    struct html_lexer lexer;
    struct html_links links;
    struct open_element open[OPEN_MAX];
    size_t open_count;
    size_t too_deep_count; /* open elements beyond those */
    size_t text_start;
    size_t hidden_start;
    bool text_has_blank; /* white space came, and is written before the next letter */
    bool hidden_has_blank;
};

static struct html_look look_of(const struct page *h)
{
    return h->open_count > 0 ? h->open[h->open_count - 1].look : HTML_LOOK_DEFAULT;
}

static bool is_visible(const struct page *h)
{
    struct html_look look = look_of(h);
    return html_is_visible(&look);
}

/* ---- writing ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_at_line_start(const struct buf *b, size_t start)
{
    return buf_len(b) <= start || b->data[b->end - 1] == '\n';
}

/* Letters without white space. */
static void put(struct page *h, struct view letters, bool to_text)
{
    struct buf *b = to_text ? &h->r->text : &h->r->hidden;
    bool *has_blank = to_text ? &h->text_has_blank : &h->hidden_has_blank;
    if (letters.n == 0)
        return;
    if (*has_blank && !is_at_line_start(b, to_text ? h->text_start : h->hidden_start))
        text_add(h->r, b, VIEW_LIT(" "));
    *has_blank = false;
    if (!to_text)
        h->r->doc.html.hidden_bytes += (uint32_t)letters.n;
    text_add(h->r, b, letters);
}

static void put_code(struct page *h, uint32_t code, bool is_numeric, bool to_text)
{
    char utf8[4];
    if (code == 0xa0 || code <= 0x20) {
        *(to_text ? &h->text_has_blank : &h->hidden_has_blank) = true;
        return;
    }
    if (is_numeric && code < 0x80 &&
        (ascii_is_alpha((char)code) || ascii_is_digit((char)code)))
        h->r->doc.html.numeric_letter_count++;
    put(h, view_of(utf8, utf8_encode(code, utf8)), to_text);
}

static void put_text(struct page *h, struct view text, bool to_text)
{
    while (text.n > 0) {
        size_t n = 0;
        uint32_t code;
        while (n < text.n && !is_space(text.p[n]) && text.p[n] != '&')
            n++;
        put(h, view_slice(text, 0, n), to_text);
        text = view_slice(text, n, text.n);
        if (text.n == 0)
            break;
        size_t taken = text.p[0] == '&' ? html_entity(text, &code) : 0;
        if (taken > 0)
            put_code(h, code, text.p[1] == '#', to_text);
        else if (text.p[0] == '&')
            put(h, VIEW_LIT("&"), to_text);
        else
            *(to_text ? &h->text_has_blank : &h->hidden_has_blank) = true;
        text = view_slice(text, taken > 0 ? taken : 1, text.n);
    }
}

static void break_line(struct page *h)
{
    h->text_has_blank = h->hidden_has_blank = false;
    if (!is_at_line_start(&h->r->text, h->text_start))
        text_add(h->r, &h->r->text, VIEW_LIT("\n"));
    if (!is_at_line_start(&h->r->hidden, h->hidden_start))
        text_add(h->r, &h->r->hidden, VIEW_LIT("\n"));
}

static void blank(struct page *h)
{
    h->text_has_blank = h->hidden_has_blank = true;
}

/* ---- opening and closing ---- */

/* The open element called `name`, counted from 1; 0: none that could be closed from here.
 */
static size_t find_open(const struct page *h, const char *name)
{
    for (size_t i = h->open_count; i > 0; i--) {
        if (strcmp(h->open[i - 1].name, name) == 0)
            return i;
        if ((h->open[i - 1].flags & SCOPE) && name[0] != 't')
            return 0;
    }
    return 0;
}

static void push(struct page *h, const struct html_token *t, const struct element *e)
{
    unsigned flags = e ? e->flags : 0;
    if (flags & CLOSES) {
        size_t open = find_open(h, t->name);
        bool is_inside = false; /* a list or a table in between keeps it open */
        for (size_t i = open; open > 0 && i < h->open_count; i++)
            is_inside |= strcmp(h->open[i].name, "table") == 0 ||
                         strcmp(h->open[i].name, "ul") == 0 ||
                         strcmp(h->open[i].name, "ol") == 0;
        if (open > 0 && !is_inside)
            h->open_count = open - 1;
    }
    struct html_look look = look_of(h);
    html_style(t, &look);
    if (flags & VOID)
        return;
    if (h->open_count == OPEN_MAX) {
        h->too_deep_count++;
        return;
    }
    struct open_element *o = &h->open[h->open_count++];
    memcpy(o->name, t->name, sizeof o->name);
    o->flags = flags;
    o->look = look;
}

static void count(struct page *h, const struct html_token *t, const struct element *e)
{
    struct document_html *n = &h->r->doc.html;
    n->tag_count++;
    n->unknown_tag_count += !e;
    n->image_count += strcmp(t->name, "img") == 0;
    n->form_count += strcmp(t->name, "form") == 0;
    n->script_count += strcmp(t->name, "script") == 0;
}

static bool is_letter(char c)
{
    return ascii_is_alpha(c) || (unsigned char)c >= 0x80;
}

/* Something that is not shown came; does it cut a word in two? */
static void look_for_split(struct page *h)
{
    const struct buf *b = &h->r->text;
    bool is_behind = !h->text_has_blank && buf_len(b) > h->text_start &&
                     is_letter(b->data[b->end - 1]);
    bool is_before = h->lexer.rest.n > 0 && is_letter(h->lexer.rest.p[0]);
    h->r->doc.html.split_word_count += is_behind && is_before;
}

static void open_tag(struct page *h, const struct html_token *t)
{
    const struct element *e = find_element(t->name);
    unsigned flags = e ? e->flags : 0;
    count(h, t, e);
    if (!e)
        look_for_split(h);
    if (flags & BLOCK || strcmp(t->name, "br") == 0)
        break_line(h);
    else if (flags & CELL)
        blank(h);
    html_links_open(&h->links, t, is_visible(h));
    if (flags & RAW) {
        html_skip_raw(&h->lexer, t->name);
        return;
    }
    push(h, t, e);
    struct view alt = html_attribute(t, "alt");
    if (alt.n > 0 && strcmp(t->name, "img") == 0) {
        blank(h);
        put_text(h, alt, is_visible(h));
        blank(h);
    }
}

static void close_tag(struct page *h, const struct html_token *t)
{
    const struct element *e = find_element(t->name);
    if (!e)
        look_for_split(h);
    html_links_close(&h->links, t);
    if (h->too_deep_count > 0) {
        h->too_deep_count--;
    } else {
        size_t open = find_open(h, t->name);
        if (open > 0)
            h->open_count = open - 1;
    }
    if (e && e->flags & BLOCK)
        break_line(h);
    else if (e && e->flags & CELL)
        blank(h);
}

static void take(struct page *h, const struct html_token *t)
{
    switch (t->kind) {
    case HTML_TEXT:
        put_text(h, t->text, is_visible(h));
        break;
    case HTML_OPEN:
        open_tag(h, t);
        break;
    case HTML_CLOSE:
        close_tag(h, t);
        break;
    case HTML_COMMENT:
        h->r->doc.html.comment_count++;
        look_for_split(h);
        break;
    case HTML_END:
        break;
    }
}

/* U+200B to U+200F, U+2060, U+FEFF, the soft hyphen and the grapheme joiner. */
static uint32_t count_zero_width(struct view v)
{
    uint32_t n = 0;
    for (size_t i = 0; i + 1 < v.n; i++) {
        unsigned char a = (unsigned char)v.p[i];
        if (a < 0xc2)
            continue;
        unsigned char b = (unsigned char)v.p[i + 1],
                      c = i + 2 < v.n ? (unsigned char)v.p[i + 2] : 0;
        n += (a == 0xc2 && b == 0xad) || (a == 0xcd && b == 0x8f) ||
             (a == 0xe2 && b == 0x80 && c >= 0x8b && c <= 0x8f) ||
             (a == 0xe2 && b == 0x81 && c == 0xa0) ||
             (a == 0xef && b == 0xbb && c == 0xbf);
    }
    return n;
}

void html_read(struct document_reader *r, size_t index, struct view html)
{
    struct page h = {
        .r = r,
        .lexer = {html},
        .text_start = buf_len(&r->text),
        .hidden_start = buf_len(&r->hidden),
    };
    struct html_token t;
    html_links_begin(&h.links, r, index);
    while (html_next(&h.lexer, &t))
        take(&h, &t);
    html_links_end(&h.links);
    struct view text = view_slice(buf_view(&r->text), h.text_start, buf_len(&r->text));
    r->doc.html.visible_bytes += (uint32_t)text.n;
    r->doc.html.zero_width_count += count_zero_width(text);
}
