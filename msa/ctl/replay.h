/* msactl replay: the engine over old logs, without a daemon, records in memory.
 *
 * Logs say what users and attackers attempted at a server that did not refuse: after an
 * account is suspended its later events are counted as prevented, and the engine does not
 * see them. What was open at the same time stands in no log, so rules that count sessions
 * or sending say nothing here. */
#ifndef MSA_CTL_REPLAY_H
#define MSA_CTL_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "msa/base/table.h"
#include "msa/config/config.h"
#include "msa/ctl/log_file.h"
#include "msa/ctl/trace.h"
#include "policy/engine/engine.h"
#include "policy/geo.h"

/* One account of the log, and what became of it. */
struct replay_account {
    struct table_entry entry; /* in replay.accounts, by name */
    char *name;
    char *scenario; /* of the label; NULL: none */
    uint64_t id;
    int64_t created_ms; /* INT64_MIN: not known */
    bool is_listed;     /* in the list of accounts */
    bool is_labelled;
    bool is_abused; /* by the label */
    int64_t abused_since_ms;
    struct replay_result {
        int64_t suspended_ms; /* 0: never */
        const struct rule *suspended_by;
        uint32_t messages_through; /* passed from abused_since_ms on, or all of a lawful
                                      account */
        uint32_t recipients_through;
        uint32_t messages_prevented;
        uint32_t refused_count; /* events that met a defer, refuse or lock */
        uint32_t delayed_count;
    } result;
};

/* What a rule did: accounts, not events. */
struct replay_tally {
    uint32_t abused_accounts;
    uint32_t lawful_accounts;
    uint64_t events;
};

/* When a rule first acted on an account, and what had got through by then. */
struct replay_acted {
    struct table_entry entry;
    uint64_t key[2]; /* position of the rule, id of the account */
    const struct replay_account *account;
    bool is_abuse;
    int64_t at_ms;
    uint32_t messages_through, recipients_through;
};

/* One event, in little room: a sweep keeps all of them. */
struct replay_step {
    int64_t at_ms;
    struct ipaddr ip;
    struct replay_account *account;
    uint64_t wrong_password;
    uint64_t sender_hash;
    uint64_t bytes;
    uint32_t recipients;
    uint16_t country;
    uint8_t kind; /* enum trace_kind */
    uint8_t attempts;
    bool signs_in;
};

struct replay {
    const struct config *config;
    struct geo *geo; /* the caller's; NULL: countries are what the log says */
    struct rule_set *rules;
    struct store *store;
    struct table accounts;
    uint64_t next_account_id;
    bool has_list;   /* accounts that are not listed do not exist */
    bool has_labels; /* accounts without a label are no part of the summary */
    struct replay_tally tallies[RULES_MAX]; /* by position in the set */
    struct table
        acted; /* struct replay_acted: pairs of rule and account that were tallied */
    uint64_t event_count;
    uint64_t bad_line_count;
    struct replay_step *steps; /* kept, if `keeps_steps` */
    size_t step_count, step_room;
    bool keeps_steps;
};

/* `config` outlives it. MSA_OK or MSA_ENOMEM. */
int replay_init(struct replay *r, const struct config *config);
void replay_fini(struct replay *r);

/* Tab-separated: account, created (seconds since 1970), anything. Lines that fit nothing
 * are counted. MSA_OK, MSA_EIO or MSA_ENOMEM. */
int replay_read_accounts(struct replay *r, struct log_file *in);
/* Tab-separated: account, `legit` or `abused`, scenario, time of the first abuse
 * (seconds), anything. */
int replay_read_labels(struct replay *r, struct log_file *in);

/* One event; events come in order of time. MSA_OK or MSA_ENOMEM. */
int replay_event(struct replay *r, const struct trace_event *t);
/* From the beginning: no records, no results. The rules may have changed meanwhile. */
int replay_restart(struct replay *r);
/* All kept steps again. */
int replay_steps(struct replay *r);

struct replay_summary {
    uint32_t abused_count;
    uint32_t abused_stopped_count;      /* suspended after the abuse began */
    uint32_t median_recipients_through; /* before the stop; of all abused accounts */
    uint32_t lawful_count;
    uint32_t
        lawful_suspended_count; /* also abused ones, suspended before their abuse began */
    uint32_t lawful_refused_count; /* accounts that were refused or deferred anything */
    uint32_t lawful_delayed_count;
};

/* MSA_OK or MSA_ENOMEM. */
int replay_summarize(struct replay *r, struct replay_summary *out);

struct replay_rule_summary {
    const struct replay *replay;
    const struct rule *rule;
    uint32_t abused_stopped_count; /* suspended by this rule, after the abuse began */
    uint32_t lawful_stopped_count;
    /* Of the abused accounts that it acted on, until it did. */
    uint32_t median_seconds, median_messages, median_recipients;
};

/* Of the rule at `position` of the set. MSA_OK or MSA_ENOMEM. */
int replay_rule_summarize(struct replay *r, unsigned position,
                          struct replay_rule_summary *out);

/* For people: the accounts that matter, tables of scenarios and rules, the summary. */
int replay_print(struct replay *r, FILE *out);
/* The same for programs; a new object, NULL when memory is out. */
json_t *replay_json(struct replay *r);

#endif
