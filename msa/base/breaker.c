#include "msa/base/breaker.h"

void breaker_init(struct breaker *b, uint32_t failures_max, int64_t pause_ms)
{
    *b = (struct breaker){.failures_max = failures_max, .pause_ms = pause_ms};
}

bool breaker_take(struct breaker *b, int64_t now_ms, bool *is_probe_out)
{
    *is_probe_out = false;
    if (b->state == BREAKER_CLOSED)
        return true;
    if (b->state == BREAKER_HALF_OPEN || now_ms < b->open_until_ms)
        return false;
    b->state = BREAKER_HALF_OPEN;
    *is_probe_out = true;
    return true;
}

/* Also that of a question from before it opened: an answer is an answer. */
bool breaker_success(struct breaker *b)
{
    bool was_closed = b->state == BREAKER_CLOSED;
    b->state = BREAKER_CLOSED;
    b->failures = 0;
    return !was_closed;
}

static void open_from(struct breaker *b, int64_t now_ms)
{
    b->state = BREAKER_OPEN;
    b->open_until_ms = now_ms + b->pause_ms;
}

/* Late failures of an open one do not keep it open for longer. */
bool breaker_failure(struct breaker *b, int64_t now_ms)
{
    if (b->state == BREAKER_OPEN)
        return false;
    if (b->state == BREAKER_HALF_OPEN) {
        open_from(b, now_ms);
        return false;
    }
    if (++b->failures < b->failures_max)
        return false;
    open_from(b, now_ms);
    return true;
}

void breaker_abandon(struct breaker *b, int64_t now_ms)
{
    if (b->state != BREAKER_HALF_OPEN)
        return;
    b->state = BREAKER_OPEN;
    b->open_until_ms = now_ms;
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {"closed", "open", "half-open"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "?";
}
