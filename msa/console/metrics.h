/* Figures for monitoring, as OpenMetrics text, from what the roles say of themselves. */
#ifndef MSA_CONSOLE_METRICS_H
#define MSA_CONSOLE_METRICS_H

#include <jansson.h>

#include "msa/base/buf.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_MAX  (1u << 20)

/* `statuses` as fanout_start gives them. Sets buf_failed(out) when it does not fit. */
void metrics_write(const json_t *statuses, struct buf *out);

#endif
