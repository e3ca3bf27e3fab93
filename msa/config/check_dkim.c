/* Contradictions in the settings of DKIM signing. What a key is worth is seen where it is first used, by the
 * supervisor (msa/proc/generation_dkim.c). */
#include <string.h>
#include <strings.h>

#include "msa/config/check.h"

/* RFC 6376 section 3.1: sub-domains of RFC 5321, so no '_'; and the whole name must fit the DNS. */
static bool is_selector(const char *name, const char *domain)
{
    struct view rest = view_cstr(name);
    bool is_good = rest.n > 0 && rest.n + strlen("._domainkey.") + strlen(domain) <= 253 &&
                   rest.p[rest.n - 1] != '.';
    while (is_good && rest.n > 0) {
        struct view label = view_cut(&rest, '.');
        is_good = label.n > 0 && label.n <= 63 && label.p[0] != '-' && label.p[label.n - 1] != '-' &&
                  view_find(label, '_') == label.n;
    }
    return is_good;
}

/* What every hop adds, what is taken out, and what signs. */
static bool is_unfit(const char *name)
{
    static const char *const unfit[] = {"Received", "Return-Path", "Bcc", "Resent-Bcc", "DKIM-Signature",
                                        "Authentication-Results"};
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        if (strcasecmp(unfit[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_listed(const struct config_strings *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcasecmp(list->items[i], name) == 0)
            return true;
    }
    return false;
}

/* `others`: a list that may not have the same names, or NULL. */
static void check_names(const struct checker *c, const struct config_dkim *d,
                        const struct config_strings *list, const struct config_strings *others)
{
    const struct place *at = check_place(c, list, d);
    for (uint32_t i = 0; i < list->count; i++) {
        const char *name = list->items[i];
        if (is_unfit(name))
            report_add(c->errs, at, "'%s' cannot be signed: it changes on the way", name);
        else if (is_listed(list, i, name) || (others && is_listed(others, others->count, name)))
            report_add(c->errs, at, "'%s' is listed twice for this domain", name);
    }
}

static void check_selectors(const struct checker *c, const struct config_dkim *d)
{
    if (d->selector_count == 0)
        report_add(c->errs, check_place(c, &d->selectors, d),
                   "dkim '%s' has no key: add selector NAME { key_file …; }", d->domain);
    for (uint32_t i = 0; i < d->selector_count; i++) {
        const struct config_dkim_selector *s = &d->selectors[i];
        if (!is_selector(s->name, d->domain))
            report_add(c->errs, check_place(c, s, s),
                       "'%s' is no selector: letters, digits, '-' and '.', such as s2027 (with "
                       "._domainkey. and the domain at most 253 characters)",
                       s->name);
    }
}

static void check_domain(const struct checker *c, uint32_t place)
{
    const struct config_dkim *d = &c->cfg->dkim[place];
    for (uint32_t i = 0; i < place; i++) {
        if (strcasecmp(c->cfg->dkim[i].domain, d->domain) != 0)
            continue;
        report_add(c->errs, check_place(c, d, d),
                   "dkim '%s' is already there: one block holds all selectors of a domain", d->domain);
        return;
    }
}

void check_dkim(const struct checker *c)
{
    for (uint32_t i = 0; i < c->cfg->dkim_count; i++) {
        const struct config_dkim *d = &c->cfg->dkim[i];
        check_domain(c, i);
        check_selectors(c, d);
        check_names(c, d, &d->oversign, NULL);
        check_names(c, d, &d->sign, &d->oversign);
        if (!is_listed(&d->oversign, d->oversign.count, "From"))
            report_add(c->errs, check_place(c, &d->oversign, d), "'oversign' must name From (RFC 6376 §5.4)");
    }
}
