/* struct grid: rows of text, written as aligned columns. */
#ifndef MSA_CTL_GRID_H
#define MSA_CTL_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/base/view.h"

#define GRID_COLUMNS_MAX 12

struct grid_row;

struct grid {
    struct arena arena;
    struct grid_row *first;
    struct grid_row **last;
    struct grid_row *row; /* being filled */
    size_t column_count;
    size_t column;
    size_t widths[GRID_COLUMNS_MAX];
    bool is_right[GRID_COLUMNS_MAX];
    bool failed; /* out of memory: what did not fit is missing */
};

/* `heads` names the columns, parted by blanks; one that begins with '>' is aligned to the right. */
void grid_init(struct grid *g, const char *heads);
void grid_fini(struct grid *g);

void grid_begin_row(struct grid *g);
void grid_add(struct grid *g, struct view text); /* cleaned; "-" when empty; next column */
void grid_addf(struct grid *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void grid_write(const struct grid *g, struct buf *out);

#endif
