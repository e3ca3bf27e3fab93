/* The client's side of TLS: towards smarthosts. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/io/tls_private.h"

struct tls_client {
    SSL_CTX *ctx;
    bool is_verified;
    char *verify_name; /* NULL: the server name */
};

int tls_set_common(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_CLEANSE_PLAINTEXT);
    /* RELEASE_BUFFERS: an idle session needs 14 KiB instead of 48. The other two let a retried write come from
     * a buffer that has moved and grown. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* one read for header and body of a record, and for more of them */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1
               ? 0
               : -1;
}

/* At least one certificate, and nothing broken behind it. */
static bool trust_all_of(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509 *certificate;
    unsigned count = 0;
    bool is_good = bio != NULL;
    while (is_good && (certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        is_good = X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    is_good = is_good && count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_good)
        ERR_clear_error(); /* that there are no more */
    return is_good;
}

static bool load_trust(SSL_CTX *ctx, const struct tls_client_settings *set)
{
    if (!set->is_verified)
        return true;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return set->ca_pem ? trust_all_of(ctx, set->ca_pem) : SSL_CTX_set_default_verify_paths(ctx) == 1;
}

struct tls_client *tls_client_new(const struct tls_client_settings *settings,
                                  char error[TLS_ERROR_MAX])
{
    struct tls_client *tls = calloc(1, sizeof *tls);
    ERR_clear_error();
    if (tls) {
        tls->is_verified = settings->is_verified;
        tls->ctx = SSL_CTX_new(TLS_client_method());
    }
    if (!tls || !tls->ctx || tls_set_common(tls->ctx) < 0) {
        tls_describe_error(error, "out of memory");
        tls_client_free(&tls);
        return NULL;
    }
    if (settings->verify_name)
        tls->verify_name = strdup(settings->verify_name);
    if (!load_trust(tls->ctx, settings) || (settings->verify_name && !tls->verify_name)) {
        char why[TLS_ERROR_MAX];
        tls_describe_error(why, "out of memory");
        snprintf(error, TLS_ERROR_MAX, "no certificates to trust could be loaded from %s: %.100s",
                 settings->ca_pem ? "the file" : "the system's store", why);
        tls_client_free(&tls);
    }
    return tls;
}

void tls_client_free(struct tls_client **tls)
{
    if (!*tls)
        return;
    SSL_CTX_free((*tls)->ctx);
    free((*tls)->verify_name);
    free(*tls);
    *tls = NULL;
}

static bool is_address(const char *name)
{
    struct in6_addr any;
    return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

/* The certificate must carry this very name. */
static bool demand_name(SSL *ssl, const char *name)
{
    if (!name || name[0] == '\0')
        return false;
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1;
}

SSL *tls_client_session(struct tls_client *tls, const char *server_name, int fd)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(tls->ctx);
    if (!ssl)
        return NULL;
    SSL_set_connect_state(ssl);
    /* RFC 6066 §3: no address literals. */
    bool has_sni = server_name && server_name[0] && !is_address(server_name);
    bool is_good = SSL_set_fd(ssl, fd) == 1 &&
                   (!has_sni || SSL_set_tlsext_host_name(ssl, server_name) == 1);
    if (is_good && tls->is_verified)
        is_good = demand_name(ssl, tls->verify_name ? tls->verify_name : server_name);
    if (!is_good) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
