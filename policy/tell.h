/* From what was done to an account to a notice of it: in which language, to which
 * address, in which form. What is told twice is told once (notices.h). */
#ifndef POLICY_TELL_H
#define POLICY_TELL_H

#include "policy/restriction.h"
#include "policy/state.h"

void tell_take_config(struct policy *p);

/* What this restriction does, or that a suspension was lifted, if it had been told of. Of a source: nobody is told. */
void tell_restriction(struct policy *p, uint64_t id, const struct restriction *r);

/* Nobody is to hear of the end of this suspension. */
void tell_forget(struct policy *p, uint64_t id);

/* A rule applied that only tells. `r` has no kind. */
void tell_warning(struct policy *p, const struct restriction *r);

/* One of each kind that is told at all, by the way of the real ones. MSA_OK, or why it
 * could not be kept. */
int tell_samples(struct policy *p, uint64_t account, struct view login);

#endif
