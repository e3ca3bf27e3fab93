/* Whose turn it is among the accounts of a pool that have something to send: the one that had the least so far. Each has a
 * mark that rises by what it got (in recipients), the lowest mark is next, and who comes new or
 * comes back begins at the mark of the one served last: nobody saves up turns, nobody waits for more than
 * what the others get while he does (start-time fair queuing; Goyal et al. 1996). A heap: O(log accounts) a call. */
#ifndef RELAY_QUEUE_TURNS_H
#define RELAY_QUEUE_TURNS_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/heap.h"

struct queue_turn {
    uint64_t mark;
    uint64_t number; /* among equal marks: who came first */
    struct heap_node node;
};

struct queue_turns {
    struct heap heap;
    uint64_t mark; /* of the one served last */
    uint64_t last_number;
};

void queue_turns_init(struct queue_turns *t);
void queue_turns_fini(struct queue_turns *t);
/* Room for `count` in all, so that queue_turns_join cannot fail. MSA_OK or MSA_ENOMEM. */
int queue_turns_reserve(struct queue_turns *t, size_t count);
void queue_turns_join(struct queue_turns *t, struct queue_turn *one);  /* must not be in */
void queue_turns_leave(struct queue_turns *t, struct queue_turn *one); /* fine when not in */
struct queue_turn *queue_turns_first(const struct queue_turns *t);     /* NULL: nobody */
/* `one` has got so much; whether it is in or not. */
void queue_turns_charge(struct queue_turns *t, struct queue_turn *one, uint64_t amount);

#endif
