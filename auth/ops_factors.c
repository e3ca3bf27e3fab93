/* What the operations on app passwords and codes share: one change of an account's factors. */
#include "auth/ops_private.h"

#include "msa/base/err.h"

int ops_factors_begin(struct ops_call *call, const char *login, struct ops_factors *out)
{
    enum msa_lookup found = MSA_NOT_FOUND;
    store_begin(call->store, &out->change);
    if (!ops_take_login(call, login))
        return ops_fail_login(call);
    found = store_get(&out->change, view_cstr(call->login), &out->account);
    if (found != MSA_FOUND)
        return ops_fail_lookup(call, found);
    found = store_get_factors(&out->change, out->account.id, &out->factors);
    return found == MSA_RETRY ? ops_fail_lookup(call, found) : 200;
}

int ops_factors_write(struct ops_call *call, struct ops_factors *x, bool is_void)
{
    store_put_factors(&x->change, x->account.id, &x->factors);
    if (is_void) {
        x->account.generation++;
        store_replace(&x->change, view_cstr(call->login), &x->account);
    }
    int err = store_commit(&x->change);
    return err < 0 ? ops_fail_store(call, err) : 200;
}

void ops_factors_end(struct ops_factors *x)
{
    store_abort(&x->change);
    account_wipe(&x->account);
    factors_wipe(&x->factors);
}
