/* Texts: names, domains, paths, mailboxes, and what is made of addresses. */
#include <string.h>

#include "msa/config/settings_relay.h"
#include "msa/config/value.h"
#include "msa/mail/sender_pattern.h"

char *value_keep(struct value_site *site, struct view text)
{
    char *copy = arena_strview(site->arena, text);
    if (!copy)
        site->is_out_of_memory = true;
    return copy;
}

static bool keep_text(struct value_site *site, struct view text, void *out)
{
    *(const char **)out = value_keep(site, text);
    return *(const char **)out != NULL;
}

static bool is_too_long(const struct schema_key *key, struct view text)
{
    return text.n > (key->max > 0 ? (size_t)key->max : SCHEMA_TEXT_MAX_BYTES);
}

bool value_parse_text(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    if (is_too_long(key, word->text))
        return value_fail_range(site, key, word);
    return keep_text(site, word->text, out);
}

static bool is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* At most 63 bytes, which is what a message between roles has room for (IPC_NAME_MAX). */
bool value_parse_name(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    bool is_good = word->text.n <= 63;
    for (size_t i = 0; i < word->text.n; i++)
        is_good = is_good && is_name_char(word->text.p[i]);
    if (!is_good)
        return value_fail(site, key, word);
    return keep_text(site, word->text, out);
}

/* RFC 1123 §2.1 host names, with '_' for those who have it: labels of 1 to 63, 253 in all. */
static bool is_domain(struct view text)
{
    if (text.n == 0 || text.n > 253 || text.p[text.n - 1] == '.')
        return false;
    for (struct view rest = text; rest.n > 0;) {
        struct view label = view_cut(&rest, '.');
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_name_char(label.p[i]))
                return false;
    }
    return true;
}

bool value_parse_domain(struct value_site *site, const struct schema_key *key,
                        const struct tree_word *word, void *out)
{
    if (word->text.n > 0 && !is_domain(word->text))
        return value_fail(site, key, word);
    return keep_text(site, word->text, out);
}

/* Absolute, because the processes have no directory of their own. */
bool value_parse_path(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    if (word->text.n > 0 && word->text.p[0] != '/')
        return value_fail(site, key, word);
    return value_parse_text(site, key, word, out);
}

/* local@domain without quoting: addresses of our own. */
bool value_parse_mailbox(struct value_site *site, const struct schema_key *key,
                         const struct tree_word *word, void *out)
{
    struct view domain = word->text;
    struct view local = view_cut(&domain, '@');
    bool is_good = local.n > 0 && local.n <= 64 && is_domain(domain);
    for (size_t i = 0; i < local.n; i++)
        is_good = is_good && (is_name_char(local.p[i]) || strchr("+=", local.p[i]));
    if (word->text.n > 0 && !is_good)
        return value_fail(site, key, word);
    return keep_text(site, word->text, out);
}

/* Kept in canonical form, so that to match is to compare. */
bool value_parse_sender(struct value_site *site, const struct schema_key *key,
                        const struct tree_word *word, void *out)
{
    char canonical[SENDER_PATTERN_SIZE];
    int n = sender_pattern_parse(word->text, canonical);
    if (n < 0)
        return value_fail(site, key, word);
    return keep_text(site, view_of(canonical, (size_t)n), out);
}

/* ---- addresses ------------------------------------------------------------------------------- */

bool value_parse_port(struct view text, uint16_t *out)
{
    uint64_t n;
    if (!view_parse_u64(text, UINT16_MAX, &n) || n == 0)
        return false;
    *out = (uint16_t)n;
    return true;
}

/* Parts "host", "host:port", "[v6]", "[v6]:port", and a v6 address alone. `*port_out` is left
 * alone without a port. False if the shape or the port is wrong; the host is not judged. */
static bool split_port(struct view text, struct view *host_out, uint16_t *port_out)
{
    if (text.n > 0 && text.p[0] == '[') {
        struct view rest = view_slice(text, 1, text.n);
        struct ipaddr addr;
        size_t close = view_find(rest, ']');
        *host_out = view_slice(rest, 0, close);
        if (close == rest.n || !ipaddr_parse(*host_out, &addr) || ipaddr_is_v4(&addr))
            return false;
        rest = view_slice(rest, close + 1, rest.n);
        return rest.n == 0 ||
               (rest.p[0] == ':' && value_parse_port(view_slice(rest, 1, rest.n), port_out));
    }
    struct view port = text;
    struct ipaddr addr;
    *host_out = text;
    if (ipaddr_parse(text, &addr) || view_find(text, ':') == text.n)
        return true;
    *host_out = view_cut(&port, ':');
    return value_parse_port(port, port_out);
}

bool value_parse_host(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    struct config_host *host = out;
    struct view name;
    struct ipaddr addr;
    *host = (struct config_host){.name = ""};
    if (!split_port(word->text, &name, &host->port) ||
        (!ipaddr_parse(name, &addr) && !is_domain(name)))
        return value_fail(site, key, word);
    return keep_text(site, name, &host->name);
}

bool value_parse_address(struct value_site *site, const struct schema_key *key,
                         const struct tree_word *word, void *out)
{
    return ipaddr_parse(word->text, out) || value_fail(site, key, word);
}

bool value_parse_prefix(struct value_site *site, const struct schema_key *key,
                        const struct tree_word *word, void *out)
{
    return ipprefix_parse(word->text, out) || value_fail(site, key, word);
}

bool value_parse_endpoint(struct value_site *site, const struct schema_key *key,
                          const struct tree_word *word, void *out)
{
    struct config_endpoint *e = out;
    struct view host;
    e->port = key->default_port;
    if (!split_port(word->text, &host, &e->port) || e->port == 0)
        return value_fail(site, key, word);
    if ((key->flags & SCHEMA_LISTEN) && view_eq(host, VIEW_LIT("*"))) {
        e->addr = (struct ipaddr){{0}};
        return true;
    }
    return ipaddr_parse(host, &e->addr) || value_fail(site, key, word);
}

/* ---- back to text ---------------------------------------------------------------------------- */

void value_quote(struct view text, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

void value_format_text(const struct schema_key *key, const void *field, struct buf *out)
{
    (void)key;
    value_quote(view_cstr(*(const char *const *)field), out);
}

static void format_with_port(const char *host, uint16_t port, struct buf *out)
{
    bool is_v6 = strchr(host, ':') != NULL;
    buf_addf(out, "\"%s%s%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "");
    if (port != 0)
        buf_addf(out, ":%u", port);
    buf_add_char(out, '"');
}

void value_format_host(const struct schema_key *key, const void *field, struct buf *out)
{
    const struct config_host *host = field;
    (void)key;
    format_with_port(host->name, host->port, out);
}

void value_format_address(const struct schema_key *key, const void *field, struct buf *out)
{
    char text[IPADDR_TEXT_MAX];
    (void)key;
    ipaddr_format(field, text);
    buf_add_cstr(out, text);
}

void value_format_prefix(const struct schema_key *key, const void *field, struct buf *out)
{
    char text[IPPREFIX_TEXT_MAX];
    (void)key;
    ipprefix_format(field, text);
    buf_add_cstr(out, text);
}

void value_format_endpoint(const struct schema_key *key, const void *field, struct buf *out)
{
    const struct config_endpoint *e = field;
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(&e->addr, text);
    bool is_any = (key->flags & SCHEMA_LISTEN) && ipaddr_is_none(&e->addr);
    format_with_port(is_any ? "*" : text, e->port, out);
}
