/* Within the figures for monitoring: how a figure is declared. */
#ifndef MSA_CONSOLE_METRICS_PRIVATE_H
#define MSA_CONSOLE_METRICS_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>

#include "msa/base/buf.h"

enum metric_kind { GAUGE = 0, COUNTER };

/* Where it is written, and how. */
struct metrics_writer {
    struct buf *out;
    bool is_openmetrics;
};

/* "# TYPE" and "# HELP". The older text format declares a counter with its suffix, OpenMetrics without. */
void metrics_head(const struct metrics_writer *w, const char *name, enum metric_kind kind, const char *help);
/* What stands behind the name in a line of samples. */
static inline const char *metrics_suffix(enum metric_kind kind) { return kind == COUNTER ? "_total" : ""; }

/* The figures of each pool and configured destination. */
void metrics_write_relay(const json_t *statuses, const struct metrics_writer *w);

#endif
