/* The settings of DKIM signing. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_DKIM_H
#define MSA_CONFIG_SETTINGS_DKIM_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings_rules.h"

#define CONFIG_DKIM_MAX           1000u        /* domains */
#define CONFIG_DKIM_SELECTORS_MAX 8u           /* of one domain */
#define CONFIG_DKIM_KEY_MAX_BYTES (16u * 1024) /* of one key in PEM; RSA with 4096 bits has 3.3 KiB */
#define CONFIG_DKIM_KEYS_MAX_BYTES (2u << 20)  /* of all: they travel in one snapshot */

struct config_dkim_selector {
    const char *name; /* "s1": the key is published at s1._domainkey.DOMAIN */
    const char *key_file;
    const char *key_pem; /* what it holds; a secret, known to supervisor and relay only */
    bool use;
};

struct config_dkim {
    const char *domain;
    bool subdomains;
    const struct config_dkim_selector *selectors; /* in the order of the file; at least one */
    uint32_t selector_count;
    struct config_strings oversign; /* names of fields; From is among them */
    struct config_strings sign;
    int64_t expire_ms; /* 0: never */
};

#endif
