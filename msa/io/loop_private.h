/* Inside msa/io: the loop's own parts. The only header that includes libev's. */
#ifndef MSA_IO_LOOP_PRIVATE_H
#define MSA_IO_LOOP_PRIVATE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/io/loop.h"

/* 4-ary heap: half as deep as a binary one, and the four children share a cache line. */
struct timer_heap {
    struct timer_slot *slots;
    uint32_t count;
    uint32_t capacity;
};

void timer_heap_fini(struct timer_heap *h); /* timers still on are stopped */
/* The time of the first timer, or INT64_MAX. */
int64_t timer_heap_first_ms(const struct timer_heap *h);
void timer_heap_run_due(struct timer_heap *h, int64_t now_ms);

#define LOOP_STAGE_COUNT (LOOP_STAGE_END + 1)

struct loop {
    struct ev_loop *ev;
    ev_check woken;  /* takes the clock before any callback of the turn */
    ev_timer alarm;  /* ends the wait when the first timer is due */
    int64_t alarm_at_ms;
    struct timer_heap timers;
    struct list hooks[LOOP_STAGE_COUNT];
    struct list signals; /* of struct signal_watch */
    int stage_running;   /* -1 outside the hooks */
    bool is_stopping;
    bool has_more;   /* a hook came too late for this turn, or before it */
    bool is_in_turn;
    char input_block[LOOP_INPUT_BYTES];
};

void loop_drop_signals(struct loop *loop);
size_t watch_memory_bytes(void);

#endif
