/* Certificates and keys from PEM, checked so that a mistake shows at start or reload and not in a
 * handshake: OpenSSL itself takes a key of another type than the certificate's without a word. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/io/tls_server_private.h"

#define NAMES_MAX 1024 /* in one certificate; further ones are ignored */

static int fail(char error[TLS_ERROR_MAX], size_t position, const char *what)
{
    char why[TLS_ERROR_MAX];
    tls_describe_error(why, "");
    snprintf(error, TLS_ERROR_MAX, "certificate %zu: %.120s%s%.100s", position + 1, what,
             why[0] ? ": " : "", why);
    return MSA_EINVAL;
}

static BIO *bio_of(struct view pem)
{
    return pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n);
}

/* OpenSSL would ask the terminal. */
static int no_passphrase(char *buf, int size, int is_writing, void *arg)
{
    (void)buf, (void)size, (void)is_writing, (void)arg;
    return -1;
}

/* ---- chain and key ---- */

static bool read_rest_of_chain(BIO *bio, STACK_OF(X509) *chain)
{
    X509 *x;
    while ((x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
        if (!sk_X509_push(chain, x)) {
            X509_free(x);
            return false;
        }
    unsigned long code = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (is_end)
        ERR_clear_error();
    return is_end;
}

static int load_chain(struct view pem, size_t position, struct tls_identity *out,
                      char error[TLS_ERROR_MAX])
{
    BIO *bio = bio_of(pem);
    int err = MSA_OK;
    out->chain = sk_X509_new_null();
    if (!bio || !out->chain) {
        err = fail(error, position, "out of memory");
    } else if (!(out->leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        err = fail(error, position, "the chain does not begin with a certificate in PEM");
    } else if (!read_rest_of_chain(bio, out->chain)) {
        err = fail(error, position, "a certificate of the chain cannot be read");
    }
    BIO_free(bio);
    return err;
}

static int load_key(struct view pem, size_t position, struct tls_identity *out,
                    char error[TLS_ERROR_MAX])
{
    BIO *bio = bio_of(pem);
    out->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!out->key)
        return fail(error, position, "there is no private key in PEM without a passphrase");
    out->key_type = EVP_PKEY_get_base_id(out->key);
    ERR_clear_error();
    if (X509_check_private_key(out->leaf, out->key) != 1)
        return fail(error, position, "the key belongs to another certificate");
    return MSA_OK;
}

/* ---- names ---- */

static char *lower_copy(const char *s, size_t n)
{
    char *copy = n > 0 && n < TLS_NAME_MAX ? calloc(1, n + 1) : NULL;
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = ascii_lower(s[i]);
    return copy;
}

/* False: out of memory. A name that cannot be one (a NUL inside, too long) is left out. */
static bool add_name(struct tls_identity *id, const ASN1_STRING *s)
{
    const char *p = (const char *)ASN1_STRING_get0_data(s);
    size_t n = (size_t)ASN1_STRING_length(s);
    if (n == 0 || n >= TLS_NAME_MAX || memchr(p, '\0', n) || id->name_count >= NAMES_MAX)
        return true;
    char *copy = lower_copy(p, n);
    char **names = copy ? realloc(id->names, (id->name_count + 1) * sizeof *names) : NULL;
    if (!names) {
        free(copy);
        return false;
    }
    id->names = names;
    id->names[id->name_count++] = copy;
    return true;
}

/* The common name counts only where there is no alternative name (RFC 6125 §6.4.4). */
static bool load_names(struct tls_identity *id)
{
    bool is_good = true;
    GENERAL_NAMES *alt = X509_get_ext_d2i(id->leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; is_good && i < sk_GENERAL_NAME_num(alt); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(alt, i);
        if (name->type == GEN_DNS)
            is_good = add_name(id, name->d.dNSName);
    }
    GENERAL_NAMES_free(alt);
    if (alt || !is_good)
        return is_good;
    const X509_NAME *subject = X509_get_subject_name(id->leaf);
    int at = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject, NID_commonName, -1);
    return at < 0 || add_name(id, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

bool tls_identity_covers(const struct tls_identity *id, const char *name)
{
    const char *rest = strchr(name, '.');
    for (size_t i = 0; i < id->name_count; i++) {
        const char *own = id->names[i];
        if (strcmp(own, name) == 0)
            return true;
        if (own[0] == '*' && own[1] == '.' && rest && strcmp(own + 1, rest) == 0)
            return true;
    }
    return false;
}

/* ---- whole ---- */

int tls_identity_load(const struct tls_certificate *pem, size_t position, struct tls_identity *out,
                      char error[TLS_ERROR_MAX])
{
    *out = (struct tls_identity){0};
    ERR_clear_error();
    int err = load_chain(pem->chain_pem, position, out, error);
    if (err == MSA_OK)
        err = load_key(pem->key_pem, position, out, error);
    if (err == MSA_OK && !load_names(out))
        err = fail(error, position, "out of memory");
    if (err == MSA_OK)
        out->end_point_len = tls_end_point_of(out->leaf, out->end_point);
    ERR_clear_error();
    return err;
}

void tls_identity_fini(struct tls_identity *id)
{
    X509_free(id->leaf);
    sk_X509_pop_free(id->chain, X509_free);
    EVP_PKEY_free(id->key);
    for (size_t i = 0; i < id->name_count; i++)
        free(id->names[i]);
    free(id->names);
    *id = (struct tls_identity){0};
}

int64_t tls_identity_expires_s(const struct tls_identity *id)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(id->leaf), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm);
}
