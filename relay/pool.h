/* struct pool: the links from one source address to the smarthosts of one configured pool, and the deliveries that
 * wait for one. A configured pool with several source addresses is several of these, for an address
 * that one smarthost has blocked says nothing of the others.
 *
 * Work comes from two sides: deliveries of clients who wait (pool_submit), and the queue, which is asked for its next one
 * whenever a link is free. When both have some they take turns.
 *
 * Circuit breaker: while no smarthost can be reached, or none has answered in time lately, pool_submit
 * says so at once, and a single link tries again and again until one stands. */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "relay/delivery.h"
#include "relay/dns.h"

struct pool;

/* The queue's next delivery for this pool, or NULL. */
typedef struct delivery *pool_next_fn(void *arg, struct pool *p);

/* How many messages the queue has ready for it. */
typedef uint64_t pool_ready_fn(void *arg, const struct pool *p);

struct pool_settings {
    struct loop *loop;
    struct dns *dns;
    const struct config_pool *config; /* outlives the pool, or ends with pool_detach */
    struct ipaddr source;             /* none: the kernel's choice */
    uint32_t connection_count;        /* its share of the configured one */
    uint16_t number;                  /* in the queue */
    pool_next_fn *next;
    pool_ready_fn *ready;
    void *arg;
};

/* NULL with a text in `error`. */
struct pool *pool_new(const struct pool_settings *settings, char *error, size_t error_size);
/* Links end at once. Every delivery that waits or is under way is done, LOST or NOT_TRIED, inside
 * this call. */
void pool_free(struct pool **p);
/* After a reload: takes nothing more, what waits is NOT_TRIED, what is under way finishes. */
void pool_retire(struct pool *p);
/* A retired one needs its configuration and `dns` no more. */
void pool_detach(struct pool *p);
bool pool_is_empty(const struct pool *p); /* no links and nothing that waits */

bool pool_is_open(const struct pool *p); /* pool_submit would take something now */

/* MSA_OK, or MSA_EAGAIN with nothing started: nobody would answer soon. */
int pool_submit(struct pool *p, struct delivery *d);
/* Takes back what waits; false when a link has it already. No callback comes after true. */
bool pool_cancel(struct pool *p, struct delivery *d);
/* The queue has something ready for this pool. */
void pool_wake(struct pool *p);
/* As pool_wake, by order: smarthosts that count as dead are tried, too. */
void pool_try_now(struct pool *p);
/* A client's deadline passed while the smarthost had its message. */
void pool_note_late(struct pool *p);

const struct config_pool *pool_config(const struct pool *p);
uint16_t pool_number(const struct pool *p);

struct pool_status {
    uint32_t link_count;
    uint32_t busy_count;
    uint32_t waiting_count;  /* deliveries of clients */
    uint32_t target_count;
    uint32_t dead_count;     /* of the targets */
    bool is_open;            /* clients' deliveries are taken */
    uint64_t delivered_count; /* transactions that ended with answers */
    uint64_t lost_count;
    struct ipaddr source;
    uint32_t link_max;
    bool is_given_up;
    int64_t down_ms;         /* since none of the targets can be reached; 0: one can */
};

struct pool_target_status {
    const char *name;
    struct ipaddr ip;
    uint16_t port;
    uint32_t preference;
    uint32_t link_count;
    uint32_t slow_limit; /* links it gets since it asked for less; 0: any number */
    int64_t dead_ms;     /* left alone for so long still; 0: not dead */
};

bool pool_get_target(const struct pool *p, uint32_t i, struct pool_target_status *out); /* false: no more */

int64_t pool_down_ms(const struct pool *p);
/* The owner's own marks. */
struct pool_marks {
    bool is_given_up;  /* what is queued for it goes to its fallback */
    bool is_told_down; /* that it is down was told */
};
struct pool_marks *pool_marks(struct pool *p);

void pool_get_status(const struct pool *p, struct pool_status *out);

#endif
