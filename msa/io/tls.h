/* TLS contexts and what is known of a handshake. The only headers of OpenSSL's libssl are included by
 * msa/io; other folders see these opaque types. TLS 1.2 at least, no renegotiation, no 0-RTT, ALPN "smtp"
 * or none. Contexts are counted: a live connection keeps the one it began with over a reload. */
#ifndef MSA_IO_TLS_H
#define MSA_IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define TLS_ERROR_MAX 256

struct tls_server;
struct tls_client;

struct tls_certificate {
    struct view chain_pem; /* leaf first */
    struct view key_pem;
};

struct tls_server_settings {
    const struct tls_certificate *certificates; /* the first is the default without SNI */
    size_t certificate_count;
    bool min_is_tls13;
    struct view ticket_keys; /* 80 bytes, shared by all workers; empty: random */
};

/* Certificates are chosen by SNI from their own names (subjectAltName, wildcards in the left label);
 * several for one name (ECDSA and RSA) are offered together. Each key is checked against its
 * certificate. NULL with a text in `error` that says what is wrong with which one. */
struct tls_server *tls_server_new(const struct tls_server_settings *settings,
                                  char error[TLS_ERROR_MAX]);
void tls_server_free(struct tls_server **tls);

/* Earliest notAfter of the certificates, seconds since 1970, for warnings. */
int64_t tls_server_expires_s(const struct tls_server *tls);

/* Whom a server asks for a certificate, and who may vouch for it. Counted: connections keep theirs. */
struct tls_trust;

struct tls_trust_settings {
    const char *ca_pem;  /* trusted for nothing else, and nobody else for this */
    const char *crl_pem; /* revocation lists; "": none are looked at */
    bool is_required;    /* false: a client may show none; one that it shows must be good all the same */
};

/* NULL with a text in `error`. */
struct tls_trust *tls_trust_new(const struct tls_trust_settings *settings, char error[TLS_ERROR_MAX]);
void tls_trust_free(struct tls_trust **trust);

struct tls_client_settings {
    const char *ca_pem;     /* certificates to trust; NULL: the system's store */
    bool is_verified;       /* false: encrypt whoever answers (opportunistic) */
    const char *verify_name; /* name the certificate must carry; NULL: the server name */
};

struct tls_client *tls_client_new(const struct tls_client_settings *settings,
                                  char error[TLS_ERROR_MAX]);
void tls_client_free(struct tls_client **tls);

/* "": none, or not just one. Without controls. */
struct tls_client_names {
    char mail[256]; /* rfc822Name */
    char name[128]; /* common name */
};

struct tls_facts {
    char version[8];  /* "TLSv1.3" */
    char cipher[48];
    unsigned bits;
    bool is_resumed;
    bool is_verified; /* client side: the chain and the name were checked and good */
    char sni[256];    /* what the client asked for, "" if nothing */
    /* Channel bindings (RFC 9266, RFC 5929); empty length when not to be had. */
    uint8_t exporter[32];
    size_t exporter_len;
    uint8_t unique[12]; /* TLS 1.2 only */
    size_t unique_len;
    uint8_t end_point[64];
    size_t end_point_len;
    struct tls_client_names *client; /* of its certificate, if a struct tls_trust vouches for that; else NULL */
};

#endif
