/* Inside of fingerprint.c and its tests: a text as a row of numbers, one for each word that says what it is about. */
#ifndef POLICY_SCORE_FINGERPRINT_TEXT_H
#define POLICY_SCORE_FINGERPRINT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

/* Without its signature: what stands behind "-- ", or behind a line drawn within the last lines. */
struct view fingerprint_cut_signature(struct view text);

/* Units of `text`, no more than `max`, in order; how many. */
size_t fingerprint_units(struct view text, uint32_t *units, size_t max);

#endif
