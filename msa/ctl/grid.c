#include "msa/ctl/grid.h"

#include <stdarg.h>
#include <stdio.h>

#include "msa/base/assert.h"
#include "msa/base/utf8.h"

#define MEMORY_MAX (64u << 20)
#define CELL_MAX   2048
#define GAP        2

struct grid_row {
    struct grid_row *next;
    struct view cells[GRID_COLUMNS_MAX];
};

void grid_init(struct grid *g, const char *heads)
{
    struct view rest = view_cstr(heads);
    *g = (struct grid){0};
    arena_init(&g->arena, MEMORY_MAX);
    g->last = &g->first;
    while (rest.n > 0) {
        struct view head = view_cut(&rest, ' ');
        MSA_ASSERT(g->column_count < GRID_COLUMNS_MAX);
        g->is_right[g->column_count++] = head.n > 0 && head.p[0] == '>';
    }
    rest = view_cstr(heads);
    grid_begin_row(g);
    while (rest.n > 0) {
        struct view head = view_cut(&rest, ' ');
        grid_add(g, view_slice(head, head.p[0] == '>', head.n));
    }
}

void grid_fini(struct grid *g)
{
    arena_fini(&g->arena);
}

void grid_begin_row(struct grid *g)
{
    g->row = ARENA_NEW(&g->arena, struct grid_row);
    g->column = 0;
    if (!g->row) {
        g->failed = true;
        return;
    }
    *g->last = g->row;
    g->last = &g->row->next;
}

void grid_add(struct grid *g, struct view text)
{
    struct buf clean;
    if (!g->row || g->column >= g->column_count)
        return;
    buf_init(&clean, CELL_MAX);
    utf8_add_clean(&clean, text.n > 0 ? text : VIEW_LIT("-"));
    struct view cell = arena_copy(&g->arena, buf_view(&clean));
    size_t width = utf8_count(cell);
    if (width > g->widths[g->column])
        g->widths[g->column] = width;
    g->failed = g->failed || !cell.p;
    g->row->cells[g->column++] = cell;
    buf_fini(&clean);
}

void grid_addf(struct grid *g, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    grid_add(g, view_cstr(text));
}

static void add_blanks(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_char(out, ' ');
}

void grid_write(const struct grid *g, struct buf *out)
{
    for (const struct grid_row *row = g->first; row; row = row->next) {
        for (size_t i = 0; i < g->column_count; i++) {
            size_t blanks = g->widths[i] - utf8_count(row->cells[i]);
            bool is_last = i + 1 == g->column_count;
            if (g->is_right[i])
                add_blanks(out, blanks);
            buf_add(out, row->cells[i]);
            if (!is_last)
                add_blanks(out, GAP + (g->is_right[i] ? 0 : blanks));
        }
        buf_add_char(out, '\n');
    }
}
