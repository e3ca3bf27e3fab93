/* The table of settings: the rule engine. */
#include "msa/config/config.h"
#include "msa/config/schema_when.h"

static const struct schema_word count_words[] = {
    {"messages", CONFIG_COUNT_MESSAGES},
    {"recipients", CONFIG_COUNT_RECIPIENTS},
    {"new-recipients", CONFIG_COUNT_NEW_RECIPIENTS},
    {"kilobytes", CONFIG_COUNT_BYTES},
    {"sessions", CONFIG_COUNT_SESSIONS},
    {"sending", CONFIG_COUNT_SENDING},
    {"rejected-recipients", CONFIG_COUNT_REJECTED_RECIPIENTS},
    {"logins", CONFIG_COUNT_LOGINS},
    {"failures", CONFIG_COUNT_FAILURES},
    {"failed-accounts", CONFIG_COUNT_FAILED_ACCOUNTS},
    {"passwords", CONFIG_COUNT_PASSWORDS},
    {"countries", CONFIG_COUNT_COUNTRIES},
    {"networks", CONFIG_COUNT_NETWORKS},
    {"addresses", CONFIG_COUNT_ADDRESSES},
    {"accounts", CONFIG_COUNT_ACCOUNTS},
    {"switches", CONFIG_COUNT_SWITCHES},
    {"speed", CONFIG_COUNT_SPEED},
    {"refusals", CONFIG_COUNT_REFUSALS},
    {"blocks", CONFIG_COUNT_BLOCKS},
    {"senders", CONFIG_COUNT_SENDERS},
    {"spam-refusals", CONFIG_COUNT_SPAM_REFUSALS},
    {0}};

static const struct schema_word subject_words[] = {
    {"account", CONFIG_PER_ACCOUNT},
    {"address", CONFIG_PER_ADDRESS},
    {"network", CONFIG_PER_NETWORK},
    {"account-network", CONFIG_PER_ACCOUNT_NETWORK},
    {"account-country", CONFIG_PER_ACCOUNT_COUNTRY},
    {"fingerprint", CONFIG_PER_FINGERPRINT},
    {"domain", CONFIG_PER_DOMAIN},
    {"destination", CONFIG_PER_DESTINATION},
    {"everyone", CONFIG_PER_EVERYONE},
    {0}};

static const struct schema_word action_words[] = {
    {"sign", CONFIG_THEN_SIGN},       {"notify", CONFIG_THEN_NOTIFY},
    {"score", CONFIG_THEN_SCORE},     {"pool", CONFIG_THEN_POOL},
    {"align", CONFIG_THEN_ALIGN},     {"delay", CONFIG_THEN_DELAY},
    {"hold", CONFIG_THEN_HOLD},       {"defer", CONFIG_THEN_DEFER},
    {"refuse", CONFIG_THEN_REFUSE},   {"lock", CONFIG_THEN_LOCK},
    {"suspend", CONFIG_THEN_SUSPEND}, {0}};

const struct schema_word schema_origin_words[] = {{"anywhere", CONFIG_FROM_ANYWHERE},
                                                  {"home", CONFIG_FROM_HOME},
                                                  {"overseas", CONFIG_FROM_OVERSEAS},
                                                  {0}};

static const struct schema_word mailbox_words[] = {
    {"any", CONFIG_MAILBOX_ANY},
    {"here", CONFIG_MAILBOX_HERE},
    {"elsewhere", CONFIG_MAILBOX_ELSEWHERE},
    {"not-here", CONFIG_MAILBOX_NOT_HERE},
    {0}};

static const struct schema_word block_words[] = {{"any", CONFIG_BLOCK_ANY},
                                                 {"familiar", CONFIG_BLOCK_FAMILIAR},
                                                 {"unfamiliar", CONFIG_BLOCK_UNFAMILIAR},
                                                 {"strange", CONFIG_BLOCK_STRANGE},
                                                 {0}};

static const struct schema_word mode_words[] = {{"enforce", CONFIG_MODE_ENFORCE},
                                                {"shadow", CONFIG_MODE_SHADOW},
                                                {"off", CONFIG_MODE_OFF},
                                                {0}};

const struct schema_word schema_any_words[] = {{"any", 0}, {0}};

#define WINDOW_MAX_MS (INT64_C(400) * 86400000)

