#include "auth_fixture.h"

#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/hash.h"
#include "auth/password.h"
#include "auth/sasl.h"
#include "auth/scram.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"
#include "msa/mail/base64.h"

void auth_fixture_open(struct auth_fixture *f)
{
    char error[256] = "";
    *f = (struct auth_fixture){.dir = "/tmp/msad-auth-XXXXXX"};
    cr_assert(mkdtemp(f->dir) != NULL);
    snprintf(f->path, sizeof f->path, "%s/accounts.mdb", f->dir);
    cr_assert(sasl_library_open(error, sizeof error) == MSA_OK, "%s", error);
    f->env.store = store_open(f->path, error, sizeof error);
    cr_assert(f->env.store != NULL, "%s", error);
    f->env.cache = cache_new(256);
    cr_assert(f->env.cache != NULL);
    f->rules = (struct verify_rules){
        .mechanisms = CONFIG_MECH_PLAIN | CONFIG_MECH_LOGIN | CONFIG_MECH_SCRAM_SHA_256 |
                      CONFIG_MECH_SCRAM_SHA_256_PLUS | CONFIG_MECH_CRAM_MD5,
        .scram_iteration_count = FIXTURE_ITERATIONS,
        .cache_life_ms = FIXTURE_LIFE_MS,
        .default_domain = "example.jp",
        .hostname = "mx.example.jp",
    };
}

void auth_fixture_close(struct auth_fixture *f)
{
    char lock[128];
    store_close(&f->env.store);
    cache_free(&f->env.cache);
    sasl_library_close();
    snprintf(lock, sizeof lock, "%s-lock", f->path);
    unlink(f->path);
    unlink(lock);
    rmdir(f->dir);
}

static uint64_t add(struct auth_fixture *f, const char *login, struct account *a)
{
    struct store_change change;
    a->created_ms = a->changed_ms = 1000;
    a->generation = 1;
    store_begin(f->env.store, &change);
    cr_assert(store_add(&change, view_cstr(login), a) == MSA_OK);
    cr_assert(store_commit(&change) == MSA_OK);
    return a->id;
}

uint64_t auth_fixture_add(struct auth_fixture *f, const char *login, const char *password)
{
    char why[128];
    struct account a = {0};
    bool with_cram = (f->rules.mechanisms & CONFIG_MECH_CRAM_MD5) != 0;
    cr_assert(password_store(view_cstr(password), FIXTURE_ITERATIONS, with_cram, &a, why,
                             sizeof why) == MSA_OK);
    return add(f, login, &a);
}

uint64_t auth_fixture_add_hash(struct auth_fixture *f, const char *login, const char *hash)
{
    struct account a = {.kind = hash_kind_of(view_cstr(hash))};
    cr_assert(view_to_cstr(view_cstr(hash), a.secret, sizeof a.secret));
    return add(f, login, &a);
}

static void replace(struct auth_fixture *f, const char *login, const struct account *a)
{
    struct store_change change;
    store_begin(f->env.store, &change);
    store_replace(&change, view_cstr(login), a);
    cr_assert(store_commit(&change) == MSA_OK);
}

struct account auth_fixture_get(struct auth_fixture *f, const char *login)
{
    struct account a;
    cr_assert(store_find(f->env.store, view_cstr(login), &a) == MSA_FOUND);
    return a;
}

void auth_fixture_disable(struct auth_fixture *f, const char *login)
{
    struct account a = auth_fixture_get(f, login);
    a.is_disabled = true;
    replace(f, login, &a);
}

void auth_fixture_set_password(struct auth_fixture *f, const char *login, const char *password)
{
    char why[128];
    struct account a = auth_fixture_get(f, login);
    cr_assert(password_store(view_cstr(password), FIXTURE_ITERATIONS, a.has_cram, &a, why,
                             sizeof why) == MSA_OK);
    a.generation++;
    replace(f, login, &a);
}

uint64_t auth_fixture_derivations(void)
{
    return scram_derivation_count() + hash_derivation_count();
}

/* ---- SCRAM client -------------------------------------------------------------------------------- */

void scram_client_first(struct scram_client *c, const char *gs2, const char *user)
{
    snprintf(c->gs2, sizeof c->gs2, "%s", gs2);
    snprintf(c->first_bare, sizeof c->first_bare, "n=%s,r=fyko+d2lbbFgONRv9qkxdawL", user);
    snprintf(c->message, sizeof c->message, "%s%s", c->gs2, c->first_bare);
}

static void hmac(const uint8_t key[32], const char *text, uint8_t out[32])
{
    cr_assert(HMAC(EVP_sha256(), key, 32, (const uint8_t *)text, strlen(text), out, NULL) != NULL);
}

/* Salt and count of "r=…,s=…,i=…". */
static void salted_password(struct view server_first, const char *password, uint8_t out[32])
{
    struct buf salt;
    uint64_t count = 0;
    struct view rest = server_first;
    view_cut(&rest, ',');
    struct view s = view_cut(&rest, ',');
    buf_init(&salt, 128);
    cr_assert(base64_decode(view_slice(s, 2, s.n), &salt) == MSA_OK);
    cr_assert(view_parse_u64(view_slice(rest, 2, rest.n), 1000000, &count));
    struct view salt_view = buf_view(&salt);
    cr_assert(PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const uint8_t *)salt_view.p,
                                (int)salt_view.n, (int)count, EVP_sha256(), 32, out) == 1);
    buf_fini(&salt);
}

void scram_client_final(struct scram_client *c, struct view server_first, const char *password,
                        struct view binding)
{
    uint8_t salted[32], client_key[32], stored_key[32], signature[32], server_key[32];
    char auth_message[1024], proof[32];
    struct view rest = server_first, nonce = view_cut(&rest, ',');
    struct buf b;
    buf_init(&b, 512);
    struct buf raw;
    buf_init(&raw, 256);
    buf_add_cstr(&raw, c->gs2);
    buf_add(&raw, binding);
    buf_add_cstr(&b, "c=");
    base64_encode(buf_view(&raw), &b);
    buf_addf(&b, ",%.*s", (int)nonce.n, nonce.p);
    struct view without_proof = buf_view(&b);
    snprintf(auth_message, sizeof auth_message, "%s,%.*s,%.*s", c->first_bare, (int)server_first.n,
             server_first.p, (int)without_proof.n, without_proof.p);

    salted_password(server_first, password, salted);
    hmac(salted, "Client Key", client_key);
    EVP_Digest(client_key, 32, stored_key, NULL, EVP_sha256(), NULL);
    hmac(stored_key, auth_message, signature);
    for (size_t i = 0; i < 32; i++)
        proof[i] = (char)(client_key[i] ^ signature[i]);
    hmac(salted, "Server Key", server_key);
    hmac(server_key, auth_message, c->server_signature);
    buf_add_cstr(&b, ",p=");
    base64_encode(view_of(proof, 32), &b);
    cr_assert(!buf_failed(&b) && view_to_cstr(buf_view(&b), c->message, sizeof c->message));
    buf_fini(&raw);
    buf_fini(&b);
}

bool scram_client_trusts(const struct scram_client *c, struct view server_final)
{
    struct buf want;
    buf_init(&want, 64);
    buf_add_cstr(&want, "v=");
    base64_encode(view_of((const char *)c->server_signature, 32), &want);
    bool is_same = view_eq(buf_view(&want), server_final);
    buf_fini(&want);
    return is_same;
}
