#include "policy/score/shared_model.h"

#include <stdlib.h>

struct shared_model *shared_model_new(struct model *model, uint64_t generation)
{
    struct shared_model *m = calloc(1, sizeof *m);
    if (!m) {
        model_free(&model);
        return NULL;
    }
    atomic_init(&m->reference_count, 1);
    m->model = model;
    m->generation = generation;
    return m;
}

struct shared_model *shared_model_ref(struct shared_model *m)
{
    if (m)
        atomic_fetch_add(&m->reference_count, 1);
    return m;
}

void shared_model_unref(struct shared_model **m)
{
    struct shared_model *model = *m;
    *m = NULL;
    if (!model || atomic_fetch_sub(&model->reference_count, 1) > 1)
        return;
    model_free(&model->model);
    free(model);
}
