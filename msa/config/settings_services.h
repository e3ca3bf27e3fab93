/* The settings of the services that the score process asks: rspamd, clamd, milters. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_SERVICES_H
#define MSA_CONFIG_SETTINGS_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"

/* What follows from a service's answer, from mild to strict. */
enum config_service_act {
    CONFIG_ACT_NONE = 0,
    CONFIG_ACT_SCORE, /* adds `weight` */
    CONFIG_ACT_HOLD,
    CONFIG_ACT_DEFER,
    CONFIG_ACT_REFUSE,
};

struct config_service { /* what all of them have */
    const char *name;
    const char *socket; /* see config_service_address */
    int32_t weight_milli;
    int64_t deadline_ms;
    uint64_t max_bytes; /* longer messages are not sent there */
    enum config_service_act on_too_big;
    uint32_t concurrency_count;
    uint32_t waiting_count;
    uint32_t failure_count; /* one after the other, that open the breaker */
    int64_t pause_ms;       /* of an open breaker, before one message tries again */
};

struct config_rspamd {
    struct config_service common;
    const char *settings_id;
    bool add_headers;
    enum config_service_act on_reject;
    enum config_service_act on_soft_reject;
    enum config_service_act on_add_header;
    enum config_service_act on_rewrite_subject;
    enum config_service_act on_greylist;
};

struct config_clamd {
    struct config_service common;
    enum config_service_act on_virus;
    enum config_service_act on_heuristic; /* a name that begins with "Heuristics." */
};

struct config_milter {
    struct config_service common;
    bool add_headers;
    enum config_service_act on_reject;
    enum config_service_act on_tempfail;
    enum config_service_act on_discard;
    enum config_service_act on_quarantine;
};

#define CONFIG_SERVICES_MAX 8 /* of each kind */

struct config_services {
    const struct config_rspamd *rspamds;
    uint32_t rspamd_count;
    const struct config_clamd *clamds;
    uint32_t clamd_count;
    const struct config_milter *milters;
    uint32_t milter_count;
};

/* "127.0.0.1:3310", "[::1]:3310" or "/run/clamav/clamd.ctl" (107 bytes at most). */
struct config_service_address {
    const char *path; /* NULL: `ip` and `port` */
    struct ipaddr ip;
    uint16_t port;
};

bool config_service_address(const char *text, struct config_service_address *out);

#endif
