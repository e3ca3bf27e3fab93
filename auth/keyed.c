#include "auth/keyed.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/secret.h"

#define PURPOSE_MAX 32
#define INPUT_MAX   (PURPOSE_MAX + 2 * (8 + KEYED_PART_MAX))

static size_t add_part(uint8_t *at, struct view part)
{
    for (size_t i = 0; i < 8; i++)
        at[i] = (uint8_t)((uint64_t)part.n >> (8 * i));
    size_t n = part.n < KEYED_PART_MAX ? part.n : KEYED_PART_MAX;
    if (n > 0)
        memcpy(at + 8, part.p, n);
    return 8 + n;
}

void keyed_hash(const uint8_t key[KEYED_BYTES], const char *purpose, struct view a, struct view b,
                uint8_t out[KEYED_BYTES])
{
    uint8_t input[INPUT_MAX] = {0};
    size_t n = strlen(purpose);
    MSA_ASSERT(n < PURPOSE_MAX);
    memcpy(input, purpose, n);
    n = PURPOSE_MAX; /* padded: the parts begin at a fixed place */
    n += add_part(input + n, a);
    n += add_part(input + n, b);
    unsigned out_bytes = 0;
    MSA_ASSERT(HMAC(EVP_sha256(), key, KEYED_BYTES, input, n, out, &out_bytes) != NULL);
    MSA_ASSERT(out_bytes == KEYED_BYTES);
    secret_wipe(input, sizeof input);
}
