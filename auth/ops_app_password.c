/* App passwords: made, listed, taken back; and whether mail programs may use the main one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/app_password.h"
#include "auth/ops_private.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/utf8.h"

void ops_app_format_id(uint64_t id, char out[OPS_APP_ID_SIZE])
{
    snprintf(out, OPS_APP_ID_SIZE, "%016" PRIx64, id);
}

static uint64_t id_named(const struct factors *f, const char *text)
{
    char id[OPS_APP_ID_SIZE];
    for (size_t i = 0; i < f->app_count; i++) {
        ops_app_format_id(f->apps[i].id, id);
        if (strcmp(id, text) == 0)
            return f->apps[i].id;
    }
    return 0;
}

static json_t *scopes_json(unsigned scopes)
{
    json_t *list = json_array();
    for (unsigned bit = 1; bit <= APP_SCOPES_ALL; bit <<= 1)
        if (scopes & bit)
            json_array_append_new(list, json_string(app_scope_name(bit)));
    return list;
}

/* 0: one of them is none, or none is there. */
static unsigned scopes_of(const json_t *list)
{
    unsigned scopes = 0;
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        unsigned scope = app_scope_named(view_cstr(json_string_value(one)));
        if (scope == 0)
            return 0;
        scopes |= scope;
    }
    return scopes;
}

static json_t *describe(const struct app_password *a)
{
    char id[OPS_APP_ID_SIZE];
    ops_app_format_id(a->id, id);
    return json_pack("{s:s, s:s, s:o}", "id", id, "name", a->name, "scopes", scopes_json(a->scopes));
}

/* ---- app-password.add ---- */

static bool is_name(struct view name)
{
    struct view rest = name;
    uint32_t code;
    if (name.n == 0 || name.n > FACTORS_NAME_MAX || !utf8_is_valid(name) ||
        utf8_count(name) > FACTORS_NAME_CHARS_MAX)
        return false;
    while (rest.n > 0) {
        size_t n = utf8_decode(rest, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return false;
        rest = view_slice(rest, n, rest.n);
    }
    return true;
}

static uint64_t new_id(struct factors *f)
{
    uint64_t id = 0;
    while (id == 0 || id == IPC_CREDENTIAL_ELSEWHERE || factors_app(f, id))
        secret_random(&id, sizeof id);
    return id;
}

static int add_app(struct ops_call *call, struct ops_factors *x, struct view name, unsigned scopes,
                   json_t **answer_out)
{
    char password[APP_PASSWORD_SIZE];
    struct factors *f = &x->factors;
    if (f->app_count == FACTORS_APPS_MAX)
        return ops_fail(call, 409, "an account has %d app passwords at most: take one back first", FACTORS_APPS_MAX);
    struct app_password *a = &f->apps[f->app_count];
    *a = (struct app_password){
        .id = new_id(f), .scopes = (uint8_t)scopes, .created_ms = call->snapshot->now_wall_ms};
    (void)view_to_cstr(name, a->name, sizeof a->name);
    app_password_make(password);
    app_password_hash(store_key(call->store), x->account.id, view_cstr(password), a->verifier);
    f->app_count++;
    int status = ops_factors_write(call, x, false);
    if (status == 200) {
        *answer_out = describe(a);
        json_object_set_new(*answer_out, "login", json_string(call->login));
        json_object_set_new(*answer_out, "password", json_string(password));
        status = 201;
    }
    secret_wipe(password, sizeof password);
    return status;
}

int ops_app_password_add(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *name;
    size_t name_bytes;
    json_t *list;
    struct ops_factors x = {0};
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s%, s:o}", "login", &login, "name", &name, &name_bytes,
                       "scopes", &list) < 0)
        return ops_fail_arguments(call, &error);
    unsigned scopes = scopes_of(list);
    if (!is_name(view_of(name, name_bytes)))
        return ops_fail(call, 422, "'name' has 1 … %d characters, and no control characters",
                        FACTORS_NAME_CHARS_MAX);
    if (scopes == 0)
        return ops_fail(call, 422, "'scopes' are some of smtp, imap, pop");
    int status = ops_factors_begin(call, login, &x);
    if (status == 200)
        status = add_app(call, &x, view_of(name, name_bytes), scopes, answer_out);
    ops_factors_end(&x);
    return status;
}

