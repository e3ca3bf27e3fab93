#include "tls_fixture.h"

#include <criterion/criterion.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"

char tf_error[TLS_ERROR_MAX];

/* ---- certificates ---- */

static EVP_PKEY *make_key(enum test_key kind)
{
    switch (kind) {
    case TEST_KEY_EC: return EVP_EC_gen("P-256");
    case TEST_KEY_RSA: return EVP_RSA_gen(2048);
    case TEST_KEY_ED25519: break;
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void take_pem(BIO *bio, char *out, size_t out_size)
{
    int n = BIO_read(bio, out, (int)out_size - 1);
    cr_assert_gt(n, 0);
    out[n] = '\0';
    BIO_free(bio);
}

static void name_it(X509 *x, const char *alt)
{
    X509_NAME *subject = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"common.example.jp",
                               -1, -1, 0);
    X509_set_issuer_name(x, subject);
    if (!alt)
        return;
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
    cr_assert_not_null(ext);
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
}

void test_cert_make(struct test_cert *out, enum test_key kind, const char *alt, const EVP_MD *md)
{
    EVP_PKEY *key = make_key(kind);
    X509 *x = X509_new();
    cr_assert(key && x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    name_it(x, alt);
    cr_assert_gt(X509_sign(x, key, md), 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    take_pem(bio, out->chain, sizeof out->chain);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    take_pem(bio, out->key, sizeof out->key);
    out->x509 = x;
    EVP_PKEY_free(key);
}

void test_cert_fini(struct test_cert *cert)
{
    X509_free(cert->x509);
    cert->x509 = NULL;
}

struct tls_server *tf_server_with(const struct test_cert *certs, size_t count, struct view ticket_keys,
                                  bool min_is_tls13)
{
    struct tls_certificate pem[8];
    cr_assert_leq(count, 8);
    for (size_t i = 0; i < count; i++)
        pem[i] = (struct tls_certificate){.chain_pem = view_cstr(certs[i].chain),
                                          .key_pem = view_cstr(certs[i].key)};
    struct tls_server_settings set = {.certificates = pem, .certificate_count = count,
                                      .min_is_tls13 = min_is_tls13, .ticket_keys = ticket_keys};
    return tls_server_new(&set, tf_error);
}

struct tls_server *tf_server_new(const struct test_cert *certs, size_t count)
{
    struct tls_server *tls = tf_server_with(certs, count, VIEW_EMPTY, false);
    cr_assert_not_null(tls, "%s", tf_error);
    return tls;
}

/* ---- the bare client ---- */

static SSL_SESSION *last_ticket;

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(last_ticket);
    last_ticket = session;
    return 1;
}

void tf_raw_init(struct raw_client *r)
{
    *r = (struct raw_client){.ctx = SSL_CTX_new(TLS_client_method()), .fd = -1};
    SSL_CTX_set_session_cache_mode(r->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(r->ctx, on_new_session);
    r->ssl = SSL_new(r->ctx);
    SSL_set_connect_state(r->ssl);
}

static void drop_session(struct raw_client *r)
{
    if (r->ssl)
        SSL_set_shutdown(r->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(r->ssl);
    r->ssl = NULL;
    if (r->fd != -1)
        close(r->fd);
    r->fd = -1;
}

void tf_raw_new_session(struct raw_client *r)
{
    if (SSL_version(r->ssl) == TLS1_2_VERSION) { /* the callback is not called for a renewed ticket */
        SSL_SESSION_free(last_ticket);
        last_ticket = SSL_get1_session(r->ssl);
    }
    drop_session(r);
    r->ssl = SSL_new(r->ctx);
    SSL_set_connect_state(r->ssl);
    if (last_ticket)
        SSL_set_session(r->ssl, last_ticket);
}

void tf_raw_fini(struct raw_client *r)
{
    drop_session(r);
    SSL_CTX_free(r->ctx);
    SSL_SESSION_free(last_ticket);
    last_ticket = NULL;
}

bool tf_handshake(struct raw_client *r, struct end *e, struct tls_server *tls)
{
    r->fd = cf_end_and_raw(e);
    SSL_set_fd(r->ssl, r->fd);
    cr_assert_eq(conn_start_tls_server(e->c, tls), MSA_OK);
    for (int i = 0; i < 20; i++) {
        ERR_clear_error();
        int rc = SSL_do_handshake(r->ssl);
        cf_turns(2);
        if (rc != 1 && SSL_get_error(r->ssl, rc) != SSL_ERROR_WANT_READ)
            return false;
        char c;
        if (rc == 1) /* takes the ticket, or the alert that TLS 1.3 sends after the client is done */
            rc = SSL_read(r->ssl, &c, 1);
        if (rc != 1 && SSL_get_error(r->ssl, rc) != SSL_ERROR_WANT_READ)
            return false;
        if (e->tls_ready_count > 0 && SSL_is_init_finished(r->ssl))
            return true;
    }
    return false;
}
