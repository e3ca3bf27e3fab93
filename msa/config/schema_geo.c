/* The table of settings: geography. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word unknown_words[] = {
    {"home", CONFIG_UNKNOWN_HOME}, {"overseas", CONFIG_UNKNOWN_OVERSEAS}, {0}};

static const struct schema_key place_label = {
    .name = "country",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_place, country),
    .roles = FOR_POLICY,
    .doc = "The country, two letters. One of your own choice (XA to XZ are nobody's) makes a \"country\" of "
           "the networks."};

static const struct schema_key place_keys[] = {
    {.name = "networks",
     .type = SCHEMA_PREFIX,
     SCHEMA_FIELD(config_place, networks),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST | SCHEMA_REQUIRED,
     .doc = "Networks that are in this country whatever the databases say; private ones are in none. "
            "The smallest network that holds an address decides."},
};

static const struct schema_block place_block = {SCHEMA_KEYS(place_keys), .label = &place_label,
                                                .bytes = sizeof(struct config_place)};

static const struct schema_key geo_keys[] = {
    {.name = "country",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_geo, country_file),
     .roles = FOR_POLICY,
     .doc = "A country database in MaxMind's format (.mmdb). It may be replaced while msad runs: put the new "
            "file beside it and rename it. Without one the country is that of `city`, or unknown."},
    {.name = "city",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_geo, city_file),
     .roles = FOR_POLICY,
     .doc = "A city database, for coordinates. Without one the middle of the country serves."},
    {.name = "asn",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_geo, asn_file),
     .roles = FOR_POLICY,
     .doc = "A database of autonomous systems."},
    {.name = "country_path",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_geo, country_paths),
     .initial = "country.iso_code country_code",
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST | SCHEMA_NONEMPTY,
     .doc = "Where in a record the country's two letters stand; the first that is there counts. Add "
            "`registered_country.iso_code` for networks that have a holder and no place."},
    {.name = "asn_path",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_geo, asn_paths),
     .initial = "autonomous_system_number asn",
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST | SCHEMA_NONEMPTY,
     .doc = "Where in a record the number stands."},
    {.name = "unknown",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_geo, unknown),
     .words = unknown_words,
     .initial = "home",
     .roles = FOR_POLICY,
     .doc = "What an address counts as whose country is not known: without a database everybody is."},
    {.name = "vague_networks",
     .type = SCHEMA_PREFIX,
     SCHEMA_FIELD(config_geo, vague_networks),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Networks that do not say where a person is (exits of VPN services, mobile carriers): no speed "
            "is measured from or to them."},
    {.name = "vague_asns",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_geo, vague_asns),
     .min = 1,
     .max = UINT32_MAX,
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "The same by number of autonomous system; needs `asn`."},
    {.name = "place",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_geo, places),
     .count_offset = offsetof(struct config_geo, place_count),
     .block = &place_block,
     .max = 64,
     .roles = FOR_POLICY,
     .doc = "Networks of which you know better."},
};

const struct schema_block schema_geo = {SCHEMA_KEYS(geo_keys), .bytes = sizeof(struct config_geo)};
