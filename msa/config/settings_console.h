/* The settings of console: its doors. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_CONSOLE_H
#define MSA_CONFIG_SETTINGS_CONSOLE_H

#include "msa/config/settings.h"
#include "msa/config/settings_rules.h"

struct config_console {
    const char *socket; /* already filled from runtime_dir where not set */
    struct config_endpoints metrics;
    struct config_endpoints auth_policy;
    struct config_endpoints postfix_policy; /* loopback only */
    struct config_endpoints http;  /* API and pages in clear: loopback only */
    struct config_endpoints https; /* behind TLS */
    struct config_strings host_names;
    const char *auth_policy_token_file;
    const char *auth_policy_token; /* what the file held; known to supervisor and console only */
};

#endif
