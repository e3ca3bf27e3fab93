/* What every fuzz driver needs. A driver checks a property with must(), not only that nothing
 * crashes. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "msa/base/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool condition)
{
    if (!condition)
        abort();
}

static inline struct view fuzz_view(const uint8_t *data, size_t size)
{
    return view_of((const char *)data, size);
}

/* Takes the first byte of the input as a number from 1 to 256: the size of the pieces to feed. */
static inline size_t fuzz_take_piece(struct view *in)
{
    size_t n = in->n > 0 ? (size_t)(unsigned char)in->p[0] + 1 : 1;
    *in = view_slice(*in, 1, in->n);
    return n;
}

#endif
