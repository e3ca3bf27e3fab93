/* What cells say at a time. Pure arithmetic over one cell of record.h. */
#ifndef POLICY_ENGINE_WINDOWS_H
#define POLICY_ENGINE_WINDOWS_H

#include "policy/engine/record.h"

/* ---- networks and blocks that an account has used ---- */

/* Their last_s holds days since 2020: the first and the last of use, 14 bits each, and on
 * how many (15: or more) in the lowest four. When there are more than `room`, those go
 * first that were used on the fewest days: a thief with a thousand addresses does not
 * push the owner's out. */
void cell_good_add(struct cell_distinct *d, unsigned room, uint32_t what, int64_t now_ms);
/* Good from the day after the first successful sign-in on, while it is used at least
 * every 60 days: one lucky guess does not make the thief's network a good one at once. */
bool cell_good_has(const struct cell_distinct *d, uint32_t what, int64_t now_ms);
/* Familiar: used on three days before today at least, and within the last 60. Who tried a
 * password or two and comes back a week later is still a stranger. */
bool cell_familiar_has(const struct cell_distinct *d, uint32_t what, int64_t now_ms);
/* There is something familiar. */
bool cell_familiar_any(const struct cell_distinct *d, int64_t now_ms);

/* ---- in a window of time ---- */

/* What was added in the last `within_ms`, an old bucket counting whole until all of it is
 * out: never too little, at most one bucket's width (a twelfth) too long. */
uint32_t cell_sum_at(const struct cell_sum *s, int64_t within_ms, int64_t now_ms);
/* True if it was noted under a date far ahead: it is brought back to now, and has to be
 * kept so, or what it holds would not run out before that date. */
bool cell_sum_come_back(struct cell_sum *s, int64_t within_ms, int64_t now_ms);
void cell_sum_add(struct cell_sum *s, int64_t within_ms, int64_t now_ms, uint32_t n);
/* Gives back what was added at `then_ms`, if its bucket is still there. */
void cell_sum_take(struct cell_sum *s, int64_t within_ms, int64_t then_ms, uint32_t n);

/* Adds `what`, or moves it to the newest; the oldest go when there are more than `room`
 * (at most DISTINCT_MAX). */
void cell_distinct_add(struct cell_distinct *d, unsigned room, uint32_t what,
                       int64_t now_ms);
/* How many different ones the window holds. */
unsigned cell_distinct_at(const struct cell_distinct *d, int64_t within_ms,
                          int64_t now_ms);
bool cell_distinct_has(const struct cell_distinct *d, uint32_t what, int64_t within_ms,
                       int64_t now_ms);
/* Notes a sign-in from `country`: a stay goes on, or a new one begins. `room` as above,
 * at most STAYS_MAX. */
void cell_stays_add(struct cell_stays *s, unsigned room, uint16_t country,
                    int64_t now_ms);
/* How many stays the window holds, the one that it began in among them. */
unsigned cell_stays_at(const struct cell_stays *s, int64_t within_ms, int64_t now_ms);
bool cell_known_has(const struct cell_known *k, uint32_t what);
void cell_known_add(struct cell_known *k, uint32_t what);
/* A reserve of `spare` that refills within a day: is there `n` of it, take it, give it
 * back. */
bool cell_spare_has(const struct cell_spare *s, uint32_t spare, int64_t now_ms,
                    uint32_t n);
void cell_spare_take(struct cell_spare *s, uint32_t spare, int64_t now_ms, uint32_t n);
void cell_spare_give_back(struct cell_spare *s, uint32_t n);

#endif
