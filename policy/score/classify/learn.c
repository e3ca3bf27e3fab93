#include "policy/score/classify/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"

/* What a wrong example costs. Ten times more or less changed little. */
#define COST 10.0

/* Where ham is to lie. */
#define HAM_MARGIN -1.0f

/* A message of which less is known is taken for ham rather than judged by next to nothing; shapes beyond those that
 * any message has count, too, so that a picture and a link alone can be spam. Of the 380 odd messages that parsers
 * are tested with, most of them a word or none, 97 were spam without this, and 27 with it. */
#define LITTLE_SEEN  20.0f
#define USUAL_SHAPES 27u

/* With words at 1 and shapes at 0.3 less spam was found where half a percent of the ham of new senders lay above;
 * with grams alone less where the senders were known. Probabilities of words by Robinson did worse with what is new,
 * and gained nothing on the whole when they were added. */
const float learn_family_weight[FEATURE_FAMILIES] = {
    [FEATURE_GRAM] = 1.0f,
    [FEATURE_WORD] = 0.3f,
    [FEATURE_SHAPE] = 0.4f,
};

void corpus_init(struct corpus *c)
{
    *c = (struct corpus){0};
}

void corpus_fini(struct corpus *c)
{
    free(c->examples);
    free(c->ids);
    *c = (struct corpus){0};
}

static int make_room(struct corpus *c, size_t id_count)
{
    if (c->count == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 256;
        struct example *more = realloc(c->examples, cap * sizeof *more);
        if (!more)
            return MSA_ENOMEM;
        c->examples = more;
        c->cap = cap;
    }
    if (c->id_count + id_count > c->id_cap) {
        size_t cap = c->id_cap * 2 > c->id_count + id_count ? c->id_cap * 2 : c->id_count + id_count;
        uint32_t *more = realloc(c->ids, cap * sizeof *more);
        if (!more)
            return MSA_ENOMEM;
        c->ids = more;
        c->id_cap = cap;
    }
    return MSA_OK;
}

static size_t total_of(const uint32_t count[static FEATURE_FAMILIES])
{
    size_t total = 0;
    for (int k = 0; k < FEATURE_FAMILIES; k++)
        total += count[k];
    return total;
}

int corpus_add(struct corpus *c, const uint32_t *ids, const uint32_t count[static FEATURE_FAMILIES],
               bool is_spam, float cost, bool is_prior)
{
    if (count[FEATURE_GRAM] > FEATURE_GRAMS_MAX || count[FEATURE_WORD] > FEATURE_WORDS_MAX ||
        count[FEATURE_SHAPE] > FEATURE_SHAPES_MAX)
        return MSA_EINVAL;
    size_t total = total_of(count);
    for (size_t i = 0; i < total; i++)
        if (ids[i] >= FEATURE_COUNT)
            return MSA_EINVAL;
    int err = make_room(c, total);
    if (err < 0)
        return err;
    struct example *e = &c->examples[c->count];
    *e = (struct example){.first = c->id_count, .cost = cost, .is_spam = is_spam, .is_prior = is_prior,
                          .fold = (uint8_t)(c->count % LEARN_FOLDS)};
    memcpy(e->count, count, sizeof e->count);
    if (total)
        memcpy(c->ids + c->id_count, ids, total * sizeof *ids);
    c->id_count += total;
    c->count++;
    return MSA_OK;
}

int corpus_add_features(struct corpus *c, const struct features *f, bool is_spam, float cost,
                        bool is_prior)
{
    size_t total = total_of(f->count), n = 0;
    uint32_t *ids = malloc((total + 1) * sizeof *ids);
    if (!ids)
        return MSA_ENOMEM;
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        memcpy(ids + n, f->ids[k], f->count[k] * sizeof *ids);
        n += f->count[k];
    }
    int err = corpus_add(c, ids, f->count, is_spam, cost, is_prior);
    free(ids);
    return err;
}

static float family_value(int family, uint32_t count)
{
    return count ? learn_family_weight[family] / sqrtf((float)count) : 0.0f;
}

float weights_part(const struct weights *w, enum feature_family family, const uint32_t *ids,
                   uint32_t count, float *value_out, uint32_t *known_out)
{
    float sum = 0;
    uint32_t known = 0;
    for (uint32_t i = 0; i < count; i++) {
        float weight = w->of[ids[i]];
        sum += weight;
        known += weight != 0;
    }
    float value = family_value(family, known);
    *value_out = value;
    *known_out = known;
    return sum * value;
}

float weights_trust(float margin, const uint32_t known[static FEATURE_FAMILIES])
{
    uint32_t shapes = known[FEATURE_SHAPE] > USUAL_SHAPES ? known[FEATURE_SHAPE] - USUAL_SHAPES : 0;
    float seen = (float)(known[FEATURE_GRAM] + known[FEATURE_WORD] + 3 * shapes);
    float trust = seen * seen / (seen * seen + LITTLE_SEEN * LITTLE_SEEN);
    return HAM_MARGIN + (margin - HAM_MARGIN) * trust;
}

float weights_margin(const struct weights *w, const uint32_t *ids,
                     const uint32_t count[static FEATURE_FAMILIES])
{
    float margin = w->bias, value;
    uint32_t known[FEATURE_FAMILIES];
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        margin += weights_part(w, (enum feature_family)k, ids, count[k], &value, &known[k]);
        ids += count[k];
    }
    return weights_trust(margin, known);
}

