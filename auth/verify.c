#include "auth/verify.h"

#include <string.h>

#include "auth/app_password.h"
#include "auth/password.h"
#include "auth/saslauthd_wire.h"
#include "msa/base/assert.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/config/settings.h"
#include "msa/mail/login.h"

void verify_init(struct verify *v, const struct verify_env *env, const struct verify_rules *rules)
{
    *v = (struct verify){.env = env, .rules = rules};
}

void verify_fini(struct verify *v)
{
    secret_wipe(v, sizeof *v);
}

/* ---- the name -------------------------------------------------------------------------------- */

void verify_canonical(const struct verify_rules *rules, struct view name,
                      char out[STORE_LOGIN_MAX + 1])
{
    char canonical[LOGIN_SIZE];
    if (login_canonical(name, view_cstr(rules->default_domain), canonical) < 0 ||
        !view_to_cstr(view_cstr(canonical), out, STORE_LOGIN_MAX + 1))
        out[0] = '\0'; /* also a name that is too long for a key */
}

void verify_login(struct verify *v, struct view name)
{
    v->is_named = true;
    verify_canonical(v->rules, name, v->login);
    struct view login = view_cstr(v->login);
    keyed_hash(store_key(v->env->store), "stranger", login, login.n > 0 ? VIEW_EMPTY : name,
               v->stranger);
    enum msa_lookup found = store_find(v->env->store, login, &v->account);
    v->is_known = found == MSA_FOUND;
    v->is_broken = found == MSA_RETRY;
}

/* ---- app passwords --------------------------------------------------------------------------- */

/* Is it one of the account's? The same work for an account without any, and for a name that is nobody's. */
static void find_app_password(struct verify *v, struct view raw, bool *is_main_refused_out)
{
    struct factors f;
    uint8_t hash[FACTORS_HASH_BYTES];
    uint64_t account = v->is_known ? v->account.id : 0;
    v->is_broken = store_find_factors(v->env->store, account, &f) == MSA_RETRY;
    app_password_hash(store_key(v->env->store), account, raw, hash);
    const struct app_password *app = app_password_match(&f, hash);
    if (app && (app->scopes & v->scope) != 0) {
        v->app_id = app->id;
        v->app_used_ms = app->used_ms;
        memcpy(v->app_used_from, app->used_from, sizeof v->app_used_from);
    }
    *is_main_refused_out = v->scope != 0 && f.app_passwords_only;
    factors_wipe(&f);
    secret_wipe(hash, sizeof hash);
}

static enum msa_lookup main_is_refused(const struct verify *v, bool *is_refused_out)
{
    struct factors f;
    enum msa_lookup found = store_find_factors(v->env->store, v->account.id, &f);
    *is_refused_out = f.app_passwords_only;
    factors_wipe(&f);
    return found;
}

/* ---- PLAIN and LOGIN ------------------------------------------------------------------------- */

/* Where there is nothing to compare with: the work of the usual kind, for nothing. */
static void spend_derivation(const struct verify *v)
{
    static const char salt[SCRAM_SALT_BYTES];
    struct scram_verifier unused;
    (void)scram_make_salted(VIEW_LIT("?"), view_of(salt, sizeof salt),
                            v->rules->scram_iteration_count, &unused);
    secret_wipe(&unused, sizeof unused);
}

/* One key derivation, whatever the answer. MSA_OK or an error of the environment. */
static int compare(const struct verify *v, struct view raw, struct view prepared,
                   bool *is_match_out)
{
    struct scram_verifier scram;
    struct view secret = view_cstr(v->account.secret);
    *is_match_out = false;
    if (v->account.kind != HASH_SCRAM_SHA_256)
        return hash_matches(secret, raw, is_match_out);
    if (scram_parse(secret, &scram) < 0)
        return MSA_ECORRUPT;
    *is_match_out = scram_matches(&scram, prepared);
    secret_wipe(&scram, sizeof scram);
    return MSA_OK;
}

