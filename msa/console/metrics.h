/* Figures for monitoring, as OpenMetrics or the text format before it, from what the roles say of themselves. */
#ifndef MSA_CONSOLE_METRICS_H
#define MSA_CONSOLE_METRICS_H

#include <jansson.h>
#include <stdbool.h>

#include "msa/base/buf.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX  (1u << 20)

/* `statuses` as fanout_start gives them. In the older text format of Prometheus a counter is declared with its
 * suffix, in OpenMetrics without. Sets buf_failed(out) when it does not fit. */
void metrics_write(const json_t *statuses, bool is_openmetrics, struct buf *out);

#endif
