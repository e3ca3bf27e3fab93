/* struct heap: an intrusive binary heap. A member knows its place, so that any can be taken out; what comes first is its
 * owner's to say. O(log n) a call, one allocation for all. */
#ifndef MSA_BASE_HEAP_H
#define MSA_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_NOWHERE UINT32_MAX

struct heap_node {
    uint32_t place; /* HEAP_NOWHERE: in no heap; to be set so before the first insert */
};

typedef bool heap_before_fn(const struct heap_node *a, const struct heap_node *b);

struct heap {
    struct heap_node **items;
    size_t count;
    size_t cap;
    heap_before_fn *is_before;
};

void heap_init(struct heap *h, heap_before_fn *is_before);
void heap_fini(struct heap *h); /* the members are not touched */

/* Room for `count` members in all: inserting as many cannot fail. MSA_OK or MSA_ENOMEM. */
int heap_reserve(struct heap *h, size_t count);
void heap_insert(struct heap *h, struct heap_node *node); /* must be nowhere */
void heap_remove(struct heap *h, struct heap_node *node); /* fine when it is nowhere */
void heap_sink(struct heap *h, struct heap_node *node);   /* it comes later than before; fine when nowhere */
struct heap_node *heap_first(const struct heap *h);       /* NULL: empty */

#endif
