#include "auth/ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/ops_private.h"
#include "auth/hash.h"
#include "auth/password.h"
#include "auth/scram.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/utf8.h"
#include "msa/base/wipe_alloc.h"
#include "msa/config/settings.h"

#define LIST_DEFAULT     100
#define PASSWORD_OWN_MIN 8 /* characters; what an operator gives is his own matter */

void ops_setup(void)
{
    json_set_alloc_funcs(wipe_malloc, wipe_free);
}

/* ---- common ---------------------------------------------------------------------------------- */

int ops_fail(struct ops_call *call, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(call->detail, sizeof call->detail, fmt, ap);
    va_end(ap);
    return status;
}

int ops_fail_store(struct ops_call *call, int err)
{
    return ops_fail(call, err == MSA_EFULL ? 507 : 503, "the account store: %s", msa_strerror(err));
}

int ops_fail_lookup(struct ops_call *call, enum msa_lookup found)
{
    if (found == MSA_NOT_FOUND)
        return ops_fail(call, 404, "there is no account %s", call->login);
    return ops_fail(call, 503, "the account store cannot be read, or the record of %s is damaged",
                call->login);
}

bool ops_take_login(struct ops_call *call, const char *text)
{
    verify_canonical(call->rules, view_cstr(text), call->login);
    return call->login[0] != '\0';
}

int ops_fail_login(struct ops_call *call)
{
    return ops_fail(call, 400, "this is not a login name: user@domain, or user where a default "
                               "domain is configured");
}

static json_t *identity(const struct ops_call *call, uint64_t id)
{
    return json_pack("{s:s, s:I}", "login", call->login, "id", (json_int_t)id);
}

static bool with_cram(const struct ops_call *call)
{
    return (call->rules->mechanisms & CONFIG_MECH_CRAM_MD5) != 0;
}

int ops_fail_arguments(struct ops_call *call, const json_error_t *error)
{
    return ops_fail(call, 400, "arguments: %s", error->text);
}

/* ---- account.add, account.passwd ------------------------------------------------------------- */

int ops_apply_secret(struct ops_call *call, const struct import_secret *secret,
                       struct account *a)
{
    if (secret->is_password)
        return password_store(view_of(secret->password, secret->password_bytes),
                              call->rules->scram_iteration_count, with_cram(call), a, call->detail,
                              sizeof call->detail);
    a->kind = secret->kind;
    a->has_cram = false;
    memcpy(a->secret, secret->hash, sizeof a->secret);
    return MSA_OK;
}

static int make_secret(struct ops_call *call, const char *password, const char *hash,
                       struct account *a)
{
    struct import_secret secret;
    if (password)
        return password_store(view_cstr(password), call->rules->scram_iteration_count,
                              with_cram(call), a, call->detail, sizeof call->detail);
    int err = import_parse_secret(view_cstr(hash), &secret, call->detail, sizeof call->detail);
    if (err == MSA_OK) {
        a->is_disabled = a->is_disabled || secret.is_locked;
        err = ops_apply_secret(call, &secret, a);
    }
    secret_wipe(&secret, sizeof secret);
    return err;
}

static int add_account(struct ops_call *call, struct account *a)
{
    struct store_change change;
    store_begin(call->store, &change);
    int err = store_add(&change, view_cstr(call->login), a);
    if (err == MSA_OK)
        err = store_commit(&change);
    store_abort(&change);
    if (err == MSA_EEXIST)
        return ops_fail(call, 409, "there is an account %s already", call->login);
    return err < 0 ? ops_fail_store(call, err) : 201;
}

static int op_add(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *password = NULL, *hash = NULL;
    int is_disabled = 0;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s?s, s?s, s?b}", "login", &login,
                       "password", &password, "hash", &hash, "disabled", &is_disabled) < 0)
        return ops_fail_arguments(call, &error);
    if (!ops_take_login(call, login))
        return ops_fail_login(call);
    if (!password == !hash)
        return ops_fail(call, 400, "give either a password or a hash");
    struct account a = {
        .created_ms = call->snapshot->now_wall_ms,
        .changed_ms = call->snapshot->now_wall_ms,
        .generation = 1,
        .is_disabled = is_disabled,
    };
    int status = make_secret(call, password, hash, &a) < 0 ? 400 : add_account(call, &a);
    if (status == 201)
        *answer_out = identity(call, a.id);
    account_wipe(&a);
    return status;
}

