#include "auth/bearer.h"

#include <stdio.h>

#define SEP '\x01' /* kvsep */

/* ---- parts ----------------------------------------------------------------------------------- */

/* b64token of RFC 6750 §2.1, which is all a token may be in a header of HTTP. */
static bool is_token(struct view v)
{
    size_t n = v.n;
    while (n > 0 && v.p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        char c = v.p[i];
        bool is_mark = c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
        if (!is_mark && !ascii_is_alpha(c) && !ascii_is_digit(c))
            return false;
    }
    return n > 0 && v.n <= BEARER_TOKEN_MAX;
}

/* "Bearer" in any case (RFC 7235 §2.1), one space, the token. */
static bool take_auth(struct view value, struct view *token_out)
{
    static const struct view scheme = VIEW_LIT("Bearer ");
    *token_out = VIEW_EMPTY;
    if (!view_has_prefix_nocase(value, scheme))
        return false;
    *token_out = view_slice(value, scheme.n, value.n);
    return is_token(*token_out);
}

static bool is_without_controls(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] < 0x20 || v.p[i] == 0x7f)
            return false;
    return true;
}

/* The value of a pair: VCHAR, space, tab, CR, LF (RFC 7628 §3.1). */
static bool is_value(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if ((c < 0x20 || c > 0x7e) && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

static bool is_key(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!ascii_is_alpha(v.p[i]))
            return false;
    return v.n > 0;
}

/* saslname (RFC 5801 §4): "=2C" is a comma, "=3D" an equals sign, and neither stands for itself. */
static bool take_saslname(struct view v, char out[LOGIN_TYPED_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (c == '=') {
            struct view escape = view_slice(v, i, i + 3 <= v.n ? i + 3 : v.n);
            bool is_comma = view_eq(escape, VIEW_LIT("=2C"));
            if (!is_comma && !view_eq(escape, VIEW_LIT("=3D")))
                return false;
            c = is_comma ? ',' : '=';
            i += 2;
        }
        if (n == LOGIN_TYPED_MAX)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return n > 0;
}

/* ---- OAUTHBEARER ----------------------------------------------------------------------------- */

/* gs2-header (RFC 5801 §4): no channel binding, as the mechanism has none; a name or none. */
static bool take_gs2(struct view *rest, struct bearer *out)
{
    struct view flag = view_cut(rest, ',');
    size_t comma = view_find(*rest, ',');
    struct view name = view_slice(*rest, 0, comma);
    if ((!view_eq(flag, VIEW_LIT("n")) && !view_eq(flag, VIEW_LIT("y"))) || comma == rest->n)
        return false;
    *rest = view_slice(*rest, comma + 1, rest->n);
    if (name.n == 0)
        return true;
    return view_has_prefix(name, VIEW_LIT("a=")) && is_without_controls(name) &&
           take_saslname(view_slice(name, 2, name.n), out->login);
}

struct pairs {
    bool has_auth, has_host, has_port;
};

/* True the first time. */
static bool mark(bool *has)
{
    bool is_first = !*has;
    *has = true;
    return is_first;
}

/* Where the client believes it is connected: of no use here, but it must make sense. */
static bool is_port(struct view v)
{
    uint64_t n;
    return v.n <= 5 && view_parse_u64(v, UINT16_MAX, &n) && n > 0;
}

/* Keys that are not known are passed over (RFC 7628 §3.1). */
static bool take_pair(struct view pair, struct pairs *seen, struct bearer *out)
{
    size_t equals = view_find(pair, '=');
    struct view key = view_slice(pair, 0, equals);
    if (equals == pair.n || !is_key(key))
        return false;
    struct view value = view_slice(pair, equals + 1, pair.n);
    if (!is_value(value))
        return false;
    if (view_eq(key, VIEW_LIT("auth")))
        return mark(&seen->has_auth) && (value.n == 0 || take_auth(value, &out->token));
    if (view_eq(key, VIEW_LIT("host")))
        return mark(&seen->has_host) && value.n > 0 && value.n <= 255;
    if (view_eq(key, VIEW_LIT("port")))
        return mark(&seen->has_port) && is_port(value);
    return true;
}

static bool parse_oauth(struct view rest, struct bearer *out)
{
    struct pairs seen = {false, false, false};
    if (!take_gs2(&rest, out) || !view_take_char(&rest, SEP))
        return false;
    for (size_t i = 0; rest.n > 1 && i < BEARER_PAIRS_MAX; i++) {
        size_t end = view_find(rest, SEP);
        if (end == rest.n || !take_pair(view_slice(rest, 0, end), &seen, out))
            return false;
        rest = view_slice(rest, end + 1, rest.n);
    }
    return rest.n == 1 && rest.p[0] == SEP && seen.has_auth;
}

/* ---- XOAUTH2 --------------------------------------------------------------------------------- */

static bool parse_xoauth2(struct view rest, struct bearer *out)
{
    static const struct view user = VIEW_LIT("user="), auth = VIEW_LIT("auth=");
    if (!view_has_prefix(rest, user))
        return false;
    size_t end = view_find(rest, SEP);
    struct view name = view_slice(rest, user.n, end);
    rest = view_slice(rest, end < rest.n ? end + 1 : rest.n, rest.n);
    if (name.n == 0 || !is_without_controls(name) || !view_to_cstr(name, out->login, sizeof out->login) ||
        !view_has_prefix(rest, auth))
        return false;
    end = view_find(rest, SEP);
    struct view tail = view_slice(rest, end, rest.n);
    return take_auth(view_slice(rest, auth.n, end), &out->token) && tail.n == 2 && tail.p[1] == SEP;
}

enum auth_result bearer_parse(enum bearer_form form, struct view message, struct bearer *out)
{
    *out = (struct bearer){.token = VIEW_EMPTY};
    bool is_good = form == BEARER_OAUTH ? parse_oauth(message, out) : parse_xoauth2(message, out);
    if (!is_good)
        *out = (struct bearer){.token = VIEW_EMPTY};
    return is_good ? AUTH_OK : AUTH_MALFORMED;
}

/* ---- the refusal ----------------------------------------------------------------------------- */

static void add(char out[BEARER_REFUSAL_MAX], size_t *at, const char *key, const char *value)
{
    if (value[0] == '\0' || *at >= BEARER_REFUSAL_MAX)
        return;
    int n = snprintf(out + *at, BEARER_REFUSAL_MAX - *at, "%s\"%s\":\"%s\"", *at > 1 ? "," : "", key, value);
    *at += n > 0 ? (size_t)n : 0;
}

/* XOAUTH2 says HTTP's number where OAUTHBEARER has a word of RFC 6750 §3.1. */
void bearer_refusal(enum bearer_form form, const char *scope, const char *openid_configuration,
                    char out[BEARER_REFUSAL_MAX])
{
    size_t at = (size_t)snprintf(out, BEARER_REFUSAL_MAX, "{");
    add(out, &at, "status", form == BEARER_OAUTH ? "invalid_token" : "401");
    add(out, &at, "schemes", "bearer");
    add(out, &at, "scope", scope);
    if (form == BEARER_OAUTH)
        add(out, &at, "openid-configuration", openid_configuration);
    if (at < BEARER_REFUSAL_MAX - 1)
        snprintf(out + at, BEARER_REFUSAL_MAX - at, "}");
}
