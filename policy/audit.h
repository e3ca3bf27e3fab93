/* What was changed through the console: who, from where, what, whose, why, and how it came out. Kept for
 * `retention.access`.
 *
 *      key:   u64 ~time, big endian | u32 ~number, big endian    (so the newest comes first)
 *      value: u8 version 1 | i64 at_ms | u16 status | actor | from | op | target | why
 *
 * In the loop's thread. */
#ifndef POLICY_AUDIT_H
#define POLICY_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "policy/ledger.h"

#define AUDIT_TEXT_MAX 512 /* of each text; longer ones are cut */
#define AUDIT_KEY_BYTES 12

struct audit {
    int64_t at_ms;
    uint16_t status; /* as HTTP has it: below 400 it was done */
    struct view actor, from, op, target, why;
};

int audit_note(struct ledger *ledger, const struct audit *a); /* MSA_OK or as ledger_put */

/* False for what is no record. Views point into `value`. */
bool audit_decode(struct view value, struct audit *out);
int64_t audit_time(struct view key);

/* The newest first, from behind the key `after` (empty: from the newest) on, until `fn` says false; it may not call
 * the ledger. */
typedef bool audit_each_fn(void *arg, struct view key, const struct audit *a);
void audit_each(struct ledger *ledger, struct view after, audit_each_fn *fn, void *arg);

#endif