/* A change of one account that is there: read, altered by fn, written. */
typedef void alter_fn(struct account *a, const struct account *by);

static alter_fn alter_secret;

/* A damaged record stays as it is: then nothing of it is taken anyway. */
static void drop_app_passwords(struct store_change *change, uint64_t account)
{
    struct factors f;
    if (store_get_factors(change, account, &f) == MSA_FOUND) {
        f.app_count = 0;
        store_put_factors(change, account, &f);
    }
    factors_wipe(&f);
}

static int alter(struct ops_call *call, alter_fn *fn, const struct account *by,
                 json_t **answer_out)
{
    struct store_change change;
    struct account a;
    int status = 200;
    store_begin(call->store, &change);
    enum msa_lookup found = store_get(&change, view_cstr(call->login), &a);
    if (found == MSA_FOUND) {
        fn(&a, by);
        store_replace(&change, view_cstr(call->login), &a);
        if (fn == alter_secret)
            drop_app_passwords(&change, a.id);
        int err = store_commit(&change);
        if (err < 0)
            status = ops_fail_store(call, err);
        else
            *answer_out = identity(call, a.id);
        if (err == MSA_OK && (fn == alter_secret || a.is_disabled))
            call->revoked = (struct ops_revoked){.account = a.id, .is_all = true};
    } else {
        status = ops_fail_lookup(call, found);
    }
    store_abort(&change);
    account_wipe(&a);
    return status;
}

static void alter_secret(struct account *a, const struct account *by)
{
    a->kind = by->kind;
    memcpy(a->secret, by->secret, sizeof a->secret);
    a->has_cram = by->has_cram;
    memcpy(a->cram, by->cram, sizeof a->cram);
    a->changed_ms = by->changed_ms;
    a->generation++; /* what the cache remembers of the old password is void */
}

/* 200, or the status that says why not. */
static int check_own_choice(struct ops_call *call, const char *password)
{
    struct verify v;
    struct view text = view_cstr(password);
    if (utf8_count(text) < PASSWORD_OWN_MIN)
        return ops_fail(call, 422, "the new password is too short: %d characters at least", PASSWORD_OWN_MIN);
    verify_init(&v, call->env, call->rules);
    v.now_ms = call->snapshot->now_mono_ms;
    verify_login(&v, view_cstr(call->login));
    enum auth_result result = verify_password(&v, text);
    verify_fini(&v);
    if (result == AUTH_UNAVAILABLE)
        return ops_fail(call, 503, "the account store cannot be read");
    return result == AUTH_OK ? ops_fail(call, 422, "the new password is the one that the account has now") : 200;
}

/* With its owner's choice the account would leave the directory that it belongs to; an operator's may. */
static bool is_kept_elsewhere(struct ops_call *call)
{
    struct account a;
    bool is_so = store_find(call->store, view_cstr(call->login), &a) == MSA_FOUND && a.kind == HASH_SASLAUTHD;
    account_wipe(&a);
    return is_so;
}

static int op_passwd(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *password;
    int is_own = 0;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s, s?b}", "login", &login, "password",
                       &password, "is_own", &is_own) < 0)
        return ops_fail_arguments(call, &error);
    if (!ops_take_login(call, login))
        return ops_fail_login(call);
    if (is_own && is_kept_elsewhere(call))
        return ops_fail(call, 409, "the password of this account is kept elsewhere and changed there");
    int choice = is_own ? check_own_choice(call, password) : 200;
    if (choice != 200)
        return choice;
    struct account by = {.changed_ms = call->snapshot->now_wall_ms};
    int status = make_secret(call, password, NULL, &by) < 0
                     ? 400
                     : alter(call, alter_secret, &by, answer_out);
    account_wipe(&by);
    return status;
}

/* ---- account.enable, disable, remove --------------------------------------------------------- */

static int unpack_login(struct ops_call *call, json_t *args)
{
    json_error_t error;
    const char *login;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s}", "login", &login) < 0)
        return ops_fail_arguments(call, &error);
    return ops_take_login(call, login) ? 200 : ops_fail_login(call);
}

static void alter_disabled(struct account *a, const struct account *by)
{
    a->is_disabled = by->is_disabled;
}

static int op_enable(struct ops_call *call, json_t *args, json_t **answer_out)
{
    struct account by = {.is_disabled = false};
    int status = unpack_login(call, args);
    return status == 200 ? alter(call, alter_disabled, &by, answer_out) : status;
}

