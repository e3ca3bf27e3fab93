/* The settings of routes: which way a message goes. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_ROUTE_H
#define MSA_CONFIG_SETTINGS_ROUTE_H

#include <stdint.h>

#include "msa/config/settings_rules.h"

enum config_route_then { /* from mild to strict */
    CONFIG_ROUTE_POOL = 0,
    CONFIG_ROUTE_HOLD,
    CONFIG_ROUTE_DEFER,
    CONFIG_ROUTE_REFUSE,
};

enum config_route_risky { CONFIG_RISKY_ANY = 0, CONFIG_RISKY_YES, CONFIG_RISKY_NO };

struct config_route_when { /* all that is set must hold; the first words are those of a rule */
    enum config_rule_origin origin;
    struct config_strings countries;
    struct config_strings classes;
    int64_t younger_than_ms; /* 0: any age */
    int64_t older_than_ms;
    const char *listener;
    int32_t min_score_milli;            /* CONFIG_SCORE_ANY_MILLI: not asked */
    struct config_strings destinations; /* names of `destination` blocks, or domains */
    struct config_strings findings;
    int64_t restricted_within_ms; /* 0: not asked */
    enum config_route_risky risky;
};

enum config_route_mode { CONFIG_ROUTE_ENFORCED = 0, CONFIG_ROUTE_SHADOW };

struct config_route {
    const char *name;
    enum config_route_mode mode;
    struct config_route_when when;
    enum config_route_then then;
    const char *pool; /* "": none */
    const char *text; /* of defer and refuse; "": the reply's own words */
    int64_t stay_ms;  /* 0: not at all */
    int32_t clean_below_milli; /* CONFIG_SCORE_ANY_MILLI: only a match is unclean */
};

#define CONFIG_ROUTES_MAX 64

#endif
