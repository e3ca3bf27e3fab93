#include "policy/score/content/html_link.h"

#include <string.h>

#include "msa/base/utf8.h"
#include "policy/score/content/html_entity.h"
#include "policy/score/content/text.h"
#include "policy/score/content/url_scan.h"

/* Which attribute of which tag refers to what. */
static const struct reference {
    const char *tag;
    const char *attribute;
    enum document_link_source source;
} references[] = {
    {"a", "href", DOCUMENT_LINK_HREF},
    {"area", "href", DOCUMENT_LINK_HREF},
    {"form", "action", DOCUMENT_LINK_FORM},
    {"button", "formaction", DOCUMENT_LINK_FORM},
    {"input", "formaction", DOCUMENT_LINK_FORM},
    {"img", "src", DOCUMENT_LINK_IMAGE},
    {"input", "src", DOCUMENT_LINK_IMAGE},
    {"link", "href", DOCUMENT_LINK_IMAGE},
    {"iframe", "src", DOCUMENT_LINK_IMAGE},
    {"frame", "src", DOCUMENT_LINK_IMAGE},
    {"embed", "src", DOCUMENT_LINK_IMAGE},
    {"object", "data", DOCUMENT_LINK_IMAGE},
    {"video", "src", DOCUMENT_LINK_IMAGE},
    {"audio", "src", DOCUMENT_LINK_IMAGE},
    {"source", "src", DOCUMENT_LINK_IMAGE},
    {"bgsound", "src", DOCUMENT_LINK_IMAGE},
    {"script", "src", DOCUMENT_LINK_IMAGE},
    {"body", "background", DOCUMENT_LINK_IMAGE},
    {"table", "background", DOCUMENT_LINK_IMAGE},
    {"td", "background", DOCUMENT_LINK_IMAGE},
};

/* Entities resolved; cut to `dst_size`. */
static struct view resolve(struct view value, char *dst, size_t dst_size)
{
    size_t n = 0;
    while (value.n > 0 && n + 4 < dst_size) {
        uint32_t code;
        size_t taken = value.p[0] == '&' ? html_entity(value, &code) : 0;
        if (taken > 0)
            n += utf8_encode(code, dst + n);
        else
            dst[n++] = value.p[0];
        value = view_slice(value, taken > 0 ? taken : 1, value.n);
    }
    return view_of(dst, n);
}

static struct document_link *add(struct html_links *l, enum document_link_source source,
                                 struct view value, bool is_visible)
{
    char url[DOCUMENT_URL_BYTES_MAX + 64]; /* room for what makes it too long */
    return url_add(l->r, l->part, source, resolve(value, url, sizeof url),
                   is_visible ? 0 : DOCUMENT_LINK_HIDDEN);
}

/* ---- what is shown for a link ---- */

static struct view without_www(struct view host)
{
    return view_slice(host, view_has_prefix(host, VIEW_LIT("www.")) ? 4 : 0, host.n);
}

/* `b` is `a` or a name below it. */
static bool is_below(struct view a, struct view b)
{
    return view_has_suffix_nocase(b, a) && (a.n == b.n || b.p[b.n - a.n - 1] == '.');
}

static bool is_related(struct view a, struct view b)
{
    a = without_www(a);
    b = without_www(b);
    return a.n > 0 && b.n > 0 && (is_below(a, b) || is_below(b, a));
}

/* The anchor's text on one line, without blanks around. */
static struct view shown_text(const struct html_links *l, char *dst)
{
    struct view text = view_slice(buf_view(&l->r->text), l->from, buf_len(&l->r->text));
    while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\n'))
        text = view_slice(text, 1, text.n);
    while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\n'))
        text.n--;
    size_t n = text.n < DOCUMENT_SHOWN_BYTES_MAX ? text.n : DOCUMENT_SHOWN_BYTES_MAX;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--; /* no character is cut */
    for (size_t i = 0; i < n; i++)
        dst[i] = text.p[i] == '\n' ? ' ' : text.p[i];
    return view_of(dst, n);
}

static void end_anchor(struct html_links *l)
{
    char text[DOCUMENT_SHOWN_BYTES_MAX];
    struct document_link *a = l->anchor;
    if (a) {
        struct url_facts facts;
        struct view shown = shown_text(l, text);
        a->shown = text_keep(l->r, shown);
        url_look_shown(shown, &facts);
        a->shown_host = text_keep(l->r, view_of(facts.host, facts.host_bytes));
        bool is_page = !(a->flags & (DOCUMENT_LINK_MAILTO | DOCUMENT_LINK_RELATIVE));
        if (is_page && a->shown_host.n > 0 && !is_related(a->shown_host, a->host))
            a->flags |= DOCUMENT_LINK_HOST_DIFFERS;
    }
    if (l->is_in_anchor)
        l->from = buf_len(&l->r->text);
    l->anchor = NULL;
    l->is_in_anchor = false;
}

static void begin_anchor(struct html_links *l, struct view href, bool is_visible)
{
    end_anchor(l);
    if (!href.p)
        return; /* <a name=…> */
    url_scan(l->r, l->part, l->from, buf_len(&l->r->text), 0);
    l->from = buf_len(&l->r->text);
    l->is_in_anchor = true;
    l->anchor = add(l, DOCUMENT_LINK_HREF, href, is_visible);
    l->r->doc.html.link_count++;
}

/* ---- */

/* "<meta http-equiv=refresh content='0; url=http://…'>" */
static void look_at_meta(struct html_links *l, const struct html_token *t)
{
    struct view content = html_attribute(t, "content");
    if (!view_eq_nocase(html_attribute(t, "http-equiv"), VIEW_LIT("refresh")))
        return;
    view_cut(&content, '=');
    if (content.n > 0)
        add(l, DOCUMENT_LINK_HREF, content, true);
}

void html_links_begin(struct html_links *l, struct document_reader *r, size_t part)
{
    *l = (struct html_links){.r = r, .part = part, .from = buf_len(&r->text)};
}

void html_links_open(struct html_links *l, const struct html_token *t, bool is_visible)
{
    if (strcmp(t->name, "a") == 0) {
        begin_anchor(l, html_attribute(t, "href"), is_visible);
        return;
    }
    if (strcmp(t->name, "meta") == 0)
        look_at_meta(l, t);
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        const struct reference *ref = &references[i];
        struct view value = strcmp(t->name, ref->tag) == 0
                                ? html_attribute(t, ref->attribute)
                                : VIEW_EMPTY;
        if (value.n > 0)
            add(l, ref->source, value, is_visible);
    }
}

void html_links_close(struct html_links *l, const struct html_token *t)
{
    if (strcmp(t->name, "a") == 0)
        end_anchor(l);
}

void html_links_end(struct html_links *l)
{
    end_anchor(l);
    url_scan(l->r, l->part, l->from, buf_len(&l->r->text), 0);
    l->from = buf_len(&l->r->text);
}
