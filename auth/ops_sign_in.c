/* A password that came over a page: the same check as PLAIN over SMTP, with the same work whatever is wrong. Policy says
 * what becomes of it; nobody but console may ask, and never on its own. */
#include <inttypes.h>
#include <stdio.h>

#include "auth/ops_private.h"

/* The wrong password's hash is a text: a JSON number could not hold it. */
static json_t *outcome_json(const struct verify *v, enum auth_result result)
{
    char wrong[24] = "";
    if (result != AUTH_OK && v->wrong_password)
        snprintf(wrong, sizeof wrong, "%" PRIu64, v->wrong_password);
    return json_pack("{s:s, s:I, s:I, s:b, s:s}", "login", v->login, "account",
                     (json_int_t)(v->is_known ? v->account.id : 0), "created_ms",
                     (json_int_t)(v->is_known ? v->account.created_ms : 0), "is_good", result == AUTH_OK,
                     "wrong_password", wrong);
}

int ops_sign_in_verify(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login, *password;
    size_t login_bytes, password_bytes;
    struct verify v;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s%, s:s%}", "login", &login, &login_bytes, "password", &password,
                       &password_bytes) < 0)
        return ops_fail_arguments(call, &error);
    verify_init(&v, call->env, call->rules);
    v.now_ms = call->snapshot->now_mono_ms;
    verify_login(&v, view_of(login, login_bytes));
    enum auth_result result = verify_password(&v, view_of(password, password_bytes));
    if (result == AUTH_OK)
        result = verify_authorize(&v);
    if (result != AUTH_UNAVAILABLE)
        *answer_out = outcome_json(&v, result);
    int status = result == AUTH_UNAVAILABLE ? ops_fail(call, 503, "the account store cannot be read") : 200;
    (void)view_to_cstr(view_cstr(v.login), call->login, sizeof call->login);
    verify_fini(&v);
    return status;
}
