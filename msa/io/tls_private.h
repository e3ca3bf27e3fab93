/* Inside msa/io: what connections need of TLS contexts. */
#ifndef MSA_IO_TLS_PRIVATE_H
#define MSA_IO_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "msa/io/tls.h"

/* Both roles: versions, modes and options. 0, or an OpenSSL failure. */
int tls_set_common(SSL_CTX *ctx);

struct tls_server *tls_server_ref(struct tls_server *tls); /* given back by tls_server_free */
/* Over `fd`, which stays the caller's. NULL: out of memory, or a server name that cannot be. */
SSL *tls_server_session(struct tls_server *tls, int fd);
struct tls_trust *tls_trust_ref(struct tls_trust *t); /* NULL is fine */
bool tls_trust_use(struct tls_trust *t, SSL *ssl);    /* the session outlives no reference to it; false: no memory */
void tls_trust_apply(SSL *ssl);                       /* after each SSL_set_SSL_CTX */
void tls_trust_facts(SSL *ssl, struct tls_facts *out);
SSL *tls_client_session(struct tls_client *tls, const char *server_name, int fd);

/* The channel binding of RFC 5929 §4: a hash of the certificate. The length, 0 if there is none. */
size_t tls_end_point_of(const X509 *certificate, uint8_t out[64]);
/* That of the certificate which this session's full handshake showed. */
size_t tls_server_end_point(SSL *ssl, uint8_t out[64]);

void tls_facts_take(SSL *ssl, struct tls_facts *out); /* after the handshake */

/* What OpenSSL says went wrong in this thread last: "reason", or `other`. Takes it off the queue. */
void tls_describe_error(char out[TLS_ERROR_MAX], const char *other);

#endif
