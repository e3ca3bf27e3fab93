/* How well pools and destinations take what we hand over: shares of recipients delivered, refused (5xx) and deferred
 * (4xx) over the last ten minutes. A row for each pool as a whole (destination ""), for each configured destination, and
 * for the busiest other domains: at most HEALTH_DOMAINS_MAX of them in a pool, the least used makes room for a new
 * one. Rows outlive a reload. One loop's thread; times are clock_mono_ms. */
#ifndef RELAY_HEALTH_H
#define RELAY_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define HEALTH_DOMAINS_MAX  128
#define HEALTH_WINDOW_MS    600000
#define HEALTH_RCPTS_MIN    20 /* in the window, before anybody is warned */

enum health_end { HEALTH_DELIVERED = 0, HEALTH_REFUSED, HEALTH_DEFERRED, HEALTH_END_COUNT };

struct healths;

struct healths *healths_new(void); /* NULL: out of memory */
void healths_free(struct healths **h);

/* One recipient's end. `is_group`: `destination` is a configured one, whose row is never given up. Without memory it is not
 * counted. */
void healths_add(struct healths *h, struct view pool, struct view destination, bool is_group, enum health_end end);

struct health_shares {
    const char *destination; /* "": the whole pool */
    bool is_group;
    uint64_t counts[HEALTH_END_COUNT]; /* in the window */
    uint64_t totals[HEALTH_END_COUNT]; /* since the row was made: of a pool or a group since the start */
};

/* Of a pool, in no order. The strings live until the next call. */
typedef void health_fn(const struct health_shares *s, void *arg);
void healths_each(struct healths *h, struct view pool, health_fn *fn, void *arg);

enum health_news { HEALTH_NO_NEWS = 0, HEALTH_WORSE, HEALTH_BETTER };

/* Whether the refused share of a row has passed `percent` since the last time this was asked (HEALTH_WORSE), or has fallen
 * below half of it after that. Once each. percent 0: never. */
enum health_news healths_judge(struct healths *h, struct view pool, struct view destination, bool is_group,
                               uint32_t percent, struct health_shares *out);

#endif
