/* Operations about pools, and what relay.status says of them. */
#ifndef RELAY_ADMIN_POOL_H
#define RELAY_ADMIN_POOL_H

#include "msa/ipc/admin.h"
#include "relay/state.h"

json_t *admin_pool_list(struct relay *r);   /* one entry for each source address of each pool */
json_t *admin_pool_health(struct relay *r); /* one for each pool, its configured destinations within */

/* pool.list, pool.show: `state` is the relay. */
void admin_pool_list_op(void *state, const struct admin_call *call);
void admin_pool_show_op(void *state, const struct admin_call *call);

json_t *admin_queue_counts(const struct queue_counts *counts);

#endif
