/* What was learnt, ready to score with: weights, and where on their scale ham ends.
 *
 * The scale is measured while training: each example gets its margin from weights that were learnt without it, and
 * a score of 5.0 is where MODEL_HAM_ABOVE of the ham lies above. So the score means the same whatever mail the
 * operator has, and however much of it. Ham of senders that were not learnt from lies higher, twice as much of it
 * above 5.0, so the share is small: less of it finds less than 97 % of the spam of known kinds (`make test-score`). 0 is the middle of the ham, 10 that of the spam.
 *
 * As bytes (little endian), in the token database:
 *
 *      8  "msadcls\n"        4  version of this form      4  FEATURE_VERSION
 *      8  count of ham       8  count of spam
 *      8  ham above the threshold, 8 spam above it, by weights that were learnt without each
 *     12  ham's middle, threshold, spam's middle (float)
 *      4  bias (float)       4  FEATURE_COUNT             4 x FEATURE_COUNT  weights (float)
 *      8  checksum of all before it (FNV-1a)
 *
 * A model is not changed once it is made: any number of threads may score with it. */
#ifndef POLICY_SCORE_CLASSIFY_MODEL_H
#define POLICY_SCORE_CLASSIFY_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "policy/score/classify/learn.h"

#define MODEL_HAM_ABOVE       0.0035
#define MODEL_THRESHOLD_MILLI 5000
#define MODEL_SCORE_MAX_MILLI 10000
#define MODEL_EXAMPLES_MIN    20 /* of ham and of spam: with less it knows nothing */
#define MODEL_REASONS_MAX     8
#define MODEL_BYTES_MAX       ((size_t)FEATURE_COUNT * 4 + 256)

struct model_scale {
    float ham_middle;
    float threshold;
    float spam_middle;
};

struct model {
    struct weights weights;
    struct model_scale scale;
    uint64_t ham_count;
    uint64_t spam_count;
    uint64_t ham_above_count;  /* of them, at 5.0 or more: what it would get wrong */
    uint64_t spam_above_count; /* what it would catch */
};

/* Words are words of the message: they may be shown to somebody who has the message, and go into no log. */
enum model_why {
    MODEL_WHY_NONE,
    MODEL_WHY_SHAPES, /* "shape:html-only"; "words" for all words together, "text" for all grams */
    MODEL_WHY_WORDS,  /* and "word:unsubscribe" */
};

struct model_reason {
    char label[FEATURE_LABEL_BYTES];
    int32_t milli;                   /* of the score; negative: speaks for ham */
};

struct model_result {
    int32_t score_milli; /* 0 to MODEL_SCORE_MAX_MILLI; spam from MODEL_THRESHOLD_MILLI on */
    float margin;
    struct model_reason reasons[MODEL_REASONS_MAX]; /* the weightiest first */
    unsigned reason_count;
};

/* Learns from `c`, to which prior.h has been added if it shall count. MSA_OK; MSA_EINVAL with less than
 * MODEL_EXAMPLES_MIN of either; MSA_ENOMEM; MSA_ECLOSED when cancelled. `*out` is the caller's. */
int model_train(const struct corpus *c, struct learn_progress *progress, struct model **out);
void model_free(struct model **m); /* NULL inside is fine */

/* Any thread, with features of its own. Never fails. */
void model_score(const struct model *m, const struct features *f, enum model_why why,
                 struct model_result *out);
int32_t model_scale_milli(const struct model_scale *s, float margin);

/* Appends the bytes; MSA_OK or the buffer's error. */
int model_encode(const struct model *m, struct buf *out);
/* MSA_OK; MSA_ECORRUPT or MSA_EINVAL (another version) with a sentence in `*why_out`; MSA_ENOMEM. */
int model_decode(struct view bytes, struct model **out, const char **why_out);

#endif
