/* struct shared_model: a model that scans are under way with while the next one takes its place. Counted references; what
 * they point to does not change. */
#ifndef POLICY_SCORE_SHARED_MODEL_H
#define POLICY_SCORE_SHARED_MODEL_H

#include <stdatomic.h>
#include <stdint.h>

#include "policy/score/classify/model.h"

struct shared_model {
    atomic_uint reference_count;
    struct model *model;
    uint64_t generation; /* see tokens_model_generation */
};

/* One reference, the caller's. Takes `model` over, also when it fails. NULL: out of memory. */
struct shared_model *shared_model_new(struct model *model, uint64_t generation);
struct shared_model *shared_model_ref(struct shared_model *m); /* NULL gives NULL */
void shared_model_unref(struct shared_model **m);              /* sets *m to NULL; NULL inside is fine */

#endif
