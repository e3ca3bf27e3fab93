/* What an account signs in with beside its main password: app passwords, one for each device, and the codes of an
 * authenticator (TOTP); and the rule that mail programs may not use the main password. A record of its own, so that
 * account.h's stay as they were; an account that has nothing of this has none.
 *
 * Record, little endian; the key is the account's id, 8 bytes big endian:
 *
 *      0  u8   version, 1
 *      1  u8   flags: 1 app passwords only, 2 codes are being set up, 4 codes are asked for (not both)
 *      with flag 2 or 4:
 *          48  the sealed secret (totp.h)
 *          i64 the last time step whose code was taken
 *          u8  wrong codes since the last right one; i64 when the last was tried
 *          u8  count of recovery codes, then 32 bytes each
 *      u8   count of app passwords, then each:
 *          u64 id, u32 length and name, u8 scopes, i64 created, i64 last use (0: none), 2 bytes of country (zeros:
 *          unknown), 32 bytes of verifier
 *      u64  SipHash-1-3 of all before it, as in account.h
 *
 * Times are milliseconds since 1970. Pure: any thread. */
#ifndef AUTH_FACTORS_H
#define AUTH_FACTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define FACTORS_APPS_MAX       20
#define FACTORS_NAME_MAX       256 /* bytes; 64 characters */
#define FACTORS_NAME_CHARS_MAX 64
#define FACTORS_RECOVERY_MAX   8
#define FACTORS_HASH_BYTES     32
#define FACTORS_SEALED_BYTES   48
#define FACTORS_RECORD_MAX     7168

/* What an app password opens, bits. */
enum app_scope {
    APP_SCOPE_SMTP = 1,
    APP_SCOPE_IMAP = 2,
    APP_SCOPE_POP = 4,
};
#define APP_SCOPES_ALL 7u

struct app_password {
    uint64_t id; /* random, never 0 */
    char name[FACTORS_NAME_MAX + 1]; /* hostile text, UTF-8 */
    uint8_t scopes;
    int64_t created_ms;
    int64_t used_ms;
    char used_from[3]; /* "": unknown */
    uint8_t verifier[FACTORS_HASH_BYTES];
};

enum totp_state { TOTP_NONE = 0, TOTP_PENDING, TOTP_ON };

struct factors {
    bool app_passwords_only;
    enum totp_state totp;
    uint8_t sealed[FACTORS_SEALED_BYTES];
    int64_t last_step;
    uint8_t wrong_count;
    int64_t wrong_ms;
    size_t recovery_count;
    uint8_t recovery[FACTORS_RECOVERY_MAX][FACTORS_HASH_BYTES];
    size_t app_count;
    struct app_password apps[FACTORS_APPS_MAX];
};

/* Test buf_failed(out) afterwards; `out` should be a secret buf. */
void factors_encode(const struct factors *f, struct buf *out);
/* MSA_OK or MSA_ECORRUPT, with nothing in `*out`. */
int factors_decode(struct view record, struct factors *out);

/* Nothing stands in it: the record may go. */
bool factors_are_empty(const struct factors *f);
/* NULL: there is none. */
struct app_password *factors_app(struct factors *f, uint64_t id);
void factors_drop_app(struct factors *f, struct app_password *app);

void factors_wipe(struct factors *f);

#endif
