/* Within shaping: what its files share. */
#ifndef RELAY_SHAPE_IMPL_H
#define RELAY_SHAPE_IMPL_H

#include "msa/base/table.h"
#include "relay/shape.h"

#define SHAPE_NAME_SIZE 256

struct shape {
    struct shapes *all;
    struct table_entry by_pool;
    char *name; /* the pool's */
    bool is_on; /* there are limits */
    bool is_default_limited;
    struct config_towards by_default;
    struct table gates;
    uint32_t domain_count;    /* of the gates, those of single domains */
    struct shape_gate rate;   /* of the pool as a whole */
    struct shape_gate others; /* of domains beyond SHAPE_DOMAINS_MAX */
};

/* A domain, or with a dot before it those below it, of a configured destination. */
struct shape_domain {
    struct table_entry by_name;
    const char *destination; /* the configuration's */
    char name[];
};

struct shapes {
    struct loop *loop;
    struct queue *queue;
    struct shape_events events;
    struct table by_pool;
    struct table domains;
    uint64_t serial; /* of admissions */
};

struct gate_limits shape_limits(const struct config_towards *t);
void shape_free(struct shape *s);
struct shape *shapes_lookup(const struct shapes *all, struct view name); /* also one without limits */

/* The domain of a path in lower case A-labels, in `out`; what is no domain stands as it is, cut. */
struct view shape_domain_of(struct view path, char out[SHAPE_NAME_SIZE]);
int shapes_set_domains(struct shapes *all, const struct config *config);
void shapes_clear_domains(struct shapes *all);
const struct shape_domain *shapes_group_of(const struct shapes *all, struct view domain); /* or NULL */

struct shape_gate *shape_gate_for(struct shape *s, struct view path); /* NULL: no limits */
/* Nothing or not all of what was taken was used. Safe inside calls of the queue. */
void shape_give_back(struct shape_gate *g, uint32_t rcpt_count);
void shape_wait_for_time(struct shape_gate *g); /* has no room: by when will it, by time alone? */

#endif
