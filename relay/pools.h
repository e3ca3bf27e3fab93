/* All pools of one configuration: a struct pool for each configured pool and source address. */
#ifndef RELAY_POOLS_H
#define RELAY_POOLS_H

#include <stdint.h>

#include "msa/base/view.h"
#include "relay/pool.h"

struct pools;

/* Counts from number 0 on. NULL with a text in `error`; `config` outlives it. */
struct pools *pools_new(struct loop *loop, struct dns *dns, const struct config *config,
                        pool_next_fn *next, pool_ready_fn *ready, void *arg, char *error,
                        size_t error_size);
void pools_free(struct pools **ps); /* as pool_free for each; NULL is fine */

/* After a reload: as pool_retire for each, then they stand in front of `line`, where what is under way finishes, however
 * many reloads follow. Those that were there before live without their configuration from here on. */
void pools_retire(struct pools *ps, struct pools **line);
void pools_drop_finished(struct pools **line);
void pools_drop_all(struct pools **line); /* as pools_free for each */

/* The pool called `name`, from the source address that the account always gets. A name that no longer
 * exists is the default pool's. Never NULL. */
struct pool *pools_find(struct pools *ps, struct view name, uint64_t account);

uint32_t pools_count(const struct pools *ps);
struct pool *pools_at(struct pools *ps, uint32_t number);

#endif