static const struct schema_key when_keys[] = {
    SCHEMA_WHEN_KEYS(config_rule_when),
    {.name = "mailbox",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_rule_when, mailbox),
     .words = mailbox_words,
     .initial = "any",
     .roles = FOR_POLICY,
     .doc =
         "Where the user reads mail by POP or IMAP lately: a mail program does it where "
         "it sends, a thief does not. `here` is this block of addresses or, abroad, "
         "this country; `elsewhere` is other places, and not here; `not-here` is "
         "`elsewhere`, or nowhere that is reported to msad (on the web, for example)."},
    {.name = "block",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_rule_when, block),
     .words = block_words,
     .initial = "any",
     .roles = FOR_POLICY,
     .doc = "`familiar`: on at least three earlier days the account has signed in or read "
            "mail from this block of addresses (`rules.v4_block_bits`). `unfamiliar`: it "
            "has not. `strange`: it has not, but from others; of an account of which "
            "nothing is known yet nothing is strange."},
    {.name = "also",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rule_when, also),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Other rules, per account, at whose limits the account is as well, all of "
            "them: two weak signs make a strong one. A rule in shadow never is."},
    {.name = "listener",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rule_when, listener),
     .roles = FOR_POLICY,
     .doc = "Clients of this listener."},
    {.name = "protocol",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rule_when, protocol),
     .roles = FOR_POLICY,
     .doc = "`smtp`, `imap`, `pop3` or `console`."},
    {.name = "destinations",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rule_when, destinations),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Domains of recipients, in lower case: only these recipients are counted."},
    {.name = "min_recipients",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rule_when, min_recipients),
     .initial = "0",
     .min = 0,
     .max = 100000,
     .roles = FOR_POLICY,
     .doc = "Messages with at least so many recipients. A person writes few of them in a "
            "day, a thief nothing else."},
    {.name = "min_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_rule_when, min_score_milli),
     .initial = "-1000.0",
     .min = CONFIG_SCORE_ANY_MILLI,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "Messages with at least this score; -1000 is every score, and does not wait "
            "for one."},
};

static const struct schema_block when_block = {SCHEMA_KEYS(when_keys),
                                               .bytes = sizeof(struct config_rule_when)};

static const struct schema_key rule_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_rule, name),
    .roles = FOR_POLICY,
    .doc = "Its name in log lines, records and overrides."};

static const struct schema_key rule_keys[] = {
    {.name = "count",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_rule, count),
     .words = count_words,
     .initial = "messages",
     .roles = FOR_POLICY,
     .flags = SCHEMA_REQUIRED,
     .doc =
         "What is counted. Used up, and exact: `messages`, `recipients`, "
         "`new-recipients` (never mailed before "
         "by this account), `kilobytes`, `sessions` and `sending` (open now). Signs: all "
         "others; `passwords` are distinct wrong ones, `switches` count a return to a "
         "country "
         "again, `speed` is km/h between sign-ins, `refusals` are messages that other "
         "rules "
         "deferred or refused, `blocks` are a coarser mesh than `networks` (/16 or /32), "
         "`senders` are distinct envelope senders, `rejected-recipients` are those that a receiver refused for good "
         "for another reason than a full mailbox or what was sent, `spam-refusals` messages and bounces that it "
         "refused as spam or by policy (5.7.x)."},
    {.name = "per",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_rule, per),
     .words = subject_words,
     .initial = "account",
     .roles = FOR_POLICY,
     .doc =
         "For whom: an IPv6 address counts by its /64, a network is a /24 or /48, a "
         "fingerprint is of the body or of a linked host, a domain is the account's, a "
         "destination is a recipient's."},
    {.name = "within",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rule, within_ms),
     .words = (const struct schema_word[]){{"now", 0}, {0}},
     .initial = "now",
     .min = 1000,
     .max = WINDOW_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "The window; `now` only for `sessions`, `sending` and `speed`."},
    {.name = "limit",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rule, limit),
     .initial = "0",
     .min = 0,
     .max = UINT32_MAX - 1,
     .roles = FOR_POLICY,
     .flags = SCHEMA_REQUIRED,
     .doc = "What is used up may reach it, and what would go beyond is acted on. A sign "
            "is acted on when it "
            "reaches it."},
    {.name = "spare",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rule, spare),
     .initial = "0",
     .min = 0,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "A reserve beyond the limit that refills within a day: for the laptop that "
            "sends its outbox after "
            "a flight."},
    {.name = "when",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config_rule, when),
     .block = &when_block,
     .roles = FOR_POLICY,
     .doc = "Which events are counted and judged. Everything that is set must hold."},
    {.name = "then",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_rule, then),
     .words = action_words,
     .initial = "notify",
     .roles = FOR_POLICY,
     .flags = SCHEMA_REQUIRED,
     .doc = "What happens: `sign`, nothing by itself, but other rules may ask for it by "
            "`also`; `notify` the support desk, add to the `score`, send through a "
            "`pool`, require `From` to "
            "`align`, `delay` the answer, `hold` in the queue, `defer` (4xx), `refuse` "
            "(5xx), `lock` for a "
            "time, `suspend` until released."},
    {.name = "delay",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rule, delay_ms),
     .initial = "5s",
     .min = 0,
     .max = 60000,
     .roles = FOR_POLICY,
     .doc = "How long `delay` keeps the client waiting for its answer."},
    {.name = "lock",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rule, lock_ms),
     .initial = "10m",
     .min = 1000,
     .max = WINDOW_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "Of `lock`: the first one. Each further one is twice as long; a quiet day "
            "halves it."},
    {.name = "lock_max",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rule, lock_max_ms),
     .initial = "1d",
     .min = 1000,
     .max = WINDOW_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "Of `lock`: the longest."},
    {.name = "add_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_rule, add_score_milli),
     .initial = "0.0",
     .min = -1000000,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "What `score` adds; a negative number makes it less."},
    {.name = "to_pool",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rule, pool),
     .roles = FOR_POLICY,
     .doc = "Where `pool` sends it: the name of a pool."},
    {.name = "mode",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_rule, mode),
     .words = mode_words,
     .initial = "enforce",
     .roles = FOR_POLICY,
     .doc = "`shadow` decides, logs and counts, but does nothing: for trying a rule."},
    {.name = "because",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_rule, because),
     .max = 255,
     .roles = FOR_POLICY,
     .doc = "One sentence for the support desk: what the rule has seen."},
};

