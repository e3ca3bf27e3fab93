#include "auth/mech.h"

#include <string.h>

#include "msa/config/settings.h"

static const struct mech mechs[] = {
    {
        .name = "PLAIN",
        .base_name = "PLAIN",
        .config_bit = CONFIG_MECH_PLAIN,
        .kind = MECH_KIND_PLAIN,
        .is_client_first = true,
    },
    {
        .name = "LOGIN",
        .base_name = "LOGIN",
        .config_bit = CONFIG_MECH_LOGIN,
        .kind = MECH_KIND_LOGIN,
    },
    {
        .name = "SCRAM-SHA-256",
        .base_name = "SCRAM-SHA-256",
        .config_bit = CONFIG_MECH_SCRAM_SHA_256,
        .kind = MECH_KIND_SCRAM,
        .is_client_first = true,
    },
    {
        .name = "SCRAM-SHA-256-PLUS",
        .base_name = "SCRAM-SHA-256",
        .config_bit = CONFIG_MECH_SCRAM_SHA_256_PLUS,
        .kind = MECH_KIND_SCRAM,
        .is_client_first = true,
        .is_plus = true,
    },
    {
        .name = "CRAM-MD5",
        .base_name = "CRAM-MD5",
        .config_bit = CONFIG_MECH_CRAM_MD5,
        .kind = MECH_KIND_CRAM,
    },
    {
        .name = "OAUTHBEARER",
        .base_name = "OAUTHBEARER",
        .config_bit = CONFIG_MECH_OAUTHBEARER,
        .kind = MECH_KIND_BEARER,
        .form = BEARER_OAUTH,
        .is_client_first = true,
    },
    {
        .name = "XOAUTH2",
        .base_name = "XOAUTH2",
        .config_bit = CONFIG_MECH_XOAUTH2,
        .kind = MECH_KIND_BEARER,
        .form = BEARER_XOAUTH2,
        .is_client_first = true,
    },
    {
        .name = "EXTERNAL",
        .base_name = "EXTERNAL",
        .config_bit = CONFIG_MECH_EXTERNAL,
        .kind = MECH_KIND_EXTERNAL,
        .is_client_first = true,
    },
};

static const char *const binding_names[] = {"tls-exporter", "tls-unique", "tls-server-end-point"};

#define BINDING_COUNT (sizeof binding_names / sizeof binding_names[0])

struct view mech_binding_data(const struct mech_bindings *b, struct view name)
{
    const struct view data[BINDING_COUNT] = {b->exporter, b->unique, b->end_point};
    for (size_t i = 0; i < BINDING_COUNT; i++)
        if (view_eq(name, view_cstr(binding_names[i])))
            return data[i];
    return VIEW_EMPTY;
}

const struct mech *mech_find(struct view name, uint32_t configured, const struct mech_bindings *b)
{
    for (size_t i = 0; i < sizeof mechs / sizeof mechs[0]; i++) {
        const struct mech *m = &mechs[i];
        if (!view_eq_nocase(name, view_cstr(m->name)))
            continue;
        bool is_bindable = b->exporter.n > 0 || b->unique.n > 0 || b->end_point.n > 0;
        return (configured & m->config_bit) != 0 && (!m->is_plus || is_bindable) ? m : NULL;
    }
    return NULL;
}

/* RFC 4616 §2: [authzid] NUL authcid NUL passwd, and not one NUL more. */
enum auth_result mech_check_plain(struct view message)
{
    size_t nul_count = 0;
    for (size_t i = 0; i < message.n; i++)
        nul_count += message.p[i] == '\0';
    return nul_count == 2 ? AUTH_OK : AUTH_MALFORMED;
}

enum auth_result mech_check_text(struct view message)
{
    return view_find(message, '\0') == message.n ? AUTH_OK : AUTH_MALFORMED;
}

/* "p=" cb-name: only one that the session has data for. */
static enum auth_result choose_binding(struct view name, const struct mech_bindings *b,
                                       const char **binding_out)
{
    for (size_t i = 0; i < BINDING_COUNT; i++)
        if (view_eq(name, view_cstr(binding_names[i])) && mech_binding_data(b, name).n > 0)
            *binding_out = binding_names[i];
    return *binding_out ? AUTH_OK : AUTH_BAD_CREDENTIALS;
}

enum auth_result mech_check_scram_first(const struct mech *m, struct view message,
                                        bool is_plus_offered, const struct mech_bindings *b,
                                        const char **binding_out)
{
    struct view rest = message, flag = view_cut(&rest, ',');
    bool is_bound = view_has_prefix(flag, VIEW_LIT("p="));
    bool is_yes = view_eq(flag, VIEW_LIT("y"));
    *binding_out = NULL;
    if (mech_check_text(message) != AUTH_OK || flag.n == message.n ||
        (!is_bound && !is_yes && !view_eq(flag, VIEW_LIT("n"))))
        return AUTH_MALFORMED;
    if (is_bound != m->is_plus)
        return AUTH_MALFORMED;
    if (is_bound)
        return choose_binding(view_slice(flag, 2, flag.n), b, binding_out);
    return is_yes && is_plus_offered ? AUTH_BAD_CREDENTIALS : AUTH_OK;
}

enum auth_result mech_check_scram_final(struct view message)
{
    struct view rest = message;
    struct view binding = view_cut(&rest, ','), nonce = view_cut(&rest, ',');
    struct view proof = rest;
    while (proof.n > 0 && !view_has_prefix(proof, VIEW_LIT("p=")))
        view_cut(&proof, ','); /* extensions may stand before it */
    bool is_whole = view_has_prefix(binding, VIEW_LIT("c=")) &&
                    view_has_prefix(nonce, VIEW_LIT("r=")) && proof.n > 2 &&
                    mech_check_text(message) == AUTH_OK;
    return is_whole ? AUTH_OK : AUTH_MALFORMED;
}
