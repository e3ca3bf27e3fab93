/* Codes of an authenticator (TOTP, RFC 6238): HMAC-SHA-1, six digits, 30 seconds, which is what the programs on
 * people's telephones do. And what stands in for a lost telephone: recovery codes, each good once.
 *
 * The secret has to be read back, so it is kept sealed with AES-256-GCM under a key that is made from the store's,
 * bound to its account: a record that is read in a backup of one table or copied to another account is worth nothing.
 * It is no help against who has the whole store, where the key stands, too. Any thread. */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/factors.h"
#include "msa/base/buf.h"
#include "msa/base/view.h"

#define TOTP_SECRET_BYTES  20
#define TOTP_SECRET_CHARS  32 /* in base32 (RFC 4648), without padding */
#define TOTP_STEP_MS       30000
#define TOTP_DIGITS        6
#define TOTP_RECOVERY_SIZE 12 /* "abcde-fghjk", 47 bits, and NUL */

/* The code of a step, as text. False: no memory. */
bool totp_code(const uint8_t *secret, size_t secret_bytes, uint64_t step, char out[TOTP_DIGITS + 1]);

/* Is it the code of the step of `now_ms`, the one before or the one behind, and later than `after`? The step, or
 * -1. Blanks in it do not count. */
int64_t totp_step_of(const uint8_t secret[TOTP_SECRET_BYTES], struct view code, int64_t now_ms, int64_t after);

void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_CHARS + 1]);
/* otpauth://totp/ISSUER:LOGIN?… Test buf_failed. */
void totp_uri(const char *secret_text, const char *issuer, const char *login, struct buf *out);

/* MSA_OK, MSA_ENOMEM, or MSA_ECORRUPT: it is not what was sealed for this account. */
int totp_seal(const uint8_t *key, uint64_t account, const uint8_t secret[TOTP_SECRET_BYTES],
              uint8_t out[FACTORS_SEALED_BYTES]);
int totp_open(const uint8_t *key, uint64_t account, const uint8_t sealed[FACTORS_SEALED_BYTES],
              uint8_t out[TOTP_SECRET_BYTES]);

/* ---- against an account's record ---- */

/* Takes a code: in `f` it is used up, or counted as wrong, and the record is to be written either way. Recovery codes
 * are taken, too. After TOTP_WRONG_MAX wrong ones on end a code is looked at only once in TOTP_WRONG_WAIT_MS,
 * recovery codes always: lockouts are by address, and a million codes are few. MSA_OK with the answer, or an error. */
#define TOTP_WRONG_MAX     10
#define TOTP_WRONG_WAIT_MS (15 * 60 * 1000)
int totp_take(struct factors *f, const uint8_t *key, uint64_t account, struct view code, int64_t now_ms,
              bool *is_good_out);

/* New recovery codes, shown once: their texts in `out`, their hashes in `f`. */
void totp_make_recovery(struct factors *f, const uint8_t *key, uint64_t account,
                        char out[FACTORS_RECOVERY_MAX][TOTP_RECOVERY_SIZE]);

#endif
