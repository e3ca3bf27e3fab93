/* Where a pool may connect to: the addresses of its smarthosts in the order of preference, with a memory of which
 * of them failed lately. Names are resolved when their answer is wanted and has expired; the last
 * good answer stays in use while there is no newer one. */
#ifndef RELAY_TARGETS_H
#define RELAY_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/dns.h"

#define TARGETS_MAX 64

struct target {
    struct ipaddr ip;
    uint16_t port;
    uint32_t preference;      /* of the smarthost in the configuration */
    uint16_t mx_preference;   /* within it */
    uint32_t smarthost;       /* its place in the configuration */
    char name[DNS_NAME_MAX];  /* for the certificate and the log */
    int64_t dead_until_ms;    /* mono; 0: not dead */
    uint32_t failure_count;   /* in a row */
    uint32_t drop_count;      /* transactions in a row that it dropped */
    int64_t clear_until_ms;   /* opportunistic TLS failed here: in clear until then */
    uint32_t slow_limit;      /* links it gets since it asked for less; 0: all that the pool may have */
    int64_t slow_changed_ms;
    uint32_t link_count;      /* as its pool has counted before targets_choose */
};

typedef void targets_ready_fn(void *arg);

struct targets_query {
    struct targets *targets;
    struct dns_query *query; /* NULL: none under way */
    uint32_t smarthost;
};

struct targets {
    struct dns *dns;
    const struct config_pool *pool;
    struct ipaddr source;     /* none: any */
    struct target items[TARGETS_MAX];
    uint32_t count;
    uint32_t turn;            /* rotates among those of equal preference */
    int64_t resolve_at_ms;    /* when the names are to be asked for again */
    uint32_t resolving_count;
    struct targets_query *queries; /* one per smarthost */
    targets_ready_fn *fn;
    void *arg;
};

/* `fn` is called in the loop when a resolution has ended, well or badly. MSA_OK or MSA_ENOMEM. `pool` and
 * `dns` outlive it. Addresses that cannot be reached from `source`, if that is one, are left out. */
int targets_init(struct targets *t, struct dns *dns, const struct config_pool *pool,
                 const struct ipaddr *source, targets_ready_fn *fn, void *arg);
void targets_fini(struct targets *t);

/* Starts to resolve what has expired. True: wait for fn, there is nothing to choose from until then. */
bool targets_refresh(struct targets *t, int64_t now_ms);

/* The best one that is not dead, NULL if there is none; nor one that has as many links as it is to have now, and what is
 * less preferred does not stand in for that. */
struct target *targets_choose(struct targets *t, int64_t now_ms);
struct target *targets_find(struct targets *t, const struct ipaddr *ip, uint16_t port); /* or NULL */
/* When the first dead one comes back; 0: one is usable now, or none is known. */
int64_t targets_back_at_ms(const struct targets *t, int64_t now_ms);

/* An operator says that they are back: none counts as dead, whatever failed before. */
void targets_forgive(struct targets *t);

/* A target is dead for `pause_ms`, twice as long each time up to eight times, until it works again. */
void target_failed(struct target *t, int64_t pause_ms, int64_t now_ms);
/* It dropped a transaction: perhaps the message's fault, so only the third in a row counts. */
void target_dropped(struct target *t, int64_t pause_ms, int64_t now_ms);
/* It says 421 or 4xx to whole messages: half of the links it has now, once a second at most. False: not yet again. */
bool target_slow_down(struct target *t, uint32_t link_count, int64_t now_ms);
/* It answers: one more, every five seconds, until there are `link_max`. */
void target_recover(struct target *t, uint32_t link_max, int64_t now_ms);
void target_is_up(struct target *t);      /* a session stands */
void target_answered(struct target *t);   /* and a transaction was answered */

#endif
