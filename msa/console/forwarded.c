#include "msa/console/forwarded.h"

bool forwarded_is_proxy(const struct config_console *config, const struct ipaddr *ip)
{
    for (uint32_t i = 0; i < config->trusted_proxies.count; i++)
        if (ipprefix_contains(&config->trusted_proxies.items[i], ip))
            return true;
    return false;
}

/* The part behind the last comma, which it cuts off. A comma in quotes parts, too: no address holds one. */
static struct view cut_last(struct view *list)
{
    size_t at = list->n;
    while (at > 0 && list->p[at - 1] != ',')
        at--;
    struct view last = view_slice(*list, at, list->n);
    *list = view_slice(*list, 0, at > 0 ? at - 1 : 0);
    return view_trim(last);
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711", each perhaps in quotes. */
static bool parse_node(struct view text, struct ipaddr *out)
{
    if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = view_slice(text, 1, text.n - 1);
    if (text.n > 0 && text.p[0] == '[')
        return ipaddr_parse(view_slice(text, 1, view_find(text, ']')), out);
    size_t colon = view_find(text, ':');
    bool has_port = colon < text.n && view_find(view_slice(text, colon + 1, text.n), ':') == text.n - colon - 1;
    return ipaddr_parse(has_port ? view_slice(text, 0, colon) : text, out);
}

/* for=… of one element "for=192.0.2.1;proto=https"; two of them say nothing. */
static struct view for_of(struct view element)
{
    struct view found = VIEW_EMPTY;
    unsigned count = 0;
    while (element.n > 0) {
        struct view pair = view_trim(view_cut(&element, ';')), name = view_cut(&pair, '=');
        if (!view_eq_nocase(name, VIEW_LIT("for")))
            continue;
        found = pair;
        count++;
    }
    return count == 1 ? found : VIEW_EMPTY;
}

struct ipaddr forwarded_client(const struct config_console *config, const struct ipaddr *peer, struct view header)
{
    struct ipaddr client = *peer, before;
    bool is_rfc = config->proxy_header == CONFIG_PROXY_FORWARDED;
    while (header.n > 0 && forwarded_is_proxy(config, &client)) {
        struct view element = cut_last(&header);
        if (!parse_node(is_rfc ? for_of(element) : element, &before) || ipaddr_is_none(&before))
            break;
        client = before;
    }
    return client;
}
