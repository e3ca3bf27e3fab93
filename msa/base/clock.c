#include "msa/base/clock.h"

#include <stdbool.h>
#include <time.h>

static bool is_set;       /* a test holds the clocks */
static bool is_cached;    /* the loop runs: mono is taken once a turn */
static int64_t mono_now_ms;
static int64_t wall_set_ms;

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    return is_set || is_cached ? mono_now_ms : read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return is_set ? wall_set_ms : read_ms(CLOCK_REALTIME);
}

int64_t clock_wall_s(void)
{
    return clock_wall_ms() / 1000;
}

void clock_update(void)
{
    if (is_set)
        return;
    mono_now_ms = read_ms(CLOCK_MONOTONIC);
    is_cached = true;
}

void clock_set_for_test(int64_t mono_ms, int64_t wall_ms)
{
    is_set = true;
    mono_now_ms = mono_ms;
    wall_set_ms = wall_ms;
}

void clock_advance_for_test(int64_t ms)
{
    mono_now_ms += ms;
    wall_set_ms += ms;
}

void clock_use_real(void)
{
    is_set = false;
    is_cached = false;
}
