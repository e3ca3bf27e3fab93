/* struct phrases: finds many phrases in one pass over a text (Aho and Corasick 1975), each byte in constant time.
 *
 * Text and phrases are folded (fold.h). A phrase that begins or ends in a letter or digit of ASCII matches whole words
 * there: "sex" is not in "Essex". Built once, read by any thread. */
#ifndef POLICY_SCORE_PHRASES_H
#define POLICY_SCORE_PHRASES_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define PHRASES_MAX       4096
#define PHRASES_BYTES_MAX (32u << 10) /* of all together, folded */

struct phrases;

struct phrases *phrases_new(void); /* NULL: out of memory */
void phrases_free(struct phrases **p);

/* The number of the phrase (the same text has one), or MSA_EINVAL (nothing is left when it is folded), MSA_EFULL,
 * MSA_ENOMEM. */
int phrases_add(struct phrases *p, struct view phrase);
/* After the last phrases_add. MSA_OK or MSA_ENOMEM. */
int phrases_build(struct phrases *p);

/* Bits by number: PHRASES_MAX of them. */
struct phrase_hits {
    uint64_t words[PHRASES_MAX / 64];
};

/* Sets the bit of each phrase in `text`, which is folded. */
void phrases_find(const struct phrases *p, struct view text, struct phrase_hits *hits);

static inline int phrase_is_hit(const struct phrase_hits *h, unsigned number)
{
    return (int)(h->words[number / 64] >> number % 64 & 1);
}

#endif
