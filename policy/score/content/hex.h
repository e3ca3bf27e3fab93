/* Hexadecimal digits, as "%41", "=41" and "#ffffff" have them. */
#ifndef POLICY_SCORE_CONTENT_HEX_H
#define POLICY_SCORE_CONTENT_HEX_H

#include <stdbool.h>

#include "msa/base/view.h"

/* 0 to 15, or -1. */
static inline int hex_value(char c)
{
    char lower = ascii_lower(c);
    if (ascii_is_digit(c))
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The octet that `mark` and two digits at the front of `v` mean. */
static inline bool hex_octet(struct view v, char mark, char *out)
{
    int high = v.n >= 3 && v.p[0] == mark ? hex_value(v.p[1]) : -1;
    int low = high >= 0 ? hex_value(v.p[2]) : -1;
    if (low < 0)
        return false;
    *out = (char)(high << 4 | low);
    return true;
}

#endif
