/* The one table of processes. Read a row as: this role runs as its own user, knows its own part of the
 * configuration, speaks with `links`, and after its start can do no more than `sandbox_rights` (and role_rights) say. */
#include "msa/proc/roles.h"

#include "auth/auth.h"
#include "msa/console/console.h"
#include "msa/proc/sandbox.h"
#include "policy/policy.h"
#include "policy/score/score.h"
#include "relay/relay.h"
#include "smtp/smtp.h"

const struct role_spec role_specs[] = {
    {
        .role = ROLE_AUTH,
        .config_role = CONFIG_ROLE_AUTH,
        .ops = &auth_role,
        .links = ROLE_SMTP | ROLE_CONSOLE,
        .has_state_dir = true,
        .sandbox_rights = SANDBOX_FILES | SANDBOX_THREADS,
        .read_paths = {"/dev/urandom"}, /* libsasl2; without it its challenges could be guessed */
    },
    {
        .role = ROLE_POLICY,
        .config_role = CONFIG_ROLE_POLICY,
        .ops = &policy_role,
        .links = ROLE_SMTP | ROLE_RELAY | ROLE_CONSOLE,
        .has_state_dir = true,
        .sandbox_rights = SANDBOX_FILES | SANDBOX_THREADS,
    },
    {
        .role = ROLE_SCORE,
        .config_role = CONFIG_ROLE_SCORE,
        .ops = &score_role,
        .links = ROLE_SMTP | ROLE_CONSOLE,
        .has_state_dir = true, /* the token database, opened before */
        .sandbox_rights = SANDBOX_CONNECT | SANDBOX_THREADS | SANDBOX_SYNC,
    },
    {
        .role = ROLE_RELAY,
        .config_role = CONFIG_ROLE_RELAY,
        .ops = &relay_role,
        .links = ROLE_SMTP | ROLE_POLICY | ROLE_CONSOLE,
        .has_state_dir = true,
        .sandbox_rights = SANDBOX_FILES | SANDBOX_CONNECT | SANDBOX_THREADS,
        /* the system's certificate authorities, read again at each reload; names are looked up by c-ares */
        .read_paths = {"/etc/ssl", "/usr/share/ca-certificates", "/usr/lib/ssl",
                       "/usr/local/share/ca-certificates", "/etc/hosts", "/etc/resolv.conf"},
    },
    {
        .role = ROLE_SMTP,
        .config_role = CONFIG_ROLE_SMTP,
        .ops = &smtp_role,
        .links = ROLE_AUTH | ROLE_POLICY | ROLE_SCORE | ROLE_RELAY | ROLE_CONSOLE,
        .has_listeners = true,
        .has_certificates = true,
        .sandbox_rights = SANDBOX_ACCEPT,
    },
    {
        .role = ROLE_CONSOLE,
        .config_role = CONFIG_ROLE_CONSOLE,
        .ops = &console_role,
        .links = ROLE_SMTP | ROLE_AUTH | ROLE_POLICY | ROLE_SCORE | ROLE_RELAY,
        .has_listeners = true,
        .has_certificates = true, /* with console { https … } alone */
        .sandbox_rights = SANDBOX_ACCEPT,
    },
};

const size_t role_spec_count = sizeof role_specs / sizeof role_specs[0];

const struct role_spec *role_spec_of(enum role role)
{
    for (size_t i = 0; i < role_spec_count; i++)
        if (role_specs[i].role == role)
            return &role_specs[i];
    return NULL;
}

unsigned role_process_count(const struct role_spec *spec, const struct config *cfg)
{
    if (spec->role == ROLE_SMTP)
        return config_worker_count(cfg);
    return spec->role == ROLE_SCORE && cfg->score_worker_count > 0 ? cfg->score_worker_count : 1;
}

unsigned role_msgid_worker(const struct role_spec *spec, unsigned index)
{
    if (spec->role == ROLE_SMTP)
        return index;
    return CONFIG_WORKERS_MAX + (unsigned)(spec - role_specs);
}

/* auth, which holds the passwords, speaks with nobody outside unless it is told to. */
unsigned role_rights(const struct role_spec *spec, const struct config *cfg)
{
    bool may_connect = spec->role == ROLE_AUTH &&
                       (cfg->identity_provider.introspection[0] != '\0' || cfg->saslauthd.socket[0] != '\0');
    return spec->sandbox_rights | (may_connect ? SANDBOX_CONNECT : 0u);
}

const char *role_user(const struct role_spec *spec, const struct config *cfg)
{
    switch (spec->role) {
    case ROLE_SMTP: return cfg->users.smtp;
    case ROLE_AUTH: return cfg->users.auth;
    case ROLE_POLICY: return cfg->users.policy;
    case ROLE_SCORE: return cfg->users.score;
    case ROLE_RELAY: return cfg->users.relay;
    case ROLE_CONSOLE: return cfg->users.console;
    case ROLE_SUPERVISOR:
    case ROLE_ANY: break;
    }
    return cfg->user;
}

bool role_is_linked(const struct role_spec *a, const struct role_spec *b)
{
    return (a->links & b->role) && (b->links & a->role);
}
