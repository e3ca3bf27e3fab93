/* Session tickets (RFC 5077, RFC 8446 §4.6.1): all state is with the client, encrypted under keys that all
 * workers share and that survive a reload. A ticket carries which certificate was shown, as the hash that
 * channel bindings need: a resumed handshake shows none, and several may be in use. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/io/tls_server_private.h"

int tls_tickets_init(struct tls_server *tls, struct view keys, char error[TLS_ERROR_MAX])
{
    _Static_assert(sizeof(struct ticket_key) == TICKET_KEY_BYTES, "as on the wire");
    if (keys.n % TICKET_KEY_BYTES != 0 || keys.n / TICKET_KEY_BYTES > TICKET_KEYS_MAX) {
        snprintf(error, TLS_ERROR_MAX, "ticket keys have %zu bytes; one to %d of %d are right", keys.n,
                 TICKET_KEYS_MAX, TICKET_KEY_BYTES);
        return MSA_EINVAL;
    }
    tls->ticket_key_count = keys.n / TICKET_KEY_BYTES;
    if (keys.n > 0) {
        memcpy(tls->ticket_keys, keys.p, keys.n);
    } else {
        secret_random(tls->ticket_keys, TICKET_KEY_BYTES);
        tls->ticket_key_count = 1;
    }
    tls->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (!tls->ticket_cipher) {
        tls_describe_error(error, "no AES-256-CBC");
        return MSA_EINVAL;
    }
    return MSA_OK;
}

void tls_tickets_fini(struct tls_server *tls)
{
    secret_wipe(tls->ticket_keys, sizeof tls->ticket_keys);
    EVP_CIPHER_free(tls->ticket_cipher);
}

/* ---- OpenSSL's callbacks ---- */

static bool set_hmac_key(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof key->hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int encrypt_with(struct tls_server *tls, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac)
{
    struct ticket_key *key = &tls->ticket_keys[0];
    memcpy(name, key->name, sizeof key->name);
    bool is_good = RAND_bytes(iv, EVP_CIPHER_get_iv_length(tls->ticket_cipher)) == 1 &&
                   EVP_EncryptInit_ex2(cipher, tls->ticket_cipher, key->aes, iv, NULL) == 1 &&
                   set_hmac_key(mac, key);
    return is_good ? 1 : -1;
}

/* 0: not ours, a full handshake follows. 1: good. 2: good, and to be replaced: under the newest key, or
 * because clients of TLS 1.3 use a ticket once (RFC 8446 C.4). */
static int decrypt_with(struct tls_server *tls, bool is_tls13, const uint8_t *name,
                        const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    for (size_t i = 0; i < tls->ticket_key_count; i++) {
        struct ticket_key *key = &tls->ticket_keys[i];
        if (memcmp(name, key->name, sizeof key->name) != 0)
            continue;
        if (EVP_DecryptInit_ex2(cipher, tls->ticket_cipher, key->aes, iv, NULL) != 1 ||
            !set_hmac_key(mac, key))
            return -1;
        return i == 0 && !is_tls13 ? 1 : 2;
    }
    return 0;
}

static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int is_encrypting)
{
    struct tls_server *tls = tls_server_of(ssl);
    bool is_tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
    return is_encrypting ? encrypt_with(tls, name, iv, cipher, mac)
                         : decrypt_with(tls, is_tls13, name, iv, cipher, mac);
}

/* ---- which certificate was shown ---- */

size_t tls_server_end_point(SSL *ssl, uint8_t out[64])
{
    if (SSL_session_reused(ssl)) {
        void *data = NULL;
        size_t n = 0;
        if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &data, &n) != 1 || n > 64)
            return 0;
        if (n > 0)
            memcpy(out, data, n);
        return n;
    }
    const struct tls_server *tls = tls_server_of(ssl);
    const X509 *shown = SSL_get_certificate(ssl);
    for (size_t i = 0; i < tls->identity_count; i++) {
        const struct tls_identity *id = &tls->identities[i];
        if (id->leaf != shown)
            continue;
        memcpy(out, id->end_point, id->end_point_len);
        return id->end_point_len;
    }
    return 0;
}

static int on_new_ticket(SSL *ssl, void *arg)
{
    (void)arg;
    uint8_t end_point[64];
    size_t n = tls_server_end_point(ssl, end_point);
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), end_point, n);
}

void tls_tickets_use(struct tls_server *tls, SSL_CTX *ctx)
{
    (void)tls;
    static const unsigned char id_context[] = "msad";
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
    SSL_CTX_set_session_ticket_cb(ctx, on_new_ticket, NULL, NULL);
    SSL_CTX_set_session_id_context(ctx, id_context, sizeof id_context - 1);
    /* The default is two; each costs 0.06 ms, and mail programs open one connection at a time. */
    SSL_CTX_set_num_tickets(ctx, 1);
}
