/* Contradictions in the blocks of alignment. */
#include "msa/config/check.h"
#include "msa/config/private.h"

static bool is_listener(const struct config *cfg, struct view name)
{
    for (uint32_t i = 0; i < cfg->listener_count; i++)
        if (view_eq(view_cstr(cfg->listeners[i].name), name))
            return true;
    return false;
}

/* Snapshots for policy hold no listeners: there is nothing to compare with. */
void check_listener_name(const struct checker *c, const char *const *name, const void *block)
{
    struct view wanted = view_cstr(*name);
    if (wanted.n == 0 || c->cfg->listener_count == 0 || is_listener(c->cfg, wanted))
        return;
    struct suggest near = {.word = wanted};
    for (uint32_t i = 0; i < c->cfg->listener_count; i++)
        suggest_offer(&near, c->cfg->listeners[i].name);
    report_add(c->errs, check_place(c, name, block),
               "there is no listener '%.*s'%s", SHOWN(wanted), suggest_text(&near));
}

static bool is_for_everybody(const struct config_align_when *w)
{
    return w->origin == CONFIG_FROM_ANYWHERE && w->countries.count == 0 &&
           w->classes.count == 0 && w->younger_than_ms == 0 && w->older_than_ms == 0 &&
           w->listener[0] == '\0';
}

static void check_sense(const struct checker *c, const struct config_align *a)
{
    if (a->mismatch == CONFIG_MISMATCH_REWRITE && !(a->check & CONFIG_ALIGN_ENVELOPE))
        report_add(c->errs, check_place(c, &a->mismatch, a),
                   "'mismatch rewrite' is about the envelope: write 'check envelope' or "
                   "'check both'");
    if (a->when.younger_than_ms > 0 && a->when.older_than_ms >= a->when.younger_than_ms)
        report_add(
            c->errs, check_place(c, &a->when.older_than_ms, &a->when),
            "no account is older than 'older_than' and younger than 'younger_than'");
    for (uint32_t i = 0; i < a->when.countries.count; i++)
        check_country(c, a->when.countries.items[i], &a->when.countries, &a->when);
}

void check_align(const struct checker *c)
{
    const struct config_align *catch_all = NULL;
    for (uint32_t i = 0; i < c->cfg->align_count; i++) {
        const struct config_align *a = &c->cfg->align[i];
        check_listener_name(c, &a->when.listener, &a->when);
        check_sense(c, a);
        if (catch_all)
            report_add(c->errs, check_place(c, a, a),
                       "align '%s' is never reached: '%s' before it has no 'when' and "
                       "takes everybody",
                       a->name, catch_all->name);
        else if (is_for_everybody(&a->when))
            catch_all = a;
    }
}
