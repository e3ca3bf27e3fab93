/* The table of settings: the doors of console. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word proxy_headers[] = {
    {"x-forwarded-for", CONFIG_PROXY_X_FORWARDED_FOR},
    {"forwarded", CONFIG_PROXY_FORWARDED},
    {NULL, 0},
};

#define UIDS_KEY(role, text)                                                                       \
    {.name = #role "_uids",                                                                        \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(config_console, role##_uids),                                                    \
     .max = UINT32_MAX - 1,                                                                        \
     .roles = FOR_CONSOLE,                                                                         \
     .flags = SCHEMA_LIST,                                                                         \
     .doc = text}

static const struct schema_key console_keys[] = {
    {.name = "socket",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_console, socket),
     .max = 107, /* sun_path */
     .roles = FOR_CONSOLE,
     .doc = "The UNIX socket that msactl connects to. Empty: `console.sock` in `runtime_dir`."},
    UIDS_KEY(operator, "User ids that come through the socket as operators, beside root, msad's own user and the members "
                       "of its group. The socket's mode has to let them in, too."),
    UIDS_KEY(support, "The same for the support desk. A user id that is listed has this role alone, in whatever group it "
                      "is."),
    UIDS_KEY(portal, "The same for other systems of the provider."),
    {.name = "metrics",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_console, metrics),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Addresses and ports that serve /metrics, /healthz and /readyz over plain HTTP, to "
            "whoever can connect: a loopback address, or one of a network for monitoring."},
    {.name = "auth_policy",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_console, auth_policy),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Addresses and ports where POP and IMAP servers ask whether an account may sign in, and "
            "tell that it did: Dovecot's `auth_policy_server_url`, plain HTTP. Any other address "
            "than loopback needs `auth_policy_token_file`. Loopback ones also have passwords checked "
            "(`POST /verify`); from elsewhere that goes over `https` with the token."},
    {.name = "postfix_policy",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_console, postfix_policy),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Loopback addresses and ports where a Postfix that still takes mail asks whether it may: its policy "
            "delegation protocol (`check_policy_service`)."},
    {.name = "http",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_console, http),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Loopback addresses and ports that serve the API and the pages in clear: for a program on "
            "this host, or a proxy that speaks TLS."},
    {.name = "https",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_console, https),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST | SCHEMA_LISTEN,
     .doc = "Addresses and ports that serve them behind TLS, with the first certificate of `tls`, whose key the "
            "console process then holds, too."},
    {.name = "host_names",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_console, host_names),
     .max = 253,
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Names, beside `hostname`, localhost and addresses, under which browsers may reach the pages. Requests "
            "for other hosts are refused (421), so that nobody's name can be bound to this server."},
    {.name = "trusted_proxies",
     .type = SCHEMA_PREFIX,
     SCHEMA_FIELD(config_console, trusted_proxies),
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_LIST,
     .doc = "Proxies before `http` and `https` that say whose request it is. From all others, and before what the last of "
            "them has added, `proxy_header` counts for nothing."},
    {.name = "proxy_header",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_console, proxy_header),
     .words = proxy_headers,
     .initial = "x-forwarded-for",
     .roles = FOR_CONSOLE,
     .doc = "The one field in which they say it: X-Forwarded-For, or Forwarded (RFC 7239). The other is never read, for a "
            "proxy hands on what it does not know."},
    {.name = "auth_policy_token_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_console, auth_policy_token_file),
     .roles = FOR_SUPERVISOR,
     .doc = "File with a secret on its only line, not readable by others. Those servers send it as "
            "header X-API-Key, as the password of Basic authentication, or as a Bearer token."},
    {.name = "auth_policy_token",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_console, auth_policy_token),
     .max = 256,
     .roles = FOR_CONSOLE,
     .flags = SCHEMA_SECRET | SCHEMA_SNAPSHOT_ONLY,
     .doc = "What `auth_policy_token_file` holds."},
};

const struct schema_block schema_console = {
    SCHEMA_KEYS(console_keys), .bytes = sizeof(struct config_console)};
