#include "auth/name.h"

static void find_in_store(struct store *store, struct msg_auth_name_answer *answer)
{
    struct account a;
    enum msa_lookup found = store_find(store, answer->login, &a);
    answer->result = found == MSA_NOT_FOUND ? NAME_NOBODY : NAME_UNKNOWN;
    if (found == MSA_FOUND) {
        answer->result = NAME_FOUND;
        answer->account = a.id;
        answer->created_ms = a.created_ms;
    }
    account_wipe(&a);
}

void name_find(struct store *store, const struct verify_rules *rules, struct view typed,
               char login[STORE_LOGIN_MAX + 1], struct msg_auth_name_answer *answer)
{
    verify_canonical(rules, typed, login);
    *answer = (struct msg_auth_name_answer){.result = NAME_INVALID, .login = view_cstr(login)};
    if (login[0] != '\0')
        find_in_store(store, answer);
}
