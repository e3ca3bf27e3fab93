/* The settings of destinations: groups of recipients' domains, and what may go there. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_SHAPE_H
#define MSA_CONFIG_SETTINGS_SHAPE_H

#include <stdint.h>

#include "msa/config/settings.h"

#define CONFIG_DESTINATIONS_MAX    256
#define CONFIG_DESTINATION_DEFAULT "default"

struct config_towards { /* 0: no limit */
    uint32_t connection_count;
    uint32_t messages_per_connection_count;
    uint32_t messages_per_minute;
    uint32_t recipients_per_minute;
};

struct config_destination {
    const char *name; /* CONFIG_DESTINATION_DEFAULT: every domain that is in none */
    struct config_strings domains; /* as written; ".example.jp": all below it */
    struct config_towards limits;
};

struct config_shape { /* of a pool: instead of the destination's own limits */
    const char *name;
    struct config_towards limits;
};

#endif
