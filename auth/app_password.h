/* App passwords: made by us, shown once, typed into one device.
 *
 *      abcd-efgh-jkmn-pqrs     16 signs of 26 that are not mistaken for one another: 75 bits
 *
 * They are taken with or without hyphens and blanks, in either case. What is kept is HMAC-SHA-256 under the store's
 * key of the account's id and the 16 signs, and no slow hash: 75 random bits are not guessed, however fast a guess
 * is, and one hash serves for all of an account's app passwords, so that their number does not show in the time
 * that a refusal takes. Pure but for the random bytes; any thread. */
#ifndef AUTH_APP_PASSWORD_H
#define AUTH_APP_PASSWORD_H

#include <stddef.h>

#include "auth/factors.h"
#include "msa/base/view.h"

#define APP_PASSWORD_CHARS 16
#define APP_PASSWORD_SIZE  (APP_PASSWORD_CHARS + 3 + 1) /* with hyphens and NUL */

/* A new one, as it is shown. The caller wipes it. */
void app_password_make(char out[APP_PASSWORD_SIZE]);

/* `n` random signs of the alphabet, without NUL. */
void app_password_signs(char *out, size_t n);

/* The signs that were typed, without hyphens and blanks, in lower case; false: these are not `n` signs of the
 * alphabet. */
bool app_password_read(struct view typed, char *out, size_t n);

/* What is kept of it. What cannot be one has a hash, too, that belongs to nothing. */
void app_password_hash(const uint8_t *key, uint64_t account, struct view typed, uint8_t out[FACTORS_HASH_BYTES]);

/* The one with this hash; NULL: none. Looks at as many places whatever stands in them. */
const struct app_password *app_password_match(const struct factors *f, const uint8_t hash[FACTORS_HASH_BYTES]);

const char *app_scope_name(unsigned scope); /* of one bit; NULL: there is none */
unsigned app_scope_named(struct view name); /* 0: there is none */

#endif
