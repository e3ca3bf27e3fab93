/* The circuit breaker of a service. */
#include <criterion/criterion.h>

#include "msa/base/breaker.h"

TestSuite(breaker, .timeout = 20);

Test(breaker, opens_after_so_many_failures_one_after_the_other)
{
    struct breaker b;
    bool is_probe;
    breaker_init(&b, 3, 1000);
    cr_assert_not(breaker_failure(&b, 0));
    cr_assert_not(breaker_failure(&b, 0));
    cr_assert_not(breaker_success(&b), "it was closed");
    cr_assert_not(breaker_failure(&b, 10));
    cr_assert_not(breaker_failure(&b, 10));
    cr_assert(breaker_take(&b, 10, &is_probe) && !is_probe);
    cr_assert(breaker_failure(&b, 10), "the third in a row");
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_not(breaker_take(&b, 1009, &is_probe));
}

Test(breaker, one_probe_decides)
{
    struct breaker b;
    bool is_probe;
    breaker_init(&b, 1, 1000);
    cr_assert(breaker_failure(&b, 0));
    cr_assert(breaker_take(&b, 1000, &is_probe) && is_probe);
    cr_assert_eq(b.state, BREAKER_HALF_OPEN);
    cr_assert_not(breaker_take(&b, 1000, &is_probe), "one is enough");
    cr_assert_not(breaker_failure(&b, 1500), "it was said before");
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_not(breaker_take(&b, 2499, &is_probe));
    cr_assert(breaker_take(&b, 2500, &is_probe) && is_probe);
    cr_assert(breaker_success(&b));
    cr_assert(breaker_take(&b, 2500, &is_probe) && !is_probe);
}

Test(breaker, an_abandoned_probe_is_followed_by_another)
{
    struct breaker b;
    bool is_probe;
    breaker_init(&b, 1, 1000);
    breaker_failure(&b, 0);
    breaker_abandon(&b, 0);
    cr_assert_not(breaker_take(&b, 999, &is_probe), "there was no probe");
    cr_assert(breaker_take(&b, 1000, &is_probe));
    breaker_abandon(&b, 1100);
    cr_assert(breaker_take(&b, 1100, &is_probe) && is_probe);
}

Test(breaker, late_failures_do_not_keep_it_open)
{
    struct breaker b;
    bool is_probe;
    breaker_init(&b, 1, 1000);
    breaker_failure(&b, 0);
    breaker_failure(&b, 900);
    cr_assert(breaker_take(&b, 1000, &is_probe));
    cr_assert_str_eq(breaker_state_name(b.state), "half-open");
}
