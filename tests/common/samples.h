/* Times that were measured: kept one by one, so that percentiles are true ones. */
#ifndef TESTS_COMMON_SAMPLES_H
#define TESTS_COMMON_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"

struct samples {
    uint32_t *us;
    size_t count;
    size_t cap;
};

int64_t now_us(void); /* monotonic */

void samples_add(struct samples *s, int64_t us);
void samples_fini(struct samples *s);

/* Adds an object with count, mean, p50, p90, p99 and max in milliseconds. Sorts the samples. */
void samples_json(struct samples *s, struct buf *json, const char *key);

#endif
