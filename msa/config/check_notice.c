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

static void check_webhook(const struct checker *c, const struct config_webhook *w)
{
    struct view url = view_cstr(w->url);
    if (url.n == 0 || view_has_prefix(url, VIEW_LIT("https://")) || check_is_loopback_url(url))
        return;
    report_add(c->errs, check_place(c, &w->url, w),
               "'url' begins with https://, or with http:// and a loopback address: it "
               "tells of customers");
}

/* ---- templates ---- */

/* In the order of their bits. */
static const char *const event_names[] = {"suspended", "held",    "locked", "overseas",
                                          "released",  "limited", "warned", "locked-by-owner"};

static bool find_event(struct view name, enum config_event *out)
{
    for (unsigned i = 0; i < sizeof event_names / sizeof event_names[0]; i++) {
        if (!view_eq(name, view_cstr(event_names[i])))
            continue;
        *out = (enum config_event)(1u << i);
        return true;
    }
    return false;
}

bool config_template_use(const char *name, struct config_template_use *out)
{
    struct view language = view_cstr(name);
    struct view event = view_cut(&language, '.'), reader = view_cut(&language, '.');
    bool is_english = view_eq(language, VIEW_LIT("en"));
    out->is_for_desk = view_eq(reader, VIEW_LIT("desk"));
    out->language = is_english ? CONFIG_LANGUAGE_EN : CONFIG_LANGUAGE_JA;
    return find_event(event, &out->event) &&
           (out->is_for_desk || view_eq(reader, VIEW_LIT("customer"))) &&
           (is_english || view_eq(language, VIEW_LIT("ja")));
}

static void check_template(const struct checker *c, const struct config_template *t)
{
    struct config_template_use use;
    if (!config_template_use(t->name, &use))
        report_add(c->errs, check_place(c, t, t),
                   "'%s' names no template: event, reader and language, such as "
                   "suspended.customer.ja",
                   t->name);
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
    for (uint32_t i = 0; i < n->template_count; i++)
        check_template(c, &n->templates[i]);
    for (uint32_t i = 0; i < c->cfg->webhook_count; i++)
        check_webhook(c, &c->cfg->webhooks[i]);
}
