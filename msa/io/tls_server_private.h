/* Inside msa/io: the parts of a server's TLS, for tls_server.c, tls_certificate.c and tls_ticket.c. */
#ifndef MSA_IO_TLS_SERVER_PRIVATE_H
#define MSA_IO_TLS_SERVER_PRIVATE_H

#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/io/tls_private.h"

#define TLS_CERTIFICATES_MAX 64 /* a set of them is a bit mask */
#define TLS_NAME_MAX         254 /* with NUL */
#define TICKET_KEY_BYTES     80
#define TICKET_KEYS_MAX      3

/* A certificate with its chain and key, and the names it is good for. */
struct tls_identity {
    X509 *leaf;
    STACK_OF(X509) *chain;
    EVP_PKEY *key;
    int key_type;  /* EVP_PKEY_RSA, … */
    char **names;  /* lower case; "*.example.jp" among them */
    size_t name_count;
    uint8_t end_point[64];
    size_t end_point_len;
};

/* 0, or negative with a text that says what is wrong. `position` counts from 0. */
int tls_identity_load(const struct tls_certificate *pem, size_t position, struct tls_identity *out,
                      char error[TLS_ERROR_MAX]);
void tls_identity_fini(struct tls_identity *id);
/* Is `name` (lower case) one of its names, or matched by one with a wildcard? */
bool tls_identity_covers(const struct tls_identity *id, const char *name);
int64_t tls_identity_expires_s(const struct tls_identity *id);

/* One SSL_CTX per set of identities that are offered together. */
struct tls_context {
    SSL_CTX *ctx;
    uint64_t members; /* bit i: identities[i] */
};

/* A name of some certificate, and what to present for it. */
struct tls_name {
    struct table_entry entry;
    SSL_CTX *ctx;
};

struct ticket_key { /* as OpenSSL's SSL_CTX_set_tlsext_ticket_keys lays them out */
    uint8_t name[16];
    uint8_t hmac[32];
    uint8_t aes[32];
};

struct tls_server {
    unsigned ref_count;
    struct tls_identity *identities;
    size_t identity_count;
    struct tls_context *contexts; /* [0]: without SNI, or an unknown name */
    size_t context_count;
    struct table names;
    struct ticket_key ticket_keys[TICKET_KEYS_MAX]; /* the first encrypts, all decrypt */
    size_t ticket_key_count;
    EVP_CIPHER *ticket_cipher;
    bool min_is_tls13;
};

struct tls_server *tls_server_of(SSL *ssl);

int tls_tickets_init(struct tls_server *tls, struct view keys, char error[TLS_ERROR_MAX]);
void tls_tickets_fini(struct tls_server *tls);
void tls_tickets_use(struct tls_server *tls, SSL_CTX *ctx);

#endif
