/* What a finished handshake can tell: for the log, for Received, and for SASL's channel bindings. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "msa/io/tls_private.h"

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 §2 */

/* RFC 5929 §4.1: the hash of the certificate's signature; SHA-256 in place of MD5 and SHA-1, and where the
 * signature has none of its own (Ed25519). */
static const EVP_MD *end_point_digest(const X509 *certificate)
{
    int digest = NID_undef;
    if (!X509_get_signature_info((X509 *)(uintptr_t)certificate, &digest, NULL, NULL, NULL) ||
        digest == NID_undef || digest == NID_md5 || digest == NID_sha1)
        return EVP_sha256();
    const EVP_MD *md = EVP_get_digestbynid(digest);
    return md ? md : EVP_sha256();
}

size_t tls_end_point_of(const X509 *certificate, uint8_t out[64])
{
    unsigned n = 0;
    const EVP_MD *md = end_point_digest(certificate);
    if (EVP_MD_get_size(md) > 64 || !X509_digest(certificate, md, out, &n))
        return 0;
    return n;
}

/* In TLS 1.2 without the extended master secret two sessions can be made to share one (triple handshake, RFC
 * 7627), and a binding to it binds to nothing. */
static bool has_unique_secret(SSL *ssl)
{
    return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
}

static size_t take_exporter(SSL *ssl, uint8_t out[32])
{
    if (!has_unique_secret(ssl))
        return 0;
    int rc = SSL_export_keying_material(ssl, out, 32, EXPORTER_LABEL, strlen(EXPORTER_LABEL),
                                        (const unsigned char *)"", 0, 1);
    return rc == 1 ? 32 : 0;
}

/* RFC 5929 §3.1: the first Finished message of the handshake, which is the client's unless the session is
 * resumed. TLS 1.3 has no such binding (RFC 9266 §1). */
static size_t take_unique(SSL *ssl, uint8_t out[12])
{
    bool is_client_first = !SSL_session_reused(ssl);
    if (SSL_version(ssl) >= TLS1_3_VERSION || !has_unique_secret(ssl))
        return 0;
    size_t n = is_client_first == (SSL_is_server(ssl) != 0) ? SSL_get_peer_finished(ssl, out, 12)
                                                            : SSL_get_finished(ssl, out, 12);
    return n == 12 ? n : 0;
}

static size_t take_end_point(SSL *ssl, uint8_t out[64])
{
    if (SSL_is_server(ssl))
        return tls_server_end_point(ssl, out);
    const X509 *peer = SSL_get0_peer_certificate(ssl);
    return peer ? tls_end_point_of(peer, out) : 0;
}

void tls_facts_take(SSL *ssl, struct tls_facts *out)
{
    ERR_clear_error();
    snprintf(out->version, sizeof out->version, "%s", SSL_get_version(ssl));
    snprintf(out->cipher, sizeof out->cipher, "%s", SSL_get_cipher_name(ssl));
    out->bits = (unsigned)SSL_get_cipher_bits(ssl, NULL);
    out->is_resumed = SSL_session_reused(ssl);
    out->is_verified = !SSL_is_server(ssl) && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) &&
                       SSL_get_verify_result(ssl) == X509_V_OK;
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(out->sni, sizeof out->sni, "%s", sni ? sni : "");
    out->exporter_len = take_exporter(ssl, out->exporter);
    out->unique_len = take_unique(ssl, out->unique);
    out->end_point_len = take_end_point(ssl, out->end_point);
    tls_trust_facts(ssl, out);
}

void tls_describe_error(char out[TLS_ERROR_MAX], const char *other)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    snprintf(out, TLS_ERROR_MAX, "%s", reason ? reason : other);
    ERR_clear_error();
}
