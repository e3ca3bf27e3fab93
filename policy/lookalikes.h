/* Which local accounts have addresses that look alike: an index of skeletons
 * (confusable.h) over the accounts that have ever signed in. Durable, in
 * LEDGER_LOOKALIKES; a few accounts for each skeleton. */
#ifndef POLICY_LOOKALIKES_H
#define POLICY_LOOKALIKES_H

#include "msa/base/view.h"
#include "policy/ledger.h"

/* This account exists. Cheap when it is known. */
void lookalikes_learn(struct ledger *ledger, struct view login);

/* An account with this skeleton that is neither `login` nor `address` itself, in `out`;
 * empty: none. */
struct view lookalikes_find(struct ledger *ledger, struct view skeleton,
                            struct view address, struct view login, struct buf *out);

#endif
