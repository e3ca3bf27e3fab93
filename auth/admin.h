/* Operations of the API that are about accounts: admin_ask in, a job for the writer's thread, or
 * for the workers where nothing is changed, admin_answer out. What they do is in ops.h. */
#ifndef AUTH_ADMIN_H
#define AUTH_ADMIN_H

#include "auth/cache.h"
#include "auth/exchange.h"
#include "auth/ops.h"
#include "auth/verify.h"
#include "msa/io/threads.h"
#include "msa/ipc/chan.h"

struct admin;

/* Called when the change is durable, before the operation is answered. */
typedef void admin_revoked_fn(void *arg, const struct ops_revoked *revoked);

/* All outlive it. Counts are taken from `exchanges`. NULL: no memory. */
struct admin *admin_new(struct threads *writer, struct threads *workers,
                        const struct verify_env *env, const struct exchanges *exchanges,
                        admin_revoked_fn *revoked, void *arg);
void admin_free(struct admin **a); /* after threads_free of both */

/* Whom operations ask that check a password kept elsewhere; copied, and outlives it. */
void admin_set_saslauthd(struct admin *a, const struct authority *saslauthd);

/* For operations that come from now on; copied. */
void admin_configure(struct admin *a, const struct verify_rules *rules);

/* The handler of IPC_admin_ask, whose result it is. Loop's thread, like all here. */
int auth_admin_on_ask(struct admin *a, struct chan *c, struct chan_message *m);
void admin_drop_peer(struct admin *a, const struct chan *c); /* nobody waits for its answers */
void admin_drop_all(struct admin *a);

#endif
