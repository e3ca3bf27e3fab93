/* The heap beside a plain search over all its members. */
#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "msa/base/heap.h"
#include "msa/base/list.h"

TestSuite(heap, .timeout = 30);

#define MEMBERS 200

static uint32_t state = 7;

static uint32_t random_below(uint32_t n) /* the same ones each time */
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

struct member {
    int key;
    struct heap_node node;
};

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    return CONTAINER_OF(a, struct member, node)->key < CONTAINER_OF(b, struct member, node)->key;
}

static int least(const struct member *all)
{
    int found = -1;
    for (int i = 0; i < MEMBERS; i++)
        if (all[i].node.place != HEAP_NOWHERE && (found < 0 || all[i].key < all[found].key))
            found = i;
    return found;
}

Test(heap, the_first_is_the_least_whatever_comes_and_goes)
{
    struct heap h;
    struct member all[MEMBERS];
    heap_init(&h, is_before);
    cr_assert_eq(heap_reserve(&h, MEMBERS), MSA_OK);
    cr_assert_null(heap_first(&h));
    for (int i = 0; i < MEMBERS; i++)
        all[i] = (struct member){.node.place = HEAP_NOWHERE};
    for (int turn = 0; turn < 20000; turn++) {
        struct member *one = &all[random_below(MEMBERS)];
        bool is_in = one->node.place != HEAP_NOWHERE;
        if (!is_in) {
            one->key = (int)random_below(50);
            heap_insert(&h, &one->node);
        } else if (turn % 3 == 0) {
            one->key += (int)random_below(20);
            heap_sink(&h, &one->node);
        } else {
            heap_remove(&h, &one->node);
        }
        int first = least(all);
        struct heap_node *node = heap_first(&h);
        cr_assert_eq(node == NULL, first < 0);
        if (node)
            cr_assert_eq(CONTAINER_OF(node, struct member, node)->key, all[first].key);
    }
    heap_fini(&h);
}

Test(heap, what_is_nowhere_is_left_alone)
{
    struct heap h;
    struct heap_node node = {.place = HEAP_NOWHERE};
    heap_init(&h, is_before);
    heap_remove(&h, &node);
    heap_sink(&h, &node);
    cr_assert_eq(heap_reserve(&h, HEAP_NOWHERE), MSA_ENOMEM);
    heap_fini(&h);
}
