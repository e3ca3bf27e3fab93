/* Mistakes found in a configuration, gathered so that one pass shows them all. */
#ifndef MSA_CONFIG_ERRORS_H
#define MSA_CONFIG_ERRORS_H

#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/buf.h"

#define CONFIG_ERRORS_MAX 100 /* further ones are only counted */

struct config_error {
    const char *file;
    uint32_t line;    /* from 1; 0: the file as a whole */
    uint32_t column;  /* in bytes, from 1; 0 with line 0 */
    const char *text; /* what is wrong, and what would be right */
    uint32_t file_order; /* files and entries in the order of discovery */
    uint32_t order;
};

struct config_errors {
    struct config_error items[CONFIG_ERRORS_MAX]; /* by file, line, column */
    uint32_t count;
    uint32_t dropped_count;
    struct arena arena; /* holds file and text */
};

void config_errors_init(struct config_errors *errs);
void config_errors_fini(struct config_errors *errs);

/* Writes one "file:line:col: text\n" per entry and a line about those not kept. */
void config_errors_print(const struct config_errors *errs, struct buf *out);

#endif
