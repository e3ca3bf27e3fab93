#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/msgid.h"

TestSuite(msgid, .timeout = 20);

#define NOW_MS 1790000000000

Test(msgid, ids_rise_while_the_clock_stands_and_while_it_steps_back)
{
    uint64_t last = 0;
    clock_set_for_test(0, NOW_MS);
    msgid_setup(5);
    for (int i = 0; i < 200000; i++) { /* more than one millisecond's counter holds */
        uint64_t id = msgid_next();
        cr_assert(id > last);
        last = id;
    }
    clock_set_for_test(0, NOW_MS - 3600 * 1000);
    cr_assert(msgid_next() > last);
}

Test(msgid, two_workers_never_give_the_same_id)
{
    clock_set_for_test(0, NOW_MS);
    msgid_setup(0);
    uint64_t a = msgid_next();
    msgid_setup(63);
    clock_advance_for_test(1);
    uint64_t b = msgid_next();
    cr_assert(eq(u64, a >> 16 & 63, 0));
    cr_assert(eq(u64, b >> 16 & 63, 63));
}

Test(msgid, worker_out_of_range_is_a_bug, .signal = SIGABRT)
{
    msgid_setup(64);
}

Test(msgid, a_clock_before_2020_still_gives_ids)
{
    clock_set_for_test(0, 0);
    uint64_t a = msgid_next();
    cr_assert(msgid_next() > a);
}

Test(msgid, text_there_and_back_sorts_like_the_number)
{
    static const uint64_t ids[] = {0, 1, 31, 32, 0x123456789abcdef0, UINT64_MAX - 1, UINT64_MAX};
    char text[MSGID_TEXT_MAX], before[MSGID_TEXT_MAX] = "";
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        uint64_t back = 0;
        msgid_format(ids[i], text);
        cr_assert(eq(sz, strlen(text), MSGID_TEXT_MAX - 1));
        cr_assert(gt(int, strcmp(text, before), 0));
        cr_assert(msgid_parse(view_cstr(text), &back));
        cr_assert(eq(u64, back, ids[i]));
        memcpy(before, text, sizeof text);
    }
    cr_assert(eq(str, text, "fzzzzzzzzzzzz"));
}

Test(msgid, what_is_no_id)
{
    static const char *const rows[] = {
        "", "0", "000000000000", "00000000000000", "g000000000000", "zzzzzzzzzzzzz",
        "000000000000i", "000000000000l", "000000000000o", "000000000000u", "000000000000A",
        "000000 000000", "00000000000.0",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t id = 4711;
        cr_assert(not(msgid_parse(view_cstr(rows[i]), &id)), "%s", rows[i]);
        cr_assert(eq(u64, id, 4711));
    }
    uint64_t id;
    cr_assert(not(msgid_parse(VIEW_LIT("000000000000\0"), &id)));
}
