#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "policy/engine/record.h"
#include "policy/engine/windows.h"

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
        cell_distinct_add(&d, DISTINCT_MAX, (uint32_t)(i % 4), T0 + i * 1000);
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + 20000), 4));
    cell_distinct_add(&d, DISTINCT_MAX, 99, T0 + HOUR_MS);
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + HOUR_MS + 20000), 1),
              "others are too old");
}

Test(windows, distinct_is_bounded_and_keeps_the_newest)
{
    struct cell_distinct d = {0};
    for (uint32_t i = 0; i < 10000; i++)
        cell_distinct_add(&d, DISTINCT_MAX, i, T0 + i);
    cr_assert(eq(uint, d.count, DISTINCT_MAX));
    cr_assert(eq(u32, d.seen[DISTINCT_MAX - 1].what, 9999));
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0 + 10000), DISTINCT_MAX));
}

Test(windows, what_a_wrong_date_noted_says_nothing)
{
    struct cell_distinct d = {0};
    cell_distinct_add(&d, DISTINCT_MAX, 1, T0 + 365ll * DAY_MS);
    cell_distinct_add(&d, DISTINCT_MAX, 2, T0 + 60000);
    cr_assert(eq(uint, cell_distinct_at(&d, HOUR_MS, T0), 1),
              "a small step back loses nothing");
}

Test(windows, a_return_to_a_country_is_a_further_stay)
{
    struct cell_stays s = {0};
    static const uint16_t route[] = {'A', 'A', 'B', 'A', 'B', 'B', 'C'};
    static const unsigned want[] = {1, 1, 2, 3, 4, 4, 5};
    for (size_t i = 0; i < sizeof route / sizeof route[0]; i++) {
        cell_stays_add(&s, STAYS_MAX, route[i], T0 + (int64_t)i * 60000);
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
    cell_good_add(&d, NETWORKS_MAX, 7, T0);
    cr_assert(not(cell_good_has(&d, 7, T0 + HOUR_MS / 60)),
              "one lucky guess is not enough");
    cr_assert(cell_good_has(&d, 7, T0 + 2 * (int64_t)DAY_MS));
    cr_assert(not(cell_good_has(&d, 8, T0 + 2 * (int64_t)DAY_MS)));
    cell_good_add(&d, NETWORKS_MAX, 7, T0 + 50 * (int64_t)DAY_MS);
    cr_assert(cell_good_has(&d, 7, T0 + 100 * (int64_t)DAY_MS), "use keeps it good");
    cr_assert(not(cell_good_has(&d, 7, T0 + 200 * (int64_t)DAY_MS)), "not for ever");
    cell_good_add(&d, NETWORKS_MAX, 7, T0 + 200 * (int64_t)DAY_MS);
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

static bool take(struct cell_spare *s, uint32_t n, int64_t now_ms)
{
    if (!cell_spare_has(s, 100, now_ms, n))
        return false;
    cell_spare_take(s, 100, now_ms, n);
    return true;
}

Test(windows, a_reserve_refills_within_a_day)
{
    struct cell_spare s = {0};
    cr_assert(take(&s, 60, T0));
    cr_assert(not(take(&s, 60, T0)));
    cr_assert(take(&s, 40, T0));
    cr_assert(not(take(&s, 10, T0 + HOUR_MS)), "4 came back");
    cr_assert(take(&s, 50, T0 + 12 * HOUR_MS));
    cr_assert(not(take(&s, 1, T0 + 12 * HOUR_MS)));
    cr_assert(not(take(&s, 101, T0 + 90ll * DAY_MS)), "never more than it holds");
    cr_assert(take(&s, 100, T0 + 90ll * DAY_MS));
    cell_spare_give_back(&s, 30);
    cr_assert(not(take(&s, 31, T0 + 90ll * DAY_MS)));
    cr_assert(take(&s, 30, T0 + 90ll * DAY_MS));
    cr_assert(take(&s, 30, T0), "what a wrong date used is forgotten");
}

/* The promise of every limit: in no window, wherever it begins, does more than the limit
 * pass. */
Test(windows, no_window_ever_holds_more_than_was_let_through)
{
    static const int64_t windows[] = {1000, 7001, 60000, HOUR_MS, HOUR_MS + 7, DAY_MS};
    static int64_t passed_at[4000];
    uint64_t random = 1;
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        struct cell_sum s = {0};
        size_t passed = 0;
        int64_t now = T0;
        for (int n = 0; n < 4000; n++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            now += (int64_t)(random >> 33) % (windows[w] / 20 + 1);
            if (cell_sum_at(&s, windows[w], now) >= 10)
                continue;
            cell_sum_add(&s, windows[w], now, 1);
            passed_at[passed++] = now;
            if (passed > 10)
                cr_assert(ge(i64, now - passed_at[passed - 11], windows[w]),
                          "11 within %lld ms", (long long)windows[w]);
        }
        cr_assert(gt(sz, passed, 100), "or this shows nothing");
    }
}
