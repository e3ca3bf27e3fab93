/* Where a message goes when its content is here: routes, rules, the account's risk and what a scanner insists on, the
 * strictest of all.
 *
 * Refuse is stricter than defer, that than hold, that than a pool. Of pools the one that stands later in the
 * configuration is the stricter, so they are written from the cleanest to the most suspect; what nobody has a
 * pool for goes through `policy.default_pool`. */
#ifndef POLICY_WAY_H
#define POLICY_WAY_H

#include "policy/account.h"
#include "policy/answer.h"
#include "policy/reservation.h"
#include "policy/state.h"

struct way {
    const char *pool; /* of the configuration */
    unsigned held_for; /* of enum hold_reason */
};

/* `v` is the verdict about `e`, the event of the content; `r` what the rules have said before, or NULL. Folds what
 * refuses or defers into *answer. Notes the account's risk. */
void way_choose(struct policy *p, const struct account *account, const struct event *e,
                const struct verdict *v, const struct reservation *r,
                const struct msg_policy_route_ask *ask, int64_t score_milli, struct way *out,
                struct answer *answer);

/* One has come up (again). */
void way_note_restriction(struct policy *p, const struct restriction *r);

#endif