/* ---- app-password.list ---- */

int ops_app_password_list(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login;
    struct account a;
    struct factors f;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s}", "login", &login) < 0)
        return ops_fail_arguments(call, &error);
    if (!ops_take_login(call, login))
        return ops_fail_login(call);
    enum msa_lookup found = store_find(call->store, view_cstr(call->login), &a);
    uint64_t id = a.id;
    account_wipe(&a);
    if (found != MSA_FOUND)
        return ops_fail_lookup(call, found);
    if (store_find_factors(call->store, id, &f) == MSA_RETRY)
        return ops_fail_lookup(call, MSA_RETRY);
    json_t *list = json_array();
    for (size_t i = 0; i < f.app_count; i++) {
        json_t *o = describe(&f.apps[i]);
        json_object_set_new(o, "created_ms", json_integer(f.apps[i].created_ms));
        json_object_set_new(o, "used_ms", json_integer(f.apps[i].used_ms));
        json_object_set_new(o, "used_from", json_string(f.apps[i].used_from));
        json_array_append_new(list, o);
    }
    factors_wipe(&f);
    *answer_out = json_pack("{s:o}", "app_passwords", list);
    return 200;
}

/* ---- app-password.remove ---- */

int ops_app_password_remove(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *id;
    struct ops_factors x = {0};
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s}", "login", &login, "id", &id) < 0)
        return ops_fail_arguments(call, &error);
    int status = ops_factors_begin(call, login, &x);
    struct app_password *a = status == 200 ? factors_app(&x.factors, id_named(&x.factors, id)) : NULL;
    if (a) {
        const struct ops_revoked revoked = {.account = x.account.id, .credential = a->id};
        factors_drop_app(&x.factors, a);
        status = ops_factors_write(call, &x, true);
        if (status == 200)
            call->revoked = revoked;
    } else if (status == 200) {
        status = ops_fail(call, 404, "there is no such app password");
    }
    if (status == 200)
        *answer_out = json_pack("{s:s, s:s}", "login", call->login, "id", id);
    ops_factors_end(&x);
    return status;
}

/* ---- app-password.used ---- */

int ops_app_password_used(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *id, *country;
    struct ops_factors x = {0};
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s, s:s}", "login", &login, "id", &id, "country",
                       &country) < 0)
        return ops_fail_arguments(call, &error);
    int status = ops_factors_begin(call, login, &x);
    struct app_password *a = status == 200 ? factors_app(&x.factors, id_named(&x.factors, id)) : NULL;
    if (a) { /* else it was taken away since */
        a->used_ms = call->snapshot->now_wall_ms;
        (void)view_to_cstr(view_cstr(country), a->used_from, sizeof a->used_from);
        status = ops_factors_write(call, &x, false);
    } else if (status == 200) {
        status = ops_fail(call, 404, "there is no such app password");
    }
    if (status == 200)
        *answer_out = json_pack("{s:s}", "id", id);
    ops_factors_end(&x);
    return status;
}

/* ---- account.sign-in-rules ---- */

int ops_sign_in_rules(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login;
    int is_only;
    struct ops_factors x = {0};
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:b}", "login", &login, "app_passwords_only", &is_only) < 0)
        return ops_fail_arguments(call, &error);
    int status = ops_factors_begin(call, login, &x);
    if (status == 200) {
        x.factors.app_passwords_only = is_only;
        status = ops_factors_write(call, &x, true);
    }
    if (status == 200 && is_only)
        call->revoked = (struct ops_revoked){.account = x.account.id, .credential = 0};
    if (status == 200)
        *answer_out = json_pack("{s:s, s:I, s:b}", "login", call->login, "id", (json_int_t)x.account.id,
                                "app_passwords_only", is_only);
    ops_factors_end(&x);
    return status;
}
