#include <criterion/criterion.h>

#include <sys/wait.h>
#include <unistd.h>

#include "msa/proc/restart.h"
#include "msa/proc/spawn.h"

TestSuite(restart, .timeout = 20);

Test(restart, is_quick_at_first_and_slow_in_a_loop)
{
    struct restart r = {0};
    int64_t before = 0;
    cr_assert_leq(restart_after_ms(&r, 0), 1000, "a role is back within a second");
    cr_assert_not(restart_is_loop(&r));
    for (int i = 0; i < 20; i++) {
        int64_t wait = restart_after_ms(&r, 50);
        cr_assert_geq(wait, before);
        before = wait;
    }
    cr_assert_eq(before, RESTART_MAX_MS);
    cr_assert(restart_is_loop(&r));
}

Test(restart, forgives_after_a_long_life)
{
    struct restart r = {0};
    for (int i = 0; i < 20; i++)
        restart_after_ms(&r, 0);
    cr_assert_eq(restart_after_ms(&r, RESTART_LONG_LIFE_MS), RESTART_FIRST_MS);
    cr_assert_not(restart_is_loop(&r));
    cr_assert_gt(restart_after_ms(&r, RESTART_LONG_LIFE_MS - 1), RESTART_FIRST_MS);
}

Test(restart, waits_for_a_start_as_long_as_it_is_busy)
{
    cr_assert(restart_start_goes_on(RESTART_LOOK_MS, RESTART_LOOK_MS), "it computes");
    cr_assert(restart_start_goes_on(30 * RESTART_LOOK_MS, 100), "it waits for a slow disk, again and again");
    cr_assert_not(restart_start_goes_on(RESTART_LOOK_MS, 0), "it hangs");
    cr_assert_not(restart_start_goes_on(RESTART_START_MAX_MS, RESTART_LOOK_MS), "it turns in a circle");
}

Test(restart, sees_that_a_process_is_busy)
{
    int64_t before = spawn_cpu_ms(getpid());
    for (volatile unsigned i = 0; spawn_cpu_ms(getpid()) < before + 20; i++)
        ;
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    cr_assert_eq(spawn_cpu_ms(gone), 0);
}
