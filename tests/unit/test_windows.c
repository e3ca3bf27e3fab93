#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "policy/engine/record.h"

TestSuite(windows, .timeout = 20);

#define HOUR_MS 3600000
#define DAY_MS  86400000
#define T0      1780000000000 /* an instant in 2026 */

Test(windows, a_sum_never_forgets_what_is_inside_the_window)
{
    /* One event at every minute; at each instant compare with an exact count. */
    struct cell_sum s = {0};
    for (int minute = 0; minute < 600; minute++) {
        int64_t now = T0 + minute * 60000;
        cell_sum_add(&s, HOUR_MS, now, 1);
        uint32_t exact = minute < 60 ? (uint32_t)minute + 1 : 60;
        uint32_t got = cell_sum_at(&s, HOUR_MS, now);
        cr_assert(ge(u32, got, exact), "minute %d", minute);
        cr_assert(le(u32, got, exact + 5), "minute %d: at most one bucket too long",
                  minute);
    }
}

Test(windows, a_sum_runs_out)
{
    struct cell_sum s = {0};
    cell_sum_add(&s, HOUR_MS, T0, 7);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0 + HOUR_MS - 1), 7));
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0 + HOUR_MS + HOUR_MS / 12), 0));
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0), 7), "reading changes nothing");
}

Test(windows, a_sum_gives_back_into_the_bucket_of_its_time)
{
    struct cell_sum s = {0};
    cell_sum_add(&s, HOUR_MS, T0, 5);
    cell_sum_add(&s, HOUR_MS, T0 + HOUR_MS / 2, 3);
    cell_sum_take(&s, HOUR_MS, T0, 5);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0 + HOUR_MS / 2), 3));
    cell_sum_take(&s, HOUR_MS, T0, 5);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0 + HOUR_MS / 2), 3),
              "not below nothing");
    cell_sum_take(&s, HOUR_MS, T0 - DAY_MS, 3);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0 + HOUR_MS / 2), 3), "too long ago");
}

Test(windows, a_clock_that_steps_back_loses_nothing_and_shuts_nobody_out)
{
    struct cell_sum s = {0};
    cell_sum_add(&s, HOUR_MS, T0, 4);
    cell_sum_add(&s, HOUR_MS, T0 - HOUR_MS / 4, 4);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0), 8));
    /* From a wrong date, a year ahead: the counts come along and run out an hour later.
     */
    struct cell_sum far = {0};
    cell_sum_add(&far, HOUR_MS, T0 + 365ll * DAY_MS, 9);
    cr_assert(eq(u32, cell_sum_at(&far, HOUR_MS, T0), 9));
    cell_sum_add(&far, HOUR_MS, T0, 1);
    cr_assert(eq(u32, cell_sum_at(&far, HOUR_MS, T0 + 2 * HOUR_MS), 0));
}

Test(windows, a_sum_stays_at_its_maximum)
{
    struct cell_sum s = {0};
    cell_sum_add(&s, HOUR_MS, T0, UINT32_MAX - 1);
    cell_sum_add(&s, HOUR_MS, T0, 5);
    cell_sum_add(&s, HOUR_MS, T0 + HOUR_MS / 12, 5);
    cr_assert(eq(u32, cell_sum_at(&s, HOUR_MS, T0), UINT32_MAX));
}

Test(windows, distinct_counts_each_one_once)
{
    struct cell_distinct d = {0};
    for (int i = 0; i < 20; i++)
        cell_distinct_add(&d, (uint32_t)(i % 4), T0 + i * 1000);
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + 20000), 4));
    cell_distinct_add(&d, 99, T0 + HOUR_MS);
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + HOUR_MS + 20000), 1),
              "others are too old");
}

Test(windows, distinct_is_bounded_and_keeps_the_newest)
{
    struct cell_distinct d = {0};
    for (uint32_t i = 0; i < 10000; i++)
        cell_distinct_add(&d, i, T0 + i);
    cr_assert(eq(uint, d.count, DISTINCT_MAX));
    cr_assert(eq(u32, d.seen[DISTINCT_MAX - 1].what, 9999));
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + 10000), DISTINCT_MAX));
}

Test(windows, a_return_to_a_country_is_a_further_stay)
{
    struct cell_stays s = {0};
    static const uint16_t route[] = {'A', 'A', 'B', 'A', 'B', 'B', 'C'};
    static const unsigned want[] = {1, 1, 2, 3, 4, 4, 5};
    for (size_t i = 0; i < sizeof route / sizeof route[0]; i++) {
        cell_stays_add(&s, route[i], T0 + (int64_t)i * 60000);
        cr_assert(eq(uint, cell_stays_at(&s, HOUR_MS, T0 + (int64_t)i * 60000), want[i]),
                  "step %zu", i);
    }
    /* Three hours later only the stay that goes on is left. */
    cr_assert(eq(uint, cell_stays_at(&s, HOUR_MS, T0 + 3 * HOUR_MS), 1));
}

Test(windows, a_network_is_good_from_the_next_day_on)
{
    struct cell_distinct d = {0};
    cr_assert(not(cell_good_has(&d, 7, T0)));
    cell_good_add(&d, 7, T0);
    cr_assert(not(cell_good_has(&d, 7, T0 + HOUR_MS / 60)),
              "one lucky guess is not enough");
    cr_assert(cell_good_has(&d, 7, T0 + 2 * (int64_t)DAY_MS));
    cr_assert(not(cell_good_has(&d, 8, T0 + 2 * (int64_t)DAY_MS)));
    cell_good_add(&d, 7, T0 + 50 * (int64_t)DAY_MS);
    cr_assert(cell_good_has(&d, 7, T0 + 100 * (int64_t)DAY_MS), "use keeps it good");
    cr_assert(not(cell_good_has(&d, 7, T0 + 200 * (int64_t)DAY_MS)), "not for ever");
    cell_good_add(&d, 7, T0 + 200 * (int64_t)DAY_MS);
    cr_assert(not(cell_good_has(&d, 7, T0 + 200 * (int64_t)DAY_MS + 1000)),
              "and begins anew");
}

Test(windows, known_ones_are_a_ring)
{
    struct cell_known k = {0};
    for (uint32_t i = 0; i < KNOWN_MAX + 10; i++)
        cell_known_add(&k, i);
    cr_assert(not(cell_known_has(&k, 9)));
    cr_assert(cell_known_has(&k, 10));
    cr_assert(cell_known_has(&k, KNOWN_MAX + 9));
}

Test(windows, a_reserve_refills_within_a_day)
{
    struct cell_spare s = {0};
    cr_assert(cell_spare_take(&s, 100, T0, 60));
    cr_assert(not(cell_spare_take(&s, 100, T0, 60)));
    cr_assert(cell_spare_take(&s, 100, T0, 40));
    cr_assert(not(cell_spare_take(&s, 100, T0 + HOUR_MS, 10)), "4 came back");
    cr_assert(cell_spare_take(&s, 100, T0 + 12 * HOUR_MS, 50));
    cr_assert(not(cell_spare_take(&s, 100, T0 + 12 * HOUR_MS, 1)));
    cr_assert(not(cell_spare_take(&s, 100, T0 + 90ll * DAY_MS, 101)),
              "never more than it holds");
}
