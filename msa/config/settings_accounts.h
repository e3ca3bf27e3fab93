/* The settings of accounts in general, and how long records are kept. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_ACCOUNTS_H
#define MSA_CONFIG_SETTINGS_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

enum config_overseas { CONFIG_OVERSEAS_ALLOW = 0, CONFIG_OVERSEAS_BLOCK };

struct config_accounts { /* of an account that has no setting of its own */
    enum config_overseas overseas;
    int64_t new_since_ms; /* accounts made then or later are new; 0: none is */
    enum config_overseas overseas_new;
    bool content_score;
};

struct config_retention {
    int64_t restrictions_ms;
    int64_t access_ms;
};

#endif
