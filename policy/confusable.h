/* Addresses that look alike: "tanaka@example.jp" and the same with a Cyrillic letter,
 * "rn" for "m", "1" for "l".
 *
 * Each address has a skeleton, in which every character stands as the plainest one that
 * it looks like; two look alike exactly when their skeletons are equal (the method of
 * Unicode UTS #39, section 4). So an index of skeletons finds whom an address could be
 * taken for in one look-up.
 *
 * Pure, any thread, never blocks. */
#ifndef POLICY_CONFUSABLE_H
#define POLICY_CONFUSABLE_H

#include <stdbool.h>

#include "msa/base/view.h"

#define CONFUSABLE_SIZE 4096

/* Writes the skeleton of a mailbox in canonical form and a NUL; its length, or MSA_EINVAL
 * for what is no mailbox in UTF-8, MSA_ETOOBIG, MSA_ENOMEM. A capital I looks like an l;
 * else case does not count. */
int confusable_skeleton(struct view address, char out[static CONFUSABLE_SIZE]);

/* Two mailboxes that look alike without being the same. */
bool confusable_addresses(struct view a, struct view b);

#endif
