/* Records about customers are kept as long as the retention block says, and no longer. In slices, so that a ledger of
 * millions costs the loop nothing that anybody notices. */
#ifndef POLICY_EXPIRY_H
#define POLICY_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "policy/ledger.h"

#define EXPIRY_SLICE 300 /* records of each kind that one step looks at */

/* Where the next slice begins; zeroed at first. It goes round for ever. */
struct expiry_place {
    char key[LEDGER_KEY_MAX];
    size_t key_bytes; /* 0: at the first record */
};

struct expiry {
    struct expiry_place restrictions, access, audit, risks;
};

/* One slice of each. What a restriction has done last counts, and one that stands stays. */
void expiry_step(struct expiry *e, struct ledger *ledger, const struct config_retention *keep,
                 int64_t now_ms);

#endif
