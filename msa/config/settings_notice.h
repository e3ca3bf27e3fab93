/* The settings of notices: who is told by mail what happened to an account, and which
 * programs. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_NOTICE_H
#define MSA_CONFIG_SETTINGS_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings.h"

enum config_language { CONFIG_LANGUAGE_JA = 0, CONFIG_LANGUAGE_EN };

enum config_event { /* bits */
                    CONFIG_EVENT_SUSPENDED = 1 << 0,
                    CONFIG_EVENT_HELD = 1 << 1,
                    CONFIG_EVENT_LOCKED = 1 << 2,
                    CONFIG_EVENT_OVERSEAS = 1 << 3,
                    CONFIG_EVENT_RELEASED = 1 << 4,
                    CONFIG_EVENT_LIMITED = 1 << 5,
                    CONFIG_EVENT_WARNED = 1 << 6,
                    CONFIG_EVENT_LOCKED_BY_OWNER = 1 << 7,
};

#define CONFIG_TEMPLATE_MAX_BYTES (32u << 10)
#define CONFIG_TEMPLATES_MAX      32 /* events, readers, languages */

struct config_template {
    const char *name; /* "suspended.customer.ja" */
    const char *file;
    const char *text; /* what it holds */
};

struct config_notice {
    const char *from; /* "": nobody is told anything */
    const char *desk; /* "": the desk is not told */
    bool customer;
    enum config_language language; /* of customers who have chosen none */
    enum config_language desk_language;
    uint32_t events; /* bits of enum config_event */
    uint32_t desk_per_hour;
    const char *utc_offset; /* "+09:00" */
    const struct config_template *templates;
    uint32_t template_count;
};

#define CONFIG_WEBHOOKS_MAX 4

struct config_webhook {
    const char *name;
    const char *url; /* https, or http to a loopback address */
    const char *secret_file;
    const char *secret;  /* what it holds */
    const char *ca_file; /* "": the system's */
    const char *ca_pem;  /* what it holds */
    uint32_t events;     /* bits of enum config_event */
    int64_t timeout_ms;
};

#endif
