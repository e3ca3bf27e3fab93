#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"

TestSuite(buf_lend, .timeout = 20);

static char block[64];

Test(buf_lend, what_is_left_moves_to_own_memory)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_lend(&b, block, sizeof block);
    cr_assert_eq(buf_reserve(&b, 10), block);
    buf_append(&b, "0123456789", 10);
    buf_take(&b, 4);
    cr_assert_eq(buf_settle(&b), MSA_OK);
    memset(block, '#', sizeof block);
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("456789")));
    cr_assert_eq(buf_append(&b, "abc", 3), MSA_OK);
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("456789abc")));
    buf_fini(&b);
}

Test(buf_lend, nothing_left_holds_no_memory)
{
    struct buf b;
    buf_init(&b, 1000);
    cr_assert_eq(buf_settle(&b), MSA_OK);
    buf_append(&b, "x", 1);
    buf_take(&b, 1);
    buf_lend(&b, block, sizeof block); /* gives the old memory back */
    buf_append(&b, "abc", 3);
    buf_take(&b, 3);
    cr_assert_eq(buf_settle(&b), MSA_OK);
    cr_assert_null(b.data);
    cr_assert_eq(b.cap, 0);
}

Test(buf_lend, bytes_move_into_the_block_and_out_again)
{
    struct buf b;
    buf_init_secret(&b, 1000);
    buf_append(&b, "0123456789", 10);
    buf_take(&b, 7);
    buf_lend(&b, block, sizeof block);
    cr_assert_eq(b.data, block);
    cr_assert_eq(buf_append(&b, "abc", 3), MSA_OK);
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("789abc")));
    cr_assert_eq(buf_settle(&b), MSA_OK);
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("789abc")));
    cr_assert_eq(b.cap, 6, "no more than it needs");
    for (size_t i = 0; i < sizeof block; i++)
        cr_assert_eq(block[i], 0);
    buf_fini(&b);
}

Test(buf_lend, growth_beyond_the_block_is_an_own_copy)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_lend(&b, block, sizeof block);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(buf_add_char(&b, (char)i), MSA_OK);
    cr_assert_neq(b.data, block);
    cr_assert_eq(buf_settle(&b), MSA_OK);
    cr_assert_eq(buf_len(&b), 100);
    cr_assert_eq(buf_view(&b).p[99], 99);
    buf_fini(&b);
}

Test(buf_lend, maximum_holds_in_a_larger_block)
{
    struct buf b;
    buf_init(&b, 8);
    buf_lend(&b, block, sizeof block);
    cr_assert_eq(buf_append(&b, "01234567", 8), MSA_OK);
    cr_assert_eq(buf_append(&b, "8", 1), MSA_ETOOBIG);
    cr_assert_eq(buf_room(&b), 0);
    buf_fini(&b);
    cr_assert_null(b.data);
}

Test(buf_lend, secret_leaves_nothing_in_the_block)
{
    struct buf b;
    buf_init_secret(&b, 1000);
    memset(block, 0, sizeof block);
    buf_lend(&b, block, sizeof block);
    buf_append(&b, "hunter2hunter2", 14);
    buf_take(&b, 7);
    cr_assert_eq(buf_settle(&b), MSA_OK);
    for (size_t i = 0; i < sizeof block; i++)
        cr_assert_eq(block[i], 0);
    cr_assert(view_eq(buf_view(&b), VIEW_LIT("hunter2")));
    buf_fini(&b);
    buf_lend(&b, block, sizeof block);
    buf_append(&b, "pw", 2);
    buf_fini(&b);
    cr_assert_eq(block[0], 0);
}
