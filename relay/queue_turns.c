#include "relay/queue_turns.h"

#include "msa/base/list.h"

static bool is_before(const struct heap_node *x, const struct heap_node *y)
{
    const struct queue_turn *a = CONTAINER_OF(x, struct queue_turn, node);
    const struct queue_turn *b = CONTAINER_OF(y, struct queue_turn, node);
    return a->mark != b->mark ? a->mark < b->mark : a->number < b->number;
}

void queue_turns_init(struct queue_turns *t)
{
    *t = (struct queue_turns){0};
    heap_init(&t->heap, is_before);
}

void queue_turns_fini(struct queue_turns *t)
{
    heap_fini(&t->heap);
}

int queue_turns_reserve(struct queue_turns *t, size_t count)
{
    return heap_reserve(&t->heap, count);
}

void queue_turns_join(struct queue_turns *t, struct queue_turn *one)
{
    if (one->mark < t->mark)
        one->mark = t->mark;
    one->number = ++t->last_number;
    heap_insert(&t->heap, &one->node);
}

void queue_turns_leave(struct queue_turns *t, struct queue_turn *one)
{
    heap_remove(&t->heap, &one->node);
}

struct queue_turn *queue_turns_first(const struct queue_turns *t)
{
    struct heap_node *node = heap_first(&t->heap);
    return node ? CONTAINER_OF(node, struct queue_turn, node) : NULL;
}

void queue_turns_charge(struct queue_turns *t, struct queue_turn *one, uint64_t amount)
{
    if (one->mark > t->mark && one == queue_turns_first(t))
        t->mark = one->mark;
    one->mark += amount;
    one->number = ++t->last_number;
    heap_sink(&t->heap, &one->node);
}
