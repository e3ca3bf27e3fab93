/* An account as auth knows it, and its record on disk.
 *
 * Record, little endian; the key is the canonical login name:
 *
 *      0  u8   version, 1
 *      1  u8   flags: 1 disabled, 2 a CRAM-MD5 state stands in the record
 *      2  u64  id, never 0, never given twice
 *     10  i64  created, milliseconds since 1970
 *     18  i64  password changed, likewise
 *     26  u32  generation: one more with each new password
 *     30  u8   kind of the secret, enum hash_kind
 *     31  u32  length of the secret, then its text
 *          …   32 bytes of CRAM-MD5 state, with flag 2 only
 *          …   u64  SipHash-1-3 of all before it, under a key of zeros
 *
 * The sum is not against forgers, who have the key; it makes a damaged record an error of the
 * store and not a wrong password. Pure: any thread. */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/hash.h"
#include "msa/base/buf.h"
#include "msa/base/view.h"

#define ACCOUNT_SECRET_MAX 256 /* with NUL; the text forms of scram.h and hash.h */
#define ACCOUNT_CRAM_BYTES 32
#define ACCOUNT_RECORD_MAX 512

struct account {
    uint64_t id;
    int64_t created_ms;
    int64_t changed_ms;
    uint32_t generation; /* what was remembered under another one is void */
    bool is_disabled;
    enum hash_kind kind;
    char secret[ACCOUNT_SECRET_MAX];
    bool has_cram;
    uint8_t cram[ACCOUNT_CRAM_BYTES]; /* see cram.h */
};

/* Test buf_failed(out) afterwards; `out` should be a secret buf. */
void account_encode(const struct account *a, struct buf *out);
/* MSA_OK or MSA_ECORRUPT, with nothing in `*out`. */
int account_decode(struct view record, struct account *out);

void account_wipe(struct account *a);

#endif
