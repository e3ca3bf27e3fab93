/* What a run has measured: counts, latencies, errors by what the server said. */
#ifndef TESTS_BENCH_LOAD_STATS_H
#define TESTS_BENCH_LOAD_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "tests/common/samples.h"

#define ERROR_KINDS_MAX 64

struct error_kind {
    char what[96];
    uint64_t count;
};

struct stats {
    uint64_t sessions_started;
    uint64_t sessions_done;
    uint64_t sessions_held; /* idle and authenticated, now */
    uint64_t handshakes;
    uint64_t messages;
    uint64_t recipients;
    uint64_t bytes;
    uint64_t auth_failures; /* the wanted ones */
    uint64_t errors;
    int64_t last_us;        /* when the last of what is counted was done */
    struct samples eod;     /* final dot to its reply */
    struct samples session; /* connect, or the scheduled start, to the end */
    struct samples auth;    /* AUTH to its reply */
    struct error_kind kinds[ERROR_KINDS_MAX];
    size_t kind_count;
};

void stats_error(struct stats *s, const char *phase, struct view reply);
void stats_json(struct stats *s, struct buf *json, int64_t began_us);
void stats_fini(struct stats *s);

#endif
