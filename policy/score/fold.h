/* Text as patterns and phrases see it, so that neither case nor width nor invisible characters hide a word: ASCII, Greek
 * and Cyrillic letters are small, fullwidth forms narrow; what has no width is left out; white space is one SP, and
 * none between two characters of a script without spaces ("無 料" is 無料). Bytes that are no UTF-8 are SP. */
#ifndef POLICY_SCORE_FOLD_H
#define POLICY_SCORE_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* Appends `text`, folded; MSA_OK, or MSA_ETOOBIG or MSA_ENOMEM with a part appended. Never more bytes than `text`
 * has. */
int fold_add(struct buf *out, struct view text);

uint32_t fold_code(uint32_t code); /* case and width of one; 0: has no width */
bool fold_is_wide(uint32_t code);  /* of a script without spaces */

#endif
