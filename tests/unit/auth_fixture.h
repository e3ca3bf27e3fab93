/* For the tests of auth: a store in a directory of its own, libsasl2 set up, and a SCRAM client. */
#ifndef TESTS_AUTH_FIXTURE_H
#define TESTS_AUTH_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/cache.h"
#include "auth/store.h"
#include "auth/verify.h"
#include "msa/base/view.h"

#define FIXTURE_ITERATIONS 4096
#define FIXTURE_LIFE_MS    60000

struct auth_fixture {
    char dir[64];
    char path[96];
    struct verify_env env;
    struct verify_rules rules; /* all mechanisms, domain example.jp */
};

/* Everything asserts. */
void auth_fixture_open(struct auth_fixture *f);
void auth_fixture_close(struct auth_fixture *f);

/* The account's id. `login` is canonical. */
uint64_t auth_fixture_add(struct auth_fixture *f, const char *login, const char *password);
uint64_t auth_fixture_add_hash(struct auth_fixture *f, const char *login, const char *hash);
void auth_fixture_disable(struct auth_fixture *f, const char *login);
void auth_fixture_set_password(struct auth_fixture *f, const char *login, const char *password);
struct account auth_fixture_get(struct auth_fixture *f, const char *login);

/* Key derivations so far, of all kinds. */
uint64_t auth_fixture_derivations(void);

/* ---- RFC 5802's client, written from the RFC ---- */

struct scram_client {
    char gs2[64];
    char first_bare[256];
    char message[1024]; /* what to send next */
    uint8_t server_signature[32];
};

/* `gs2` is "n,,", "y,,", "p=tls-exporter,," …; leaves the client-first-message in c->message. */
void scram_client_first(struct scram_client *c, const char *gs2, const char *user);
/* Leaves the client-final-message in c->message. `binding` are the bytes behind the gs2 header in
 * c=. */
void scram_client_final(struct scram_client *c, struct view server_first, const char *password,
                        struct view binding);
/* Does the server know the password too? */
bool scram_client_trusts(const struct scram_client *c, struct view server_final);

#endif
