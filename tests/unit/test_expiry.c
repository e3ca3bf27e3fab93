/* What is too old goes, what stands stays, and no step looks at more than its slice. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/access.h"
#include "policy/expiry.h"
#include "policy/restrictions.h"

#define DAY_MS INT64_C(86400000)
#define T0_MS  INT64_C(1780000000000)

static const struct config_retention keep = {.restrictions_ms = 10 * DAY_MS, .access_ms = 5 * DAY_MS};
static char dir[64];
static struct loop *loop;
static struct ledger *ledger;
static struct restrictions *restrictions;
static struct expiry expiry;

static void set_up(void)
{
    char path[96], error[256];
    snprintf(dir, sizeof dir, "/tmp/msad-expiry-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy.mdb", dir);
    loop = loop_new();
    ledger = ledger_open(loop, path, 16u << 20, error, sizeof error);
    cr_assert_not_null(ledger, "%s", error);
    restrictions = restrictions_new(ledger);
}

static void tear_down(void)
{
    char command[96];
    restrictions_free(&restrictions);
    ledger_close(&ledger);
    loop_free(&loop);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(expiry, .timeout = 60, .init = set_up, .fini = tear_down);

static bool count_one(void *arg, struct view key, struct view value)
{
    (void)key, (void)value;
    ++*(unsigned *)arg;
    return true;
}

static unsigned count(enum ledger_table table)
{
    unsigned n = 0;
    ledger_each(ledger, table, VIEW_EMPTY, count_one, &n);
    return n;
}

static uint64_t restrict_at(enum restriction_kind kind, uint64_t account, int64_t at_ms, int64_t until_ms)
{
    const struct restriction r = {
        .kind = kind, .account = account, .at_ms = at_ms, .until_ms = until_ms};
    return restrictions_add(restrictions, &r, NULL);
}

static void step_at(int64_t now_ms)
{
    expiry_step(&expiry, ledger, &keep, now_ms);
}

Test(expiry, each_kind_has_its_own_time)
{
    restrict_at(RESTRICTION_LIMITED, 7, T0_MS, 0);
    access_note(ledger, 7, VIEW_LIT("desk"), VIEW_LIT("x"), T0_MS);
    step_at(T0_MS + 5 * DAY_MS);
    cr_assert_eq(count(LEDGER_ACCESS), 1, "to the millisecond");
    step_at(T0_MS + 5 * DAY_MS + 1);
    cr_assert_eq(count(LEDGER_ACCESS), 0);
    cr_assert_eq(count(LEDGER_RESTRICTIONS), 1);
    step_at(T0_MS + 10 * DAY_MS + 1);
    cr_assert_eq(count(LEDGER_RESTRICTIONS), 0);
    cr_assert_eq(count(LEDGER_RESTRICTIONS_BY_ACCOUNT), 0);
}

Test(expiry, what_stands_stays_and_then_counts_from_its_end)
{
    uint64_t id = restrict_at(RESTRICTION_SUSPENDED, 7, T0_MS, 0);
    restrict_at(RESTRICTION_SUSPENDED, 8, T0_MS, T0_MS + DAY_MS); /* not yet released by timer */
    restrict_at(RESTRICTION_LOCKED, 9, T0_MS, T0_MS + 60 * DAY_MS);
    step_at(T0_MS + 50 * DAY_MS);
    cr_assert_eq(count(LEDGER_RESTRICTIONS), 3);
    restrictions_release(restrictions, id, VIEW_LIT("desk"), VIEW_LIT("ok"), T0_MS + 50 * DAY_MS);
    step_at(T0_MS + 59 * DAY_MS);
    cr_assert_eq(count(LEDGER_RESTRICTIONS), 3);
    step_at(T0_MS + 61 * DAY_MS);
    cr_assert_eq(count(LEDGER_RESTRICTIONS), 1, "the one that nobody has released");
}

Test(expiry, slices_go_on_where_the_last_one_ended_and_round_again)
{
    for (unsigned i = 0; i < 2 * EXPIRY_SLICE + 10; i++)
        access_note(ledger, 1 + i, VIEW_LIT("desk"), VIEW_LIT("x"), i % 2 ? T0_MS : T0_MS + DAY_MS);
    int64_t now_ms = T0_MS + 5 * DAY_MS + 1;
    step_at(now_ms);
    cr_assert_eq(count(LEDGER_ACCESS), 2 * EXPIRY_SLICE + 10 - EXPIRY_SLICE / 2);
    step_at(now_ms);
    step_at(now_ms);
    cr_assert_eq(count(LEDGER_ACCESS), EXPIRY_SLICE + 5);
    for (unsigned i = 0; i < 3; i++)
        step_at(now_ms + DAY_MS);
    cr_assert_eq(count(LEDGER_ACCESS), 0);
}
