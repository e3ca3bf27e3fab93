#include "policy/score/classify/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"

/* ---- the scale ---- */

struct margins {
    float *of[2]; /* of ham, of spam */
    size_t count[2];
};

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Where ham ends at the least. Ham of few kinds is told from spam so easily that what is like neither would lie
 * above a threshold that only its own tail decides. */
#define THRESHOLD_LEAST 0.3f

/* The tail of the ham is taken as exponential from its upper twentieth on: the few messages at its very end would
 * make the threshold jump from training to training. */
static float threshold_of(const float *ham, size_t count)
{
    size_t tail = count / 20 > 5 ? count / 20 : 5;
    if (tail >= count)
        return ham[count - 1];
    float from = ham[count - tail - 1];
    double excess = 0;
    for (size_t i = count - tail; i < count; i++)
        excess += (double)(ham[i] - from);
    double reach = log((double)tail / (double)count / MODEL_HAM_ABOVE);
    return from + (float)(excess / (double)tail * (reach > 0 ? reach : 0));
}

static void scale_of(struct margins *m, struct model_scale *out)
{
    for (int k = 0; k < 2; k++)
        qsort(m->of[k], m->count[k], sizeof *m->of[k], by_value);
    *out = (struct model_scale){
        .ham_middle = m->of[0][m->count[0] / 2],
        .threshold = threshold_of(m->of[0], m->count[0]),
        .spam_middle = m->of[1][m->count[1] / 2],
    };
    if (out->threshold < THRESHOLD_LEAST)
        out->threshold = THRESHOLD_LEAST;
    /* Mail that cannot be told apart must not turn the scale over. */
    if (out->threshold < out->ham_middle + 0.01f)
        out->threshold = out->ham_middle + 0.01f;
    if (out->spam_middle < out->threshold + 0.01f)
        out->spam_middle = out->threshold + 0.01f;
}

static uint64_t count_above(const float *margins, size_t count, float threshold)
{
    uint64_t above = 0;
    for (size_t i = 0; i < count; i++)
        above += margins[i] >= threshold;
    return above;
}

/* Margins by weights that were learnt without the message itself. */
static int measure(const struct corpus *c, struct weights *w, struct margins *m,
                   struct learn_progress *progress)
{
    for (int fold = 0; fold < LEARN_FOLDS; fold++) {
        int err = learn_run(c, fold, w, progress);
        if (err < 0)
            return err;
        for (size_t i = 0; i < c->count; i++) {
            const struct example *e = &c->examples[i];
            if (!e->is_prior && e->fold == fold)
                m->of[e->is_spam][m->count[e->is_spam]++] =
                    weights_margin(w, c->ids + e->first, e->count);
        }
    }
    return MSA_OK;
}

static int train_pruned(const struct corpus *c, struct learn_progress *progress, struct model **out)
{
    struct margins margins = {{NULL, NULL}, {0, 0}};
    uint64_t count[2] = {0, 0};
    *out = NULL;
    for (size_t i = 0; i < c->count; i++)
        count[c->examples[i].is_spam] += !c->examples[i].is_prior;
    if (count[0] < MODEL_EXAMPLES_MIN || count[1] < MODEL_EXAMPLES_MIN)
        return MSA_EINVAL;
    if (progress) {
        atomic_store(&progress->total, (LEARN_FOLDS + 1) * LEARN_PASSES);
        atomic_store(&progress->done, 0);
    }
    struct model *m = calloc(1, sizeof *m);
    margins.of[0] = calloc(count[0], sizeof(float));
    margins.of[1] = calloc(count[1], sizeof(float));
    int err = m && margins.of[0] && margins.of[1] ? MSA_OK : MSA_ENOMEM;
    if (err == MSA_OK)
        err = measure(c, &m->weights, &margins, progress);
    if (err == MSA_OK) {
        scale_of(&margins, &m->scale);
        err = learn_run(c, -1, &m->weights, progress);
        m->ham_count = count[0];
        m->spam_count = count[1];
        m->ham_above_count = count_above(margins.of[0], count[0], m->scale.threshold);
        m->spam_above_count = count_above(margins.of[1], count[1], m->scale.threshold);
    }
    free(margins.of[0]);
    free(margins.of[1]);
    if (err < 0)
        model_free(&m);
    *out = m;
    return err;
}

