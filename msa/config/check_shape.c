/* Contradictions between destinations, and between them and pools. */
#include <string.h>

#include "msa/config/check.h"
#include "msa/config/private.h"
#include "msa/mail/domain.h"

static bool is_default(const char *name)
{
    return strcmp(name, CONFIG_DESTINATION_DEFAULT) == 0;
}

static bool is_usable(const char *domain)
{
    char canonical[DOMAIN_SIZE];
    struct view text = view_cstr(domain);
    if (text.n > 0 && text.p[0] == '.')
        text = view_slice(text, 1, text.n);
    return domain_canonical(text, canonical) > 0;
}

/* The name of the block before `d`, or of `d` itself, that has the domain already; NULL: none. */
static const char *owner_of(const struct config *cfg, const struct config_destination *d,
                            uint32_t position)
{
    for (const struct config_destination *other = cfg->destinations; other <= d; other++) {
        uint32_t count = other == d ? position : other->domains.count;
        for (uint32_t i = 0; i < count; i++) {
            if (view_eq_nocase(view_cstr(other->domains.items[i]), view_cstr(d->domains.items[position])))
                return other->name;
        }
    }
    return NULL;
}

static void check_domains(const struct checker *c, const struct config_destination *d)
{
    const struct place *at = check_place(c, &d->domains, d);
    if (is_default(d->name) && d->domains.count > 0)
        report_add(c->errs, at, "destination 'default' stands for all other domains and has no "
                                "'domains' of its own");
    if (!is_default(d->name) && d->domains.count == 0)
        report_add(c->errs, at, "destination '%s' has no domain: add domains example.jp;", d->name);
    for (uint32_t i = 0; i < d->domains.count; i++) {
        const char *owner = owner_of(c->cfg, d, i);
        if (!is_usable(d->domains.items[i]))
            report_add(c->errs, at, "'%s' is not a domain, such as example.jp or, for all below it, "
                                    ".example.jp", d->domains.items[i]);
        else if (owner)
            report_add(c->errs, at, "domain '%s' is already in destination '%s'",
                       d->domains.items[i], owner);
    }
}

static void check_name(const struct checker *c, const struct config_shape *s)
{
    const struct config *cfg = c->cfg;
    struct suggest near = {.word = view_cstr(s->name)};
    for (uint32_t i = 0; i < cfg->destination_count; i++) {
        if (strcmp(cfg->destinations[i].name, s->name) == 0)
            return;
        suggest_offer(&near, cfg->destinations[i].name);
    }
    if (!is_default(s->name))
        report_add(c->errs, check_place(c, s, s),
                   "there is no destination '%s'%s: add destination %s { domains …; } outside of the pool",
                   s->name, suggest_text(&near), s->name);
}

void check_shape(const struct checker *c)
{
    const struct config *cfg = c->cfg;
    for (uint32_t i = 0; i < cfg->destination_count; i++)
        check_domains(c, &cfg->destinations[i]);
    for (uint32_t i = 0; i < cfg->pool_count; i++) {
        for (uint32_t k = 0; k < cfg->pools[i].shape_count; k++)
            check_name(c, &cfg->pools[i].shapes[k]);
    }
}
