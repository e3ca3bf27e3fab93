#include "relay/queue_turns.h"

#include <stdbool.h>
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

#define CAP_FIRST 16

void queue_turns_fini(struct queue_turns *t)
{
    free(t->items);
    *t = (struct queue_turns){0};
}

int queue_turns_reserve(struct queue_turns *t, size_t count)
{
    size_t cap = t->cap > 0 ? t->cap : CAP_FIRST;
    if (count <= t->cap)
        return MSA_OK;
    while (cap < count)
        cap *= 2;
    if (cap >= QUEUE_TURN_NONE)
        return MSA_ENOMEM;
    struct queue_turn **grown = realloc(t->items, cap * sizeof *grown);
    if (!grown)
        return MSA_ENOMEM;
    t->items = grown;
    t->cap = cap;
    return MSA_OK;
}

static bool is_before(const struct queue_turn *a, const struct queue_turn *b)
{
    return a->mark != b->mark ? a->mark < b->mark : a->number < b->number;
}

static void place(struct queue_turns *t, size_t at, struct queue_turn *one)
{
    t->items[at] = one;
    one->place = (uint32_t)at;
}

static void sift_up(struct queue_turns *t, size_t at, struct queue_turn *one)
{
    while (at > 0 && is_before(one, t->items[(at - 1) / 2])) {
        place(t, at, t->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(t, at, one);
}

static void sift_down(struct queue_turns *t, size_t at, struct queue_turn *one)
{
    for (size_t child = 2 * at + 1; child < t->count; child = 2 * at + 1) {
        if (child + 1 < t->count && is_before(t->items[child + 1], t->items[child]))
            child++;
        if (!is_before(t->items[child], one))
            break;
        place(t, at, t->items[child]);
        at = child;
    }
    place(t, at, one);
}

void queue_turns_join(struct queue_turns *t, struct queue_turn *one)
{
    MSA_ASSERT(t->count < t->cap && one->place == QUEUE_TURN_NONE);
    if (one->mark < t->mark)
        one->mark = t->mark;
    one->number = ++t->last_number;
    sift_up(t, t->count++, one);
}

void queue_turns_leave(struct queue_turns *t, struct queue_turn *one)
{
    size_t at = one->place;
    if (at == QUEUE_TURN_NONE)
        return;
    one->place = QUEUE_TURN_NONE;
    struct queue_turn *last = t->items[--t->count];
    if (last == one)
        return;
    sift_up(t, at, last);
    sift_down(t, last->place, last);
}

struct queue_turn *queue_turns_first(const struct queue_turns *t)
{
    return t->count > 0 ? t->items[0] : NULL;
}

void queue_turns_charge(struct queue_turns *t, struct queue_turn *one, uint64_t amount)
{
    if (one->mark > t->mark && one == queue_turns_first(t))
        t->mark = one->mark;
    one->mark += amount;
    one->number = ++t->last_number;
    if (one->place != QUEUE_TURN_NONE)
        sift_down(t, one->place, one);
}
