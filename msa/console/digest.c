#include <openssl/evp.h>

#include "msa/base/secret.h"
#include "msa/console/web_session.h"

void console_digest(struct view bytes, uint8_t out[SESSION_DIGEST_BYTES])
{
    /* cannot fail: no memory is taken but for the context, and then nothing matches zeros */
    if (EVP_Digest(bytes.n ? bytes.p : "", bytes.n, out, NULL, EVP_sha256(), NULL) != 1)
        secret_random(out, SESSION_DIGEST_BYTES);
}

void console_random_text(char out[SESSION_SECRET_MAX])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[SESSION_SECRET_MAX - 1];
    secret_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = digits[bytes[i] & 63]; /* six bits each: 258 in all */
    out[sizeof bytes] = '\0';
    secret_wipe(bytes, sizeof bytes);
}
