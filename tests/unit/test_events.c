/* The list of what happened lately: bounds, and going on behind an id. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "msa/console/events.h"

TestSuite(events, .timeout = 20);

static struct events all; /* too large for the stack */

static uint64_t add(int n)
{
    return events_add(&all, NEWS_CHANGE, json_pack("{s:i}", "n", n));
}

static bool resume(const char *last_id, uint64_t *from)
{
    return events_resume(&all, view_cstr(last_id), from);
}

Test(events, a_frame_is_as_the_standard_has_it)
{
    events_init(&all, 0x1a);
    cr_assert_eq(events_add(&all, NEWS_RULE, json_pack("{s:s}", "text", "a\nb\rc\xe2\x80\xa8")), 1);
    const struct event *e = events_at(&all, 1);
    static const char wanted[] = "id: 1a-1\nevent: rule.applied\n"
                                 "data: {\"text\":\"a\\nb\\rc\xe2\x80\xa8\",\"kind\":\"rule.applied\"}\n\n";
    cr_assert_eq(e->n, sizeof wanted - 1);
    cr_assert_arr_eq(e->frame, wanted, e->n);
    cr_assert_eq(e->kind, NEWS_RULE);
    cr_assert_null(events_at(&all, 0));
    cr_assert_null(events_at(&all, 2));
    events_fini(&all);
}

Test(events, the_oldest_goes_first_by_number)
{
    events_init(&all, 1);
    for (int i = 1; i <= EVENTS_MAX + 10; i++)
        cr_assert_eq(add(i), (uint64_t)i);
    cr_assert_null(events_at(&all, 10));
    cr_assert_not_null(events_at(&all, 11));
    cr_assert_not_null(events_at(&all, EVENTS_MAX + 10));
    events_fini(&all);
    cr_assert_eq(all.bytes, 0);
}

Test(events, and_by_octets)
{
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    events_init(&all, 1);
    for (int i = 0; i < 200; i++) {
        cr_assert_neq(events_add(&all, NEWS_CHANGE, json_pack("{s:s}", "why", text)), 0);
        cr_assert_leq(all.bytes, EVENTS_BYTES_MAX);
    }
    cr_assert_gt(all.next - all.first, EVENTS_BYTES_MAX / 5000);
    events_fini(&all);
}

Test(events, what_is_too_long_is_not_kept)
{
    static char text[EVENT_FRAME_MAX];
    memset(text, 'x', sizeof text - 1);
    events_init(&all, 1);
    cr_assert_eq(events_add(&all, NEWS_CHANGE, json_pack("{s:s}", "why", text)), 0);
    cr_assert_eq(events_add(&all, NEWS_CHANGE, NULL), 0);
    cr_assert_eq(add(1), 1);
    events_fini(&all);
}

Test(events, a_reader_goes_on_behind_the_last_that_it_has_seen)
{
    uint64_t from;
    events_init(&all, 0xabc);
    cr_assert(resume("abc-0", &from));
    cr_assert_eq(from, 1);
    for (int i = 1; i <= 3; i++)
        add(i);
    cr_assert(resume("abc-1", &from));
    cr_assert_eq(from, 2);
    cr_assert(resume("abc-3", &from));
    cr_assert_eq(from, 4);
    events_fini(&all);
}

Test(events, what_is_not_kept_or_of_another_life_is_a_gap)
{
    static const char *const strange[] = {"abd-1", "abc", "abc-", "abc-x", "abc-4", "abc--1", "-", "",
                                          "abc-18446744073709551615", "abc-1 ", "ABC-1"};
    uint64_t from;
    events_init(&all, 0xabc);
    for (int i = 1; i <= 3; i++)
        add(i);
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        cr_assert_not(resume(strange[i], &from), "%s", strange[i]);
        cr_assert_eq(from, 1);
    }
    for (int i = 4; i <= EVENTS_MAX + 3; i++)
        add(i);
    cr_assert_not(resume("abc-2", &from));
    cr_assert_eq(from, 4);
    cr_assert(resume("abc-3", &from), "nothing is missing between 3 and 4");
    events_fini(&all);
}

Test(events, a_gap_is_told_once_for_its_id_is_that_before_the_oldest)
{
    uint64_t from;
    struct buf out;
    char id[64];
    events_init(&all, 0xabc);
    for (int i = 1; i <= EVENTS_MAX + 3; i++)
        add(i);
    cr_assert_not(resume("abc-1", &from));
    buf_init(&out, 256);
    events_write_gap(&all, from, &out);
    snprintf(id, sizeof id, "id: abc-%" PRIu64 "\nevent: gap\n", from - 1);
    cr_assert(view_has_prefix(buf_view(&out), view_cstr(id)));
    buf_fini(&out);
    snprintf(id, sizeof id, "abc-%" PRIu64, from - 1);
    cr_assert(resume(id, &from));
    events_fini(&all);
}
