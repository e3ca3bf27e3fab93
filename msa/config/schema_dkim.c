/* The table of settings: DKIM signatures. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word off_words[] = {{"off", 0}, {0}};

/* RFC 6376 section 5.4.1; what mailing lists and redistribution add lawfully may not be oversigned. */
#define OVERSIGNED                                                                                 \
    "From To Cc Subject Date Reply-To Message-ID In-Reply-To References MIME-Version Content-Type " \
    "Content-Transfer-Encoding"
#define SIGNED                                                                                     \
    "Sender Content-ID Resent-From Resent-Sender Resent-To Resent-Cc Resent-Date " \
    "Resent-Message-ID List-Id List-Help List-Unsubscribe List-Unsubscribe-Post List-Subscribe List-Post " \
    "List-Owner List-Archive"

static const struct schema_key selector_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_dkim_selector, name),
    .roles = FOR_RELAY,
    .doc = "The key's name: it is published as a TXT record at `NAME._domainkey.DOMAIN`."};

static const struct schema_key selector_keys[] = {
    {.name = "key_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_dkim_selector, key_file),
     .roles = FOR_SUPERVISOR,
     .flags = SCHEMA_REQUIRED,
     .doc = "PEM file with the private key, RSA (1024 to 4096 bits; less than 2048 is warned of) or Ed25519, without "
            "a passphrase and not readable by others: `msactl dkim keygen` makes one. The supervisor reads it at "
            "the start and at each reload, and tells the relay process alone."},
    {.name = "key_pem",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_dkim_selector, key_pem),
     .max = CONFIG_DKIM_KEY_MAX_BYTES,
     .roles = FOR_RELAY,
     .flags = SCHEMA_SECRET | SCHEMA_SNAPSHOT_ONLY,
     .doc = "What `key_file` holds."},
    {.name = "use",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_dkim_selector, use),
     .initial = "yes",
     .roles = FOR_RELAY,
     .doc = "Sign with it. `no`: it is only published, before its time or after it. One RSA and one Ed25519 key "
            "can be in use at once; then a message gets two signatures."},
};

static const struct schema_block selector_block = {SCHEMA_KEYS(selector_keys),
                                                   .label = &selector_label,
                                                   .bytes = sizeof(struct config_dkim_selector)};

static const struct schema_key dkim_label = {
    .name = "domain",
    .type = SCHEMA_DOMAIN,
    SCHEMA_FIELD(config_dkim, domain),
    .roles = FOR_RELAY,
    .doc = "The domain of the From address; of an internationalized one the A-labels (`xn--…`)."};

static const struct schema_key dkim_keys[] = {
    {.name = "selector",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_dkim, selectors),
     .count_offset = offsetof(struct config_dkim, selector_count),
     .block = &selector_block,
     .max = CONFIG_DKIM_SELECTORS_MAX,
     .roles = FOR_RELAY,
     .doc = "A key. At least one. To change keys publish the new one with `use no`, wait for the DNS, turn both `use` "
            "round and reload; take the old one out when no mail with its signature is under way any more."},
    {.name = "subdomains",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_dkim, subdomains),
     .initial = "no",
     .roles = FOR_RELAY,
     .doc = "Sign for names below the domain, too, which have no block of their own (`i=@NAME`)."},
    {.name = "oversign",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_dkim, oversign),
     .initial = OVERSIGNED,
     .roles = FOR_RELAY,
     .flags = SCHEMA_LIST | SCHEMA_NONEMPTY,
     .doc = "Fields that are signed as often as they are there, and once more: a further one breaks the signature. "
            "`From` must be among them. A field that the smarthost adds where it is missing belongs into `sign`."},
    {.name = "sign",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_dkim, sign),
     .initial = SIGNED,
     .roles = FOR_RELAY,
     .flags = SCHEMA_LIST,
     .doc = "Fields that are signed where they are there; others may be added on the way."},
    {.name = "expire",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_dkim, expire_ms),
     .words = off_words,
     .initial = "off",
     .min = 3600000,
     .max = INT64_C(365) * 86400000,
     .roles = FOR_RELAY,
     .doc = "How long a signature is good for (`x=`). Longer than mail can be under way, such as `14d`."},
};

const struct schema_block schema_dkim = {
    SCHEMA_KEYS(dkim_keys), .label = &dkim_label, .bytes = sizeof(struct config_dkim)};
