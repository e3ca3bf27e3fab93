/* Timers: a heap of (time, timer) per loop. The time stands beside the pointer, so that ordering does
 * not touch the timers themselves, which lie spread over all sessions. */
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/io/loop_private.h"

#define ARITY         4u
#define CAPACITY_MIN  64u
#define AFTER_MAX_MS  (INT64_C(1) << 50) /* 35,000 years; keeps the sum from overflowing */

struct timer_slot {
    int64_t at_ms;
    struct timer *timer;
};

static void place(struct timer_heap *h, uint32_t i, struct timer_slot slot)
{
    h->slots[i] = slot;
    slot.timer->heap_index = i;
}

static void sift_up(struct timer_heap *h, uint32_t i, struct timer_slot slot)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / ARITY;
        if (h->slots[parent].at_ms <= slot.at_ms)
            break;
        place(h, i, h->slots[parent]);
        i = parent;
    }
    place(h, i, slot);
}

static void sift_down(struct timer_heap *h, uint32_t i, struct timer_slot slot)
{
    for (;;) {
        uint64_t child = (uint64_t)i * ARITY + 1;
        if (child >= h->count)
            break;
        uint32_t end = child + ARITY < h->count ? (uint32_t)child + ARITY : h->count;
        uint32_t least = (uint32_t)child;
        for (uint32_t k = least + 1; k < end; k++)
            if (h->slots[k].at_ms < h->slots[least].at_ms)
                least = k;
        if (h->slots[least].at_ms >= slot.at_ms)
            break;
        place(h, i, h->slots[least]);
        i = least;
    }
    place(h, i, slot);
}

/* Puts `slot` where it belongs, beginning at the free place `i`. */
static void settle(struct timer_heap *h, uint32_t i, struct timer_slot slot)
{
    if (i > 0 && slot.at_ms < h->slots[(i - 1) / ARITY].at_ms)
        sift_up(h, i, slot);
    else
        sift_down(h, i, slot);
}

static int grow(struct timer_heap *h)
{
    if (h->count < h->capacity)
        return MSA_OK;
    if (h->capacity > UINT32_MAX / 2)
        return MSA_ENOMEM;
    uint32_t capacity = h->capacity ? h->capacity * 2 : CAPACITY_MIN;
    struct timer_slot *slots = realloc(h->slots, capacity * sizeof *slots);
    if (!slots)
        return MSA_ENOMEM;
    h->slots = slots;
    h->capacity = capacity;
    return MSA_OK;
}

void timer_init(struct timer *t, timer_fn *fn, void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

int timer_start(struct timer *t, struct loop *loop, int64_t after_ms)
{
    MSA_ASSERT(!t->loop || t->loop == loop);
    struct timer_heap *h = &loop->timers;
    if (after_ms < 0)
        after_ms = 0;
    if (after_ms > AFTER_MAX_MS)
        after_ms = AFTER_MAX_MS;
    struct timer_slot slot = {.at_ms = clock_mono_ms() + after_ms, .timer = t};
    if (!t->loop) {
        if (grow(h) < 0)
            return MSA_ENOMEM;
        t->heap_index = h->count++;
    }
    t->loop = loop;
    t->at_ms = slot.at_ms;
    settle(h, t->heap_index, slot);
    return MSA_OK;
}

void timer_stop(struct timer *t)
{
    if (!t->loop)
        return;
    struct timer_heap *h = &t->loop->timers;
    MSA_ASSERT(t->heap_index < h->count && h->slots[t->heap_index].timer == t);
    struct timer_slot last = h->slots[--h->count];
    if (last.timer != t)
        settle(h, t->heap_index, last);
    t->loop = NULL;
}

void timer_heap_fini(struct timer_heap *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        h->slots[i].timer->loop = NULL;
    free(h->slots);
    *h = (struct timer_heap){0};
}

int64_t timer_heap_first_ms(const struct timer_heap *h)
{
    return h->count > 0 ? h->slots[0].at_ms : INT64_MAX;
}

/* At most as many as there were at the start: a timer that starts itself anew for "now" waits for the
 * next turn, and descriptors are served in between. */
void timer_heap_run_due(struct timer_heap *h, int64_t now_ms)
{
    for (uint32_t left = h->count; left > 0 && timer_heap_first_ms(h) <= now_ms; left--) {
        struct timer *t = h->slots[0].timer;
        timer_stop(t);
        t->fn(t->arg);
    }
}
