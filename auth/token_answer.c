#include "auth/token_answer.h"

#include <jansson.h>
#include <string.h>

#define SKEW_S 60 /* that the provider's clock may be ahead: nbf alone. A token that has ended has ended. */

/* A string member that may be missing ("" then). False: it is there and no string. */
static bool get_text(const json_t *o, const char *key, const char **out)
{
    const json_t *v = json_object_get(o, key);
    *out = v && json_is_string(v) ? json_string_value(v) : "";
    return !v || json_is_string(v);
}

/* Seconds since 1970, 0 where it is missing. RFC 7519 allows fractions. */
static bool get_time(const json_t *o, const char *key, int64_t *out)
{
    const json_t *v = json_object_get(o, key);
    *out = 0;
    if (!v)
        return true;
    double n = json_number_value(v); /* 0 for what is no number */
    if (!json_is_number(v) || !(n >= 1 && n < 9e15))
        return false;
    *out = (int64_t)n;
    return true;
}

/* aud is one text or several (RFC 7519 §4.1.3). */
static bool has_audience(const json_t *o, const char *wanted)
{
    const json_t *aud = json_object_get(o, "aud"), *one;
    size_t i;
    if (json_is_string(aud))
        return strcmp(json_string_value(aud), wanted) == 0;
    json_array_foreach(aud, i, one)
        if (json_is_string(one) && strcmp(json_string_value(one), wanted) == 0)
            return true;
    return false;
}

static bool has_word(struct view words, struct view wanted)
{
    while (words.n > 0)
        if (view_eq(view_cut(&words, ' '), wanted))
            return true;
    return false;
}

static bool has_scope(const char *scope, const char *wanted)
{
    struct view rest = view_cstr(wanted);
    while (rest.n > 0) {
        struct view word = view_cut(&rest, ' ');
        if (word.n > 0 && !has_word(view_cstr(scope), word))
            return false;
    }
    return true;
}

/* Why an active token does not open mail here; "" if it does. NULL: rubbish. */
static const char *objection(const json_t *o, const struct config_identity_provider *p, int64_t now_s,
                             struct token_answer *out)
{
    const char *issuer, *scope, *login;
    int64_t not_before_s;
    if (!get_time(o, "exp", &out->expires_s) || !get_time(o, "nbf", &not_before_s) ||
        !get_text(o, "iss", &issuer) || !get_text(o, "scope", &scope) || !get_text(o, p->login_claim, &login))
        return NULL;
    if (out->expires_s != 0 && out->expires_s <= now_s)
        return "expired";
    if (not_before_s > now_s + SKEW_S)
        return "not-yet";
    if (p->issuer[0] != '\0' && strcmp(issuer, p->issuer) != 0)
        return "issuer";
    if (p->audience[0] != '\0' && !has_audience(o, p->audience))
        return "audience";
    if (!has_scope(scope, p->scope))
        return "scope";
    return view_to_cstr(view_cstr(login), out->finding.login, sizeof out->finding.login) && login[0] != '\0'
               ? ""
               : "login";
}

void token_answer_read(struct view json, const struct config_identity_provider *p, int64_t now_s,
                       struct token_answer *out)
{
    *out = (struct token_answer){.why = "rubbish"};
    json_t *o = json_loadb(json.p ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *active = json_object_get(o, "active");
    if (json_is_true(active)) {
        const char *why = objection(o, p, now_s, out);
        out->why = why ? why : "rubbish";
        if (why)
            out->finding.kind = why[0] == '\0' ? FINDING_GOOD : FINDING_BAD;
    } else if (json_is_false(active)) {
        out->finding.kind = FINDING_BAD;
        out->why = "inactive";
    }
    if (out->finding.kind != FINDING_GOOD)
        memset(out->finding.login, 0, sizeof out->finding.login);
    json_decref(o);
}
