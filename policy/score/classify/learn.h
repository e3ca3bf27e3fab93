/* Learns weights from messages that people have sorted: a linear support vector machine with squared loss, solved in
 * its dual by coordinate descent (Hsieh, Chang, Lin, Keerthi, Sundararajan 2008). The cost of ham and of spam is
 * balanced, so that the share of each in what was learnt does not matter.
 *
 * On mail of other sources than it was trained on this was clearly better than the combination of probabilities
 * by Robinson and Fisher, and than logistic regression: see build/tests/score_eval.
 *
 * The same examples in the same order give the same weights, bit by bit. Any thread; takes seconds. */
#ifndef POLICY_SCORE_CLASSIFY_LEARN_H
#define POLICY_SCORE_CLASSIFY_LEARN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/score/classify/features.h"

#define LEARN_FOLDS  5
#define LEARN_PASSES 8

/* How much each family weighs: words and shapes less than grams, because they tell sources of mail apart, too. */
extern const float learn_family_weight[FEATURE_FAMILIES];

struct example {
    size_t first;                     /* of its features in corpus.ids: grams, words, shapes */
    uint32_t count[FEATURE_FAMILIES];
    float cost;
    bool is_spam;
    bool is_prior;                    /* known by hand: learnt from, never measured by */
    uint8_t fold;
};

struct corpus {
    struct example *examples;
    size_t count, cap;
    uint32_t *ids;
    size_t id_count, id_cap;
};

void corpus_init(struct corpus *c);
void corpus_fini(struct corpus *c);
/* `ids` of all families one behind the other, each below FEATURE_COUNT. MSA_OK, MSA_ENOMEM, or MSA_EINVAL for counts or ids
 * that no message has. */
int corpus_add(struct corpus *c, const uint32_t *ids, const uint32_t count[static FEATURE_FAMILIES],
               bool is_spam, float cost, bool is_prior);
int corpus_add_features(struct corpus *c, const struct features *f, bool is_spam, float cost,
                        bool is_prior);

/* Makes `*out` of `c` without the features that only one example has: they say nothing of others, and would fall
 * together with features of messages to come. MSA_OK, or MSA_ENOMEM and `*out` is empty. */
int corpus_prune(const struct corpus *c, struct corpus *out);

struct weights {
    float bias;
    float of[FEATURE_COUNT];
};

/* What a family adds to the margin; the value that each of its features has, and how many of them are known: one
 * whose weight is 0 is not, and does not count. */
float weights_part(const struct weights *w, enum feature_family family, const uint32_t *ids,
                   uint32_t count, float *value_out, uint32_t *known_out);

/* The margin that counts: drawn towards ham for a message of which little is known. */
float weights_trust(float margin, const uint32_t known[static FEATURE_FAMILIES]);

/* How far a message lies on the side of spam. */
float weights_margin(const struct weights *w, const uint32_t *ids,
                     const uint32_t count[static FEATURE_FAMILIES]);

struct learn_progress {
    atomic_uint done; /* passes */
    atomic_uint total;
    atomic_bool is_cancelled; /* set by who wants it to end */
};

/* From all examples but those of fold `without` (-1: all). MSA_OK, MSA_EINVAL without ham or without spam,
 * MSA_ENOMEM, or MSA_ECLOSED when it was cancelled. `progress` may be NULL. */
int learn_run(const struct corpus *c, int without, struct weights *out,
              struct learn_progress *progress);

#endif
