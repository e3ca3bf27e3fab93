/* A binary heap of queue entries by due_ms. Entries know their place, so any can be taken out. */
#ifndef RELAY_QUEUE_HEAP_H
#define RELAY_QUEUE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "relay/queue.h"

#define QUEUE_HEAP_NONE UINT32_MAX /* heap_index of an entry that is in no heap */

struct queue_heap {
    struct queue_entry **items;
    size_t count;
    size_t cap;
};

void queue_heap_fini(struct queue_heap *h);
/* Room for `count` entries in all: inserting as many cannot fail. MSA_OK or MSA_ENOMEM. */
int queue_heap_reserve(struct queue_heap *h, size_t count);
void queue_heap_insert(struct queue_heap *h, struct queue_entry *e);
void queue_heap_remove(struct queue_heap *h, struct queue_entry *e); /* fine when it is not in */
struct queue_entry *queue_heap_first(const struct queue_heap *h);    /* NULL: empty */

#endif
