/* struct places: how many clients there may be at once, in all and from one address, strangers (not yet signed
 * in) counted apart, and how many handshakes an address may begin in a time. An IPv6 client counts by its /64,
 * which is what one household or one attacker has. Bounded: addresses nobody is connected from are
 * forgotten when their window is over, or when the table is full. */
#ifndef SMTP_PLACES_H
#define SMTP_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/config/settings.h"

struct place_source;

struct places {
    struct table sources; /* of struct place_source by network */
    struct list idle;     /* sources without a client, the longest idle first */
    uint32_t idle_count;
    uint32_t session_count;
    uint32_t stranger_count;
    /* This worker's share. */
    uint32_t session_max;
    uint32_t stranger_max;
    uint32_t per_address_max;
    uint32_t strangers_per_address_max;
    struct config_rate handshakes;
};

/* What one client holds; embedded in it. */
struct place {
    struct place_source *source; /* NULL: not counted by address */
    bool is_taken;
    bool is_stranger;
};

enum places_result {
    PLACES_OK = 0,
    PLACES_FULL,         /* too many in all */
    PLACES_FULL_ADDRESS, /* too many from there */
};

void places_init(struct places *p);
void places_fini(struct places *p); /* all places must have been left */
void places_configure(struct places *p, const struct config_limits *limits,
                      uint32_t worker_count);

/* A stranger comes. With `ip` NULL he is counted in all only (a trusted front, whose users count). */
enum places_result places_take(struct places *p, struct place *place, const struct ipaddr *ip);
void places_leave(struct places *p, struct place *place); /* fine when not taken */
/* He signed in. */
void places_settle(struct places *p, struct place *place);
/* His address turned out to be another. Never refuses: the front has already let him in. */
void places_move(struct places *p, struct place *place, const struct ipaddr *ip);

#endif
