/* Contradictions in the blocks of routes. */
#include <string.h>

#include "msa/config/check.h"
#include "msa/config/private.h"

/* ---- one route ---- */

static void check_pool_of(const struct checker *c, const struct config_route *r)
{
    if (r->pool[0] != '\0')
        check_pool_name(c, &r->pool, r);
    else if (r->then == CONFIG_ROUTE_POOL)
        report_add(c->errs, check_place(c, &r->then, r),
                   "route '%s' does not say which pool: add to_pool NAME;", r->name);
    else if (r->stay_ms > 0)
        report_add(c->errs, check_place(c, &r->stay_ms, r),
                   "'stay' needs 'to_pool', the pool that the account's mail stays in");
}

static void check_words(const struct checker *c, const struct config_route *r)
{
    bool has_reply = r->then == CONFIG_ROUTE_DEFER || r->then == CONFIG_ROUTE_REFUSE;
    if (r->text[0] != '\0' && !has_reply)
        report_add(c->errs, check_place(c, &r->text, r),
                   "'text' is the reply of 'then defer' and 'then refuse': nobody would read it");
    if (r->clean_below_milli > CONFIG_SCORE_ANY_MILLI && r->stay_ms == 0)
        report_add(c->errs, check_place(c, &r->clean_below_milli, r),
                   "'clean_below' has no effect without 'stay'");
}

static void check_destination(const struct checker *c, const struct config_route *r,
                              const char *name)
{
    struct suggest near = {.word = view_cstr(name)};
    if (strchr(name, '.'))
        return; /* a domain */
    for (uint32_t i = 0; i < c->cfg->destination_count; i++) {
        if (strcmp(c->cfg->destinations[i].name, name) == 0)
            return;
        suggest_offer(&near, c->cfg->destinations[i].name);
    }
    report_add(c->errs, check_place(c, &r->when.destinations, &r->when),
               "there is no destination '%s'%s: write a domain, or add destination %s { domains …; }",
               name, suggest_text(&near), name);
}

static void check_when(const struct checker *c, const struct config_route *r)
{
    const struct config_route_when *w = &r->when;
    check_listener_name(c, &w->listener, w);
    for (uint32_t i = 0; i < w->countries.count; i++)
        check_country(c, w->countries.items[i], &w->countries, w);
    for (uint32_t i = 0; i < w->destinations.count; i++)
        check_destination(c, r, w->destinations.items[i]);
    if (w->younger_than_ms > 0 && w->older_than_ms >= w->younger_than_ms)
        report_add(c->errs, check_place(c, &w->older_than_ms, w),
                   "no account is older than 'older_than' and younger than 'younger_than'");
}

/* ---- one behind another ---- */

static bool has(const struct config_strings *list, const char *item)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

/* Whatever is in `b` is in `a`; an empty list is every value. */
static bool covers_list(const struct config_strings *a, const struct config_strings *b)
{
    for (uint32_t i = 0; a->count > 0 && i < b->count; i++)
        if (!has(a, b->items[i]))
            return false;
    return a->count == 0 || b->count > 0;
}

/* Whatever `b` takes `a` takes, too. Not seen: what follows from the meaning of lists. */
static bool covers(const struct config_route_when *a, const struct config_route_when *b)
{
    bool is_of_place = (a->origin == CONFIG_FROM_ANYWHERE || a->origin == b->origin) &&
                       covers_list(&a->countries, &b->countries) &&
                       (a->listener[0] == '\0' || strcmp(a->listener, b->listener) == 0);
    bool is_of_account =
        covers_list(&a->classes, &b->classes) &&
        (a->younger_than_ms == 0 ||
         (b->younger_than_ms > 0 && b->younger_than_ms <= a->younger_than_ms)) &&
        a->older_than_ms <= b->older_than_ms &&
        (a->restricted_within_ms == 0 || (b->restricted_within_ms > 0 &&
                                          b->restricted_within_ms <= a->restricted_within_ms)) &&
        (a->risky == CONFIG_RISKY_ANY || a->risky == b->risky);
    return is_of_place && is_of_account && a->min_score_milli <= b->min_score_milli &&
           covers_list(&a->destinations, &b->destinations) &&
           covers_list(&a->findings, &b->findings);
}

static void check_reached(const struct checker *c, uint32_t position)
{
    const struct config_route *r = &c->cfg->route[position];
    for (uint32_t i = 0; i < position; i++) {
        const struct config_route *before = &c->cfg->route[i];
        bool is_hidden = before->mode == CONFIG_ROUTE_ENFORCED || r->mode == CONFIG_ROUTE_SHADOW;
        if (!is_hidden || !covers(&before->when, &r->when))
            continue;
        report_add(c->errs, check_place(c, r, r),
                   "route '%s' is never reached: '%s' before it takes all that it would",
                   r->name, before->name);
        return;
    }
}

void check_routes(const struct checker *c)
{
    for (uint32_t i = 0; i < c->cfg->route_count; i++) {
        check_pool_of(c, &c->cfg->route[i]);
        check_words(c, &c->cfg->route[i]);
        check_when(c, &c->cfg->route[i]);
        check_reached(c, i);
    }
}
