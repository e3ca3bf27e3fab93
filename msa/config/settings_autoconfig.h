/* The settings of autoconfiguration files for mail programs. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_AUTOCONFIG_H
#define MSA_CONFIG_SETTINGS_AUTOCONFIG_H

#include <stdint.h>

#include "msa/config/settings.h"
#include "msa/config/settings_rules.h"

struct config_autoconfig {
    struct config_strings domains; /* none: nothing is served */
    const char *name;              /* "": the hostname */
    const char *smtp_host, *imap_host, *pop_host; /* "": not offered */
    uint32_t smtp_port, imap_port, pop_port;
};

#endif
