#include "auth/direct.h"

#include <string.h>

enum auth_result direct_bearer(struct verify *v, enum bearer_form form, struct view message,
                               struct bearer *out)
{
    enum auth_result result = bearer_parse(form, message, out);
    if (result != AUTH_OK)
        return result;
    if (out->login[0] != '\0')
        verify_login(v, view_cstr(out->login));
    if (v->is_broken)
        return AUTH_UNAVAILABLE;
    return out->token.n > 0 ? AUTH_OK : verify_refusal(v);
}

/* The token is good: is it this account's? */
static bool is_owner(struct verify *v, const struct finding *f)
{
    char owner[STORE_LOGIN_MAX + 1];
    if (!v->is_named)
        verify_login(v, view_cstr(f->login));
    verify_canonical(v->rules, view_cstr(f->login), owner);
    return owner[0] != '\0' && strcmp(owner, v->login) == 0;
}

enum auth_result direct_bearer_settle(struct verify *v, const struct bearer *b, const struct finding *f)
{
    if (f->kind == FINDING_AWAY)
        return AUTH_UNAVAILABLE;
    if (f->kind == FINDING_GOOD && is_owner(v, f) && v->is_known) {
        v->is_without_password = true;
        return verify_authorize(v);
    }
    verify_note_wrong(v, b->token);
    return verify_refusal(v);
}

enum auth_result direct_external(struct verify *v, struct view certificate, struct view message)
{
    char wanted[STORE_LOGIN_MAX + 1];
    if (view_find(message, '\0') < message.n)
        return AUTH_MALFORMED;
    verify_login(v, certificate);
    verify_canonical(v->rules, message, wanted);
    if (v->is_broken)
        return AUTH_UNAVAILABLE;
    if (!v->is_known || (message.n > 0 && strcmp(wanted, v->login) != 0))
        return verify_refusal(v);
    v->is_without_password = true;
    return verify_authorize(v);
}
