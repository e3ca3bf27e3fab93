#include "auth/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth/app_password.h"
#include "auth/keyed.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define NONCE_BYTES    12
#define TAG_BYTES      16
#define RECOVERY_CHARS 10

_Static_assert(FACTORS_SEALED_BYTES == NONCE_BYTES + TOTP_SECRET_BYTES + TAG_BYTES, "the record has room for it");

/* ---- codes ---- */

/* RFC 4226 §5.3 with the step as the counter. */
bool totp_code(const uint8_t *secret, size_t secret_bytes, uint64_t step, char out[TOTP_DIGITS + 1])
{
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
    unsigned mac_bytes = 0;
    for (size_t i = 0; i < sizeof counter; i++)
        counter[i] = (uint8_t)(step >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), secret, (int)secret_bytes, counter, sizeof counter, mac, &mac_bytes) || mac_bytes != 20)
        return false;
    size_t at = mac[19] & 15;
    uint32_t n = ((uint32_t)(mac[at] & 0x7f) << 24) | ((uint32_t)mac[at + 1] << 16) | ((uint32_t)mac[at + 2] << 8) |
                 mac[at + 3];
    snprintf(out, TOTP_DIGITS + 1, "%06u", (unsigned)(n % 1000000));
    secret_wipe(mac, sizeof mac);
    return true;
}

static bool read_digits(struct view code, char out[TOTP_DIGITS + 1])
{
    size_t at = 0;
    for (size_t i = 0; i < code.n; i++) {
        if (code.p[i] == ' ')
            continue;
        if (!ascii_is_digit(code.p[i]) || at == TOTP_DIGITS)
            return false;
        out[at++] = code.p[i];
    }
    out[at] = '\0';
    return at == TOTP_DIGITS;
}

int64_t totp_step_of(const uint8_t secret[TOTP_SECRET_BYTES], struct view code, int64_t now_ms, int64_t after)
{
    char typed[TOTP_DIGITS + 1], right[TOTP_DIGITS + 1];
    int64_t now = now_ms / TOTP_STEP_MS, found = -1;
    if (!read_digits(code, typed))
        return -1;
    for (int64_t step = now + 1; step >= now - 1; step--)
        if (step > after && step >= 0 && totp_code(secret, TOTP_SECRET_BYTES, (uint64_t)step, right) &&
            secret_eq(view_cstr(typed), view_cstr(right)))
            found = step; /* the earliest, so that the next one is not lost with it */
    secret_wipe(right, sizeof right);
    return found;
}

/* ---- how a telephone learns it ---- */

void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_SECRET_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (size_t i = 0; i < TOTP_SECRET_CHARS; i++) {
        size_t bit = 5 * i, at = bit / 8;
        unsigned two = (unsigned)secret[at] << 8 | (at + 1 < TOTP_SECRET_BYTES ? secret[at + 1] : 0);
        out[i] = digits[two >> (11 - bit % 8) & 31];
    }
    out[TOTP_SECRET_CHARS] = '\0';
}

static void add_escaped(struct buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@";
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add_char(out, *text);
        else
            buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}

void totp_uri(const char *secret_text, const char *issuer, const char *login, struct buf *out)
{
    buf_add_cstr(out, "otpauth://totp/");
    add_escaped(out, issuer);
    buf_add_char(out, ':');
    add_escaped(out, login);
    buf_addf(out, "?secret=%s&issuer=", secret_text);
    add_escaped(out, issuer);
    buf_add_cstr(out, "&algorithm=SHA1&digits=6&period=30");
}

/* ---- how it is kept ---- */

static void sealing_key(const uint8_t *key, uint64_t account, uint8_t out[KEYED_BYTES])
{
    keyed_hash(key, "totp secret", view_of((const char *)&account, sizeof account), VIEW_EMPTY, out);
}

int totp_seal(const uint8_t *key, uint64_t account, const uint8_t secret[TOTP_SECRET_BYTES],
              uint8_t out[FACTORS_SEALED_BYTES])
{
    uint8_t own_key[KEYED_BYTES];
    int n = 0;
    uint8_t *text = out + NONCE_BYTES, *tag = text + TOTP_SECRET_BYTES;
    sealing_key(key, account, own_key);
    secret_random(out, NONCE_BYTES);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool is_done = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, own_key, out) == 1 &&
                   EVP_EncryptUpdate(c, text, &n, secret, TOTP_SECRET_BYTES) == 1 && n == TOTP_SECRET_BYTES &&
                   EVP_EncryptFinal_ex(c, tag, &n) == 1 &&
                   EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    secret_wipe(own_key, sizeof own_key);
    return is_done ? MSA_OK : MSA_ENOMEM;
}

