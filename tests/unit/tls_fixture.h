/* For the tests of TLS: certificates made on the spot, and a client of OpenSSL's own, to offer what ours never
 * would. */
#ifndef TESTS_UNIT_TLS_FIXTURE_H
#define TESTS_UNIT_TLS_FIXTURE_H

#include <openssl/ssl.h>

#include "conn_fixture.h"
#include "msa/io/tls.h"

struct test_cert {
    char chain[8192];
    char key[8192];
    X509 *x509; /* the leaf; test_cert_fini frees it */
};

enum test_key { TEST_KEY_EC, TEST_KEY_RSA, TEST_KEY_ED25519 };

/* Self-signed. `alt` as OpenSSL's configuration has it: "DNS:mail.example.jp,DNS:*.example.jp". */
void test_cert_make(struct test_cert *out, enum test_key kind, const char *alt, const EVP_MD *md);
void test_cert_fini(struct test_cert *cert);
/* NULL with the text in tf_error. */
struct tls_server *tf_server_new(const struct test_cert *certs, size_t count);
struct tls_server *tf_server_with(const struct test_cert *certs, size_t count, struct view ticket_keys,
                                  bool min_is_tls13);
extern char tf_error[TLS_ERROR_MAX];

/* The bare client; fields are set before tf_handshake. */
struct raw_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

void tf_raw_init(struct raw_client *r);
/* With a new server end in `e`. True if the handshake succeeded on the client's side. */
bool tf_handshake(struct raw_client *r, struct end *e, struct tls_server *tls);
void tf_raw_new_session(struct raw_client *r); /* again with the same context; keeps the last ticket */
void tf_raw_fini(struct raw_client *r);

#endif
