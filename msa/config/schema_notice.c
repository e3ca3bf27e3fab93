/* The table of settings: notices and webhooks. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word language_words[] = {
    {"ja", CONFIG_LANGUAGE_JA}, {"en", CONFIG_LANGUAGE_EN}, {0}};

static const struct schema_word event_words[] = {{"suspended", CONFIG_EVENT_SUSPENDED},
                                                 {"held", CONFIG_EVENT_HELD},
                                                 {"locked", CONFIG_EVENT_LOCKED},
                                                 {"overseas", CONFIG_EVENT_OVERSEAS},
                                                 {"released", CONFIG_EVENT_RELEASED},
                                                 {"limited", CONFIG_EVENT_LIMITED},
                                                 {"warned", CONFIG_EVENT_WARNED},
                                                 {"locked-by-owner", CONFIG_EVENT_LOCKED_BY_OWNER},
                                                 {0}};

#define ALL_EVENTS "suspended held locked overseas released limited warned locked-by-owner"

static const struct schema_key template_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_template, name),
    .roles = FOR_POLICY,
    .doc = "What it is for: event, reader and language, such as `suspended.customer.ja` or `held.desk.en`."};

static const struct schema_key template_keys[] = {
    {.name = "file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_template, file),
     .roles = FOR_SUPERVISOR,
     .flags = SCHEMA_REQUIRED,
     .doc = "The file, UTF-8, read at the start and at each reload: `Subject: …`, an empty line, the text. "
            "`{{login}}`, `{{at}}`, `{{until}}`, `{{country}}`, `{{address}}`, `{{restriction}}`, `{{rule}}`, "
            "`{{because}}`, `{{grounds}}`, `{{actor}}` and `{{note}}` stand for what is known; a line in which "
            "none of them is known is left out."},
    {.name = "text",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_template, text),
     .max = CONFIG_TEMPLATE_MAX_BYTES,
     .roles = FOR_POLICY,
     .flags = SCHEMA_SECRET | SCHEMA_SNAPSHOT_ONLY,
     .doc = "What `file` holds."},
};

static const struct schema_block template_block = {SCHEMA_KEYS(template_keys),
                                                   .label = &template_label,
                                                   .bytes = sizeof(struct config_template)};

static const struct schema_key notice_keys[] = {
    {.name = "from",
     .type = SCHEMA_MAILBOX,
     SCHEMA_FIELD(config_notice, from),
     .roles = FOR_POLICY,
     .doc = "From and envelope sender of notices. Its bounces should reach somebody."},
    {.name = "desk",
     .type = SCHEMA_MAILBOX,
     SCHEMA_FIELD(config_notice, desk),
     .roles = FOR_POLICY,
     .doc = "Where the support desk is told, with rule and grounds. Empty: it is not."},
    {.name = "customer",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_notice, customer),
     .initial = "no",
     .roles = FOR_POLICY,
     .doc = "Tell the customer, too: at the address for notices in the account's settings, else at the login."},
    {.name = "language",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_notice, language),
     .words = language_words,
     .initial = "ja",
     .roles = FOR_POLICY,
     .doc = "The language of customers whose account has none."},
    {.name = "desk_language",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_notice, desk_language),
     .words = language_words,
     .initial = "ja",
     .roles = FOR_POLICY,
     .doc = "The language of the support desk."},
    {.name = "events",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_notice, events),
     .words = event_words,
     .initial = ALL_EVENTS,
     .roles = FOR_POLICY,
     .doc = "What is told: an account was suspended or its suspension was lifted (by a rule with `notify`, or by hand "
            "unless quietly), a sign-in from overseas was blocked; of rules with `notify` also what was held, "
            "locked or limited, and, where a rule does nothing else, that it applied (`warned`)."},
    {.name = "desk_per_hour",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_notice, desk_per_hour),
     .initial = "100",
     .min = 1,
     .max = 10000,
     .roles = FOR_POLICY,
     .doc = "Mails to the desk in an hour; then one that says how many more matters there were."},
    {.name = "utc_offset",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_notice, utc_offset),
     .initial = "+09:00",
     .max = 6,
     .roles = FOR_POLICY,
     .doc = "The zone of the times in notices, as hours and minutes east (`+`) or west (`-`) of Greenwich."},
    {.name = "template",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_notice, templates),
     .count_offset = offsetof(struct config_notice, template_count),
     .block = &template_block,
     .max = CONFIG_TEMPLATES_MAX,
     .roles = FOR_POLICY,
     .doc = "Words of your own, in the place of those that are built in."},
};

const struct schema_block schema_notice = {
    SCHEMA_KEYS(notice_keys), .bytes = sizeof(struct config_notice)};

/* ---- webhooks -------------------------------------------------------------------------------- */

static const struct schema_key webhook_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_webhook, name),
    .roles = FOR_RELAY | FOR_POLICY,
    .doc = "Its name in log lines, and with what still waits for it after a reload."};

static const struct schema_key webhook_keys[] = {
    {.name = "url",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_webhook, url),
     .max = 1000,
     .roles = FOR_RELAY,
     .flags = SCHEMA_REQUIRED,
     .doc = "Where it is called: `https://…`, or `http://` to a loopback address."},
    {.name = "secret_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_webhook, secret_file),
     .roles = FOR_SUPERVISOR,
     .flags = SCHEMA_REQUIRED,
     .doc = "File with the secret that signs the calls on its only line, not readable by others. A call has "
            "`Msad-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of `SECONDS.BODY`."},
    {.name = "secret",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_webhook, secret),
     .max = 1024,
     .roles = FOR_RELAY,
     .flags = SCHEMA_SECRET | SCHEMA_SNAPSHOT_ONLY,
     .doc = "What `secret_file` holds."},
    {.name = "ca_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_webhook, ca_file),
     .roles = FOR_SUPERVISOR,
     .doc = "PEM file with the authorities that are trusted. Empty: those of the system."},
    {.name = "ca_pem",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_webhook, ca_pem),
     .max = CONFIG_CA_MAX_BYTES,
     .roles = FOR_RELAY,
     .flags = SCHEMA_SECRET | SCHEMA_SNAPSHOT_ONLY,
     .doc = "What `ca_file` holds."},
    {.name = "events",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_webhook, events),
     .words = event_words,
     .initial = ALL_EVENTS,
     .roles = FOR_POLICY,
     .doc = "What it is told, as in block `notice`."},
    {.name = "timeout",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_webhook, timeout_ms),
     .initial = "10s",
     .min = 100,
     .max = 60000,
     .roles = FOR_RELAY,
     .doc = "For the whole call. Only 2xx counts as taken; else it is tried again for a day, with growing waits."},
};

const struct schema_block schema_webhook = {
    SCHEMA_KEYS(webhook_keys), .label = &webhook_label, .bytes = sizeof(struct config_webhook)};
