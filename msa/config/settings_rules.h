/* The settings of the rule engine: rules, homes, classes. Conventions as in settings.h.
 */
#ifndef MSA_CONFIG_SETTINGS_RULES_H
#define MSA_CONFIG_SETTINGS_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings.h"

/* What, per whom and what then: the words of the sentence. The numbers are those of
 * policy/engine/rule.h, which asserts it. */
enum config_rule_count {
    CONFIG_COUNT_MESSAGES = 0,
    CONFIG_COUNT_RECIPIENTS,
    CONFIG_COUNT_NEW_RECIPIENTS,
    CONFIG_COUNT_BYTES,
    CONFIG_COUNT_SESSIONS,
    CONFIG_COUNT_SENDING,
    CONFIG_COUNT_REJECTED_RECIPIENTS,
    CONFIG_COUNT_LOGINS,
    CONFIG_COUNT_FAILURES,
    CONFIG_COUNT_FAILED_ACCOUNTS,
    CONFIG_COUNT_PASSWORDS,
    CONFIG_COUNT_COUNTRIES,
    CONFIG_COUNT_NETWORKS,
    CONFIG_COUNT_ADDRESSES,
    CONFIG_COUNT_ACCOUNTS,
    CONFIG_COUNT_SWITCHES,
    CONFIG_COUNT_SPEED,
    CONFIG_COUNT_REFUSALS,
    CONFIG_COUNT_BLOCKS,
    CONFIG_COUNT_SENDERS,
    CONFIG_COUNT_SPAM_REFUSALS,
};

enum config_rule_subject {
    CONFIG_PER_ACCOUNT = 0,
    CONFIG_PER_ADDRESS,
    CONFIG_PER_NETWORK,
    CONFIG_PER_ACCOUNT_NETWORK,
    CONFIG_PER_ACCOUNT_COUNTRY,
    CONFIG_PER_FINGERPRINT,
    CONFIG_PER_DOMAIN,
    CONFIG_PER_DESTINATION,
    CONFIG_PER_EVERYONE,
};

enum config_rule_action { /* bits */
                          CONFIG_THEN_SIGN = 1 << 0,
                          CONFIG_THEN_NOTIFY = 1 << 1,
                          CONFIG_THEN_SCORE = 1 << 2,
                          CONFIG_THEN_POOL = 1 << 3,
                          CONFIG_THEN_ALIGN = 1 << 4,
                          CONFIG_THEN_DELAY = 1 << 5,
                          CONFIG_THEN_HOLD = 1 << 6,
                          CONFIG_THEN_DEFER = 1 << 7,
                          CONFIG_THEN_REFUSE = 1 << 8,
                          CONFIG_THEN_LOCK = 1 << 9,
                          CONFIG_THEN_SUSPEND = 1 << 10,
};

enum config_rule_origin {
    CONFIG_FROM_ANYWHERE = 0,
    CONFIG_FROM_HOME,
    CONFIG_FROM_OVERSEAS
};
enum config_rule_mailbox {
    CONFIG_MAILBOX_ANY = 0,
    CONFIG_MAILBOX_HERE,
    CONFIG_MAILBOX_ELSEWHERE,
    CONFIG_MAILBOX_NOT_HERE
};
enum config_rule_block {
    CONFIG_BLOCK_ANY = 0,
    CONFIG_BLOCK_FAMILIAR,
    CONFIG_BLOCK_UNFAMILIAR,
    CONFIG_BLOCK_STRANGE
};
enum config_rule_mode { CONFIG_MODE_ENFORCE = 0, CONFIG_MODE_SHADOW, CONFIG_MODE_OFF };

#define CONFIG_SCORE_ANY_MILLI (-1000000)

struct config_rule_when { /* all that is set must hold */
    enum config_rule_origin origin;
    struct config_strings countries;
    struct config_strings classes;
    int64_t younger_than_ms; /* 0: any age */
    int64_t older_than_ms;
    enum config_rule_mailbox mailbox;
    enum config_rule_block block;
    struct config_strings also; /* names of rules */
    const char *listener;
    const char *protocol;
    struct config_strings destinations;
    uint32_t min_recipients;
    int32_t min_score_milli; /* CONFIG_SCORE_ANY_MILLI: not asked */
};

struct config_rule {
    const char *name;
    enum config_rule_count count;
    enum config_rule_subject per;
    int64_t within_ms; /* 0: not needed by what is counted */
    uint32_t limit;
    uint32_t spare;
    struct config_rule_when when;
    uint32_t then; /* bits of enum config_rule_action */
    int64_t delay_ms;
    int64_t lock_ms;
    int64_t lock_max_ms;
    int32_t add_score_milli;
    const char *pool;
    enum config_rule_mode mode;
    const char *because; /* one sentence for the support desk */
};

struct config_rules {
    struct config_strings
        home; /* countries that are home unless the account says otherwise */
    uint32_t v6_source_bits;
    uint32_t v4_network_bits;
    uint32_t v6_network_bits;
    uint32_t v4_block_bits;
    uint32_t v6_block_bits;
    int64_t mailbox_lately_ms;
    int64_t mailbox_habit_ms;
};

struct config_counters {
    uint64_t file_bytes;
};

#endif
