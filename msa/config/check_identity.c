/* Contradictions in the settings of sign-in by token, by certificate and by saslauthd. */
#include <sys/un.h>

#include "msa/config/check.h"

#define TOKEN_MECHANISMS ((uint32_t)(CONFIG_MECH_OAUTHBEARER | CONFIG_MECH_XOAUTH2))

static void check_url(const struct checker *c, const struct config_identity_provider *p)
{
    struct view url = view_cstr(p->introspection);
    bool is_https = view_has_prefix(url, VIEW_LIT("https://"));
    if (!is_https && !check_is_loopback_url(url))
        report_add(c->errs, check_place(c, &p->introspection, p),
                   "'introspection' begins with https://, or with http:// and a loopback address: tokens go there");
    if (is_https && p->ca_file[0] == '\0')
        report_add(c->errs, check_place(c, &p->introspection, p),
                   "'introspection' with https:// needs 'ca_file', the authorities that are trusted");
    if (is_https && p->client_id[0] == '\0')
        report_add(c->errs, check_place(c, &p->introspection, p),
                   "'introspection' with https:// needs 'client_id' and 'client_secret_file' (RFC 7662 section 2.1)");
    if ((p->client_id[0] == '\0') != (p->client_secret_file[0] == '\0'))
        report_add(c->errs, check_place(c, p, p), "'client_id' and 'client_secret_file' go together");
    if (p->addresses.count > CONFIG_PROVIDER_ADDRESSES_MAX)
        report_add(c->errs, check_place(c, &p->addresses, p), "'address' takes at most %d",
                   CONFIG_PROVIDER_ADDRESSES_MAX);
}

/* Both go to clients inside a JSON string, as they are. */
static bool is_plain(const char *text, bool may_have_space)
{
    for (; *text; text++)
        if (*text < (may_have_space ? 0x20 : 0x21) || *text > 0x7e || *text == '"' || *text == '\\')
            return false;
    return true;
}

static void check_told(const struct checker *c, const struct config_identity_provider *p)
{
    struct view url = view_cstr(p->openid_configuration);
    if (!is_plain(p->scope, true))
        report_add(c->errs, check_place(c, &p->scope, p),
                   "'scope' is words of ASCII without '\"' and '\\' (RFC 6749 section 3.3)");
    if (url.n > 0 && (!is_plain(p->openid_configuration, false) || !view_has_prefix(url, VIEW_LIT("https://"))))
        report_add(c->errs, check_place(c, &p->openid_configuration, p),
                   "'openid_configuration' is a URL that begins with https://");
}

static void check_certificates(const struct checker *c)
{
    const struct config_auth *a = &c->cfg->auth;
    bool is_offered = (a->mechanisms & CONFIG_MECH_EXTERNAL) != 0, is_there = false;
    for (uint32_t i = 0; i < c->cfg->listener_count; i++) {
        const struct config_client_certificates *l = &c->cfg->listeners[i].client_certificates;
        bool has_more = l->crl_file[0] != '\0' || l->map_file[0] != '\0' || l->required;
        is_there = is_there || l->ca_file[0] != '\0';
        if (l->ca_file[0] == '\0' && has_more)
            report_add(c->errs, check_place(c, &c->cfg->listeners[i], &c->cfg->listeners[i]),
                       "'client_certificates' needs 'ca_file', the authorities that vouch for clients");
        if (l->ca_file[0] != '\0' && !l->required && !is_offered)
            report_add(c->errs, check_place(c, &l->ca_file, &c->cfg->listeners[i]),
                       "'client_certificates' has no effect without 'required' here or EXTERNAL in 'mechanisms' of "
                       "block 'auth'");
    }
    if (is_offered && !is_there)
        report_add(c->errs, check_place(c, &a->mechanisms, a),
                   "EXTERNAL needs clients with certificates: add client_certificates { ca_file …; } to a listener");
}

static void check_saslauthd(const struct checker *c)
{
    const struct config_saslauthd *s = &c->cfg->saslauthd;
    size_t bytes = view_cstr(s->socket).n;
    if (bytes >= sizeof((struct sockaddr_un *)0)->sun_path)
        report_add(c->errs, check_place(c, &s->socket, s), "'socket' is longer than the %zu bytes of a Unix socket's path",
                   sizeof((struct sockaddr_un *)0)->sun_path - 1);
    if (bytes > 0 && s->deadline_ms >= c->cfg->deadlines.auth_answer_ms)
        report_add(c->errs, check_place(c, &s->deadline_ms, s),
                   "'deadline' must be shorter than 'auth_answer' in block 'deadlines' (%lld s)",
                   (long long)(c->cfg->deadlines.auth_answer_ms / 1000));
}

void check_identity(const struct checker *c)
{
    const struct config_identity_provider *p = &c->cfg->identity_provider;
    const struct config_auth *a = &c->cfg->auth;
    bool is_offered = (a->mechanisms & TOKEN_MECHANISMS) != 0, is_there = p->introspection[0] != '\0';
    check_certificates(c);
    check_saslauthd(c);
    if (is_offered && !is_there)
        report_add(c->errs, check_place(c, &a->mechanisms, a),
                   "OAUTHBEARER and XOAUTH2 need somebody who knows the tokens: add "
                   "identity_provider { introspection …; }");
    if (!is_there)
        return;
    if (!is_offered)
        report_add(c->errs, check_place(c, &p->introspection, p),
                   "'identity_provider' has no effect without OAUTHBEARER or XOAUTH2 in 'mechanisms' of block 'auth'");
    check_url(c, p);
    check_told(c, p);
    if (p->deadline_ms >= c->cfg->deadlines.auth_answer_ms)
        report_add(c->errs, check_place(c, &p->deadline_ms, p),
                   "'deadline' must be shorter than 'auth_answer' in block 'deadlines' (%lld s)",
                   (long long)(c->cfg->deadlines.auth_answer_ms / 1000));
}
