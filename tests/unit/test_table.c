#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/table.h"

TestSuite(table, .timeout = 20);

/* Key 00 01 … 0f, message 00 01 … n-1. Computed with a second implementation, which agrees with the
 * SipHash-2-4 vectors of the paper's appendix A and, for 1-3, with CPython's own string hash. */
Test(table, siphash13_vectors)
{
    static const struct {
        size_t n;
        uint64_t want;
    } rows[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
        {16, 0xcc4fdd1a7d908b66}, {31, 0x2370dd1f8c21d1bc}, {63, 0x9d199062b7bbb3a8},
    };
    uint8_t key[16], message[64];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    memcpy(key, message, sizeof key);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert(eq(u64, siphash13(key, message, rows[i].n), rows[i].want));
    static const uint8_t zero_key[16];
    cr_assert(eq(u64, siphash13(zero_key, "msad submission", 15), 0xb79ba9671dca829b));
    cr_assert(eq(u64, siphash13(key, NULL, 0), rows[0].want));
}

#define COUNT 5000

struct item {
    struct table_entry entry;
    char key[16];
    int seen;
};

static struct item items[COUNT];

static void fill(struct table *t)
{
    table_init(t);
    for (int i = 0; i < COUNT; i++) {
        int n = snprintf(items[i].key, sizeof items[i].key, "user%d", i);
        items[i].entry.key = view_of(items[i].key, (size_t)n);
        cr_assert(eq(int, table_insert(t, &items[i].entry), MSA_OK));
    }
}

Test(table, an_empty_table_finds_nothing)
{
    struct table t;
    table_init(&t);
    cr_assert(table_find(&t, VIEW_LIT("x")) == NULL);
    cr_assert(table_find(&t, VIEW_EMPTY) == NULL);
    table_fini(&t);
    table_fini(&t);
}

Test(table, finds_what_was_inserted_and_not_what_was_removed)
{
    struct table t;
    fill(&t);
    cr_assert(eq(sz, t.count, COUNT));
    for (int i = 0; i < COUNT; i += 2)
        table_remove(&t, &items[i].entry);
    cr_assert(eq(sz, t.count, COUNT / 2));
    for (int i = 0; i < COUNT; i++)
        cr_assert(table_find(&t, items[i].entry.key) == (i % 2 ? &items[i].entry : NULL));
    for (int i = 0; i < COUNT; i += 2)
        cr_assert(eq(int, table_insert(&t, &items[i].entry), MSA_OK));
    for (int i = 0; i < COUNT; i++)
        cr_assert(table_find(&t, items[i].entry.key) == &items[i].entry);
    table_fini(&t);
}

Test(table, a_second_entry_of_the_same_key_is_refused)
{
    struct table t;
    struct table_entry a = {.key = VIEW_LIT("k")}, b = {.key = VIEW_LIT("k")};
    struct table_entry empty = {.key = VIEW_EMPTY}, nul = {.key = VIEW_LIT("k\0")};
    table_init(&t);
    cr_assert(eq(int, table_insert(&t, &a), MSA_OK));
    cr_assert(eq(int, table_insert(&t, &b), MSA_EEXIST));
    cr_assert(eq(int, table_insert(&t, &empty), MSA_OK));
    cr_assert(eq(int, table_insert(&t, &nul), MSA_OK));
    cr_assert(table_find(&t, VIEW_LIT("k")) == &a);
    cr_assert(table_find(&t, VIEW_EMPTY) == &empty);
    cr_assert(table_find(&t, VIEW_LIT("k\0")) == &nul);
    table_fini(&t);
}

Test(table, removing_a_stranger_is_a_bug, .signal = SIGABRT)
{
    struct table t;
    struct table_entry a = {.key = VIEW_LIT("a")}, b = {.key = VIEW_LIT("b")};
    table_init(&t);
    table_insert(&t, &a);
    table_remove(&t, &b);
}

static void mark(struct table_entry *e, void *arg)
{
    struct item *it = (struct item *)(void *)e;
    it->seen++;
    (void)arg;
}

static void remove_odd(struct table_entry *e, void *arg)
{
    struct item *it = (struct item *)(void *)e;
    mark(e, NULL);
    if ((it - items) % 2)
        table_remove(arg, e);
}

Test(table, each_visits_every_entry_once_and_may_remove_it)
{
    struct table t;
    fill(&t);
    table_each(&t, mark, NULL);
    table_each(&t, remove_odd, &t);
    table_each(&t, mark, NULL);
    for (int i = 0; i < COUNT; i++)
        cr_assert(eq(int, items[i].seen, i % 2 ? 2 : 3));
    cr_assert(eq(sz, t.count, COUNT / 2));
    table_fini(&t);
}

Test(table, two_tables_have_different_keys)
{
    struct table a, b;
    table_init(&a);
    table_init(&b);
    cr_assert(memcmp(a.siphash_key, b.siphash_key, 16) != 0);
    table_fini(&a);
    table_fini(&b);
}
