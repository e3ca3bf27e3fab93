/* The table of settings: scoring. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_key score_keys[] = {
    {.name = "neutral_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_score, neutral_score_milli),
     .initial = "0.0",
     .min = -1000000,
     .max = 1000000,
     .roles = FOR_SCORE | FOR_SMTP | FOR_POLICY,
     .doc = "The score of a message that could not be looked at."},
    {.name = "deadline",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_score, deadline_ms),
     .initial = "5s",
     .min = 10,
     .max = 300000,
     .roles = FOR_SCORE | FOR_SMTP,
     .doc = "How long a message waits for its score before it goes on with `neutral_score`."},
};

const struct schema_block schema_score = {SCHEMA_KEYS(score_keys),
                                          .bytes = sizeof(struct config_score)};
