/* Mistakes: kept in one bounded list, shown by file, line and column whatever the order of discovery,
 * because the tree, the table and the checks each pass over the text once. */
#include "msa/config/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/config/report.h"

#define TEXTS_MAX_BYTES (256u << 10)

void config_errors_init(struct config_errors *errs)
{
    errs->count = 0;
    errs->dropped_count = 0;
    arena_init(&errs->arena, TEXTS_MAX_BYTES);
}

void config_errors_fini(struct config_errors *errs)
{
    arena_fini(&errs->arena);
    errs->count = 0;
    errs->dropped_count = 0;
}

bool report_is_full(const struct config_errors *errs)
{
    return errs->count == CONFIG_ERRORS_MAX;
}

/* The copy of `file` that an earlier entry made, or a new one; NULL without memory. */
static const char *keep_file(struct config_errors *errs, const char *file, uint32_t *order_out)
{
    uint32_t order = 0;
    for (uint32_t i = 0; i < errs->count; i++) {
        *order_out = errs->items[i].file_order;
        if (strcmp(errs->items[i].file, file) == 0)
            return errs->items[i].file;
        if (errs->items[i].file_order >= order)
            order = errs->items[i].file_order + 1;
    }
    *order_out = order;
    return arena_strdup(&errs->arena, file);
}

/* A copy without control characters: the text may quote the input, which "\x1b" can put there. */
static const char *keep_text(struct config_errors *errs, struct view text)
{
    char *copy = text.n > 0 ? arena_strview(&errs->arena, text) : NULL;
    for (char *p = copy; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return copy;
}

void report_add(struct config_errors *errs, const struct place *at, const char *fmt, ...)
{
    if (report_is_full(errs)) {
        errs->dropped_count++;
        return;
    }
    struct buf text;
    buf_init(&text, REPORT_TEXT_MAX);
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);

    struct config_error e = {.line = at->line, .column = at->column, .order = errs->count};
    e.file = keep_file(errs, at->file, &e.file_order);
    e.text = keep_text(errs, buf_view(&text));
    buf_fini(&text);
    if (e.file && e.text)
        errs->items[errs->count++] = e;
    else
        errs->dropped_count++;
}

static int by_place(const void *a, const void *b)
{
    const struct config_error *x = a;
    const struct config_error *y = b;
    if (x->file_order != y->file_order)
        return x->file_order < y->file_order ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void report_sort(struct config_errors *errs)
{
    qsort(errs->items, errs->count, sizeof errs->items[0], by_place);
}

void config_errors_print(const struct config_errors *errs, struct buf *out)
{
    for (uint32_t i = 0; i < errs->count; i++) {
        const struct config_error *e = &errs->items[i];
        if (e->line > 0)
            buf_addf(out, "%s:%u:%u: %s\n", e->file, e->line, e->column, e->text);
        else
            buf_addf(out, "%s: %s\n", e->file, e->text);
    }
    if (errs->dropped_count > 0)
        buf_addf(out, "… and %u more\n", errs->dropped_count);
}

/* ---- did you mean ---------------------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; both at most
 * SUGGEST_WORD_MAX bytes. Three rows of the usual matrix: the swap looks two rows back. */
static unsigned edit_distance(struct view a, struct view b)
{
    unsigned rows[3][SUGGEST_WORD_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3];
        const unsigned *before_last = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = ascii_lower(a.p[i - 1]), y = ascii_lower(b.p[j - 1]);
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == ascii_lower(b.p[j - 2]) && y == ascii_lower(a.p[i - 2]) &&
                before_last[j - 2] + 1 < row[j])
                row[j] = before_last[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}

void suggest_offer(struct suggest *s, const char *candidate)
{
    struct view c = view_cstr(candidate);
    if (s->word.n == 0 || s->word.n > SUGGEST_WORD_MAX || c.n > SUGGEST_WORD_MAX)
        return;
    unsigned worst = (unsigned)(c.n > s->word.n ? c.n : s->word.n) / 3 + 1;
    unsigned distance = edit_distance(s->word, c);
    if (distance > worst || distance * 2 >= c.n || (s->best && distance >= s->distance))
        return;
    s->best = candidate;
    s->distance = distance;
}

const char *suggest_text(struct suggest *s)
{
    if (!s->best)
        return "";
    snprintf(s->text, sizeof s->text, " (did you mean '%.*s'?)", SUGGEST_WORD_MAX, s->best);
    return s->text;
}
