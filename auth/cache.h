/* Credentials that were verified a short while ago, so that a mail program that signs in for every
 * message does not cost a key derivation each time.
 *
 * What is kept is HMAC-SHA-256(key of this process, login, password) with the account's id and
 * generation; it is worth nothing outside this process and dies with it. A new password raises the
 * generation, so nothing has to be searched and forgotten here; a disabled account is not looked
 * up. Bounded: a bucket of four that overflows forgets its oldest. All calls from any thread. */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

struct cache;

#define CACHE_DIGEST_BYTES 32

struct cache *cache_new(size_t entry_count); /* rounded up to a power of two; NULL: no memory */
void cache_free(struct cache **c);

void cache_digest(const struct cache *c, struct view login, struct view password,
                  uint8_t out[CACHE_DIGEST_BYTES]);
/* Was put, for this account and generation, less than `life_ms` before `now_ms`? */
bool cache_has(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t account,
               uint32_t generation, int64_t now_ms, int64_t life_ms);
void cache_put(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t account,
               uint32_t generation, int64_t now_ms);

void cache_counts(struct cache *c, uint64_t *hits_out, uint64_t *misses_out);

#endif
