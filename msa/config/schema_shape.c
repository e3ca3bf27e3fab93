/* The table of settings: destinations, and how much may go there. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word off_words[] = {{"off", 0}, {0}};

/* The four limits, in `object` at `within`. */
#define LIMIT(object, within, field, key, most, text)                                              \
    {.name = key,                                                                                  \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(object, within field),                                                           \
     .words = off_words,                                                                           \
     .initial = "off",                                                                             \
     .min = 1,                                                                                     \
     .max = most,                                                                                  \
     .roles = FOR_RELAY,                                                                           \
     .doc = text}

#define LIMITS(object, within)                                                                     \
    LIMIT(object, within, connection_count, "connections", 1000,                                   \
          "Transactions at once that carry recipients there, in each pool."),                      \
    LIMIT(object, within, messages_per_connection_count, "messages_per_connection", 1000000,       \
          "Messages with recipients there over one connection; then it is closed."),               \
    LIMIT(object, within, messages_per_minute, "messages_per_minute", 1000000,                     \
          "Messages in any 60 seconds, in each pool: a tenth of them may go at once, the "         \
          "rest evenly."),                                                                         \
    LIMIT(object, within, recipients_per_minute, "recipients_per_minute", 1000000,                 \
          "The same for recipients. Of a message that has more, the others wait.")

static const struct schema_key destination_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_destination, name),
    .roles = FOR_RELAY | FOR_POLICY,
    .doc = "Its name in routes, pools and figures. `default` stands for every domain that no "
           "other block names, each by itself."};

static const struct schema_key destination_keys[] = {
    {.name = "domains",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_destination, domains),
     .max = 255,
     .roles = FOR_RELAY | FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Domains of recipients; one that begins with a dot stands for all below it, but not for "
            "itself."},
    LIMITS(config_destination, limits.),
};

const struct schema_block schema_destination = {SCHEMA_KEYS(destination_keys),
                                                .label = &destination_label,
                                                .bytes = sizeof(struct config_destination)};

static const struct schema_key shape_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_shape, name),
    .roles = FOR_RELAY,
    .doc = "The name of a destination."};

static const struct schema_key shape_keys[] = {LIMITS(config_shape, limits.)};

const struct schema_block schema_shape = {SCHEMA_KEYS(shape_keys),
                                          .label = &shape_label,
                                          .bytes = sizeof(struct config_shape)};
