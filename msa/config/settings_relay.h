/* The settings of relay: queue, pools of smarthosts, names. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_RELAY_H
#define MSA_CONFIG_SETTINGS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings.h"
#include "msa/config/settings_shape.h"

enum config_relay_tls {
    CONFIG_RELAY_TLS_REQUIRED = 0,
    CONFIG_RELAY_TLS_OPPORTUNISTIC,
    CONFIG_RELAY_TLS_OFF,
};

enum config_handover { CONFIG_HANDOVER_IMMEDIATE = 0, CONFIG_HANDOVER_QUEUE };

enum config_relay_mechanism {
    CONFIG_RELAY_AUTH_AUTO = 0, /* PLAIN, or LOGIN where only that is offered */
    CONFIG_RELAY_AUTH_PLAIN,
    CONFIG_RELAY_AUTH_LOGIN,
};

struct config_host {
    const char *name; /* a name, or an address without brackets */
    uint16_t port;    /* never 0 */
};

struct config_smarthost {
    struct config_host host;
    uint32_t preference; /* lower is tried first */
    bool mx;             /* look up the MX of `host`; its hosts' own preferences order them */
};

struct config_relay_auth {
    const char *user; /* "": no AUTH */
    const char *password_file;
    const char *password; /* what the file held; a secret, known to supervisor and relay only */
    enum config_relay_mechanism mechanism;
};

struct config_relay_deadlines { /* one per phase of RFC 5321 §4.5.3.2 */
    int64_t connect_ms;
    int64_t handshake_ms;
    int64_t greeting_ms;
    int64_t command_ms;
    int64_t data_ms;
    int64_t body_ms;
    int64_t final_dot_ms;
    int64_t idle_ms;
};

#define CONFIG_CA_MAX_BYTES (512u * 1024) /* Debian's bundle of all authorities has 220 KiB */

struct config_pool {
    const char *name;
    const struct config_smarthost *smarthosts; /* in the order of the file; at least one */
    uint32_t smarthost_count;
    struct config_addresses source;
    const char *ehlo_name; /* already filled from `hostname` where not set */
    enum config_relay_tls tls;
    bool implicit_tls;
    bool verify;
    const char *verify_name; /* "": the smarthost's own name */
    const char *ca_file;     /* "": the system's */
    const char *ca_pem;      /* what it holds */
    struct config_relay_auth auth;
    uint32_t connection_count;
    uint32_t messages_per_connection_count;
    uint32_t messages_per_minute; /* 0: no limit */
    const struct config_shape *shapes;
    uint32_t shape_count;
    enum config_handover handover;
    int64_t handover_deadline_ms;
    int64_t dead_host_pause_ms;
    const char *fallback; /* a pool's name; "": none */
    int64_t fallback_after_ms;
    uint32_t refused_warning_percent; /* 0: none */
    struct config_relay_deadlines deadlines;
};

struct config_queue {
    struct config_durations retry; /* wait before the 2nd, 3rd … attempt; the last repeats */
    int64_t expiry_ms;
    int64_t delay_notice_ms; /* 0: none */
    uint32_t message_count;
    uint64_t bytes;
    uint64_t min_free_bytes;
    uint32_t commit_batch_count;
    uint32_t body_inline_bytes;
    const char *bounce_from; /* an address, also when the file leaves it out */
    const char *postmaster;  /* as bounce_from */
};

struct config_dns {
    struct config_endpoints servers; /* empty: those of resolv.conf */
    int64_t timeout_ms;              /* of one attempt */
    uint32_t attempt_count;
    int64_t max_ttl_ms;
};

#endif
