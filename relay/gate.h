/* struct gate: the limits towards one destination, pure arithmetic on a clock that the caller gives (clock_mono_ms).
 *
 * They hold for any 60 seconds, not for calendar minutes: with a limit of n a tenth of it (one at least) may go at
 * once, the rest follows evenly at n less that tenth plus one a minute, so that no window of 60 s, wherever it
 * begins, holds more than n. What that costs is a tenth of the rate under constant pressure.
 *
 * A transaction takes a place, a message and its recipients before it begins, and gives its place back when it is
 * over; where nothing was sent it gives back all. */
#ifndef RELAY_GATE_H
#define RELAY_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate_limits { /* 0: none */
    uint32_t connection_count; /* transactions at once */
    uint32_t messages_per_minute;
    uint32_t rcpts_per_minute;
    uint32_t messages_per_connection; /* the pool's to keep: link_count_towards */
};

struct gate_bucket {
    int64_t level; /* what is left, in 60,000ths of one */
    int64_t at_ms; /* when that was so */
};

struct gate {
    struct gate_limits limits;
    uint32_t busy_count;
    struct gate_bucket messages;
    struct gate_bucket rcpts;
};

void gate_init(struct gate *g, const struct gate_limits *limits, int64_t now_ms);
/* What is under way and what was used stays counted. */
void gate_set_limits(struct gate *g, const struct gate_limits *limits, int64_t now_ms);

/* A place, a message and one recipient; false: no room, and nothing is taken. */
bool gate_take(struct gate *g, int64_t now_ms);
/* One recipient more for a transaction that has its place. */
bool gate_take_rcpt(struct gate *g, int64_t now_ms);
void gate_end(struct gate *g);
void gate_undo(struct gate *g, uint32_t rcpt_count, int64_t now_ms); /* as if it had never been taken */

/* When gate_take may succeed: 0: now; -1: when a transaction has ended; else so many milliseconds from now. */
int64_t gate_wait_ms(struct gate *g, int64_t now_ms);
/* Nobody would notice if it were forgotten and made anew. */
bool gate_is_fresh(struct gate *g, int64_t now_ms);

#endif
