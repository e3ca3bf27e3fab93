/* A circuit breaker: a service that has failed so many times one after the other is left alone for a while, then
 * one question tries it again. Pure: the caller brings the time (clock_mono_ms). */
#ifndef MSA_BASE_BREAKER_H
#define MSA_BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state {
    BREAKER_CLOSED = 0, /* all is well: ask */
    BREAKER_OPEN,       /* do not */
    BREAKER_HALF_OPEN,  /* one is asking: wait for what it meets */
};

struct breaker {
    enum breaker_state state;
    uint32_t failures; /* one after the other */
    uint32_t failures_max;
    int64_t pause_ms;
    int64_t open_until_ms;
};

void breaker_init(struct breaker *b, uint32_t failures_max, int64_t pause_ms);
/* May a question be asked now? The first true after the pause is the probe, and `*is_probe_out` says so: it must
 * end in breaker_success, breaker_failure or breaker_abandon. */
bool breaker_take(struct breaker *b, int64_t now_ms, bool *is_probe_out);
bool breaker_success(struct breaker *b);                 /* true: it has closed by this */
bool breaker_failure(struct breaker *b, int64_t now_ms); /* true: it has opened by this */
/* The probe came to nothing: the next question is one. */
void breaker_abandon(struct breaker *b, int64_t now_ms);
const char *breaker_state_name(enum breaker_state state); /* "closed", "open", "half-open" */

#endif
