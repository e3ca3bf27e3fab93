/* The settings of destinations: groups of recipients' domains. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_SHAPE_H
#define MSA_CONFIG_SETTINGS_SHAPE_H

#include "msa/config/settings_rules.h"

#define CONFIG_DESTINATIONS_MAX 256

struct config_destination {
    const char *name;
    struct config_strings domains; /* as written; ".example.jp": all below it */
};

#endif
