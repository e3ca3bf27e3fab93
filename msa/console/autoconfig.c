#include "msa/console/autoconfig.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/console/web_session.h"
#include "msa/mail/path.h"

/* ---- addresses ---- */

bool autoconfig_is_ours(const struct config_autoconfig *set, struct view address, const char **domain_out)
{
    struct path path;
    if (address.n > AUTOCONFIG_ADDRESS_MAX || path_parse_address(address, &path) < 0)
        return false;
    for (uint32_t i = 0; i < set->domains.count; i++) {
        if (!view_eq_nocase(path.domain, view_cstr(set->domains.items[i])))
            continue;
        *domain_out = set->domains.items[i];
        return true;
    }
    return false;
}

static const struct {
    char character;
    const char *entity;
} entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};

#define ENTITY_COUNT (sizeof entities / sizeof entities[0])

/* Undoes one entity at the front of *text; 0: it is none of the five. */
static char take_entity(struct view *text)
{
    for (size_t i = 0; i < ENTITY_COUNT; i++) {
        struct view entity = view_cstr(entities[i].entity);
        if (!view_has_prefix(*text, entity))
            continue;
        *text = view_slice(*text, entity.n, text->n);
        return entities[i].character;
    }
    return '\0';
}

static bool unescape(struct view text, char out[AUTOCONFIG_ADDRESS_MAX + 1])
{
    size_t n = 0;
    while (text.n > 0 && n < AUTOCONFIG_ADDRESS_MAX) {
        char c = text.p[0];
        if (c == '&')
            c = take_entity(&text);
        else
            text = view_slice(text, 1, text.n);
        if ((unsigned char)c < ' ')
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return text.n == 0 && n > 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view trim_lines(struct view v)
{
    while (v.n > 0 && is_space(v.p[0]))
        v = view_slice(v, 1, v.n);
    while (v.n > 0 && is_space(v.p[v.n - 1]))
        v.n--;
    return v;
}

/* The text behind the next tag `<name>` or `<prefix:name>`, up to the next '<'. *xml goes on behind it. */
static bool next_element(struct view *xml, struct view name, struct view *text_out)
{
    while (xml->n > 0) {
        (void)view_cut(xml, '<');
        size_t end = view_find(*xml, '>');
        struct view tag = view_slice(*xml, 0, end);
        if (end == xml->n)
            return false;
        size_t colon = view_find(tag, ':');
        if (colon < tag.n)
            tag = view_slice(tag, colon + 1, tag.n);
        if (!view_eq(tag, name) || xml->p[0] == '/')
            continue;
        *xml = view_slice(*xml, end + 1, xml->n);
        *text_out = trim_lines(view_slice(*xml, 0, view_find(*xml, '<')));
        return true;
    }
    return false;
}

bool autoconfig_find_address(struct view xml, char out[AUTOCONFIG_ADDRESS_MAX + 1])
{
    struct view text, again;
    struct view name = VIEW_LIT("EMailAddress");
    return next_element(&xml, name, &text) && !next_element(&xml, name, &again) && unescape(text, out);
}

void autoconfig_add_escaped(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t k = 0;
        while (k < ENTITY_COUNT && entities[k].character != text.p[i])
            k++;
        if (k < ENTITY_COUNT)
            buf_add_cstr(out, entities[k].entity);
        else
            buf_add_char(out, (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? '?' : text.p[i]);
    }
}

/* ---- servers ---- */

static const char *or_else(const char *text, const char *otherwise)
{
    return text && text[0] ? text : otherwise;
}

static bool begins_clear(uint32_t port)
{
    return port == 587 || port == 143 || port == 110;
}

static void element(struct buf *out, const char *name, struct view text)
{
    buf_addf(out, "<%s>", name);
    autoconfig_add_escaped(out, text);
    buf_addf(out, "</%s>\n", name);
}

static void number(struct buf *out, const char *name, uint32_t n)
{
    buf_addf(out, "<%s>%u</%s>\n", name, (unsigned)n, name);
}

/* ---- Thunderbird: wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat ---- */

static void thunderbird_server(struct buf *out, const char *tag, const char *type, const char *host, uint32_t port)
{
    if (!host || !host[0])
        return;
    buf_addf(out, "<%s type=\"%s\">\n", tag, type);
    element(out, "hostname", view_cstr(host));
    number(out, "port", port);
    element(out, "socketType", begins_clear(port) ? VIEW_LIT("STARTTLS") : VIEW_LIT("SSL"));
    element(out, "username", VIEW_LIT("%EMAILADDRESS%"));
    element(out, "authentication", VIEW_LIT("password-cleartext")); /* inside TLS */
    buf_addf(out, "</%s>\n", tag);
}

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

void autoconfig_thunderbird(const struct config_autoconfig *set, const char *hostname, struct buf *out)
{
    buf_add_cstr(out, XML_HEAD "<clientConfig version=\"1.1\">\n<emailProvider id=\"");
    autoconfig_add_escaped(out, view_cstr(set->domains.count ? set->domains.items[0] : ""));
    buf_add_cstr(out, "\">\n");
    for (uint32_t i = 0; i < set->domains.count; i++)
        element(out, "domain", view_cstr(set->domains.items[i]));
    element(out, "displayName", view_cstr(or_else(set->name, hostname)));
    element(out, "displayShortName", view_cstr(or_else(set->name, hostname)));
    thunderbird_server(out, "incomingServer", "imap", set->imap_host, set->imap_port);
    thunderbird_server(out, "incomingServer", "pop3", set->pop_host, set->pop_port);
    thunderbird_server(out, "outgoingServer", "smtp", or_else(set->smtp_host, hostname), set->smtp_port);
    buf_add_cstr(out, "</emailProvider>\n</clientConfig>\n");
}

/* ---- Outlook: [MS-OXDSCLI] 2.2.4 ---- */

static void outlook_protocol(struct buf *out, const char *type, const char *host, uint32_t port, struct view address)
{
    if (!host || !host[0])
        return;
    buf_add_cstr(out, "<Protocol>\n");
    element(out, "Type", view_cstr(type));
    element(out, "Server", view_cstr(host));
    number(out, "Port", port);
    element(out, "LoginName", address);
    element(out, "DomainRequired", VIEW_LIT("off"));
    element(out, "SPA", VIEW_LIT("off"));
    element(out, "SSL", VIEW_LIT("on"));
    element(out, "Encryption", begins_clear(port) ? VIEW_LIT("TLS") : VIEW_LIT("SSL"));
    element(out, "AuthRequired", VIEW_LIT("on"));
    buf_add_cstr(out, "</Protocol>\n");
}

#define OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/"

void autoconfig_outlook(const struct config_autoconfig *set, const char *hostname, struct view address,
                        struct buf *out)
{
    buf_add_cstr(out, XML_HEAD "<Autodiscover xmlns=\"" OUTLOOK "responseschema/2006\">\n"
                               "<Response xmlns=\"" OUTLOOK "outlook/responseschema/2006a\">\n<User>\n");
    element(out, "DisplayName", address);
    buf_add_cstr(out, "</User>\n<Account>\n<AccountType>email</AccountType>\n<Action>settings</Action>\n");
    outlook_protocol(out, "IMAP", set->imap_host, set->imap_port, address);
    outlook_protocol(out, "POP3", set->pop_host, set->pop_port, address);
    outlook_protocol(out, "SMTP", or_else(set->smtp_host, hostname), set->smtp_port, address);
    buf_add_cstr(out, "</Account>\n</Response>\n</Autodiscover>\n");
}

/* ---- Apple: a configuration profile with the payload com.apple.mail.managed ---- */

static void key(struct buf *out, const char *name, struct view text)
{
    element(out, "key", view_cstr(name));
    element(out, "string", text);
}

static void key_number(struct buf *out, const char *name, uint32_t n)
{
    element(out, "key", view_cstr(name));
    number(out, "integer", n);
}

/* The same for the same address, so that a profile loaded again takes the place of the first (RFC 9562, version 8). */
static void key_uuid(struct buf *out, const char *salt, struct view address)
{
    char name[AUTOCONFIG_ADDRESS_MAX + 32], text[37];
    uint8_t d[SESSION_DIGEST_BYTES];
    int n = snprintf(name, sizeof name, "%s %.*s", salt, (int)address.n, address.p);
    console_digest(view_of(name, n < (int)sizeof name ? (size_t)n : sizeof name - 1), d);
    snprintf(text, sizeof text, "%02X%02X%02X%02X-%02X%02X-8%X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", d[0], d[1], d[2],
             d[3], d[4], d[5], d[6] & 15u, d[7], (d[8] & 0x3fu) | 0x80u, d[9], d[10], d[11], d[12], d[13], d[14],
             d[15]);
    key(out, "PayloadUUID", view_cstr(text));
}

static void key_flag(struct buf *out, const char *name, bool is_set)
{
    element(out, "key", view_cstr(name));
    buf_add_cstr(out, is_set ? "<true/>\n" : "<false/>\n");
}

static void apple_server(struct buf *out, const char *way, const char *host, uint32_t port, struct view address)
{
    static const char *const what[] = {"Authentication", "HostName", "PortNumber", "UseSSL", "Username"};
    char names[5][48];
    for (size_t i = 0; i < 5; i++)
        snprintf(names[i], sizeof names[i], "%sMailServer%s", way, what[i]);
    key(out, names[0], VIEW_LIT("EmailAuthPassword"));
    key(out, names[1], view_cstr(host));
    key_number(out, names[2], port);
    key_flag(out, names[3], true);
    key(out, names[4], address);
}

static void apple_payload(const struct config_autoconfig *set, const char *hostname, struct view address,
                          struct buf *out)
{
    bool has_imap = set->imap_host && set->imap_host[0];
    const char *name = or_else(set->name, hostname);
    key(out, "PayloadType", VIEW_LIT("com.apple.mail.managed"));
    key_number(out, "PayloadVersion", 1);
    key(out, "PayloadIdentifier", VIEW_LIT("msad.email.account"));
    key_uuid(out, "account", address);
    key(out, "EmailAccountDescription", view_cstr(name));
    key(out, "EmailAccountType", has_imap ? VIEW_LIT("EmailTypeIMAP") : VIEW_LIT("EmailTypePOP"));
    key(out, "EmailAddress", address);
    if (has_imap)
        apple_server(out, "Incoming", set->imap_host, set->imap_port, address);
    else
        apple_server(out, "Incoming", or_else(set->pop_host, hostname), set->pop_port, address);
    apple_server(out, "Outgoing", or_else(set->smtp_host, hostname), set->smtp_port, address);
    key_flag(out, "OutgoingPasswordSameAsIncomingPassword", true);
}

void autoconfig_apple(const struct config_autoconfig *set, const char *hostname, struct view address,
                      struct buf *out)
{
    buf_add_cstr(out, XML_HEAD "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                               "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                               "<plist version=\"1.0\">\n<dict>\n<key>PayloadContent</key>\n<array>\n<dict>\n");
    apple_payload(set, hostname, address, out);
    buf_add_cstr(out, "</dict>\n</array>\n");
    key(out, "PayloadDisplayName", view_cstr(or_else(set->name, hostname)));
    key(out, "PayloadIdentifier", VIEW_LIT("msad.email"));
    key_uuid(out, "profile", address);
    key(out, "PayloadType", VIEW_LIT("Configuration"));
    key_number(out, "PayloadVersion", 1);
    key_flag(out, "PayloadRemovalDisallowed", false);
    buf_add_cstr(out, "</dict>\n</plist>\n");
}
