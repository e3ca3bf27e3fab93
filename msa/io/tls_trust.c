/* Certificates of clients: whom a server trusts to vouch for them, and what one says of its owner. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/io/tls_private.h"

#define DEPTH_MAX 5 /* intermediates */

struct tls_trust {
    unsigned ref_count;
    bool is_required;
    X509_STORE *store;
    STACK_OF(X509_NAME) *names; /* told to clients, which choose a certificate by them */
};

/* ---- making one ---- */

/* Reads until there are no more. True if there was at least one and nothing broken behind it. */
static bool ended_well(unsigned count)
{
    bool is_good = count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_good)
        ERR_clear_error();
    return is_good;
}

static bool add_authorities(struct tls_trust *t, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate;
    unsigned count = 0;
    bool is_good = bio != NULL;
    while (is_good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
        is_good = name && X509_STORE_add_cert(t->store, certificate) == 1 && sk_X509_NAME_push(t->names, name) > 0;
        if (!is_good)
            X509_NAME_free(name);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    return is_good && ended_well(count);
}

/* A list that has ended refuses everybody: no news is not good news. */
static bool add_revoked(struct tls_trust *t, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509_CRL *list;
    unsigned count = 0;
    bool is_good = bio && X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK) == 1;
    while (is_good && (list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)) != NULL) {
        is_good = X509_STORE_add_crl(t->store, list) == 1;
        X509_CRL_free(list);
        count++;
    }
    BIO_free(bio);
    return is_good && ended_well(count);
}

struct tls_trust *tls_trust_new(const struct tls_trust_settings *settings, char error[TLS_ERROR_MAX])
{
    struct tls_trust *t = calloc(1, sizeof *t);
    error[0] = '\0';
    if (!t) {
        snprintf(error, TLS_ERROR_MAX, "out of memory");
        return NULL;
    }
    ERR_clear_error();
    t->ref_count = 1;
    t->is_required = settings->is_required;
    t->store = X509_STORE_new();
    t->names = sk_X509_NAME_new_null();
    if (!t->store || !t->names)
        snprintf(error, TLS_ERROR_MAX, "out of memory");
    else if (!add_authorities(t, settings->ca_pem))
        tls_describe_error(error, "no certificate in it");
    else if (settings->crl_pem[0] != '\0' && !add_revoked(t, settings->crl_pem))
        tls_describe_error(error, "no revocation list in it");
    else
        return t;
    tls_trust_free(&t);
    return NULL;
}

struct tls_trust *tls_trust_ref(struct tls_trust *t)
{
    if (t)
        t->ref_count++;
    return t;
}

void tls_trust_free(struct tls_trust **trust)
{
    struct tls_trust *t = *trust;
    *trust = NULL;
    if (!t || --t->ref_count > 0)
        return;
    X509_STORE_free(t->store);
    sk_X509_NAME_pop_free(t->names, X509_NAME_free);
    free(t);
}

/* ---- at a handshake ---- */

/* The session's certificate settings, which a switch to another context (SNI) loses. */
void tls_trust_apply(SSL *ssl)
{
    struct tls_trust *t = SSL_get_app_data(ssl);
    if (t)
        SSL_set1_verify_cert_store(ssl, t->store);
}

/* Each handshake shows the certificate anew, so that one which was revoked opens nothing by an old session. */
bool tls_trust_use(struct tls_trust *t, SSL *ssl)
{
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(t->names);
    if (!names || SSL_set_app_data(ssl, t) != 1)
        return false;
    SSL_set_client_CA_list(ssl, names);
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 0);
    SSL_set_verify_depth(ssl, DEPTH_MAX);
    SSL_set_verify(ssl, SSL_VERIFY_PEER | (t->is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    tls_trust_apply(ssl);
    return true;
}

/* ---- what one says ---- */

/* Without controls, so that it can be a line of a file or of the log; "" for what does not fit. */
static void keep_text(const ASN1_STRING *s, char *out, size_t out_size)
{
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, s);
    bool is_good = n > 0 && view_to_cstr(view_of((const char *)utf8, (size_t)n), out, out_size);
    for (int i = 0; is_good && i < n; i++)
        is_good = utf8[i] >= 0x20 && utf8[i] != 0x7f;
    if (!is_good)
        out[0] = '\0';
    OPENSSL_free(utf8);
}

/* The one rfc822Name; of several nobody knows which one is meant. */
static void take_mail(const X509 *certificate, char *out, size_t out_size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *mail = NULL;
    unsigned count = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_EMAIL) {
            mail = name->d.rfc822Name;
            count++;
        }
    }
    if (count == 1)
        keep_text(mail, out, out_size);
    GENERAL_NAMES_free(names);
}

static void take_common_name(const X509 *certificate, char *out, size_t out_size)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0 && X509_NAME_get_index_by_NID(subject, NID_commonName, at) == -1)
        keep_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out, out_size);
}

void tls_trust_facts(SSL *ssl, struct tls_facts *out)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    out->client = NULL;
    if (!SSL_is_server(ssl) || !SSL_get_app_data(ssl) || !certificate || SSL_get_verify_result(ssl) != X509_V_OK)
        return;
    struct tls_client_names *names = calloc(1, sizeof *names);
    if (!names)
        return; /* as if it had shown none */
    take_mail(certificate, names->mail, sizeof names->mail);
    take_common_name(certificate, names->name, sizeof names->name);
    out->client = names;
}
