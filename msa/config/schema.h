/* Within msa/config: the one table of all settings. Parsing, defaults, bounds, dump, snapshots and
 * the reference page are loops over it; nothing else knows a key by its name.
 *
 * A key fills the field at `offset` of its block's struct. Blocks nest as the structs do, three
 * deep. */
#ifndef MSA_CONFIG_SCHEMA_H
#define MSA_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

enum schema_type {              /* field */
    SCHEMA_BOOL = 0,            /* bool */
    SCHEMA_CHOICE,              /* an enum: one of `words` */
    SCHEMA_CHOICES,             /* uint32_t: bits of `words`, one or more */
    SCHEMA_COUNT,               /* uint32_t */
    SCHEMA_SIZE,                /* uint32_t, bytes */
    SCHEMA_SIZE64,              /* uint64_t, bytes */
    SCHEMA_TIME,                /* int64_t, ms */
    SCHEMA_DATE,                /* int64_t, ms since 1970 */
    SCHEMA_RATE,                /* struct config_rate */
    SCHEMA_DECIMAL,             /* int32_t, thousandths */
    SCHEMA_TEXT,                /* const char *, like all up to SCHEMA_SENDER */
    SCHEMA_NAME,                /* letters, digits, '-', '_', '.' */
    SCHEMA_DOMAIN,
    SCHEMA_PATH,                /* absolute */
    SCHEMA_MAILBOX,
    SCHEMA_SENDER,              /* a pattern in the form of msa/mail/sender_pattern.h */
    SCHEMA_HOST,                /* struct config_host: name or address, port optional */
    SCHEMA_ADDRESS,             /* struct ipaddr */
    SCHEMA_PREFIX,              /* struct ipprefix */
    SCHEMA_ENDPOINT,            /* struct config_endpoint */
    SCHEMA_TYPE_COUNT,
    SCHEMA_BLOCK = SCHEMA_TYPE_COUNT, /* a struct in the parent's */
    SCHEMA_BLOCKS,              /* pointer to an array, and its length at `count_offset` */
};

enum schema_flag {
    SCHEMA_LIST = 1 << 0,          /* several values; the field is a pointer and a count */
    SCHEMA_REQUIRED = 1 << 1,      /* no default; of a list: at least one */
    SCHEMA_NONEMPTY = 1 << 2,      /* a list that "none" may not empty */
    SCHEMA_SECRET = 1 << 3,        /* never in a dump */
    SCHEMA_SNAPSHOT_ONLY = 1 << 4, /* a file may not set it */
    SCHEMA_LISTEN = 1 << 5,        /* an endpoint may be "*" */
};

struct schema_word {
    const char *text; /* NULL ends the table */
    uint32_t value;
};

struct schema_key {
    const char *name;
    const char *doc;
    const char *initial; /* the default, as it would stand in a file; NULL: "", empty or none */
    const struct schema_word *words;  /* of a choice; of a number: words that stand for one */
    const struct schema_block *block; /* of a block */
    size_t offset;
    size_t field_bytes;
    size_t count_offset; /* of blocks */
    int64_t min; /* of a number (a rate: of its limit) */
    int64_t max; /* of a number; of blocks: how many; of text: bytes, 0 for TEXT_MAX_BYTES */
    uint16_t default_port; /* of an endpoint; 0: it must be written */
    uint8_t type;
    uint8_t roles; /* bits of enum config_role */
    uint8_t flags; /* bits of enum schema_flag */
};

struct schema_block {
    const struct schema_key *keys;
    size_t key_count;
    const struct schema_key *label; /* key { } or key LABEL { } */
    size_t bytes;           /* of the struct */
    bool body_is_optional;  /* key LABEL; is enough */
};

#define SCHEMA_TEXT_MAX_BYTES 1024
#define SCHEMA_LIST_MAX       1024 /* values in one list */

extern const struct schema_block schema_root;

/* The key called `name` in `block`, or NULL. */
const struct schema_key *schema_find(const struct schema_block *block, struct view name);

/* The block's key that nests: the schema's fixed depth bounds every recursion over it. */
static inline bool schema_is_block(const struct schema_key *key)
{
    return key->type >= SCHEMA_BLOCK;
}

/* Parts of the table in files of their own. */
extern const struct schema_block schema_limits;
extern const struct schema_block schema_identity_provider;
extern const struct schema_block schema_saslauthd;
extern const struct schema_block schema_client_certificates;
extern const struct schema_block schema_deadlines;
extern const struct schema_block schema_pool;
extern const struct schema_block schema_destination;
extern const struct schema_block schema_shape;
extern const struct schema_block schema_queue;
extern const struct schema_block schema_dns;
extern const struct schema_block schema_dkim;
extern const struct schema_block schema_console;
extern const struct schema_block schema_autoconfig;
extern const struct schema_block schema_policy;
extern const struct schema_block schema_privacy;
extern const struct schema_block schema_accounts;
extern const struct schema_block schema_retention;
extern const struct schema_block schema_geo;
extern const struct schema_block schema_align;
extern const struct schema_block schema_notice;
extern const struct schema_block schema_webhook;
extern const struct schema_block schema_route;
extern const struct schema_block schema_rule;
extern const struct schema_block schema_rules;
extern const struct schema_block schema_counters;
extern const struct schema_block schema_rspamd;
extern const struct schema_block schema_clamd;
extern const struct schema_block schema_milter;
extern const struct schema_block schema_score;
extern const struct schema_block schema_score_rule;

/* For the tables: FIELD(config_limits, hop_count) gives offset and size. */
#define SCHEMA_FIELD(object, field)                                                                \
    .offset = offsetof(struct object, field), .field_bytes = sizeof(((struct object *)0)->field)
#define SCHEMA_KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof((table)[0])

#define FOR_SUPERVISOR CONFIG_ROLE_SUPERVISOR
#define FOR_SMTP       (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_SMTP)
#define FOR_AUTH       (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_AUTH)
#define FOR_POLICY     (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_POLICY)
#define FOR_SCORE      (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_SCORE)
#define FOR_RELAY      (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_RELAY)
#define FOR_CONSOLE    (CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_CONSOLE)
#define FOR_ALL        ((1 << 7) - 1)

#endif
