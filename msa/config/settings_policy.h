/* The settings of policy: fixed decisions, and what is kept of people. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_POLICY_H
#define MSA_CONFIG_SETTINGS_POLICY_H

#include "msa/config/settings.h"

enum config_verdict { CONFIG_ACCEPT = 0, CONFIG_DEFER, CONFIG_REFUSE };
enum config_brake { CONFIG_BRAKE_OFF = 0, CONFIG_BRAKE_HOLD, CONFIG_BRAKE_REJECT };

struct config_policy {
    enum config_verdict connect;
    enum config_verdict login;
    struct config_rate messages;
    struct config_rate recipients;
    enum config_brake route;
    const char *default_pool; /* a pool's name, also when the file leaves it out */
};

enum config_addresses_form {
    CONFIG_ADDRESSES_FULL = 0,
    CONFIG_ADDRESSES_NETWORK,
    CONFIG_ADDRESSES_HASH,
};

struct config_privacy {
    enum config_addresses_form addresses; /* of clients, in records */
};

#endif
