/* A password that came over a page, or from a POP or IMAP server: the same check as PLAIN over SMTP, with the same work
 * whatever is wrong. Policy says what becomes of it; nobody but console may ask, and never on its own. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/app_password.h"
#include "auth/app_use.h"
#include "auth/keyed.h"
#include "auth/ops_private.h"

/* The wrong password's hash is a text: a JSON number could not hold it. */
static void format_mark(uint64_t mark, char out[24])
{
    out[0] = '\0';
    if (mark)
        snprintf(out, 24, "%" PRIu64, mark);
}

static json_t *outcome_json(const struct verify *v, enum auth_result result)
{
    char wrong[24];
    format_mark(result == AUTH_OK ? 0 : v->wrong_password, wrong);
    return json_pack("{s:s, s:I, s:I, s:b, s:s}", "login", v->login, "account",
                     (json_int_t)(v->is_known ? v->account.id : 0), "created_ms",
                     (json_int_t)(v->is_known ? v->account.created_ms : 0), "is_good", result == AUTH_OK,
                     "wrong_password", wrong);
}

/* The password is right: is a code asked for, too? A page that comes without one has a mark, always the same for
 * the account, which is counted like a wrong password's, once. */
static int add_code_needed(const struct ops_call *call, const struct verify *v, json_t *o)
{
    struct factors f;
    char mark_text[24];
    uint8_t hash[KEYED_BYTES];
    uint64_t mark = 0;
    enum msa_lookup found = store_find_factors(call->store, v->account.id, &f);
    bool is_needed = f.totp == TOTP_ON;
    factors_wipe(&f);
    keyed_hash(store_key(call->store), "no code", view_cstr(v->login), VIEW_EMPTY, hash);
    memcpy(&mark, hash, sizeof mark);
    format_mark(mark ? mark : 1, mark_text);
    json_object_set_new(o, "is_code_needed", json_boolean(is_needed));
    if (is_needed)
        json_object_set_new(o, "wrong_password", json_string(mark_text));
    return found == MSA_RETRY ? -1 : 0;
}

/* What a POP or IMAP server's question needs beside: the password was right but is not for mail programs, which counts
 * for nothing; and whose last use is to be written down, if it was none of today's from the same country. */
static void add_for_mail(const struct ops_call *call, const struct verify *v, enum auth_result result, json_t *o)
{
    int64_t now_ms = call->snapshot->now_wall_ms;
    char id[OPS_APP_ID_SIZE];
    json_object_set_new(o, "is_uncounted", json_boolean(result == AUTH_NOT_THIS_PASSWORD));
    if (result != AUTH_OK || v->app_id == 0)
        return;
    ops_app_format_id(v->app_id, id);
    json_object_set_new(o, "app", json_string(id));
    if (!app_use_is_due(v->app_used_ms, v->app_used_from, now_ms, v->app_used_from))
        json_object_set_new(o, "used_today_from", json_string(v->app_used_from));
}

static int verify(struct ops_call *call, struct view login, struct view password, unsigned scope,
                  json_t **answer_out)
{
    struct verify v;
    verify_init(&v, call->env, call->rules);
    v.now_ms = call->snapshot->now_mono_ms;
    v.scope = scope;
    v.may_ask = true;
    verify_login(&v, login);
    enum auth_result result = verify_password(&v, password);
    if (v.is_pending && call->finding) {
        result = verify_settle(&v, password, call->finding);
    } else if (v.is_pending) {
        call->asks = true;
        call->secret = password;
    }
    if (result == AUTH_OK)
        result = verify_authorize(&v);
    json_t *o = result == AUTH_UNAVAILABLE ? NULL : outcome_json(&v, result);
    if (o && result == AUTH_OK && scope == 0 && add_code_needed(call, &v, o) < 0) {
        json_decref(o);
        o = NULL;
        result = AUTH_UNAVAILABLE;
    }
    if (o && scope != 0)
        add_for_mail(call, &v, result, o);
    *answer_out = o;
    (void)view_to_cstr(view_cstr(v.login), call->login, sizeof call->login);
    const char *why = v.account.kind == HASH_SASLAUTHD ? "saslauthd does not say whether the password is right"
                                                        : "the account store cannot be read";
    if (result == AUTH_UNAVAILABLE)
        ops_fail(call, 503, "%s", why);
    verify_fini(&v);
    return result == AUTH_UNAVAILABLE ? 503 : 200;
}

int ops_sign_in_verify(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *password;
    size_t login_bytes, password_bytes;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s%, s:s%}", "login", &login, &login_bytes, "password", &password,
                       &password_bytes) < 0)
        return ops_fail_arguments(call, &error);
    return verify(call, view_of(login, login_bytes), view_of(password, password_bytes), 0, answer_out);
}

int ops_app_password_check(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *password, *scope_name;
    size_t login_bytes, password_bytes;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s%, s:s%, s:s}", "login", &login, &login_bytes, "password",
                       &password, &password_bytes, "scope", &scope_name) < 0)
        return ops_fail_arguments(call, &error);
    unsigned scope = app_scope_named(view_cstr(scope_name));
    if (scope == 0)
        return ops_fail(call, 400, "'scope' is smtp, imap or pop");
    return verify(call, view_of(login, login_bytes), view_of(password, password_bytes), scope, answer_out);
}