const struct schema_block schema_rule = {SCHEMA_KEYS(rule_keys), .label = &rule_label,
                                         .bytes = sizeof(struct config_rule)};

static const struct schema_key rules_keys[] = {
    {.name = "home",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rules, home),
     .initial = "JP",
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST | SCHEMA_NONEMPTY,
     .doc = "Home countries of accounts that have none of their own."},
    {.name = "v6_source_bits",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rules, v6_source_bits),
     .initial = "64",
     .min = 32,
     .max = 128,
     .roles = FOR_POLICY,
     .doc = "How much of an IPv6 address is one source."},
    {.name = "v4_network_bits",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rules, v4_network_bits),
     .initial = "24",
     .min = 8,
     .max = 32,
     .roles = FOR_POLICY,
     .doc = "How much of an IPv4 address is one network."},
    {.name = "v6_network_bits",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rules, v6_network_bits),
     .initial = "48",
     .min = 16,
     .max = 64,
     .roles = FOR_POLICY,
     .doc = "How much of an IPv6 address is one network."},
    {.name = "v4_block_bits",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rules, v4_block_bits),
     .initial = "16",
     .min = 8,
     .max = 32,
     .roles = FOR_POLICY,
     .doc =
         "How much of an IPv4 address is one block: about what a provider gives out in "
         "one region."},
    {.name = "v6_block_bits",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_rules, v6_block_bits),
     .initial = "32",
     .min = 16,
     .max = 64,
     .roles = FOR_POLICY,
     .doc = "How much of an IPv6 address is one block."},
    {.name = "mailbox_lately",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rules, mailbox_lately_ms),
     .initial = "1d",
     .min = 60000,
     .max = WINDOW_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "How long a POP or IMAP access speaks for the place that it came from."},
    {.name = "mailbox_habit",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_rules, mailbox_habit_ms),
     .initial = "7d",
     .min = 60000,
     .max = WINDOW_MAX_MS,
     .roles = FOR_POLICY,
     .doc = "How long such an access shows that the user reads mail this way at all."},
};

const struct schema_block schema_rules = {SCHEMA_KEYS(rules_keys),
                                          .bytes = sizeof(struct config_rules)};

static const struct schema_key counters_keys[] = {
    {.name = "size",
     .type = SCHEMA_SIZE64,
     SCHEMA_FIELD(config_counters, file_bytes),
     .initial = "1G",
     .min = 8 << 20,
     .max = INT64_C(1) << 40,
     .roles = FOR_POLICY,
     .doc = "The file of all counters, which takes this much on the disk from the start; when it is full the oldest "
            "addresses give way. A million accounts and a million sources want about 2G. Another quarter of it is for the list "
            "of each account's last sign-ins. Read at the start."},
};

const struct schema_block schema_counters = {SCHEMA_KEYS(counters_keys),
                                             .bytes = sizeof(struct config_counters)};