int totp_open(const uint8_t *key, uint64_t account, const uint8_t sealed[FACTORS_SEALED_BYTES],
              uint8_t out[TOTP_SECRET_BYTES])
{
    uint8_t own_key[KEYED_BYTES], tag[TAG_BYTES], rest[EVP_MAX_BLOCK_LENGTH];
    int n = 0;
    const uint8_t *text = sealed + NONCE_BYTES;
    memcpy(tag, text + TOTP_SECRET_BYTES, sizeof tag);
    sealing_key(key, account, own_key);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool has_begun = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, own_key, sealed) == 1 &&
                     EVP_DecryptUpdate(c, out, &n, text, TOTP_SECRET_BYTES) == 1 && n == TOTP_SECRET_BYTES &&
                     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1;
    bool is_good = has_begun && EVP_DecryptFinal_ex(c, rest, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    secret_wipe(own_key, sizeof own_key);
    if (!is_good)
        secret_wipe(out, TOTP_SECRET_BYTES);
    return is_good ? MSA_OK : has_begun ? MSA_ECORRUPT : MSA_ENOMEM;
}

/* ---- recovery codes ---- */

static void recovery_hash(const uint8_t *key, uint64_t account, const char plain[RECOVERY_CHARS],
                          uint8_t out[FACTORS_HASH_BYTES])
{
    keyed_hash(key, "recovery code", view_of((const char *)&account, sizeof account),
               view_of(plain, RECOVERY_CHARS), out);
}

void totp_make_recovery(struct factors *f, const uint8_t *key, uint64_t account,
                        char out[FACTORS_RECOVERY_MAX][TOTP_RECOVERY_SIZE])
{
    char plain[RECOVERY_CHARS];
    for (size_t i = 0; i < FACTORS_RECOVERY_MAX; i++) {
        app_password_signs(plain, sizeof plain);
        snprintf(out[i], TOTP_RECOVERY_SIZE, "%.5s-%.5s", plain, plain + 5);
        recovery_hash(key, account, plain, f->recovery[i]);
    }
    f->recovery_count = FACTORS_RECOVERY_MAX;
    secret_wipe(plain, sizeof plain);
}

static bool take_recovery(struct factors *f, const uint8_t *key, uint64_t account, struct view code)
{
    char plain[RECOVERY_CHARS];
    uint8_t hash[FACTORS_HASH_BYTES];
    size_t found = FACTORS_RECOVERY_MAX;
    if (!app_password_read(code, plain, sizeof plain))
        return false;
    recovery_hash(key, account, plain, hash);
    for (size_t i = 0; i < f->recovery_count; i++)
        if (secret_eq(view_of((const char *)f->recovery[i], sizeof hash), view_of((const char *)hash, sizeof hash)))
            found = i;
    secret_wipe(plain, sizeof plain);
    if (found == FACTORS_RECOVERY_MAX)
        return false;
    f->recovery_count--;
    memmove(f->recovery[found], f->recovery[f->recovery_count], sizeof hash);
    return true;
}

/* ---- a code comes ---- */

static bool may_look(const struct factors *f, int64_t now_ms)
{
    return f->wrong_count < TOTP_WRONG_MAX || now_ms - f->wrong_ms >= TOTP_WRONG_WAIT_MS || now_ms < f->wrong_ms;
}

int totp_take(struct factors *f, const uint8_t *key, uint64_t account, struct view code, int64_t now_ms,
              bool *is_good_out)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    bool may = may_look(f, now_ms);
    *is_good_out = take_recovery(f, key, account, code);
    if (!*is_good_out && may) {
        int err = totp_open(key, account, f->sealed, secret);
        if (err < 0)
            return err;
        int64_t step = totp_step_of(secret, code, now_ms, f->last_step);
        secret_wipe(secret, sizeof secret);
        *is_good_out = step >= 0;
        if (step >= 0)
            f->last_step = step;
    }
    if (*is_good_out) {
        f->wrong_count = 0;
    } else if (may) { /* what was not looked at does not put off the next look */
        if (f->wrong_count < UINT8_MAX)
            f->wrong_count++;
        f->wrong_ms = now_ms;
    }
    return MSA_OK;
}
