/* account.resolve: from names as people write them to accounts, for roles that know accounts by id. */
#include "auth/ops_private.h"

#include "msa/base/err.h"

#define LOGINS_MAX 1000

/* MSA_RETRY: the store cannot say. */
static enum msa_lookup resolve_one(struct ops_call *call, const json_t *login, json_t *accounts,
                                   json_t *missing)
{
    struct account a;
    struct view text = view_of(json_string_value(login), json_string_length(login));
    verify_canonical(call->rules, text, call->login);
    enum msa_lookup found = call->login[0] == '\0'
                                ? MSA_NOT_FOUND
                                : store_find(call->store, view_cstr(call->login), &a);
    if (found == MSA_FOUND) {
        json_array_append_new(accounts, json_pack("{s:s, s:I, s:I}", "login", call->login, "account",
                                                  (json_int_t)a.id, "created_ms",
                                                  (json_int_t)a.created_ms));
        account_wipe(&a);
    } else if (found == MSA_NOT_FOUND) {
        json_array_append_new(missing, json_stringn(text.p ? text.p : "", text.n));
    }
    return found;
}

int ops_resolve(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    json_t *logins, *login;
    size_t i;
    enum msa_lookup found = MSA_FOUND;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:o}", "logins", &logins) < 0)
        return ops_fail_arguments(call, &error);
    if (!json_is_array(logins) || json_array_size(logins) > LOGINS_MAX)
        return ops_fail(call, 400, "'logins' is a list of at most %d names", LOGINS_MAX);
    json_t *accounts = json_array(), *missing = json_array();
    json_array_foreach(logins, i, login) {
        found = resolve_one(call, login, accounts, missing);
        if (found == MSA_RETRY)
            break;
    }
    call->login[0] = '\0';
    *answer_out = json_pack("{s:o, s:o}", "accounts", accounts, "missing", missing);
    if (found != MSA_RETRY)
        return 200;
    json_decref(*answer_out);
    *answer_out = NULL;
    return ops_fail(call, 503, "the account store cannot be read");
}
