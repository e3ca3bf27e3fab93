/* The settings of scoring: how long, by how many, and the rules that look at a message. Conventions as in
 * settings.h. */
#ifndef MSA_CONFIG_SETTINGS_SCORE_H
#define MSA_CONFIG_SETTINGS_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings_rules.h"
#include "msa/config/settings_services.h"

struct config_score {
    int32_t neutral_score_milli;
    int64_t deadline_ms; /* the session waits no longer for an answer */
    struct config_services services;
};

#endif
