/* Time. Everything in msad asks here, so that tests can set both clocks.
 *
 * mono: milliseconds that never step, for deadlines and retries. wall: real time, for dates and for
 * what outlives the process. In the real clock mono is CLOCK_MONOTONIC and is cached once per loop
 * turn by clock_update (several thousand sessions ask for it). */
#ifndef MSA_BASE_CLOCK_H
#define MSA_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* since 1970 UTC */
int64_t clock_wall_s(void);
void clock_update(void);     /* the loop calls it at the start of each turn; a no-op on a set clock */

/* Tests: from here on time stands still until it is set or advanced again. */
void clock_set_for_test(int64_t mono_ms, int64_t wall_ms);
void clock_advance_for_test(int64_t ms);
void clock_use_real(void);

#endif
