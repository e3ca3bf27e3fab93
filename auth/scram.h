/* SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677): what is stored instead of a password.
 *
 *   SaltedPassword = PBKDF2-HMAC-SHA-256(password, salt, iterations)
 *   StoredKey      = SHA-256(HMAC(SaltedPassword, "Client Key"))
 *   ServerKey      = HMAC(SaltedPassword, "Server Key")
 *
 * In text, the form of RFC 5803 that libsasl2 and PostgreSQL share:
 *
 *   SCRAM-SHA-256$<iterations>:<base64 salt>$<base64 StoredKey>:<base64 ServerKey>
 *
 * PBKDF2 runs in OpenSSL, about six times faster than libsasl2's own loop. Any thread. */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

#define SCRAM_KEY_BYTES      32
#define SCRAM_SALT_BYTES     16 /* of those made here */
#define SCRAM_SALT_MAX       64 /* of those imported */
#define SCRAM_ITERATIONS_MIN 4096   /* RFC 7677 §4 */
#define SCRAM_ITERATIONS_MAX 200000 /* about 75 ms of one core */
#define SCRAM_TEXT_MAX       256    /* with NUL */

struct scram_verifier {
    uint32_t iteration_count;
    uint8_t salt[SCRAM_SALT_MAX];
    uint8_t salt_bytes;
    uint8_t stored_key[SCRAM_KEY_BYTES];
    uint8_t server_key[SCRAM_KEY_BYTES];
};

/* A verifier of the prepared password under a fresh random salt. MSA_OK or MSA_EINVAL (iterations
 * out of bounds). One key derivation. */
int scram_make(struct view password, uint32_t iteration_count, struct scram_verifier *out);
/* The same under a given salt of 1 … SCRAM_SALT_MAX bytes. */
int scram_make_salted(struct view password, struct view salt, uint32_t iteration_count,
                      struct scram_verifier *out);

/* Is this the prepared password? One key derivation, whatever the answer. */
bool scram_matches(const struct scram_verifier *v, struct view password);

/* A verifier that no password fits, the same for the same name as long as the key is: what a
 * stranger is told about accounts that do not exist looks like any other. No key derivation. */
void scram_fake(const uint8_t key[32], struct view login, uint32_t iteration_count,
                struct scram_verifier *out);

/* MSA_OK, or MSA_ENOMEM with an empty text. */
int scram_format(const struct scram_verifier *v, char out[SCRAM_TEXT_MAX]);
/* MSA_OK, or MSA_EINVAL for anything but the form above within the bounds above. */
int scram_parse(struct view text, struct scram_verifier *out);

/* Key derivations since the process started: tests prove with it that every answer costs the
 * same. */
uint64_t scram_derivation_count(void);

#endif