static int op_disable(struct ops_call *call, json_t *args, json_t **answer_out)
{
    struct account by = {.is_disabled = true};
    int status = unpack_login(call, args);
    return status == 200 ? alter(call, alter_disabled, &by, answer_out) : status;
}

static int op_remove(struct ops_call *call, json_t *args, json_t **answer_out)
{
    struct store_change change;
    uint64_t id = 0;
    int status = unpack_login(call, args);
    if (status != 200)
        return status;
    store_begin(call->store, &change);
    enum msa_lookup found = store_remove(&change, view_cstr(call->login), &id);
    int err = found == MSA_FOUND ? store_commit(&change) : MSA_OK;
    store_abort(&change);
    if (found != MSA_FOUND)
        return ops_fail_lookup(call, found);
    if (err < 0)
        return ops_fail_store(call, err);
    call->revoked = (struct ops_revoked){.account = id, .is_all = true};
    *answer_out = identity(call, id);
    return 200;
}

/* ---- account.show, account.list -------------------------------------------------------------- */

static json_t *describe(struct view login, const struct account *a)
{
    struct scram_verifier v;
    bool is_scram =
        a->kind == HASH_SCRAM_SHA_256 && scram_parse(view_cstr(a->secret), &v) == MSA_OK;
    json_t *o = json_pack("{s:s%, s:I, s:b, s:I, s:I, s:s, s:b, s:b}", "login", login.p, login.n,
                          "id", (json_int_t)a->id, "enabled", !a->is_disabled, "created_ms",
                          (json_int_t)a->created_ms, "password_changed_ms",
                          (json_int_t)a->changed_ms, "secret", hash_kind_name(a->kind), "scram",
                          is_scram, "cram_md5", a->has_cram);
    if (is_scram) {
        json_object_set_new(o, "iterations", json_integer(v.iteration_count));
        secret_wipe(&v, sizeof v);
    }
    return o;
}

/* With what it has beside its password. */
static enum msa_lookup describe_whole(struct ops_call *call, const struct account *a, json_t **answer_out)
{
    struct factors f;
    enum msa_lookup found = store_find_factors(call->store, a->id, &f);
    if (found != MSA_RETRY) {
        *answer_out = describe(view_cstr(call->login), a);
        json_object_set_new(*answer_out, "app_passwords_only", json_boolean(f.app_passwords_only));
        json_object_set_new(*answer_out, "totp", json_boolean(f.totp == TOTP_ON));
    }
    factors_wipe(&f);
    return found == MSA_RETRY ? MSA_RETRY : MSA_FOUND;
}

static int op_show(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login = NULL;
    json_int_t id = 0;
    struct account a;
    enum msa_lookup found;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s?s, s?I}", "login", &login, "id", &id) < 0)
        return ops_fail_arguments(call, &error);
    if (!login == (id <= 0))
        return ops_fail(call, 400, "give either a login or an id");
    if (login && !ops_take_login(call, login))
        return ops_fail_login(call);
    if (login)
        found = store_find(call->store, view_cstr(call->login), &a);
    else
        found = store_find_by_id(call->store, (uint64_t)id, call->login, &a);
    if (found == MSA_FOUND)
        found = describe_whole(call, &a, answer_out);
    account_wipe(&a);
    return found == MSA_FOUND ? 200 : ops_fail_lookup(call, found);
}

struct listing {
    json_t *accounts;
    char next[STORE_LOGIN_MAX + 1];
    size_t limit;
    bool is_full; /* there is one more behind */
};

static bool list_account(void *arg, struct view login, const struct account *account)
{
    struct listing *l = arg;
    if (json_array_size(l->accounts) >= l->limit) {
        l->is_full = true;
        return false;
    }
    view_to_cstr(login, l->next, sizeof l->next);
    json_t *o = account ? describe(login, account)
                        : json_pack("{s:s%, s:b}", "login", login.p, login.n, "damaged", 1);
    json_array_append_new(l->accounts, o);
    return true;
}

