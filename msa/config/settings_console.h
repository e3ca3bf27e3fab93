/* The settings of console: its doors. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_CONSOLE_H
#define MSA_CONFIG_SETTINGS_CONSOLE_H

#include "msa/config/settings.h"
#include "msa/config/settings_rules.h"

enum config_proxy_header { CONFIG_PROXY_X_FORWARDED_FOR = 0, CONFIG_PROXY_FORWARDED };

struct config_console {
    const char *socket; /* already filled from runtime_dir where not set */
    struct config_endpoints metrics;
    struct config_endpoints auth_policy;
    struct config_endpoints postfix_policy; /* loopback only */
    struct config_endpoints http;  /* API and pages in clear: loopback only */
    struct config_endpoints https; /* behind TLS */
    struct config_strings host_names;
    struct config_prefixes trusted_proxies;
    enum config_proxy_header proxy_header;
    struct config_numbers operator_uids, support_uids, portal_uids; /* of peers of the socket */
    const char *auth_policy_token_file;
    const char *auth_policy_token; /* what the file held; known to supervisor and console only */
};

#endif
