/* The settings of accounts in general, and how long records are kept. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_ACCOUNTS_H
#define MSA_CONFIG_SETTINGS_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

enum config_overseas { CONFIG_OVERSEAS_ALLOW = 0, CONFIG_OVERSEAS_BLOCK };

/* Contents are read only as far as this and the account's own word allow (secrecy of communications). */
enum config_content_scoring {
    CONFIG_SCORING_YES = 0, /* unless the account has refused */
    CONFIG_SCORING_NO,      /* never */
    CONFIG_SCORING_CONSENT, /* only where the account has agreed */
};

struct config_account_class {
    const char *name;
    enum config_content_scoring content_scoring;
};

struct config_accounts { /* of an account that has no setting of its own */
    enum config_overseas overseas;
    int64_t new_since_ms; /* accounts made then or later are new; 0: none is */
    enum config_overseas overseas_new;
    enum config_content_scoring content_scoring;
    const struct config_account_class *classes;
    uint32_t class_count;
};

struct config_retention {
    int64_t restrictions_ms;
    int64_t access_ms;
    int64_t sign_ins_ms;
    int64_t sent_ms; /* 0: nothing is kept */
};

#endif