static int op_list(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *after = "";
    json_int_t limit = LIST_DEFAULT;
    uint64_t total = 0;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s?s, s?I}", "after", &after, "limit", &limit) <
        0)
        return ops_fail_arguments(call, &error);
    if (limit < 1 || limit > OPS_LIST_MAX)
        return ops_fail(call, 400, "limit must be 1 … %d", OPS_LIST_MAX);
    struct listing l = {.accounts = json_array(), .limit = (size_t)limit};
    int err = store_each(call->store, view_cstr(after), list_account, &l);
    if (err == MSA_OK)
        err = store_count(call->store, &total);
    if (err < 0) {
        json_decref(l.accounts);
        return ops_fail_store(call, err);
    }
    *answer_out = json_pack("{s:o, s:s?, s:I}", "accounts", l.accounts, "next",
                            l.is_full ? l.next : NULL, "total", (json_int_t)total);
    return 200;
}

/* ---- auth.status ----------------------------------------------------------------------------- */

static int op_status(struct ops_call *call, json_t *args, json_t **answer_out)
{
    const struct ops_snapshot *s = call->snapshot;
    const struct exchange_counts *x = &s->exchanges;
    uint64_t account_count = 0, used_bytes = 0, max_bytes = 0;
    (void)args;
    int err = store_count(call->store, &account_count);
    if (err < 0)
        return ops_fail_store(call, err);
    store_usage(call->store, &used_bytes, &max_bytes);
    json_t *exchanges = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "running", (json_int_t)x->running, "steps",
        (json_int_t)x->steps, "started", (json_int_t)x->started, "succeeded",
        (json_int_t)x->succeeded, "failed", (json_int_t)x->failed, "turned_away",
        (json_int_t)x->turned_away);
    *answer_out = json_pack(
        "{s:I, s:o, s:{s:I, s:I}, s:I, s:I, s:{s:I, s:I}}", "accounts", (json_int_t)account_count,
        "exchanges", exchanges, "cache", "hits", (json_int_t)s->cache_hits, "misses",
        (json_int_t)s->cache_misses, "queued", (json_int_t)s->queued_count, "derivations",
        (json_int_t)(scram_derivation_count() + hash_derivation_count()), "store", "used_bytes",
        (json_int_t)used_bytes, "max_bytes", (json_int_t)max_bytes);
    return 200;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct op {
    const char *name;
    ops_fn *fn;
    bool is_change;
} ops[OPS_COUNT] = {
    {"account.add", op_add, true},       {"account.passwd", op_passwd, true},
    {"account.enable", op_enable, true}, {"account.disable", op_disable, true},
    {"account.remove", op_remove, true}, {"account.import", ops_import, true},
    {"account.show", op_show, false},    {"account.list", op_list, false},
    {"account.resolve", ops_resolve, false},
    {"auth.status", op_status, false},
    {"token.add", ops_token_add, true},
    {"token.list", ops_token_list, false},
    {"token.remove", ops_token_remove, true},
    {"token.check", ops_token_check, false},
    {"sign_in.verify", ops_sign_in_verify, false},
    {"account.sign-in-rules", ops_sign_in_rules, true},
    {"app-password.add", ops_app_password_add, true},
    {"app-password.list", ops_app_password_list, false},
    {"app-password.remove", ops_app_password_remove, true},
    {"app-password.check", ops_app_password_check, false},
    {"app-password.used", ops_app_password_used, true},
    {"totp.begin", ops_totp_begin, true},
    {"totp.confirm", ops_totp_confirm, true},
    {"totp.off", ops_totp_off, true},
    {"totp.check", ops_totp_check, true},
};

static const struct op *op_find(struct view name)
{
    for (size_t i = 0; i < OPS_COUNT; i++)
        if (view_eq(name, view_cstr(ops[i].name)))
            return &ops[i];
    return NULL;
}

const char *ops_name(size_t index)
{
    return index < OPS_COUNT ? ops[index].name : NULL;
}

bool ops_is_change(struct view op)
{
    const struct op *o = op_find(op);
    return o && o->is_change;
}

int ops_run(struct ops_call *call, struct view op, json_t *args, json_t **answer_out)
{
    const struct op *found = op_find(op);
    *answer_out = NULL;
    call->login[0] = call->detail[0] = '\0';
    call->revoked = (struct ops_revoked){0};
    call->replaced = NULL;
    call->replaced_count = 0;
    call->asks = false;
    int status = found ? found->fn(call, args, answer_out)
                       : ops_fail(call, 404, "auth knows no such operation");
    if (!*answer_out && status < 300)
        status = ops_fail(call, 503, "out of memory");
    return status;
}
