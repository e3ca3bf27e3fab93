#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"

TestSuite(buf, .timeout = 20);

#define HOLDS(b, text) view_eq(buf_view(b), view_cstr(text))

Test(buf, takes_no_memory_before_the_first_append)
{
    struct buf b;
    buf_init(&b, 1000);
    cr_assert(b.data == NULL);
    cr_assert(buf_view(&b).n == 0);
    cr_assert(eq(int, buf_append(&b, NULL, 0), MSA_OK));
    cr_assert(b.data == NULL);
    buf_fini(&b);
}

Test(buf, append_up_to_the_maximum_and_not_beyond)
{
    /* around the first allocation, below it, and beyond several doublings */
    static const size_t maxima[] = {0, 1, 2, 255, 256, 257, 1000, 5000};
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        struct buf b;
        buf_init(&b, maxima[i]);
        for (size_t n = 0; n < maxima[i]; n++)
            cr_assert(eq(int, buf_add_char(&b, (char)('a' + n % 26)), MSA_OK));
        cr_assert(not(buf_failed(&b)));
        cr_assert(eq(int, buf_add_char(&b, 'x'), MSA_ETOOBIG));
        cr_assert(buf_failed(&b));
        cr_assert(eq(sz, buf_len(&b), maxima[i]));
        for (size_t n = 0; n < maxima[i]; n++)
            cr_assert(buf_view(&b).p[n] == (char)('a' + n % 26));
        buf_fini(&b);
    }
}

Test(buf, a_refused_append_changes_nothing_and_is_remembered)
{
    struct buf b;
    buf_init(&b, 8);
    buf_add_cstr(&b, "12345");
    cr_assert(eq(int, buf_add_cstr(&b, "6789"), MSA_ETOOBIG));
    cr_assert(HOLDS(&b, "12345"));
    cr_assert(eq(int, buf_append(&b, "", SIZE_MAX), MSA_ETOOBIG));
    cr_assert(eq(int, buf_add_cstr(&b, "678"), MSA_OK));
    cr_assert(buf_failed(&b));
    buf_take(&b, 8);
    buf_release(&b);
    cr_assert(buf_failed(&b));
    buf_reset(&b);
    cr_assert(not(buf_failed(&b)));
    buf_fini(&b);
}

Test(buf, take_and_truncate)
{
    struct buf b;
    buf_init(&b, 100);
    buf_add_cstr(&b, "one two three");
    buf_take(&b, 4);
    cr_assert(HOLDS(&b, "two three"));
    buf_truncate(&b, 3);
    cr_assert(HOLDS(&b, "two"));
    buf_add_char(&b, '!');
    cr_assert(HOLDS(&b, "two!"));
    buf_take(&b, 0);
    buf_take(&b, 4);
    cr_assert(eq(sz, buf_len(&b), 0));
    buf_truncate(&b, 0);
    buf_fini(&b);
}

Test(buf, a_queue_at_its_maximum_keeps_order)
{
    struct buf b;
    char next_in = 0, next_out = 0;
    buf_init(&b, 300);
    for (int turn = 0; turn < 20000; turn++) {
        for (int n = 0; n < turn % 7 && buf_len(&b) < 300; n++)
            cr_assert(eq(int, buf_add_char(&b, next_in++), MSA_OK));
        for (int n = 0; n < turn % 5 && buf_len(&b) > 0; n++) {
            cr_assert(buf_view(&b).p[0] == next_out++);
            buf_take(&b, 1);
        }
    }
    cr_assert(b.cap <= 300);
    cr_assert(not(buf_failed(&b)));
    buf_fini(&b);
}

Test(buf, a_long_queue_taken_byte_by_byte_is_not_copied_each_time)
{
    struct buf b;
    size_t moves = 0;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 512; i++)
        buf_add_char(&b, 'x');
    for (int i = 0; i < 10000; i++) {
        size_t start = b.start;
        buf_take(&b, 1);
        buf_add_char(&b, 'y');
        moves += b.start < start;
    }
    cr_assert(lt(sz, moves, 100));
    buf_fini(&b);
}

