#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "relay/health.h"

static struct healths *h;

static void set_up(void)
{
    clock_set_for_test(50000000, 1767225600000);
    h = healths_new();
}

static void tear_down(void)
{
    healths_free(&h);
    clock_use_real();
}

TestSuite(relay_health, .timeout = 60, .init = set_up, .fini = tear_down);

static void add(const char *destination, bool is_group, enum health_end end, int count)
{
    while (count-- > 0)
        healths_add(h, VIEW_LIT("main"), view_cstr(destination), is_group, end);
}

struct found {
    char text[8192];
    unsigned count;
};

static void on_row(const struct health_shares *s, void *arg)
{
    struct found *f = arg;
    f->count++;
    if (strlen(f->text) < sizeof f->text - 128)
        snprintf(f->text + strlen(f->text), 128, "%s%s:%d,%d,%d ", s->is_group ? "=" : "", s->destination,
                 (int)s->counts[0], (int)s->counts[1], (int)s->counts[2]);
}

static struct found look(void)
{
    struct found f = {0};
    healths_each(h, VIEW_LIT("main"), on_row, &f);
    return f;
}

Test(relay_health, counts_for_the_pool_and_each_destination)
{
    add("carriers", true, HEALTH_DELIVERED, 3);
    add("x.test", false, HEALTH_REFUSED, 2);
    add("x.test", false, HEALTH_DEFERRED, 1);
    struct found f = look();
    cr_expect(strstr(f.text, ":3,2,1 ") == f.text, "%s", f.text);
    cr_expect(strstr(f.text, "=carriers:3,0,0 ") && strstr(f.text, " x.test:0,2,1 "), "%s", f.text);
    cr_expect_eq(f.count, 3);
}

Test(relay_health, what_is_older_than_ten_minutes_is_gone)
{
    add("x.test", false, HEALTH_REFUSED, 5);
    clock_advance_for_test(5 * 60000);
    add("x.test", false, HEALTH_DELIVERED, 7);
    cr_expect(strstr(look().text, "x.test:7,5,0"));
    clock_advance_for_test(6 * 60000);
    cr_expect(strstr(look().text, "x.test:7,0,0"));
    clock_advance_for_test(60 * 60000);
    cr_expect_eq(look().count, 1, "only the pool's own row");
}

Test(relay_health, the_least_used_domains_make_room_and_groups_never)
{
    add("carriers", true, HEALTH_DELIVERED, 1);
    add("busy.test", false, HEALTH_DELIVERED, 10);
    for (int i = 0; i < 10000; i++) {
        char name[32];
        snprintf(name, sizeof name, "d%d.test", i);
        add(name, false, HEALTH_DELIVERED, 1);
    }
    struct found f = look();
    cr_expect_eq(f.count, HEALTH_DOMAINS_MAX + 2);
    cr_expect(strstr(f.text, "=carriers:1"));
    cr_expect(strstr(f.text, "busy.test:10"));
    cr_expect(strstr(f.text, ":10011,0,0 ") == f.text, "the pool's row has seen all of them");
}

Test(relay_health, a_warning_comes_once_and_again_only_after_it_was_better)
{
    struct health_shares s;
    const struct view pool = VIEW_LIT("main"), x = VIEW_LIT("x.test");
    add("x.test", false, HEALTH_REFUSED, 19);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_NO_NEWS, "too few to tell");
    add("x.test", false, HEALTH_REFUSED, 1);
    cr_expect_eq(healths_judge(h, pool, x, false, 0, &s), HEALTH_NO_NEWS);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_WORSE);
    cr_expect_eq(s.counts[HEALTH_REFUSED], 20);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_NO_NEWS);
    add("x.test", false, HEALTH_DELIVERED, 100);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_NO_NEWS, "16 percent is no good news yet");
    add("x.test", false, HEALTH_DELIVERED, 100);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_BETTER);
    add("x.test", false, HEALTH_REFUSED, 100);
    cr_expect_eq(healths_judge(h, pool, x, false, 20, &s), HEALTH_WORSE);
}
