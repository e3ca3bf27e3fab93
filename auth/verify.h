/* What a login name and a proof of its password mean. SASL (sasl.h) brings them here; here is
 * decided, with the same work for a good password, a wrong one, an unknown name and a disabled
 * account.
 *
 * A struct verify belongs to one exchange and to one thread at a time. */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/account.h"
#include "auth/authority.h"
#include "auth/bearer.h"
#include "auth/cache.h"
#include "auth/keyed.h"
#include "auth/scram.h"
#include "auth/store.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"

#define VERIFY_DOMAIN_MAX 256 /* with NUL */

/* Shared by all exchanges, for any thread. */
struct verify_env {
    struct store *store;
    struct cache *cache;
};

/* The part of the configuration that an exchange keeps from its beginning to its end. */
struct verify_rules {
    uint32_t mechanisms; /* bits of enum config_mechanism */
    uint32_t scram_iteration_count;
    int64_t cache_life_ms; /* 0: nothing is remembered */
    char default_domain[VERIFY_DOMAIN_MAX];
    char hostname[VERIFY_DOMAIN_MAX];
    char refusals[2][BEARER_REFUSAL_MAX]; /* by enum bearer_form */
};

struct verify {
    const struct verify_env *env;
    const struct verify_rules *rules;
    int64_t now_ms;       /* clock_mono_ms, which workers may not ask */
    bool is_named;        /* verify_login was called */
    bool is_broken;       /* the store cannot answer: the only outcome is AUTH_UNAVAILABLE */
    bool is_known;        /* `account` is there */
    bool is_password_ok;  /* verify_password said AUTH_OK */
    bool may_ask;         /* set by a caller that asks saslauthd where verify_password says so, and verify_settle then */
    bool may_remember;    /* what saslauthd says, when it says it */
    bool is_pending;      /* verify_password cannot tell alone, and verify_settle is to come */
    bool is_without_password; /* proved by something else, which rules about passwords do not concern */
    unsigned scope;       /* what it signs in to, one of enum app_scope; 0: a page, which takes the main password
                             only, and always */
    uint64_t app_id;      /* the app password that it was; 0: the main one */
    int64_t app_used_ms;  /* its last use before, and where from */
    char app_used_from[3];
    char login[STORE_LOGIN_MAX + 1]; /* canonical; "" for what is no name at all */
    uint8_t stranger[KEYED_BYTES];   /* what fake secrets hang on */
    struct account account;
    uint64_t wrong_password; /* keyed short hash of what was tried; 0: unknown */
    bool has_upgrade;        /* the password came in plain, and `upgrade` keeps it better */
    struct account upgrade;
};

void verify_init(struct verify *v, const struct verify_env *env, const struct verify_rules *rules);
void verify_fini(struct verify *v); /* wipes */

/* The name that the client claims, as it was sent: made canonical and looked up, once. A name that
 * cannot be one goes on as an account that does not exist. */
void verify_login(struct verify *v, struct view name);

/* The canonical form of `name` in `out`; empty for what is no name. */
void verify_canonical(const struct verify_rules *rules, struct view name,
                      char out[STORE_LOGIN_MAX + 1]);

/* PLAIN and LOGIN, and pages: the main password, or an app password with v->scope, which the caller has set.
 * Blocks for one key derivation, unless the cache knows; an app password needs none, but is not to be told from others
 * by its time. AUTH_OK, AUTH_BAD_CREDENTIALS, AUTH_NO_SUCH_USER or AUTH_UNAVAILABLE; whether the account is disabled is
 * verify_authorize's matter.
 * Where the password of an account is kept elsewhere: AUTH_UNAVAILABLE, and with v->may_ask v->is_pending too: then ask
 * AUTHORITY_SASLAUTHD about v->login and the password, and call verify_settle. */
enum auth_result verify_password(struct verify *v, struct view password);

/* The end of a verify_password that left v->is_pending; the same password, and the same answers. Does not block. */
enum auth_result verify_settle(struct verify *v, struct view password, const struct finding *finding);

/* What was tried in vain, a password or another secret: leaves its mark in v->wrong_password. */
void verify_note_wrong(struct verify *v, struct view secret);

/* SCRAM: the verifier to compare with, real or fake. The client proves one password, and nobody knows which: that is
 * the main one, also where app passwords are there. CRAM-MD5 likewise. */
void verify_scram_text(const struct verify *v, char out[SCRAM_TEXT_MAX]);
/* CRAM-MD5: likewise. */
void verify_cram_state(const struct verify *v, uint8_t out[ACCOUNT_CRAM_BYTES]);

/* It is proved who it is: may the account sign in with it? AUTH_OK, AUTH_DISABLED, AUTH_NOT_THIS_PASSWORD (mail
 * programs need an app password) or AUTH_UNAVAILABLE. */
enum auth_result verify_authorize(const struct verify *v);
/* It was not: AUTH_BAD_CREDENTIALS, AUTH_NO_SUCH_USER or AUTH_UNAVAILABLE. */
enum auth_result verify_refusal(const struct verify *v);

#endif
