/* Contradictions in the settings of notices and webhooks. */
#include "msa/config/check.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool config_utc_offset(const char *text, int *minutes_out)
{
    struct view v = view_cstr(text);
    if (v.n != 6 || (v.p[0] != '+' && v.p[0] != '-') || v.p[3] != ':')
        return false;
    if (!is_digit(v.p[1]) || !is_digit(v.p[2]) || !is_digit(v.p[4]) || !is_digit(v.p[5]))
        return false;
    int hours = (v.p[1] - '0') * 10 + v.p[2] - '0',
        minutes = (v.p[4] - '0') * 10 + v.p[5] - '0';
    if (hours > 14 || minutes > 59)
        return false;
    *minutes_out = (v.p[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* "http://HOST" and what may follow a host, where that is a loopback address. */
static bool is_loopback_url(struct view url)
{
    struct ipaddr ip;
    static const struct view scheme = VIEW_LIT("http://");
    if (!view_has_prefix(url, scheme))
        return false;
    struct view rest = view_slice(url, scheme.n, url.n);
    struct view host = view_slice(rest, 0, view_find(rest, '/'));
    if (host.n > 0 && host.p[0] == '[')
        host = view_slice(host, 1, view_find(host, ']'));
    else
        host = view_slice(host, 0, view_find(host, ':'));
    return ipaddr_parse(host, &ip) ? ipaddr_is_loopback(&ip)
                                   : view_eq(host, VIEW_LIT("localhost"));
}

static void check_webhook(const struct checker *c, const struct config_webhook *w)
{
    struct view url = view_cstr(w->url);
    if (url.n == 0 || view_has_prefix(url, VIEW_LIT("https://")) || is_loopback_url(url))
        return;
    report_add(c->errs, check_place(c, &w->url, w),
               "'url' begins with https://, or with http:// and a loopback address: it "
               "tells of customers");
}

void check_notice(const struct checker *c)
{
    const struct config_notice *n = &c->cfg->notice;
    int minutes;
    if (n->from[0] == '\0' && (n->customer || n->desk[0] != '\0'))
        report_add(c->errs, check_place(c, &n->from, n),
                   "'from' is missing: notices need an address to come from");
    if (!config_utc_offset(n->utc_offset, &minutes))
        report_add(c->errs, check_place(c, &n->utc_offset, n),
                   "'utc_offset' is hours and minutes, such as +09:00, at most 14:59");
    for (uint32_t i = 0; i < c->cfg->webhook_count; i++)
        check_webhook(c, &c->cfg->webhooks[i]);
}
