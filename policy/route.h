/* struct routes: the routes of a configuration, ready for use, and the decision which of them takes a message.
 *
 * The first route whose `when` holds takes a message, and a message goes one way: where recipients' domains lead to
 * different routes the strictest of them is taken for the whole (refuse, defer, hold, then the pool that stands
 * last in the configuration), so that no message is split. Routes in shadow take nothing: it is said which of them
 * would have, had all been in force. Pure: no clock, no records. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"

struct routes;

/* Of `config`, which outlives it. NULL: out of memory. */
struct routes *routes_new(const struct config *config);
void routes_free(struct routes **r);

/* The longest `restricted_within` of a route; 0: no route asks for it. */
int64_t routes_ask_restricted_ms(const struct routes *r);

struct route_facts {
    struct view account_class;
    int64_t account_age_ms; /* negative: unknown */
    uint16_t country;       /* of the client; COUNTRY_NONE */
    bool is_home;
    struct view listener;
    int64_t score_milli; /* the total */
    struct view findings; /* lines "NAME POINTS" */
    bool is_risky;
    int64_t restricted_ago_ms; /* since the account's last restriction; negative: none known */
};

struct route_choice {
    const struct config_route *route; /* NULL: none has taken it */
    enum config_route_then then;
    uint32_t pool; /* position of the pool in the configuration; that of the default if the route has none */
};

/* `recipients` are items (msg_recipient). `shadow_out`: what a route in shadow would have done; its route is NULL where it
 * would have been none of them. */
void routes_decide(const struct routes *r, const struct route_facts *facts, struct view recipients,
                   struct route_choice *out, struct route_choice *shadow_out);

/* Position of a pool; `otherwise` if there is none of that name. */
uint32_t route_pool_position(const struct config *config, struct view name, uint32_t otherwise);

#endif
