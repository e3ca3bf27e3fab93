/* Which smarthost is tried, and which counts as dead. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "relay/targets.h"

TestSuite(relay_targets, .timeout = 20);

#define PAUSE_MS 1000

Test(relay_targets,
     a_dead_one_is_left_alone_for_twice_as_long_each_time_up_to_eight_times)
{
    static const int64_t factors[] = {1, 2, 4, 8, 8, 8};
    struct targets t = {.count = 1};
    int64_t now_ms = 5000;
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        target_failed(&t.items[0], PAUSE_MS, now_ms);
        now_ms += factors[i] * PAUSE_MS;
        cr_assert(targets_choose(&t, now_ms - 1) == NULL, "failure %zu", i);
        cr_assert(targets_choose(&t, now_ms) == &t.items[0], "failure %zu", i);
    }
}

Test(relay_targets, an_operator_brings_the_dead_back)
{
    struct targets t = {.count = 2};
    for (int i = 0; i < 4; i++) {
        target_failed(&t.items[0], PAUSE_MS, 0);
        target_failed(&t.items[1], PAUSE_MS, 0);
    }
    cr_assert(targets_choose(&t, 1) == NULL);
    targets_forgive(&t);
    cr_assert(targets_choose(&t, 1) != NULL);
    target_failed(&t.items[0], PAUSE_MS, 1);
    cr_assert(eq(i64, t.items[0].dead_until_ms, 1 + PAUSE_MS),
              "and the pause is the first again");
}
