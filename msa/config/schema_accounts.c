/* The table of settings: what holds for an account that says nothing itself, and how long records
 * are kept. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

#define DAY_MS INT64_C(86400000)

static const struct schema_word overseas_words[] = {
    {"allow", CONFIG_OVERSEAS_ALLOW}, {"block", CONFIG_OVERSEAS_BLOCK}, {0}};

static const struct schema_word scoring_words[] = {{"yes", CONFIG_SCORING_YES},
                                                   {"no", CONFIG_SCORING_NO},
                                                   {"consent", CONFIG_SCORING_CONSENT},
                                                   {0}};

static const struct schema_key class_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_account_class, name),
    .roles = FOR_POLICY,
    .doc = "The class, as `msactl account set LOGIN --class NAME` gives it."};

static const struct schema_key class_keys[] = {
    {.name = "content_scoring",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_account_class, content_scoring),
     .words = scoring_words,
     .initial = "yes",
     .roles = FOR_POLICY,
     .doc = "As `content_scoring` of all accounts."},
};

static const struct schema_block class_block = {SCHEMA_KEYS(class_keys), .label = &class_label,
                                                .bytes = sizeof(struct config_account_class)};

static const struct schema_key accounts_keys[] = {
    {.name = "overseas",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_accounts, overseas),
     .words = overseas_words,
     .initial = "allow",
     .roles = FOR_POLICY,
     .doc = "Whether accounts without a setting of their own can be used from overseas. What is home "
            "says `home` in `rules`, and an account's own list; an address whose country is not known, "
            "`unknown` in `geo`."},
    {.name = "new_since",
     .type = SCHEMA_DATE,
     SCHEMA_FIELD(config_accounts, new_since_ms),
     .words = (const struct schema_word[]){{"never", 0}, {0}},
     .initial = "never",
     .max = INT64_C(4102444800000), /* 2100 */
     .roles = FOR_POLICY,
     .doc = "Accounts made at this time or later are new: `overseas_new` holds for them. So a block can "
            "begin with the customers of tomorrow and leave those of yesterday as they are."},
    {.name = "overseas_new",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_accounts, overseas_new),
     .words = overseas_words,
     .initial = "block",
     .roles = FOR_POLICY,
     .doc = "As `overseas`, of accounts made since `new_since`."},
    {.name = "content_scoring",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_accounts, content_scoring),
     .words = scoring_words,
     .initial = "yes",
     .roles = FOR_POLICY,
     .doc = "Whether the content of messages is scored: `yes`, unless the account has refused; `consent`, only if "
            "it has agreed (`msactl account set LOGIN --consent yes`); `no`, never. What an account does, as the "
            "rules count it, is seen in any case."},
    {.name = "class",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_accounts, classes),
     .count_offset = offsetof(struct config_accounts, class_count),
     .block = &class_block,
     .max = 64,
     .roles = FOR_POLICY,
     .doc = "What holds for the accounts of one class instead."},
};

const struct schema_block schema_accounts = {SCHEMA_KEYS(accounts_keys),
                                             .bytes = sizeof(struct config_accounts)};

static const struct schema_key retention_keys[] = {
    {.name = "restrictions",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_retention, restrictions_ms),
     .initial = "400d",
     .min = DAY_MS,
     .max = 3660 * DAY_MS,
     .roles = FOR_POLICY,
     .doc = "How long the record of a restriction is kept after it came up last. One that still holds "
            "stays."},
    {.name = "access",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_retention, access_ms),
     .initial = "400d",
     .min = DAY_MS,
     .max = 3660 * DAY_MS,
     .roles = FOR_POLICY,
     .doc = "How long it is kept who looked at or changed an account's records."},
    {.name = "sign_ins",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_retention, sign_ins_ms),
     .initial = "90d",
     .min = DAY_MS,
     .max = 3660 * DAY_MS,
     .roles = FOR_POLICY,
     .doc = "How long an account's last sign-ins are kept, for its owner and the support desk to look at."},
    {.name = "sent",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_retention, sent_ms),
     .initial = "7d",
     .min = 0,
     .max = 90 * DAY_MS,
     .roles = FOR_POLICY,
     .doc = "How long it is kept which account sent a message, for bounces that come back with its Message-ID or the id in its "
            "Received field and nothing else (`outcome`). About 100 octets a message, in a file of a quarter of "
            "`counters.size`; when that is full the oldest go first. 0: nothing is kept."},
};

const struct schema_block schema_retention = {SCHEMA_KEYS(retention_keys),
                                              .bytes = sizeof(struct config_retention)};
