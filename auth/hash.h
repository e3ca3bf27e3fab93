/* Password hashes that other systems made: crypt(3) strings and argon2id. They serve PLAIN and
 * LOGIN until the next good sign-in, which replaces them by a SCRAM verifier.
 *
 * A hash says itself how much work it is; what would cost more than a bound is refused when it is
 * imported, or one account could take the workers hostage. Any thread; a check takes 1 … 100 ms. */
#ifndef AUTH_HASH_H
#define AUTH_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define HASH_TEXT_MAX 256 /* with NUL */

/* Stored in records: the numbers stay. */
enum hash_kind {
    HASH_NONE = 0,
    HASH_SCRAM_SHA_256 = 1, /* scram.h; not handled here */
    HASH_SHA512_CRYPT = 2,
    HASH_SHA256_CRYPT = 3,
    HASH_BCRYPT = 4,
    HASH_YESCRYPT = 5,
    HASH_ARGON2ID = 6,
    HASH_SASLAUTHD = 7, /* none: the password is kept elsewhere (saslauthd.h); the text is HASH_SASLAUTHD_TEXT */
};

#define HASH_KIND_COUNT 8

#define HASH_SASLAUTHD_TEXT "{SASL}"

const char *hash_kind_name(enum hash_kind kind); /* "sha512-crypt" …; "none" for others */

/* By its prefix alone; HASH_NONE for what is not known, also for DES and MD5. */
enum hash_kind hash_kind_of(struct view text);

/* A whole hash of a kind known here, within the bounds of work? MSA_OK, or MSA_EINVAL with the
 * reason in `why`. */
int hash_validate(struct view text, char *why, size_t why_size);

/* MSA_OK and the answer, or MSA_ENOMEM, or MSA_EINVAL for a text that hash_validate refuses. The
 * password is the bytes that the client sent, as those were hashed elsewhere. */
int hash_matches(struct view text, struct view password, bool *is_match_out);

uint64_t hash_derivation_count(void); /* as scram_derivation_count */

#endif