/* Is the stored secret not what would be stored today? */
static bool is_outdated(const struct verify *v)
{
    struct scram_verifier scram;
    bool with_cram = (v->rules->mechanisms & CONFIG_MECH_CRAM_MD5) != 0;
    if (v->account.kind != HASH_SCRAM_SHA_256 || v->account.has_cram != with_cram)
        return true;
    bool is_old = scram_parse(view_cstr(v->account.secret), &scram) < 0 ||
                  scram.iteration_count != v->rules->scram_iteration_count;
    secret_wipe(&scram, sizeof scram);
    return is_old;
}

static void make_upgrade(struct verify *v, struct view prepared)
{
    if (v->account.is_disabled || !is_outdated(v))
        return;
    v->upgrade = v->account;
    v->has_upgrade = password_store_prepared(prepared, v->rules->scram_iteration_count,
                                             (v->rules->mechanisms & CONFIG_MECH_CRAM_MD5) != 0,
                                             &v->upgrade) == MSA_OK;
}

void verify_note_wrong(struct verify *v, struct view secret)
{
    uint8_t hash[KEYED_BYTES];
    if (v->login[0] == '\0' || secret.n == 0)
        return;
    keyed_hash(store_key(v->env->store), "wrong password", view_cstr(v->login), secret, hash);
    memcpy(&v->wrong_password, hash, sizeof v->wrong_password);
    if (v->wrong_password == 0)
        v->wrong_password = 1;
    secret_wipe(hash, sizeof hash);
}

static enum auth_result check_password(struct verify *v, struct view raw)
{
    struct buf prepared;
    bool is_match = false;
    int err = MSA_OK;
    buf_init_secret(&prepared, PASSWORD_PREPARED_MAX);
    bool is_password =
        raw.n <= PASSWORD_MAX && login_prepare_password(raw, &prepared) == MSA_OK;
    if (v->is_known && is_password && v->account.kind != HASH_SASLAUTHD)
        err = compare(v, raw, buf_view(&prepared), &is_match);
    else
        spend_derivation(v);
    v->is_broken = err < 0;
    v->is_password_ok = is_match || v->app_id != 0;
    if (is_match)
        make_upgrade(v, buf_view(&prepared));
    if (!v->is_password_ok)
        verify_note_wrong(v, raw);
    buf_fini(&prepared);
    return v->is_password_ok ? AUTH_OK : verify_refusal(v);
}

/* An app password is remembered as what it is: it opens neither a page nor what is beyond its scope. */
static void digest_of(const struct verify *v, struct view raw, uint8_t out[CACHE_DIGEST_BYTES])
{
    char name[1 + sizeof v->app_id] = "\n"; /* no login begins so */
    memcpy(name + 1, &v->app_id, sizeof v->app_id);
    cache_digest(v->env->cache, v->app_id != 0 ? view_of(name, sizeof name) : view_cstr(v->login), raw, out);
}

/* A disabled account is never found in the cache, nor a main password that is not taken: they would answer faster to
 * what is right. */
static bool may_remember(const struct verify *v, struct view raw, bool is_main_refused)
{
    return v->is_known && !v->account.is_disabled && v->rules->cache_life_ms > 0 && (v->app_id != 0 || !is_main_refused) &&
           raw.n > 0 && raw.n <= PASSWORD_MAX;
}

static void remember(const struct verify *v, struct view raw)
{
    uint8_t digest[CACHE_DIGEST_BYTES];
    digest_of(v, raw, digest);
    cache_put(v->env->cache, digest, v->account.id, v->account.generation, v->now_ms);
    secret_wipe(digest, sizeof digest);
}

