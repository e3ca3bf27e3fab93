/* The settings of geography: which databases say where an address is, and what is known better.
 * Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_GEO_H
#define MSA_CONFIG_SETTINGS_GEO_H

#include <stdint.h>

#include "msa/config/settings.h"
#include "msa/config/settings_rules.h"

enum config_unknown_country { CONFIG_UNKNOWN_HOME = 0, CONFIG_UNKNOWN_OVERSEAS };

struct config_place { /* networks that are in a country, whatever the databases say */
    const char *country;
    struct config_prefixes networks;
};

struct config_geo {
    const char *country_file; /* "": none */
    const char *city_file;
    const char *asn_file;
    struct config_strings country_paths;
    struct config_strings asn_paths;
    enum config_unknown_country unknown;
    struct config_prefixes vague_networks;
    struct config_numbers vague_asns;
    const struct config_place *places;
    uint32_t place_count;
};

#endif
