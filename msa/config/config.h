/* The configuration: text in, one immutable struct config out.
 *
 * The supervisor reads the file (config_load) and gives each child the part that its role may
 * know, as text (config_serialize); the child reads that text with the same parser
 * (config_parse_snapshot). One table, schema.c, drives parsing, defaults, bounds, dump, snapshot
 * and conf/REFERENCE.md.
 *
 *     hostname mx.example.jp;                       # key value... ;
 *     pool main { smarthost 192.0.2.1:25; }         # block [name] { ... }
 *     include "pools.conf";                         # only where a file is read
 *
 * Nothing here blocks but config_load, which reads files, and nothing keeps state: any thread. */
#ifndef MSA_CONFIG_CONFIG_H
#define MSA_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/config/errors.h"
#include "msa/config/settings.h"
#include "msa/config/settings_accounts.h"
#include "msa/config/settings_align.h"
#include "msa/config/settings_autoconfig.h"
#include "msa/config/settings_console.h"
#include "msa/config/settings_dkim.h"
#include "msa/config/settings_relay.h"
#include "msa/config/settings_geo.h"
#include "msa/config/settings_identity.h"
#include "msa/config/settings_notice.h"
#include "msa/config/settings_policy.h"
#include "msa/config/settings_route.h"
#include "msa/config/settings_rules.h"
#include "msa/config/settings_shape.h"
#include "msa/config/settings_score.h"

/* Who may know a key. Bits, so that the table can name several; the values are those of enum role
 * in msa/ipc, which this layer cannot include. */
enum config_role {
    CONFIG_ROLE_SUPERVISOR = 1 << 0,
    CONFIG_ROLE_SMTP = 1 << 1,
    CONFIG_ROLE_AUTH = 1 << 2,
    CONFIG_ROLE_POLICY = 1 << 3,
    CONFIG_ROLE_SCORE = 1 << 4,
    CONFIG_ROLE_RELAY = 1 << 5,
    CONFIG_ROLE_CONSOLE = 1 << 6,
};

struct config_private; /* arena and origins */

struct config {
    const char *hostname;
    const char *state_dir;
    const char *runtime_dir;
    const char *user;
    uint32_t worker_count;       /* smtp processes; 0: one per core */
    uint32_t score_worker_count;
    bool sandbox;
    struct config_users users;
    struct config_log log;
    const struct config_listener *listeners;
    uint32_t listener_count;
    struct config_tls tls;
    struct config_auth auth;
    struct config_identity_provider identity_provider;
    struct config_saslauthd saslauthd;
    struct config_limits limits;
    struct config_deadlines deadlines;
    struct config_submission submission;
    struct config_policy policy;
    const struct config_align *align; /* the first that applies decides; after the last all is checked */
    uint32_t align_count;
    struct config_privacy privacy;
    struct config_accounts accounts;
    struct config_retention retention;
    struct config_geo geo;
    struct config_rules rules;
    struct config_counters counters;
    const struct config_rule *rule; /* in the order of the file */
    uint32_t rule_count;
    const struct config_route *route; /* in the order of the file: the first that holds */
    uint32_t route_count;
    struct config_notice notice;
    const struct config_webhook *webhooks;
    uint32_t webhook_count;
    struct config_score score;
    const struct config_score_rule *score_rules; /* in the order of the file */
    uint32_t score_rule_count;
    const struct config_pool *pools;
    uint32_t pool_count;
    const struct config_destination *destinations;
    uint32_t destination_count;
    struct config_queue queue;
    struct config_dns dns;
    const struct config_dkim *dkim; /* in the order of the file */
    uint32_t dkim_count;
    struct config_console console;
    struct config_autoconfig autoconfig;
    struct config_private *priv;
};

#define CONFIG_WORKERS_MAX 48 /* each smtp process has a number in its message ids */
#define CONFIG_TEXT_MAX_BYTES (4u << 20) /* most that dump or serialize can write */

/* Each parses everything, adds one entry to `errs` (initialised by the caller) per mistake, and
 * gives MSA_OK with a configuration in `*out` that config_free frees, or a negative msa_err
 * (MSA_EINVAL for mistakes in the text, MSA_ENOMEM) with `*out` NULL and at least one entry in
 * `errs`. */

/* The file `path` and what it includes, password files too. Blocks on the file system. */
int config_load(const char *path, struct config **out, struct config_errors *errs);

/* As config_load, but password files stay closed: for msactl, whose user need not be able to read
 * them. With MSA_EINVAL for mistakes `*out` is there, too, and holds what could be understood: where the
 * socket of a running msad is, that can say so in full. */
int config_load_public(const char *path, struct config **out, struct config_errors *errs);

/* A whole configuration from memory, called `name` in messages. No file is opened: include and
 * password_file are mistakes here. */
int config_parse_text(struct view text, const char *name, struct config **out,
                      struct config_errors *errs);

/* What config_serialize wrote for `role`. A key the role may not know is a mistake. */
int config_parse_snapshot(struct view text, enum config_role role, struct config **out,
                          struct config_errors *errs);

void config_free(struct config **cfg); /* wipes secrets; sets *cfg to NULL; NULL is fine */

/* The pool called `name`, or NULL. A role that learns a pool's name over a channel resolves it
 * with this once per message, not per setting. */
const struct config_pool *config_pool_find(const struct config *cfg, struct view name);

/* Numbers that the file may leave to the machine: one per core. */
uint32_t config_worker_count(const struct config *cfg);
uint32_t config_auth_thread_count(const struct config *cfg);

/* "+09:00" as minutes east of Greenwich; false for anything else. */
bool config_utc_offset(const char *text, int *minutes_out);

/* "suspended.customer.ja": what a template is for. False for anything else. */
struct config_template_use {
    enum config_event event;
    bool is_for_desk;
    enum config_language language;
};
bool config_template_use(const char *name, struct config_template_use *out);

/* All settings in canonical form, one a line. With `with_origin` each line ends in a comment:
 * "# file:line" or "# default". Secrets are left out. MSA_OK, or MSA_ETOOBIG when `out` could not
 * take it all (buf_failed). */
int config_dump(const struct config *cfg, bool with_origin, struct buf *out);

/* The same as data. `block`: "", or "tls / certificate", "pool main"; no `file`: a default. Views die with the call.
 * MSA_OK, or MSA_ETOOBIG: out of memory, and some were not told. */
struct config_setting {
    struct view block;
    const char *key;
    struct view value;
    const char *file;
    unsigned line;
};
typedef void config_setting_fn(void *arg, const struct config_setting *s);
int config_each(const struct config *cfg, config_setting_fn *fn, void *arg);

#define CONFIG_WHERE_MAX 512

/* Where the file says a setting, given as a pointer to its field in `cfg`: "file:line:column", or "default". */
void config_where(const struct config *cfg, const void *field, char out[CONFIG_WHERE_MAX]);

/* The settings that `role` may know, for config_parse_snapshot. Holds smarthost passwords for
 * CONFIG_ROLE_RELAY, so `out` should be a secret buf. Result as config_dump. */
int config_serialize(const struct config *cfg, enum config_role role, struct buf *out);

/* conf/REFERENCE.md, from the same table. Result as config_dump. */
int config_reference(struct buf *out);

#endif