Test(buf, numbers_and_formats)
{
    struct buf b;
    buf_init(&b, 200);
    buf_add_u64(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    cr_assert(eq(int, buf_addf(&b, " %d-%s", -5, "x"), MSA_OK));
    cr_assert(eq(int, buf_addf(&b, "%s", ""), MSA_OK));
    cr_assert(HOLDS(&b, "0 18446744073709551615 -5-x"));
    buf_fini(&b);
}

Test(buf, a_format_may_fill_the_buffer_to_the_last_byte)
{
    for (size_t max = 1; max < 600; max++) {
        struct buf b;
        buf_init(&b, max);
        cr_assert(eq(int, buf_addf(&b, "%*d", (int)max, 7), MSA_OK));
        cr_assert(eq(sz, buf_len(&b), max));
        cr_assert(eq(int, buf_addf(&b, "%d", 7), MSA_ETOOBIG));
        cr_assert(buf_failed(&b));
        cr_assert(eq(sz, buf_len(&b), max));
        buf_fini(&b);
    }
}

Test(buf, reserve_commit_and_room)
{
    struct buf b;
    buf_init(&b, 100);
    char *at = buf_reserve(&b, 100);
    cr_assert(at != NULL);
    cr_assert(eq(sz, buf_room(&b), 100));
    memcpy(at, "abc", 3);
    buf_commit(&b, 3);
    cr_assert(HOLDS(&b, "abc"));
    cr_assert(eq(sz, buf_room(&b), 97));
    cr_assert(buf_reserve(&b, 98) == NULL);
    cr_assert(buf_failed(&b));
    buf_take(&b, 3);
    cr_assert(buf_reserve(&b, 100) != NULL);
    buf_fini(&b);
}

Test(buf, commit_of_more_than_the_room_is_a_bug, .signal = SIGABRT)
{
    struct buf b;
    buf_init(&b, 10);
    buf_reserve(&b, 1);
    buf_commit(&b, 11);
}

Test(buf, take_of_more_than_is_held_is_a_bug, .signal = SIGABRT)
{
    struct buf b;
    buf_init(&b, 10);
    buf_add_char(&b, 'a');
    buf_take(&b, 2);
}

Test(buf, release_gives_memory_back_only_when_empty)
{
    struct buf b;
    buf_init(&b, 100);
    buf_add_char(&b, 'a');
    buf_release(&b);
    cr_assert(HOLDS(&b, "a"));
    buf_take(&b, 1);
    buf_release(&b);
    cr_assert(b.data == NULL);
    cr_assert(eq(int, buf_add_cstr(&b, "again"), MSA_OK));
    buf_fini(&b);
    cr_assert(b.data == NULL);
}

/* Nothing of the secret is left anywhere in the block once it is taken, whatever moved in between. */
Test(buf, a_secret_is_wiped_when_taken_truncated_moved_and_reset)
{
    struct buf b;
    buf_init_secret(&b, 300);
    for (int round = 0; round < 40; round++) {
        buf_add_cstr(&b, "hunter2hunter2");
        buf_take(&b, 10);
        buf_truncate(&b, round % 3 ? buf_len(&b) : 0);
        if (buf_len(&b) > 100)
            buf_take(&b, 90);
    }
    size_t held = buf_len(&b), found = 0;
    for (size_t i = 0; i < b.cap; i++)
        found += (i < b.start || i >= b.end) && strchr("hunter2", b.data[i]) && b.data[i];
    cr_assert(gt(sz, held, 0));
    cr_assert(eq(sz, found, 0));
    buf_reset(&b);
    for (size_t i = 0; i < b.cap; i++)
        cr_assert(b.data[i] == 0);
    buf_fini(&b);
}
