#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "msa/base/arena.h"

TestSuite(arena, .timeout = 20);

Test(arena, memory_is_zeroed_aligned_and_separate)
{
    struct arena a;
    unsigned char *blocks[300];
    arena_init(&a, 10 << 20);
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = arena_alloc(&a, i);
        cr_assert(blocks[i] != NULL);
        cr_assert(eq(sz, (uintptr_t)blocks[i] % _Alignof(max_align_t), 0));
        for (size_t k = 0; k < i; k++)
            cr_assert(blocks[i][k] == 0);
        memset(blocks[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert(blocks[i][k] == (i & 0xff));
    arena_fini(&a);
}

Test(arena, gives_exactly_its_maximum)
{
    struct arena a;
    arena_init(&a, 100);
    cr_assert(arena_alloc(&a, 101) == NULL);
    cr_assert(arena_alloc(&a, SIZE_MAX) == NULL);
    cr_assert(arena_alloc(&a, 100) != NULL);
    cr_assert(arena_alloc(&a, 1) == NULL);
    arena_fini(&a);
    cr_assert(arena_alloc(&a, 100) != NULL);
    arena_fini(&a);
}

Test(arena, pieces_of_any_size_end_some_time)
{
    for (size_t piece = 0; piece < 3; piece++) {
        struct arena a;
        size_t got = 0;
        arena_init(&a, 4096);
        while (got < 100000 && arena_alloc(&a, piece))
            got++;
        cr_assert(eq(sz, got, 4096 / _Alignof(max_align_t)));
        arena_fini(&a);
    }
}

Test(arena, blocks_larger_than_a_page)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    char *small = arena_strdup(&a, "small");
    char *large = arena_alloc(&a, 100000);
    char *after = arena_strdup(&a, "after");
    cr_assert(large != NULL);
    memset(large, 'x', 100000);
    cr_assert(eq(str, small, "small"));
    cr_assert(eq(str, after, "after"));
    arena_fini(&a);
}

Test(arena, copies_of_strings_and_views)
{
    struct arena a;
    arena_init(&a, 1000);
    cr_assert(eq(str, arena_strview(&a, view_of("abcdef", 3)), "abc"));
    cr_assert(eq(str, arena_strview(&a, VIEW_EMPTY), ""));
    struct view v = arena_copy(&a, VIEW_LIT("a\0b"));
    cr_assert(view_eq(v, VIEW_LIT("a\0b")));
    cr_assert(arena_copy(&a, VIEW_EMPTY).p == NULL);
    cr_assert(eq(str, arena_printf(&a, "%s-%d", "n", 7), "n-7"));
    arena_fini(&a);
}

Test(arena, copies_that_do_not_fit_give_null)
{
    struct arena a;
    arena_init(&a, 8);
    cr_assert(arena_strdup(&a, "12345678") == NULL); /* no place for the NUL */
    cr_assert(arena_printf(&a, "%d", 12345678) == NULL);
    cr_assert(arena_copy(&a, view_of("", SIZE_MAX)).p == NULL);
    cr_assert(arena_strdup(&a, "1234567") != NULL);
    arena_fini(&a);
}

/* That the bytes are wiped before they are freed cannot be looked at without reading freed memory. */
Test(arena, a_secret_arena_stays_secret_when_used_again)
{
    struct arena a;
    arena_init_secret(&a, 100);
    for (int round = 0; round < 2; round++) {
        cr_assert(a.is_secret);
        cr_assert(eq(str, arena_strdup(&a, "password"), "password"));
        cr_assert(arena_alloc(&a, 100) == NULL);
        arena_fini(&a);
    }
}
