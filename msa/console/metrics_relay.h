/* Within the console: relay's figures for each pool and configured destination. */
#ifndef MSA_CONSOLE_METRICS_RELAY_H
#define MSA_CONSOLE_METRICS_RELAY_H

#include <jansson.h>
#include <stdbool.h>

#include "msa/base/buf.h"

void metrics_write_relay(const json_t *statuses, bool is_openmetrics, struct buf *out);

#endif
