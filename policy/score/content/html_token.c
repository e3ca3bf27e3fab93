#include "policy/score/content/html_token.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void drop(struct html_lexer *l, size_t n)
{
    l->rest = view_slice(l->rest, n, l->rest.n);
}

static void skip_space(struct html_lexer *l)
{
    size_t n = 0;
    while (n < l->rest.n && is_space(l->rest.p[n]))
        n++;
    drop(l, n);
}

/* ---- tags ---- */

static void take_name(struct html_lexer *l, struct html_token *t)
{
    size_t n = 0;
    for (; n < l->rest.n && !is_space(l->rest.p[n]) && l->rest.p[n] != '/' &&
           l->rest.p[n] != '>';
         n++)
        if (n < HTML_NAME_MAX)
            t->name[n] = ascii_lower(l->rest.p[n]);
    t->name[n < HTML_NAME_MAX ? n : HTML_NAME_MAX] = '\0';
    drop(l, n);
}

static struct view take_value(struct html_lexer *l)
{
    char quote = l->rest.n > 0 ? l->rest.p[0] : '\0';
    if (quote == '"' || quote == '\'') {
        drop(l, 1);
        return view_cut(&l->rest, quote);
    }
    size_t n = 0;
    while (n < l->rest.n && !is_space(l->rest.p[n]) && l->rest.p[n] != '>')
        n++;
    struct view value = view_slice(l->rest, 0, n);
    drop(l, n);
    return value;
}

/* Attributes up to and with ">". */
static void take_attributes(struct html_lexer *l, struct html_token *t)
{
    while (l->rest.n > 0) {
        skip_space(l);
        if (view_take_char(&l->rest, '>'))
            return;
        if (view_take_char(&l->rest, '/'))
            continue;
        size_t n = l->rest.n > 0 ? 1 : 0; /* a "=" in front is part of the name */
        while (n < l->rest.n && !is_space(l->rest.p[n]) && !strchr("/>=", l->rest.p[n]))
            n++;
        struct html_attribute a = {view_slice(l->rest, 0, n), VIEW_LIT("")};
        drop(l, n);
        skip_space(l);
        if (view_take_char(&l->rest, '=')) {
            skip_space(l);
            a.value = take_value(l);
        }
        if (a.name.n > 0 && t->attribute_count < HTML_ATTRIBUTES_MAX)
            t->attributes[t->attribute_count++] = a;
    }
}

static void take_tag(struct html_lexer *l, struct html_token *t, size_t lead)
{
    t->kind = lead == 2 ? HTML_CLOSE : HTML_OPEN;
    drop(l, lead);
    take_name(l, t);
    take_attributes(l, t);
}

/* ---- comments ---- */

static void take_comment(struct html_lexer *l, struct html_token *t)
{
    t->kind = HTML_COMMENT;
    if (!view_has_prefix(l->rest, VIEW_LIT("<!--"))) {
        view_cut(&l->rest, '>');
        return;
    }
    drop(l, 4);
    if (view_has_prefix(l->rest, VIEW_LIT(">")) ||
        view_has_prefix(l->rest, VIEW_LIT("->"))) {
        view_cut(&l->rest, '>'); /* "<!-->" is a whole one */
        return;
    }
    const char *end = l->rest.n > 0 ? memmem(l->rest.p, l->rest.n, "-->", 3) : NULL;
    drop(l, end ? (size_t)(end - l->rest.p) + 3 : l->rest.n);
}

/* ---- */

static bool begins_markup(struct view v)
{
    if (v.n < 2 || v.p[0] != '<')
        return false;
    if (v.p[1] == '/')
        return v.n > 2;
    return ascii_is_alpha(v.p[1]) || v.p[1] == '!' || v.p[1] == '?';
}

static void take_text(struct html_lexer *l, struct html_token *t)
{
    size_t n = 0;
    do {
        n += view_find(view_slice(l->rest, n + 1, l->rest.n), '<') + 1;
    } while (n < l->rest.n && !begins_markup(view_slice(l->rest, n, l->rest.n)));
    t->kind = HTML_TEXT;
    t->text = view_slice(l->rest, 0, n);
    drop(l, n);
}

bool html_next(struct html_lexer *l, struct html_token *t)
{
    t->kind = HTML_END;
    t->attribute_count = 0;
    if (l->rest.n == 0)
        return false;
    if (!begins_markup(l->rest)) {
        take_text(l, t);
        return true;
    }
    char second = l->rest.p[1], third = l->rest.n > 2 ? l->rest.p[2] : '\0';
    if (second == '/' && ascii_is_alpha(third))
        take_tag(l, t, 2);
    else if (second == '/' || second == '!' || second == '?')
        take_comment(l, t);
    else
        take_tag(l, t, 1);
    return true;
}

void html_skip_raw(struct html_lexer *l, const char *name)
{
    struct view want = view_cstr(name);
    while (l->rest.n > 0) {
        drop(l, view_find(l->rest, '<'));
        struct view behind = view_slice(l->rest, 2, l->rest.n);
        if (view_has_prefix(l->rest, VIEW_LIT("</")) &&
            view_has_prefix_nocase(behind, want) &&
            (behind.n == want.n || is_space(behind.p[want.n]) ||
             strchr("/>", behind.p[want.n])))
            return;
        drop(l, 1);
    }
}

struct view html_attribute(const struct html_token *t, const char *name)
{
    struct view want = view_cstr(name);
    for (size_t i = 0; i < t->attribute_count; i++)
        if (view_eq_nocase(t->attributes[i].name, want))
            return t->attributes[i].value;
    return VIEW_EMPTY;
}
