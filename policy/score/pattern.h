/* Patterns of header fields: "*" stands for any characters or none, "?" for one, "#" for a digit; everything else for
 * itself. The whole value must match. No other operators and no way back: the time is at most that of the pattern
 * times the text, whatever stands in either. Both are folded (fold.h). */
#ifndef POLICY_SCORE_PATTERN_H
#define POLICY_SCORE_PATTERN_H

#include <stdbool.h>

#include "msa/base/view.h"

bool pattern_matches(struct view pattern, struct view text);

#endif
