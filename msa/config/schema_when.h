/* Within msa/config: the conditions that rules and alignment share. */
#ifndef MSA_CONFIG_SCHEMA_WHEN_H
#define MSA_CONFIG_SCHEMA_WHEN_H

#include "msa/config/schema.h"

extern const struct schema_word schema_origin_words[];
extern const struct schema_word schema_any_words[]; /* "any": 0 */

#define SCHEMA_AGE_MAX_MS (INT64_C(400) * 86400000)

/* The first keys of a `when` block, for the fields of these names in `object`. */
#define SCHEMA_WHEN_KEYS(object)                                                                   \
    {.name = "from",                                                                               \
     .type = SCHEMA_CHOICE,                                                                        \
     SCHEMA_FIELD(object, origin),                                                                 \
     .words = schema_origin_words,                                                                 \
     .initial = "anywhere",                                                                        \
     .roles = FOR_POLICY,                                                                          \
     .doc = "Where the client is: in one of the account's home countries, or not."},               \
    {.name = "countries",                                                                          \
     .type = SCHEMA_NAME,                                                                          \
     SCHEMA_FIELD(object, countries),                                                              \
     .roles = FOR_POLICY,                                                                          \
     .flags = SCHEMA_LIST,                                                                         \
     .doc = "Countries of the client, two letters each."},                                         \
    {.name = "classes",                                                                            \
     .type = SCHEMA_NAME,                                                                          \
     SCHEMA_FIELD(object, classes),                                                                \
     .roles = FOR_POLICY,                                                                          \
     .flags = SCHEMA_LIST,                                                                         \
     .doc = "Classes of account."},                                                                \
    {.name = "younger_than",                                                                       \
     .type = SCHEMA_TIME,                                                                          \
     SCHEMA_FIELD(object, younger_than_ms),                                                        \
     .words = schema_any_words,                                                                    \
     .initial = "any",                                                                             \
     .min = 1,                                                                                     \
     .max = SCHEMA_AGE_MAX_MS,                                                                     \
     .roles = FOR_POLICY,                                                                          \
     .doc = "Accounts made less than this ago."},                                                  \
    {.name = "older_than",                                                                         \
     .type = SCHEMA_TIME,                                                                          \
     SCHEMA_FIELD(object, older_than_ms),                                                          \
     .words = schema_any_words,                                                                    \
     .initial = "any",                                                                             \
     .min = 1,                                                                                     \
     .max = SCHEMA_AGE_MAX_MS,                                                                     \
     .roles = FOR_POLICY,                                                                          \
     .doc = "Accounts made at least this long ago, or of unknown age."}

#endif
