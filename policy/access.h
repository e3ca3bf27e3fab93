/* Who looked at or changed an account's records, and when: kept for `retention.access`.
 *
 *      key:   u64 account, big endian | u64 ~time, big endian | u32 ~number    (so the newest comes first)
 *      value: u8 version 1 | i64 at_ms | actor | operation
 *
 * In the loop's thread. */
#ifndef POLICY_ACCESS_H
#define POLICY_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "policy/ledger.h"

#define ACCESS_TEXT_MAX 128 /* of actor and operation; longer ones are cut */

struct access {
    uint64_t account;
    int64_t at_ms;
    struct view actor;
    struct view op;
};

/* Account 0 is nobody's and is not noted. */
void access_note(struct ledger *ledger, uint64_t account, struct view actor, struct view op,
                 int64_t now_ms);

/* False for what is no record. Views point into `value`. */
bool access_decode(struct view key, struct view value, struct access *out);

/* When it was, by its key. */
int64_t access_time(struct view key);

/* The newest first, until `fn` says false; it may not call the ledger. */
typedef bool access_each_fn(void *arg, const struct access *a);
void access_each(struct ledger *ledger, uint64_t account, access_each_fn *fn, void *arg);

#endif
