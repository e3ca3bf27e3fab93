/* HMAC-SHA256 under a 32-byte key, of a purpose and two byte strings. Each part carries its
 * length, so no two triples give the same input, and one key serves several purposes. */
#ifndef AUTH_KEYED_H
#define AUTH_KEYED_H

#include <stdint.h>

#include "msa/base/view.h"

#define KEYED_BYTES    32
#define KEYED_PART_MAX 640 /* a longer part counts with its first bytes and its length */

/* `purpose` is a literal of at most 31 characters. Any thread. */
void keyed_hash(const uint8_t key[KEYED_BYTES], const char *purpose, struct view a, struct view b,
                uint8_t out[KEYED_BYTES]);

#endif
