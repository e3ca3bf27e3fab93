#include "msa/proc/restart.h"

/* Doubling from the second short life on: 0.1, 0.5, 1, 2, 4, 8, 16, 30, 30 … seconds. */
static const int64_t waits_ms[] = {RESTART_FIRST_MS, 500, 1000, 2000, 4000, 8000, 16000,
                                   RESTART_MAX_MS};

#define WAIT_COUNT (sizeof waits_ms / sizeof waits_ms[0])
#define LOOP_SHORT_LIVES 3

#define HANGS_BELOW_MS 20 /* the page faults of a scan, on a slow disk, come to 100 ms a minute */

bool restart_start_goes_on(int64_t lived_ms, int64_t busy_ms)
{
    return busy_ms >= HANGS_BELOW_MS && lived_ms < RESTART_START_MAX_MS;
}

int64_t restart_after_ms(struct restart *r, int64_t lived_ms)
{
    if (lived_ms >= RESTART_LONG_LIFE_MS)
        r->short_lives = 0;
    unsigned at = r->short_lives < WAIT_COUNT ? r->short_lives : WAIT_COUNT - 1;
    r->short_lives++;
    return waits_ms[at];
}

bool restart_is_loop(const struct restart *r)
{
    return r->short_lives >= LOOP_SHORT_LIVES;
}
