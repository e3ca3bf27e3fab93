#include <criterion/criterion.h>

#include <stdlib.h>

#include "relay/gate.h"

TestSuite(relay_gate, .timeout = 60);

#define MINUTE_MS 60000

Test(relay_gate, no_limits_are_no_limits)
{
    const struct gate_limits none = {0};
    struct gate g;
    gate_init(&g, &none, 5);
    for (int i = 0; i < 100000; i++)
        cr_assert(gate_take(&g, 5));
    cr_expect_eq(gate_wait_ms(&g, 5), 0);
}

Test(relay_gate, places_come_back_when_a_transaction_ends)
{
    const struct gate_limits limits = {.connection_count = 2};
    struct gate g;
    gate_init(&g, &limits, 0);
    cr_expect(gate_take(&g, 0));
    cr_expect(gate_take(&g, 0));
    cr_expect_not(gate_take(&g, 0));
    cr_expect_eq(gate_wait_ms(&g, 0), -1);
    gate_end(&g);
    cr_expect_eq(gate_wait_ms(&g, 0), 0);
    cr_expect(gate_take(&g, 0));
}

Test(relay_gate, one_a_minute_is_one_a_minute)
{
    const struct gate_limits limits = {.messages_per_minute = 1};
    struct gate g;
    gate_init(&g, &limits, 0);
    cr_expect(gate_take(&g, 0));
    cr_expect_not(gate_take(&g, 59999));
    cr_expect_eq(gate_wait_ms(&g, 59999), 1);
    cr_expect(gate_take(&g, 60000));
}

Test(relay_gate, a_wait_is_no_shorter_and_no_longer_than_it_takes)
{
    const struct gate_limits limits = {.messages_per_minute = 37, .rcpts_per_minute = 101};
    struct gate g;
    int64_t now_ms = 0;
    gate_init(&g, &limits, now_ms);
    for (int i = 0; i < 1000; i++) {
        int64_t wait_ms = gate_wait_ms(&g, now_ms);
        if (wait_ms > 0)
            cr_assert_not(gate_take(&g, now_ms + wait_ms - 1));
        now_ms += wait_ms;
        cr_assert(gate_take(&g, now_ms));
        (void)gate_take_rcpt(&g, now_ms);
    }
}

Test(relay_gate, what_was_not_used_comes_back_whole)
{
    const struct gate_limits limits = {1, 20, 20, 0};
    struct gate g;
    gate_init(&g, &limits, 0);
    cr_expect(gate_take(&g, 0));
    cr_expect(gate_take_rcpt(&g, 0));
    cr_expect_not(gate_take_rcpt(&g, 0));
    cr_expect_not(gate_is_fresh(&g, 0));
    gate_undo(&g, 2, 0);
    cr_expect(gate_is_fresh(&g, 0));
}

Test(relay_gate, a_reload_gives_no_second_helping)
{
    const struct gate_limits before = {.connection_count = 3, .messages_per_minute = 600};
    const struct gate_limits after = {.connection_count = 1, .messages_per_minute = 100};
    struct gate g;
    gate_init(&g, &before, 0);
    for (int i = 0; i < 3; i++)
        cr_expect(gate_take(&g, 0));
    for (int i = 3; i < 60; i++) {
        gate_end(&g);
        cr_expect(gate_take(&g, 0));
    }
    gate_set_limits(&g, &after, 0);
    cr_expect_not(gate_take(&g, 1000));
    gate_end(&g);
    gate_end(&g);
    cr_expect_not(gate_take(&g, 1000), "one is still under way");
    gate_end(&g);
    cr_expect(gate_take(&g, 1000));
    gate_set_limits(&g, &before, 1000);
    cr_expect(gate_take(&g, 1100));
}

/* Whoever asks as greedily as he can, at any moments, stays within the limit in every window of 60 seconds, and
 * gets nine tenths of it in the long run. */
static void ask_greedily(uint32_t limit, unsigned seed)
{
    const struct gate_limits limits = {.rcpts_per_minute = limit};
    enum { TAKEN_MAX = 1 << 20 };
    int64_t *taken = calloc(TAKEN_MAX, sizeof *taken);
    size_t count = 0, first = 0;
    int64_t now_ms = 12345, began_ms = now_ms;
    struct gate g;
    gate_init(&g, &limits, now_ms);
    while (now_ms < began_ms + 20 * MINUTE_MS) {
        seed = seed * 1103515245u + 12345u;
        unsigned dice = seed >> 16;
        while (count < TAKEN_MAX && gate_take(&g, now_ms)) {
            taken[count++] = now_ms;
            while (taken[first] <= now_ms - MINUTE_MS)
                first++;
            cr_assert_leq(count - first, limit, "limit %u", limit);
            if (dice % 5 == 0)
                break;
            if (dice % 7 == 0) {
                gate_undo(&g, 1, now_ms);
                count--;
                break;
            }
        }
        now_ms += dice % 11 == 0 ? (int64_t)(dice % 90000) : (int64_t)(dice % 200);
    }
    free(taken);
}

Test(relay_gate, no_window_of_a_minute_holds_more_than_the_limit)
{
    static const uint32_t limits[] = {1, 2, 3, 9, 10, 11, 19, 20, 60, 300, 1000, 25000};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        for (unsigned seed = 1; seed <= 20; seed++)
            ask_greedily(limits[i], seed * 7919);
    }
}

Test(relay_gate, constant_pressure_gets_nine_tenths)
{
    const struct gate_limits limits = {.messages_per_minute = 600};
    struct gate g;
    uint32_t count = 0;
    gate_init(&g, &limits, 0);
    for (int64_t now_ms = 0; now_ms < 100 * MINUTE_MS; now_ms += 10)
        count += gate_take(&g, now_ms);
    cr_expect_geq(count, 54000);
    cr_expect_leq(count, 60000);
}
