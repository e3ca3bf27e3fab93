#include "relay/dkim/key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/mail/base64.h"

#define ED25519_BYTES 32

struct dkim_key {
    EVP_PKEY *pkey;
    enum dkim_algorithm algorithm;
};

static const char *const names[DKIM_ALGORITHM_COUNT] = {
    [DKIM_RSA_SHA256] = "rsa-sha256",
    [DKIM_ED25519_SHA256] = "ed25519-sha256",
};

const char *dkim_algorithm_name(enum dkim_algorithm algorithm)
{
    return algorithm < DKIM_ALGORITHM_COUNT ? names[algorithm] : "?";
}

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key)
{
    return key->algorithm;
}

unsigned dkim_key_bits(const struct dkim_key *key)
{
    return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

void dkim_key_free(struct dkim_key **key)
{
    if (!*key)
        return;
    EVP_PKEY_free((*key)->pkey);
    free(*key);
    *key = NULL;
}

/* ---- from text ---- */

static bool is_usable(EVP_PKEY *pkey, enum dkim_algorithm *algorithm_out, char why[DKIM_KEY_WHY_MAX])
{
    unsigned bits = (unsigned)EVP_PKEY_get_bits(pkey);
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *algorithm_out = DKIM_ED25519_SHA256;
        return true;
    }
    *algorithm_out = DKIM_RSA_SHA256;
    if (!EVP_PKEY_is_a(pkey, "RSA"))
        snprintf(why, DKIM_KEY_WHY_MAX, "neither an RSA nor an Ed25519 key");
    else if (bits < DKIM_RSA_BITS_MIN)
        snprintf(why, DKIM_KEY_WHY_MAX, "an RSA key of %u bits: verifiers refuse less than %u; take 2048",
                 bits, DKIM_RSA_BITS_MIN);
    else if (bits > DKIM_RSA_BITS_MAX)
        snprintf(why, DKIM_KEY_WHY_MAX, "an RSA key of %u bits: verifiers need not take more than %u",
                 bits, DKIM_RSA_BITS_MAX);
    else
        return true;
    return false;
}

/* Takes over `pkey`. */
static struct dkim_key *wrap(EVP_PKEY *pkey, char why[DKIM_KEY_WHY_MAX])
{
    enum dkim_algorithm algorithm;
    struct dkim_key *key = NULL;
    if (is_usable(pkey, &algorithm, why)) {
        key = malloc(sizeof *key);
        snprintf(why, DKIM_KEY_WHY_MAX, "out of memory");
    }
    if (!key) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    why[0] = '\0';
    *key = (struct dkim_key){pkey, algorithm};
    return key;
}

/* There is nobody to ask for a passphrase. */
static int on_passphrase(char *buf, int size, int is_to_write, void *arg)
{
    bool *was_asked = arg;
    (void)is_to_write;
    *was_asked = true;
    if (size > 0)
        buf[0] = '\0';
    return -1;
}

struct dkim_key *dkim_key_parse(struct view pem, char why[DKIM_KEY_WHY_MAX])
{
    bool was_asked = false;
    BIO *bio = pem.n > 0 && pem.n < INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &was_asked) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (pkey)
        return wrap(pkey, why);
    snprintf(why, DKIM_KEY_WHY_MAX, "%s",
             was_asked ? "the key has a passphrase: store it without one" : "no private key in PEM form");
    return NULL;
}

struct dkim_key *dkim_key_generate(enum dkim_algorithm algorithm, unsigned bits, char why[DKIM_KEY_WHY_MAX])
{
    EVP_PKEY *pkey = algorithm == DKIM_RSA_SHA256 ? EVP_RSA_gen(bits)
                                                  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    ERR_clear_error();
    if (pkey)
        return wrap(pkey, why);
    snprintf(why, DKIM_KEY_WHY_MAX, "the key cannot be made");
    return NULL;
}

/* ---- signing ---- */

static int sign_rsa(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *signature, size_t *n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    int ok = ctx && EVP_PKEY_sign_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
             EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0 &&
             EVP_PKEY_sign(ctx, signature, n, digest, DKIM_DIGEST_BYTES) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* RFC 8463 section 3: PureEdDSA over the digest, not over the data. */
static int sign_ed25519(EVP_PKEY *pkey, const unsigned char *digest, unsigned char *signature, size_t *n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) > 0 &&
             EVP_DigestSign(ctx, signature, n, digest, DKIM_DIGEST_BYTES) > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}

int dkim_key_sign(const struct dkim_key *key, const unsigned char digest[static DKIM_DIGEST_BYTES],
                  unsigned char signature[static DKIM_SIGNATURE_MAX])
{
    size_t n = DKIM_SIGNATURE_MAX;
    int ok = key->algorithm == DKIM_RSA_SHA256 ? sign_rsa(key->pkey, digest, signature, &n)
                                               : sign_ed25519(key->pkey, digest, signature, &n);
    ERR_clear_error();
    return ok ? (int)n : MSA_ENOMEM;
}

/* ---- to text ---- */

static int add_public(const char *kind, struct view public, struct buf *out)
{
    buf_addf(out, "v=DKIM1; k=%s; p=", kind);
    int err = base64_encode(public, out);
    return err < 0 || buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

int dkim_key_record(const struct dkim_key *key, struct buf *out)
{
    unsigned char raw[ED25519_BYTES];
    size_t raw_bytes = sizeof raw;
    unsigned char *der = NULL;
    if (key->algorithm == DKIM_ED25519_SHA256)
        return EVP_PKEY_get_raw_public_key(key->pkey, raw, &raw_bytes) > 0
                   ? add_public("ed25519", view_of((const char *)raw, raw_bytes), out)
                   : MSA_ENOMEM;
    int n = i2d_PUBKEY(key->pkey, &der); /* SubjectPublicKeyInfo, as all signers publish it (erratum 3017) */
    int err = n > 0 ? add_public("rsa", view_of((const char *)der, (size_t)n), out) : MSA_ENOMEM;
    OPENSSL_free(der);
    return err;
}

int dkim_key_pem(const struct dkim_key *key, struct buf *out)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    int ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) > 0;
    long n = ok ? BIO_get_mem_data(bio, &text) : 0;
    int err = n > 0 ? buf_append(out, text, (size_t)n) : MSA_ENOMEM;
    BIO_free(bio);
    ERR_clear_error();
    return err < 0 ? MSA_ENOMEM : MSA_OK;
}