/* While learning all features of an example are known, also those whose weight is still 0. */
static float margin_of(const struct weights *w, const uint32_t *ids,
                       const uint32_t count[static FEATURE_FAMILIES])
{
    float margin = w->bias;
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        float sum = 0;
        for (uint32_t i = 0; i < count[k]; i++)
            sum += w->of[ids[i]];
        margin += sum * family_value(k, count[k]);
        ids += count[k];
    }
    return margin;
}

static void weights_move(struct weights *w, const uint32_t *ids,
                         const uint32_t count[static FEATURE_FAMILIES], float by)
{
    w->bias += by;
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        float step = by * family_value(k, count[k]);
        for (uint32_t i = 0; i < count[k]; i++)
            w->of[ids[i]] += step;
        ids += count[k];
    }
}

int corpus_prune(const struct corpus *c, struct corpus *out)
{
    uint8_t *seen = calloc(FEATURE_COUNT, 1);
    uint32_t *ids = malloc((FEATURE_GRAMS_MAX + FEATURE_WORDS_MAX + FEATURE_SHAPES_MAX) * sizeof *ids);
    int err = seen && ids ? MSA_OK : MSA_ENOMEM;
    corpus_init(out);
    for (size_t i = 0; seen && i < c->id_count; i++)
        seen[c->ids[i]] = (uint8_t)(seen[c->ids[i]] < 2 ? seen[c->ids[i]] + 1 : 2);
    for (size_t i = 0; i < c->count && err == MSA_OK; i++) {
        const struct example *e = &c->examples[i];
        const uint32_t *from = c->ids + e->first;
        uint32_t count[FEATURE_FAMILIES] = {0}, n = 0;
        for (int k = 0; k < FEATURE_FAMILIES; k++)
            for (uint32_t j = 0; j < e->count[k]; j++, from++)
                if (seen[*from] > 1) {
                    ids[n++] = *from;
                    count[k]++;
                }
        err = corpus_add(out, ids, count, e->is_spam, e->cost, e->is_prior);
    }
    free(seen);
    free(ids);
    if (err < 0)
        corpus_fini(out);
    return err;
}

/* An example while it is learnt from. */
struct variable {
    uint32_t example;
    double alpha;
    double norm;     /* of the example, squared, with the bias */
    double diagonal; /* 1 / 2C: what the squared loss adds to it */
};

static size_t choose(const struct corpus *c, int without, struct variable *v)
{
    size_t n = 0;
    double total[2] = {0, 0};
    for (size_t i = 0; i < c->count; i++) {
        const struct example *e = &c->examples[i];
        if (e->is_prior || e->fold != without) {
            v[n++] = (struct variable){.example = (uint32_t)i};
            total[e->is_spam] += (double)e->cost;
        }
    }
    if (total[0] <= 0 || total[1] <= 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        const struct example *e = &c->examples[v[i].example];
        double cost = COST * (double)e->cost * (total[0] + total[1]) / (2 * total[e->is_spam]);
        v[i].diagonal = 0.5 / cost;
        v[i].norm = 1;
        for (int k = 0; k < FEATURE_FAMILIES; k++)
            if (e->count[k])
                v[i].norm += (double)learn_family_weight[k] * (double)learn_family_weight[k];
    }
    return n;
}

/* One pass over all in an order that is made up anew each time, and always the same. */
static void pass(const struct corpus *c, struct variable *v, size_t n, struct weights *w, uint64_t *dice)
{
    for (size_t i = n - 1; i > 0; i--) {
        *dice = *dice * 6364136223846793005u + 1442695040888963407u;
        size_t k = (size_t)((*dice >> 33) % (i + 1));
        struct variable other = v[i];
        v[i] = v[k];
        v[k] = other;
    }
    for (size_t i = 0; i < n; i++) {
        const struct example *e = &c->examples[v[i].example];
        double side = e->is_spam ? 1 : -1;
        double margin = side * (double)margin_of(w, c->ids + e->first, e->count);
        double gradient = margin - 1 + v[i].diagonal * v[i].alpha;
        double alpha = v[i].alpha - gradient / (v[i].norm + v[i].diagonal);
        if (alpha < 0)
            alpha = 0;
        double by = alpha - v[i].alpha;
        v[i].alpha = alpha;
        if (by != 0)
            weights_move(w, c->ids + e->first, e->count, (float)(by * side));
    }
}

int learn_run(const struct corpus *c, int without, struct weights *out,
              struct learn_progress *progress)
{
    memset(out, 0, sizeof *out);
    struct variable *v = calloc(c->count + 1, sizeof *v);
    if (!v)
        return MSA_ENOMEM;
    size_t n = choose(c, without, v);
    int err = n ? MSA_OK : MSA_EINVAL;
    uint64_t dice = 1;
    for (int p = 0; n && p < LEARN_PASSES && err == MSA_OK; p++) {
        if (progress && atomic_load(&progress->is_cancelled))
            err = MSA_ECLOSED;
        else
            pass(c, v, n, out, &dice);
        if (progress)
            atomic_fetch_add(&progress->done, 1);
    }
    free(v);
    return err;
}