static bool is_remembered(const struct verify *v, struct view raw)
{
    uint8_t digest[CACHE_DIGEST_BYTES];
    digest_of(v, raw, digest);
    bool is_there = cache_has(v->env->cache, digest, v->account.id, v->account.generation, v->now_ms, v->rules->cache_life_ms);
    secret_wipe(digest, sizeof digest);
    return is_there;
}

/* Is it saslauthd that has to say it? Not of what it could never know: that is wrong like any other, after a
 * derivation. */
static bool is_kept_elsewhere(const struct verify *v, struct view raw)
{
    return v->is_known && v->account.kind == HASH_SASLAUTHD && v->app_id == 0 && raw.n <= PASSWORD_MAX &&
           saslauthd_may_carry(view_cstr(v->login), raw);
}

enum auth_result verify_password(struct verify *v, struct view raw)
{
    bool is_main_refused = false;
    if (!v->is_broken)
        find_app_password(v, raw, &is_main_refused);
    if (v->is_broken)
        return AUTH_UNAVAILABLE;
    bool may_be_remembered = may_remember(v, raw, is_main_refused);
    v->is_password_ok = may_be_remembered && is_remembered(v, raw);
    if (v->is_password_ok)
        return AUTH_OK;
    if (is_kept_elsewhere(v, raw)) {
        v->is_pending = v->may_ask;
        v->may_remember = may_be_remembered;
        return AUTH_UNAVAILABLE;
    }
    enum auth_result result = check_password(v, raw);
    if (result == AUTH_OK && may_be_remembered) /* its life counts from the check */
        remember(v, raw);
    return result;
}

enum auth_result verify_settle(struct verify *v, struct view raw, const struct finding *finding)
{
    MSA_ASSERT(v->is_pending);
    v->is_pending = false;
    if (finding->kind == FINDING_AWAY)
        return AUTH_UNAVAILABLE;
    v->is_password_ok = finding->kind == FINDING_GOOD;
    if (!v->is_password_ok)
        verify_note_wrong(v, raw);
    else if (v->may_remember)
        remember(v, raw);
    return v->is_password_ok ? AUTH_OK : verify_refusal(v);
}

/* ---- SCRAM and CRAM-MD5 ---------------------------------------------------------------------- */

static struct view stranger_view(const struct verify *v)
{
    return view_of((const char *)v->stranger, sizeof v->stranger);
}

void verify_scram_text(const struct verify *v, char out[SCRAM_TEXT_MAX])
{
    struct scram_verifier fake;
    if (v->is_known && v->account.kind == HASH_SCRAM_SHA_256) {
        memcpy(out, v->account.secret, SCRAM_TEXT_MAX);
        return;
    }
    scram_fake(store_key(v->env->store), stranger_view(v), v->rules->scram_iteration_count, &fake);
    (void)scram_format(&fake, out); /* an empty text makes libsasl2 give up */
}

void verify_cram_state(const struct verify *v, uint8_t out[ACCOUNT_CRAM_BYTES])
{
    if (v->is_known && v->account.has_cram)
        memcpy(out, v->account.cram, ACCOUNT_CRAM_BYTES);
    else
        keyed_hash(store_key(v->env->store), "cram state", stranger_view(v), VIEW_EMPTY, out);
}

/* ---- the end --------------------------------------------------------------------------------- */

enum auth_result verify_authorize(const struct verify *v)
{
    bool is_refused = false;
    bool is_main = v->scope != 0 && v->app_id == 0 && !v->is_without_password;
    if (v->account.is_disabled)
        return AUTH_DISABLED;
    if (is_main && main_is_refused(v, &is_refused) == MSA_RETRY)
        return AUTH_UNAVAILABLE;
    return is_refused ? AUTH_NOT_THIS_PASSWORD : AUTH_OK;
}

enum auth_result verify_refusal(const struct verify *v)
{
    if (v->is_broken)
        return AUTH_UNAVAILABLE;
    return v->is_named && !v->is_known ? AUTH_NO_SUCH_USER : AUTH_BAD_CREDENTIALS;
}
