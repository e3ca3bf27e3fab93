/* The table of settings: autoconfiguration files for mail programs. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

#define HOST_KEY(field, text)                                                                      \
    {.name = #field,                                                                               \
     .type = SCHEMA_DOMAIN,                                                                        \
     SCHEMA_FIELD(config_autoconfig, field),                                                       \
     .roles = FOR_CONSOLE,                                                                         \
     .doc = text}
#define PORT_KEY(field, port, text)                                                                \
    {.name = #field,                                                                               \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(config_autoconfig, field),                                                       \
     .initial = port,                                                                              \
     .min = 1,                                                                                     \
     .max = 65535,                                                                                 \
     .roles = FOR_CONSOLE,                                                                         \
     .doc = text}

static const struct schema_key autoconfig_keys[] = {
    {.name = "domain",
     .type = SCHEMA_DOMAIN,
     SCHEMA_FIELD(config_autoconfig, domains),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Domains of the addresses whose mail programs are told the servers below. Programs ask at "
            "`autoconfig.DOMAIN`, `autodiscover.DOMAIN` and `DOMAIN`: let these names lead to `console { https … }`."},
    {.name = "name",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_autoconfig, name),
     .max = 128,
     .roles = FOR_CONSOLE,
     .doc = "What a mail program calls the account. Empty: the hostname."},
    HOST_KEY(smtp_host, "The server for sending. Empty: the hostname."),
    PORT_KEY(smtp_port, "465", "Its port. 587, 143 and 110 are said to begin with STARTTLS, others with TLS."),
    HOST_KEY(imap_host, "The server for reading by IMAP. Empty: none is told."),
    PORT_KEY(imap_port, "993", "The port of `imap_host`."),
    HOST_KEY(pop_host, "The server for reading by POP3. Empty: none is told."),
    PORT_KEY(pop_port, "995", "The port of `pop_host`."),
};

const struct schema_block schema_autoconfig = {
    SCHEMA_KEYS(autoconfig_keys), .bytes = sizeof(struct config_autoconfig)};
