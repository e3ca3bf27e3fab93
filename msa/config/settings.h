/* The settings as the code reads them: plain nested structs, filled by offset from the table in
 * schema.c, never changed afterwards. conf/REFERENCE.md explains every key; comments here say only
 * what the type does not.
 *
 * Conventions: strings are never NULL, "" is "not set". Times are milliseconds. A list is a pointer
 * and a count. In a snapshot (config_parse_snapshot) what the role may not know has its default. */
#ifndef MSA_CONFIG_SETTINGS_H
#define MSA_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/log.h"

struct config_endpoint {
    struct ipaddr addr; /* none (all zero, "*" or "[::]"): both families, every address */
    uint16_t port;
};

struct config_rate {
    uint32_t limit; /* 0: off */
    int64_t window_ms;
};

struct config_numbers {
    const uint32_t *items;
    uint32_t count;
};

struct config_strings {
    const char *const *items;
    uint32_t count;
};

struct config_prefixes {
    const struct ipprefix *items;
    uint32_t count;
};

struct config_endpoints {
    const struct config_endpoint *items;
    uint32_t count;
};

struct config_addresses {
    const struct ipaddr *items;
    uint32_t count;
};

struct config_durations {
    const int64_t *items_ms;
    uint32_t count;
};

/* ---- process-wide ---------------------------------------------------------------------------- */

enum config_log_target { CONFIG_LOG_STDERR = 0, CONFIG_LOG_FILE, CONFIG_LOG_SYSLOG };

struct config_log {
    enum config_log_target target;
    const char *file; /* with CONFIG_LOG_FILE */
    enum log_level level;
};

struct config_users { /* each already filled from `user` where not set */
    const char *smtp;
    const char *auth;
    const char *policy;
    const char *score;
    const char *relay;
    const char *console;
};

/* ---- the client's side ----------------------------------------------------------------------- */

enum config_listener_mode {
    CONFIG_SUBMISSION = 0, /* STARTTLS, port 587 */
    CONFIG_SUBMISSIONS,    /* implicit TLS, port 465 */
};

enum config_proxy { CONFIG_PROXY_NO = 0, CONFIG_PROXY_V1, CONFIG_PROXY_V2, CONFIG_PROXY_ANY };

#define CONFIG_CRL_MAX_BYTES (1u << 20)
#define CONFIG_MAP_MAX_BYTES (256u << 10)

struct config_client_certificates {
    const char *ca_file;
    const char *ca_pem; /* what it holds; "": clients are not asked for one */
    bool required;
    const char *crl_file;
    const char *crl_pem;
    const char *map_file;
    const char *map; /* "": the certificate's mail address is the login */
};

struct config_listener {
    const char *name; /* also the name of its sockets under systemd (FileDescriptorName=) */
    struct config_endpoints addresses;
    enum config_listener_mode mode;
    uint32_t backlog_count;
    enum config_proxy proxy_protocol;
    struct config_prefixes proxy_from;
    struct config_prefixes xclient_from;
    bool auth_without_tls; /* every address of the listener is loopback then */
    struct config_client_certificates client_certificates;
};

enum config_tls_version { CONFIG_TLS_1_2 = 0, CONFIG_TLS_1_3 };

struct config_certificate {
    const char *cert_file; /* PEM, leaf first, chain behind */
    const char *key_file;
};

struct config_tls {
    enum config_tls_version min_version;
    const struct config_certificate *certificates; /* the first serves clients without SNI */
    uint32_t certificate_count;
};

enum config_mechanism { /* bits */
    CONFIG_MECH_PLAIN = 1 << 0,
    CONFIG_MECH_LOGIN = 1 << 1,
    CONFIG_MECH_SCRAM_SHA_256 = 1 << 2,
    CONFIG_MECH_SCRAM_SHA_256_PLUS = 1 << 3,
    CONFIG_MECH_CRAM_MD5 = 1 << 4,
    CONFIG_MECH_OAUTHBEARER = 1 << 5,
    CONFIG_MECH_XOAUTH2 = 1 << 6,
    CONFIG_MECH_EXTERNAL = 1 << 7,
};

struct config_auth {
    uint32_t mechanisms; /* bits of enum config_mechanism, never 0 */
    const char *default_domain;
    uint32_t scram_iteration_count;
    uint32_t thread_count; /* 0: one per core */
    uint32_t hash_queue_count;
    uint32_t hash_queue_per_address_count;
    int64_t credential_cache_ms; /* 0: off */
    int64_t failure_delay_ms;
};

enum config_long_lines { CONFIG_LONG_LINES_REJECT = 0, CONFIG_LONG_LINES_ACCEPT };

struct config_limits {
    uint32_t command_line_bytes; /* with CRLF, before what extensions add */
    uint32_t auth_line_bytes;
    uint32_t text_line_bytes;    /* without CRLF */
    enum config_long_lines long_lines;
    struct config_prefixes normalize_newlines_from;
    uint32_t header_bytes;
    uint32_t header_field_count;
    uint32_t header_field_bytes;
    uint64_t message_bytes;
    uint32_t recipient_count;
    uint32_t message_count; /* in one session */
    uint32_t hop_count;
    uint32_t error_count;
    uint32_t junk_command_count;
    uint32_t auth_failure_count;
    uint32_t session_count; /* of the whole server: each worker takes an equal share */
    uint32_t session_per_address_count;
    uint32_t preauth_session_count; /* as session_count */
    uint32_t preauth_per_address_count;
    struct config_rate handshakes_per_address;
    uint32_t session_output_bytes;
};

struct config_deadlines {
    int64_t greeting_pause_ms;
    int64_t proxy_header_ms;
    int64_t handshake_ms;
    int64_t preauth_command_ms;
    int64_t preauth_session_ms;
    int64_t auth_exchange_ms;
    int64_t command_ms;
    int64_t data_idle_ms;
    uint32_t data_min_rate_bytes; /* per second, in the mean; 0: none */
    int64_t output_stall_ms;
    int64_t session_ms;
    int64_t auth_answer_ms;
    int64_t policy_answer_ms;
    int64_t relay_answer_ms;
    int64_t drain_ms;
};

enum config_client_address { CONFIG_CLIENT_FULL = 0, CONFIG_CLIENT_COUNTRY, CONFIG_CLIENT_NONE };
enum config_sender_fix { CONFIG_SENDER_ADD = 0, CONFIG_SENDER_REPLACE, CONFIG_SENDER_OFF };

struct config_submission {
    enum config_client_address received_client_address;
    bool add_date;
    bool add_message_id;
    bool remove_bcc;
    enum config_sender_fix sender;
    int64_t future_release_ms; /* 0: FUTURERELEASE is not offered */
};

#endif
