/* The sign-ins of all accounts (sign_in_list.h), in a file beside the counters that may be thrown away as they may.
 *
 * Why there and not in the ledger: a sign-in happens every few minutes for each program of each customer. A store of
 * the engine's kind takes one for a few microseconds and no sync, at the end of the loop's turn, is bounded, and
 * forgets by itself; the ledger would sync for each batch and grow with the number of accounts. And in a file of their
 * own, so that lists, which live for months, push out no counter or lock, which live for an hour.
 *
 * What is the same again within a minute is counted in memory alone and written with the next that is not; a process
 * that is killed loses such counts. Bounded. One thread. */
#ifndef POLICY_SIGN_INS_H
#define POLICY_SIGN_INS_H

#include "policy/engine/store.h"
#include "policy/sign_in_list.h"

struct sign_ins;

/* NULL: out of memory. The store outlives it. */
struct sign_ins *sign_ins_new(struct store *store);
void sign_ins_free(struct sign_ins **s); /* writes what was counted in memory */

/* One more, at e->last_ms. `keep_ms`: how long it is of interest. Names that are nobody's have no list. */
void sign_ins_note(struct sign_ins *s, uint64_t account, const struct sign_in_entry *e, int64_t keep_ms);

/* The newest first; empty where nothing is known. */
void sign_ins_read(struct sign_ins *s, uint64_t account, int64_t keep_ms, int64_t now_ms, struct sign_in_list *out);

#endif
