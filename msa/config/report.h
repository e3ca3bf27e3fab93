/* Within msa/config: where in the text something stands, and how a mistake there is reported. */
#ifndef MSA_CONFIG_REPORT_H
#define MSA_CONFIG_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "msa/config/errors.h"
#include "msa/config/suggest.h"

struct place {
    const char *file; /* never NULL; lives as long as the struct config */
    uint32_t line;    /* from 1; 0: the file as a whole, or a default */
    uint32_t column;
};

#define REPORT_TEXT_MAX 1024 /* one with a longer text is only counted */

/* Adds one entry; both strings are copied. When the list is full, or memory is, it is only
 * counted. Control characters become '?'. */
void report_add(struct config_errors *errs, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool report_is_full(const struct config_errors *errs); /* work for better texts is wasted then */
void report_sort(struct config_errors *errs);          /* by file, line and column */

#endif
