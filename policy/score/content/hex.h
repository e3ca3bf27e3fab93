/* An octet as two hexadecimal digits behind a mark: "%41", "=41". */
#ifndef POLICY_SCORE_CONTENT_HEX_H
#define POLICY_SCORE_CONTENT_HEX_H

#include <stdbool.h>

#include "msa/base/view.h"

/* The octet that `mark` and two digits at the front of `v` mean. */
static inline bool hex_octet(struct view v, char mark, char *out)
{
    int high = v.n >= 3 && v.p[0] == mark ? ascii_hex_value(v.p[1]) : -1;
    int low = high >= 0 ? ascii_hex_value(v.p[2]) : -1;
    if (low < 0)
        return false;
    *out = (char)(high << 4 | low);
    return true;
}

#endif
