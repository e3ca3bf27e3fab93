/* What the classifier looks at in a message, as numbers: three families of features, each a set.
 *
 *     grams   four characters in a row, case and digits folded: carry over to words never seen, and to Japanese
 *     words   words of the text and the subject; pairs of characters in scripts without spaces
 *     shapes  how the message is made: HTML, links and the words in them, who it says it is to and from
 *
 * What tells a collection of mail from another, and not spam from ham, is left out: years, addresses, host names,
 * Message-IDs, names of programs, names of lists. A feature is a hash of FEATURE_BITS; two that fall together are one.
 *
 * A value is 1/sqrt(size of its family in the message), so that long messages weigh no more than short ones.
 * Bounded by the limits below whatever the message is. One thread at a time for each `struct features`. */
#ifndef POLICY_SCORE_CLASSIFY_FEATURES_H
#define POLICY_SCORE_CLASSIFY_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "policy/score/content/document.h"

#define FEATURE_BITS    19
#define FEATURE_COUNT   (1u << FEATURE_BITS)
#define FEATURE_SHAPE_IDS 8192u /* of these */
/* Raised with every change of what a feature is: a model of another number is no use. */
#define FEATURE_VERSION 4u

#define FEATURE_GRAMS_MAX   6000
#define FEATURE_WORDS_MAX   3000
#define FEATURE_SHAPES_MAX  384
#define FEATURE_TEXT_BYTES  ((size_t)16 * 1024) /* of the text, from its front */
#define FEATURE_LABEL_BYTES 48

enum feature_family { FEATURE_GRAM, FEATURE_WORD, FEATURE_SHAPE, FEATURE_FAMILIES };

/* What a word or a shape is called, for findings: a word's bytes stand in features.folded. */
struct feature_name {
    const char *shape; /* NULL: a word */
    uint32_t offset;   /* of the word; of a shape its number */
    uint16_t length;
};

struct features {
    uint32_t *ids[FEATURE_FAMILIES];
    uint32_t count[FEATURE_FAMILIES];
    struct feature_name *word_names;
    struct feature_name *shape_names;
    uint64_t *seen;    /* a bit for each feature */
    struct buf folded; /* the text that features are taken from */
    struct buf field;
};

/* NULL without memory. */
struct features *features_new(void);
void features_free(struct features **f); /* NULL inside is fine */

/* Takes those of `d`; `r` is its reader, which decodes fields. MSA_OK or MSA_ENOMEM. */
int features_read(struct features *f, const struct document *d, struct document_reader *r);

/* "word:viagra", "shape:html-only", with a NUL; `index` counts within its family. Not for grams. */
void features_label(const struct features *f, enum feature_family family, uint32_t index,
                    char out[static FEATURE_LABEL_BYTES]);

/* ---- for the files that make features ---- */

void features_clear(struct features *f);
extern const uint32_t feature_family_max[FEATURE_FAMILIES];

/* Shapes have numbers of their own, so that no gram is taken for one. */
static inline uint32_t feature_id(enum feature_family family, uint32_t hash)
{
    uint32_t mixed = hash * 2654435769u;
    return family == FEATURE_SHAPE
               ? FEATURE_COUNT - FEATURE_SHAPE_IDS + (uint32_t)((uint64_t)mixed * FEATURE_SHAPE_IDS >> 32)
               : (uint32_t)((uint64_t)mixed * (FEATURE_COUNT - FEATURE_SHAPE_IDS) >> 32);
}

/* Once for each feature; what is over the family's limit is left out. False: it was not added. */
static inline bool features_add(struct features *f, enum feature_family family, uint32_t hash)
{
    uint32_t id = feature_id(family, hash);
    uint64_t bit = (uint64_t)1 << id % 64;
    if (f->count[family] >= feature_family_max[family] || f->seen[id / 64] & bit)
        return false;
    f->seen[id / 64] |= bit;
    f->ids[family][f->count[family]++] = id;
    return true;
}

/* Once for each character of a text. */
static inline void features_add_gram(struct features *f, uint32_t hash)
{
    features_add(f, FEATURE_GRAM, hash ^ 0x5bd1e995u);
}
void features_add_word(struct features *f, uint32_t hash, size_t offset, size_t length);
void features_add_shape(struct features *f, const char *name, unsigned number);

/* text_features.c: folds `text` behind what is in f->folded, and takes grams and words of it. */
int features_take_text(struct features *f, struct view text, bool is_subject);
/* shapes.c */
int features_take_shapes(struct features *f, const struct document *d, struct document_reader *r,
                         struct view subject);

#endif
