#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <string.h>

#include "auth/keyed.h"
#include "msa/base/assert.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/base64.h"

#define SCHEME "SCRAM-SHA-256$"

static _Atomic uint64_t derivation_count;

uint64_t scram_derivation_count(void)
{
    return atomic_load(&derivation_count);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void hmac_text(const uint8_t key[SCRAM_KEY_BYTES], const char *text,
                      uint8_t out[SCRAM_KEY_BYTES])
{
    MSA_ASSERT(HMAC(EVP_sha256(), key, SCRAM_KEY_BYTES, (const uint8_t *)text, strlen(text), out,
                    NULL) != NULL);
}

/* RFC 5802 §3. False: OpenSSL has no memory. */
static bool derive(struct view password, const uint8_t *salt, size_t salt_bytes,
                   uint32_t iteration_count, uint8_t stored_key[SCRAM_KEY_BYTES],
                   uint8_t server_key[SCRAM_KEY_BYTES])
{
    uint8_t salted[SCRAM_KEY_BYTES], client_key[SCRAM_KEY_BYTES];
    const char *bytes = password.n > 0 ? password.p : ""; /* NULL would mean "not given" */
    atomic_fetch_add(&derivation_count, 1);
    int ok = PKCS5_PBKDF2_HMAC(bytes, (int)password.n, salt, (int)salt_bytes, (int)iteration_count,
                               EVP_sha256(), SCRAM_KEY_BYTES, salted);
    if (ok == 1) {
        hmac_text(salted, "Client Key", client_key);
        hmac_text(salted, "Server Key", server_key);
        ok = EVP_Digest(client_key, sizeof client_key, stored_key, NULL, EVP_sha256(), NULL);
        secret_wipe(client_key, sizeof client_key);
    }
    secret_wipe(salted, sizeof salted);
    return ok == 1;
}

static bool iterations_are_sane(uint64_t n)
{
    return n >= SCRAM_ITERATIONS_MIN && n <= SCRAM_ITERATIONS_MAX;
}

int scram_make_salted(struct view password, struct view salt, uint32_t iteration_count,
                      struct scram_verifier *out)
{
    *out = (struct scram_verifier){.iteration_count = iteration_count};
    if (!iterations_are_sane(iteration_count) || salt.n == 0 || salt.n > SCRAM_SALT_MAX)
        return MSA_EINVAL;
    memcpy(out->salt, salt.p, salt.n);
    out->salt_bytes = (uint8_t)salt.n;
    if (!derive(password, out->salt, salt.n, iteration_count, out->stored_key, out->server_key))
        return MSA_ENOMEM;
    return MSA_OK;
}

int scram_make(struct view password, uint32_t iteration_count, struct scram_verifier *out)
{
    char salt[SCRAM_SALT_BYTES];
    secret_random(salt, sizeof salt);
    return scram_make_salted(password, view_of(salt, sizeof salt), iteration_count, out);
}

static struct view key_view(const uint8_t key[SCRAM_KEY_BYTES])
{
    return view_of((const char *)key, SCRAM_KEY_BYTES);
}

bool scram_matches(const struct scram_verifier *v, struct view password)
{
    uint8_t stored_key[SCRAM_KEY_BYTES], server_key[SCRAM_KEY_BYTES];
    bool is_same = derive(password, v->salt, v->salt_bytes, v->iteration_count, stored_key,
                          server_key) &&
                   secret_eq(key_view(stored_key), key_view(v->stored_key));
    secret_wipe(stored_key, sizeof stored_key);
    secret_wipe(server_key, sizeof server_key);
    return is_same;
}

void scram_fake(const uint8_t key[32], struct view login, uint32_t iteration_count,
                struct scram_verifier *out)
{
    uint8_t salt[KEYED_BYTES];
    *out = (struct scram_verifier){.iteration_count = iteration_count,
                                   .salt_bytes = SCRAM_SALT_BYTES};
    keyed_hash(key, "scram salt", login, VIEW_EMPTY, salt);
    memcpy(out->salt, salt, SCRAM_SALT_BYTES);
    keyed_hash(key, "scram stored key", login, VIEW_EMPTY, out->stored_key);
    keyed_hash(key, "scram server key", login, VIEW_EMPTY, out->server_key);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Base64 of 1 … `max` bytes. Returns how many, 0 for anything else. */
static size_t decode_base64(struct view text, size_t max, uint8_t *out)
{
    struct buf bytes;
    size_t n = 0;
    buf_init_secret(&bytes, max);
    if (base64_decode(text, &bytes) == MSA_OK && buf_len(&bytes) > 0) {
        n = buf_len(&bytes);
        memcpy(out, buf_view(&bytes).p, n);
    }
    buf_fini(&bytes);
    return n;
}

static bool decode_key(struct view text, uint8_t key[SCRAM_KEY_BYTES])
{
    return decode_base64(text, SCRAM_KEY_BYTES, key) == SCRAM_KEY_BYTES;
}

static bool decode_salt(struct view text, struct scram_verifier *out)
{
    out->salt_bytes = (uint8_t)decode_base64(text, SCRAM_SALT_MAX, out->salt);
    return out->salt_bytes > 0;
}

int scram_parse(struct view text, struct scram_verifier *out)
{
    uint64_t iteration_count = 0;
    *out = (struct scram_verifier){0};
    if (!view_has_prefix(text, VIEW_LIT(SCHEME)))
        return MSA_EINVAL;
    struct view rest = view_slice(text, sizeof SCHEME - 1, text.n);
    struct view count = view_cut(&rest, ':'), salt = view_cut(&rest, '$');
    struct view stored = view_cut(&rest, ':');
    if (!view_parse_u64(count, SCRAM_ITERATIONS_MAX, &iteration_count) ||
        !iterations_are_sane(iteration_count) || !decode_salt(salt, out) ||
        !decode_key(stored, out->stored_key) || !decode_key(rest, out->server_key)) {
        secret_wipe(out, sizeof *out);
        return MSA_EINVAL;
    }
    out->iteration_count = (uint32_t)iteration_count;
    return MSA_OK;
}

int scram_format(const struct scram_verifier *v, char out[SCRAM_TEXT_MAX])
{
    struct buf text;
    buf_init_secret(&text, SCRAM_TEXT_MAX - 1);
    buf_addf(&text, SCHEME "%u:", v->iteration_count);
    base64_encode(view_of((const char *)v->salt, v->salt_bytes), &text);
    buf_add_char(&text, '$');
    base64_encode(key_view(v->stored_key), &text);
    buf_add_char(&text, ':');
    base64_encode(key_view(v->server_key), &text);
    out[0] = '\0';
    bool is_whole = !buf_failed(&text) && view_to_cstr(buf_view(&text), out, SCRAM_TEXT_MAX);
    buf_fini(&text);
    return is_whole ? MSA_OK : MSA_ENOMEM;
}
