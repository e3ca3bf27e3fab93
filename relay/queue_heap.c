#include "relay/queue_heap.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

#define CAP_FIRST 64

void queue_heap_fini(struct queue_heap *h)
{
    free(h->items);
    *h = (struct queue_heap){0};
}

int queue_heap_reserve(struct queue_heap *h, size_t count)
{
    size_t cap = h->cap > 0 ? h->cap : CAP_FIRST;
    if (count <= h->cap)
        return MSA_OK;
    while (cap < count)
        cap *= 2;
    if (cap >= QUEUE_HEAP_NONE)
        return MSA_ENOMEM;
    struct queue_entry **grown = realloc(h->items, cap * sizeof *grown);
    if (!grown)
        return MSA_ENOMEM;
    h->items = grown;
    h->cap = cap;
    return MSA_OK;
}

static void place(struct queue_heap *h, size_t at, struct queue_entry *e)
{
    h->items[at] = e;
    e->heap_index = (uint32_t)at;
}

static void sift_up(struct queue_heap *h, size_t at, struct queue_entry *e)
{
    while (at > 0 && e->due_ms < h->items[(at - 1) / 2]->due_ms) {
        place(h, at, h->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(h, at, e);
}

static void sift_down(struct queue_heap *h, size_t at, struct queue_entry *e)
{
    for (size_t child = 2 * at + 1; child < h->count; child = 2 * at + 1) {
        if (child + 1 < h->count && h->items[child + 1]->due_ms < h->items[child]->due_ms)
            child++;
        if (h->items[child]->due_ms >= e->due_ms)
            break;
        place(h, at, h->items[child]);
        at = child;
    }
    place(h, at, e);
}

void queue_heap_insert(struct queue_heap *h, struct queue_entry *e)
{
    MSA_ASSERT(h->count < h->cap);
    sift_up(h, h->count++, e);
}

void queue_heap_remove(struct queue_heap *h, struct queue_entry *e)
{
    size_t at = e->heap_index;
    if (at == QUEUE_HEAP_NONE)
        return;
    e->heap_index = QUEUE_HEAP_NONE;
    struct queue_entry *last = h->items[--h->count];
    if (last == e)
        return;
    sift_up(h, at, last);
    sift_down(h, last->heap_index, last);
}

struct queue_entry *queue_heap_first(const struct queue_heap *h)
{
    return h->count > 0 ? h->items[0] : NULL;
}