int model_train(const struct corpus *c, struct learn_progress *progress, struct model **out)
{
    struct corpus pruned;
    *out = NULL;
    int err = corpus_prune(c, &pruned);
    if (err < 0)
        return err;
    err = train_pruned(&pruned, progress, out);
    corpus_fini(&pruned);
    return err;
}

void model_free(struct model **m)
{
    free(*m);
    *m = NULL;
}

/* ---- scoring ---- */

int32_t model_scale_milli(const struct model_scale *s, float margin)
{
    float half = margin < s->threshold ? (margin - s->ham_middle) / (s->threshold - s->ham_middle)
                                       : 1 + (margin - s->threshold) / (s->spam_middle - s->threshold);
    if (!(half > 0))
        return 0;
    if (half >= 2)
        return MODEL_SCORE_MAX_MILLI;
    return (int32_t)(half * MODEL_THRESHOLD_MILLI);
}

#define ALL_OF_FAMILY UINT32_MAX

struct weighed {
    enum feature_family family;
    uint32_t index;
    float weight;
};

static void keep_weightiest(struct weighed *list, unsigned *count, struct weighed w)
{
    unsigned i = *count < MODEL_REASONS_MAX ? (*count)++ : MODEL_REASONS_MAX - 1;
    if (*count == MODEL_REASONS_MAX && i == MODEL_REASONS_MAX - 1 && list[i].weight != 0 &&
        fabsf(list[i].weight) >= fabsf(w.weight))
        return;
    for (; i > 0 && fabsf(list[i - 1].weight) < fabsf(w.weight); i--)
        list[i] = list[i - 1];
    list[i] = w;
}

static void take_label(const struct features *f, const struct weighed *w, char label[static FEATURE_LABEL_BYTES])
{
    if (w->index == ALL_OF_FAMILY)
        memcpy(label, w->family == FEATURE_GRAM ? "text\0" : "words", sizeof "words");
    else
        features_label(f, w->family, w->index, label);
}

static void take_reasons(const struct model *m, const struct features *f, const float value[], const float part[],
                         bool with_words, struct model_result *out)
{
    struct weighed list[MODEL_REASONS_MAX] = {{0}};
    unsigned count = 0;
    keep_weightiest(list, &count, (struct weighed){FEATURE_GRAM, ALL_OF_FAMILY, part[FEATURE_GRAM]});
    if (!with_words)
        keep_weightiest(list, &count, (struct weighed){FEATURE_WORD, ALL_OF_FAMILY, part[FEATURE_WORD]});
    for (int k = with_words ? FEATURE_WORD : FEATURE_SHAPE; k < FEATURE_FAMILIES; k++)
        for (uint32_t i = 0; i < f->count[k]; i++)
            keep_weightiest(list, &count,
                            (struct weighed){(enum feature_family)k, i, m->weights.of[f->ids[k][i]] * value[k]});
    float unit = MODEL_THRESHOLD_MILLI / (m->scale.threshold - m->scale.ham_middle);
    for (unsigned i = 0; i < count; i++) {
        struct model_reason *r = &out->reasons[i];
        float milli = list[i].weight * unit;
        r->milli = (int32_t)(milli > 1e6f ? 1e6f : milli < -1e6f ? -1e6f : milli);
        take_label(f, &list[i], r->label);
    }
    out->reason_count = count;
}

void model_score(const struct model *m, const struct features *f, enum model_why why,
                 struct model_result *out)
{
    float value[FEATURE_FAMILIES], part[FEATURE_FAMILIES], margin = m->weights.bias;
    uint32_t known[FEATURE_FAMILIES];
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        part[k] = weights_part(&m->weights, (enum feature_family)k, f->ids[k], f->count[k], &value[k],
                               &known[k]);
        margin += part[k];
    }
    margin = weights_trust(margin, known);
    out->margin = margin;
    out->score_milli = model_scale_milli(&m->scale, margin);
    out->reason_count = 0;
    if (why != MODEL_WHY_NONE)
        take_reasons(m, f, value, part, why == MODEL_WHY_WORDS, out);
}
