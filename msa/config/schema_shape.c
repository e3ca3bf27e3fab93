/* The table of settings: destinations. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_key destination_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_destination, name),
    .roles = FOR_RELAY | FOR_POLICY,
    .doc = "Its name in routes."};

static const struct schema_key destination_keys[] = {
    {.name = "domains",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_destination, domains),
     .max = 255,
     .roles = FOR_RELAY | FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Domains of recipients; one that begins with a dot stands for all below it, but not for "
            "itself."},
};

const struct schema_block schema_destination = {SCHEMA_KEYS(destination_keys),
                                                .label = &destination_label,
                                                .bytes = sizeof(struct config_destination)};
