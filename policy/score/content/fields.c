#include "policy/score/content/fields.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

size_t fields_line_length(struct view line)
{
    size_t n = line.n;
    if (n > 0 && line.p[n - 1] == '\n')
        n--;
    if (n < line.n && n > 0 && line.p[n - 1] == '\r')
        n--;
    return n;
}

/* The name at the front of `line`; empty if none is there. `*colon` is where it ends. */
static struct view name_of(struct view line, size_t *colon)
{
    size_t n = 0;
    while (n < line.n && (unsigned char)line.p[n] > 32 &&
           (unsigned char)line.p[n] < 127 && line.p[n] != ':')
        n++;
    *colon = n;
    while (*colon < line.n && is_blank(line.p[*colon]))
        ++*colon;
    bool is_field = *colon < line.n && line.p[*colon] == ':';
    return is_field ? view_slice(line, 0, n) : VIEW_EMPTY;
}

bool fields_is_field(struct view line)
{
    size_t colon;
    return name_of(line, &colon).n > 0;
}

static void add_field(struct fields *f, struct view line, size_t whole)
{
    size_t colon;
    struct view name = name_of(view_slice(line, 0, whole), &colon);
    if (name.n == 0) {
        f->has_bad_line = true;
        return;
    }
    if (f->count == f->max) {
        f->is_cut_short = true;
        return;
    }
    f->list[f->count++] =
        (struct document_field){name, view_slice(line, colon + 1, whole)};
}

/* `line` continues the field before it, if there is one. The two stand side by side in
 * the block. */
static void add_fold(struct fields *f, struct view line, size_t whole,
                     bool is_after_field)
{
    if (!is_after_field) {
        f->has_bad_line = true;
        return;
    }
    struct view *value = &f->list[f->count - 1].value;
    value->n = (size_t)(line.p + whole - value->p);
}

void fields_split(struct fields *f, struct view block)
{
    bool is_after_field = false;
    f->count = 0;
    f->has_bad_line = f->is_cut_short = false;
    while (block.n > 0) {
        size_t at = view_find(block, '\n');
        struct view line = view_slice(block, 0, at + 1);
        size_t whole = fields_line_length(line);
        size_t before = f->count;
        block = view_slice(block, at + 1, block.n);
        if (line.n > 0 && is_blank(line.p[0])) {
            add_fold(f, line, whole, is_after_field);
            continue;
        }
        add_field(f, line, whole);
        is_after_field = f->count > before;
    }
}

const struct document_field *fields_find(const struct document_field *list, size_t count,
                                         struct view name,
                                         const struct document_field *after)
{
    size_t i = after ? (size_t)(after - list) + 1 : 0;
    for (; i < count; i++)
        if (view_eq_nocase(list[i].name, name))
            return &list[i];
    return NULL;
}
