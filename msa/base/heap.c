#include "msa/base/heap.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

#define CAP_FIRST 16

void heap_init(struct heap *h, heap_before_fn *is_before)
{
    *h = (struct heap){.is_before = is_before};
}

void heap_fini(struct heap *h)
{
    free(h->items);
    *h = (struct heap){.is_before = h->is_before};
}

int heap_reserve(struct heap *h, size_t count)
{
    size_t cap = h->cap > 0 ? h->cap : CAP_FIRST;
    if (count <= h->cap)
        return MSA_OK;
    while (cap < count)
        cap *= 2;
    if (cap >= HEAP_NOWHERE)
        return MSA_ENOMEM;
    struct heap_node **grown = realloc(h->items, cap * sizeof *grown);
    if (!grown)
        return MSA_ENOMEM;
    h->items = grown;
    h->cap = cap;
    return MSA_OK;
}

static void place(struct heap *h, size_t at, struct heap_node *node)
{
    h->items[at] = node;
    node->place = (uint32_t)at;
}

static void sift_up(struct heap *h, size_t at, struct heap_node *node)
{
    while (at > 0 && h->is_before(node, h->items[(at - 1) / 2])) {
        place(h, at, h->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(h, at, node);
}

static void sift_down(struct heap *h, size_t at, struct heap_node *node)
{
    for (size_t child = 2 * at + 1; child < h->count; child = 2 * at + 1) {
        if (child + 1 < h->count && h->is_before(h->items[child + 1], h->items[child]))
            child++;
        if (!h->is_before(h->items[child], node))
            break;
        place(h, at, h->items[child]);
        at = child;
    }
    place(h, at, node);
}

void heap_insert(struct heap *h, struct heap_node *node)
{
    MSA_ASSERT(h->count < h->cap && node->place == HEAP_NOWHERE);
    sift_up(h, h->count++, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    size_t at = node->place;
    if (at == HEAP_NOWHERE)
        return;
    node->place = HEAP_NOWHERE;
    struct heap_node *last = h->items[--h->count];
    if (last == node)
        return;
    sift_up(h, at, last);
    sift_down(h, last->place, last);
}

void heap_sink(struct heap *h, struct heap_node *node)
{
    if (node->place != HEAP_NOWHERE)
        sift_down(h, node->place, node);
}

struct heap_node *heap_first(const struct heap *h)
{
    return h->count > 0 ? h->items[0] : NULL;
}
