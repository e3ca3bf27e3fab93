#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <time.h>

#include "msa/base/clock.h"

TestSuite(clock, .timeout = 20);

Test(clock, a_set_clock_stands_until_it_is_advanced)
{
    clock_set_for_test(1000, 1790000000999);
    clock_update();
    cr_assert(eq(i64, clock_mono_ms(), 1000));
    cr_assert(eq(i64, clock_wall_ms(), 1790000000999));
    cr_assert(eq(i64, clock_wall_s(), 1790000000));
    clock_advance_for_test(1);
    cr_assert(eq(i64, clock_mono_ms(), 1001));
    cr_assert(eq(i64, clock_wall_s(), 1790000001));
}

Test(clock, the_real_clock_is_the_system_s)
{
    clock_set_for_test(0, 0);
    clock_use_real();
    cr_assert(le(i64, (int64_t)time(NULL) - 1, clock_wall_s()));
    cr_assert(ge(i64, (int64_t)time(NULL) + 1, clock_wall_s()));
    int64_t before = clock_mono_ms();
    cr_assert(le(i64, before, clock_mono_ms()));
}

/* Without the cache thousands of sessions would each ask the kernel in one turn. */
Test(clock, mono_is_taken_once_a_turn)
{
    struct timespec ms = {.tv_nsec = 3000000};
    clock_update();
    int64_t turn = clock_mono_ms();
    nanosleep(&ms, NULL);
    cr_assert(eq(i64, clock_mono_ms(), turn));
    clock_update();
    cr_assert(gt(i64, clock_mono_ms(), turn));
}
