#include "policy/route.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/ipc/messages.h"
#include "policy/engine/event.h"

#define BIT(i)          (UINT64_C(1) << (i))
#define DOMAIN_MAX      255
#define ARENA_MAX_BYTES (8u << 20)

_Static_assert(CONFIG_ROUTES_MAX <= 64, "routes are bits");

/* A domain that routes ask for; ".example.jp" stands for all below it. */
struct route_domain {
    struct table_entry entry;
    uint64_t routes;
};

struct routes {
    const struct config *config;
    struct arena arena;
    struct table domains;
    uint64_t with_destinations;
    uint64_t in_shadow;
    int64_t ask_restricted_ms;
    uint32_t default_pool;
};

/* ---- making ---- */

static int add_domain(struct routes *r, const char *text, uint64_t route)
{
    char lower[DOMAIN_MAX + 2];
    size_t n = strlen(text);
    if (n == 0 || n >= sizeof lower)
        return MSA_OK;
    for (size_t i = 0; i < n; i++)
        lower[i] = ascii_lower(text[i]);
    struct table_entry *e = table_find(&r->domains, view_of(lower, n));
    struct route_domain *d = e ? CONTAINER_OF(e, struct route_domain, entry) : NULL;
    if (d) {
        d->routes |= route;
        return MSA_OK;
    }
    d = ARENA_NEW(&r->arena, struct route_domain);
    if (!d)
        return MSA_ENOMEM;
    *d = (struct route_domain){.routes = route};
    d->entry.key = arena_copy(&r->arena, view_of(lower, n));
    return d->entry.key.n == n ? table_insert(&r->domains, &d->entry) : MSA_ENOMEM;
}

static int add_block(struct routes *r, const char *name, uint64_t route)
{
    const struct config *c = r->config;
    int err = MSA_OK;
    for (uint32_t i = 0; i < c->destination_count; i++) {
        const struct config_destination *d = &c->destinations[i];
        if (strcmp(d->name, name) != 0)
            continue;
        for (uint32_t k = 0; k < d->domains.count && err == MSA_OK; k++)
            err = add_domain(r, d->domains.items[k], route);
    }
    return err;
}

static int add_route(struct routes *r, uint32_t position)
{
    const struct config_route_when *w = &r->config->route[position].when;
    int err = MSA_OK;
    if (w->restricted_within_ms > r->ask_restricted_ms)
        r->ask_restricted_ms = w->restricted_within_ms;
    if (r->config->route[position].mode == CONFIG_ROUTE_SHADOW)
        r->in_shadow |= BIT(position);
    if (w->destinations.count > 0)
        r->with_destinations |= BIT(position);
    for (uint32_t i = 0; i < w->destinations.count && err == MSA_OK; i++) {
        const char *name = w->destinations.items[i];
        err = strchr(name, '.') ? add_domain(r, name, BIT(position))
                                : add_block(r, name, BIT(position));
    }
    return err;
}

uint32_t route_pool_position(const struct config *config, struct view name, uint32_t otherwise)
{
    for (uint32_t i = 0; i < config->pool_count; i++)
        if (view_eq(view_cstr(config->pools[i].name), name))
            return i;
    return otherwise;
}

struct routes *routes_new(const struct config *config)
{
    struct routes *r = calloc(1, sizeof *r);
    int err = MSA_OK;
    if (!r)
        return NULL;
    r->config = config;
    arena_init(&r->arena, ARENA_MAX_BYTES);
    table_init(&r->domains);
    r->default_pool = route_pool_position(config, view_cstr(config->policy.default_pool), 0);
    for (uint32_t i = 0; i < config->route_count && err == MSA_OK; i++)
        err = add_route(r, i);
    if (err < 0)
        routes_free(&r);
    return r;
}

void routes_free(struct routes **r)
{
    if (!*r)
        return;
    table_fini(&(*r)->domains);
    arena_fini(&(*r)->arena);
    free(*r);
    *r = NULL;
}

int64_t routes_ask_restricted_ms(const struct routes *r)
{
    return r->ask_restricted_ms;
}

/* ---- conditions ---- */

static bool is_in(const struct config_strings *list, struct view text)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (view_eq(view_cstr(list->items[i]), text))
            return true;
    return list->count == 0;
}

static bool is_from(const struct config_route_when *w, const struct route_facts *f)
{
    char country[3];
    if ((w->origin == CONFIG_FROM_HOME && !f->is_home) ||
        (w->origin == CONFIG_FROM_OVERSEAS && f->is_home))
        return false;
    country_text(f->country, country);
    return is_in(&w->countries, view_cstr(country)) &&
           (w->listener[0] == '\0' || view_eq(view_cstr(w->listener), f->listener));
}

/* An age that is not known is old: as in rules. */
static bool is_account(const struct config_route_when *w, const struct route_facts *f)
{
    int64_t age_ms = f->account_age_ms;
    if (w->younger_than_ms > 0 && (age_ms < 0 || age_ms >= w->younger_than_ms))
        return false;
    if (w->older_than_ms > 0 && age_ms >= 0 && age_ms < w->older_than_ms)
        return false;
    if (w->restricted_within_ms > 0 && (f->restricted_ago_ms < 0 ||
                                        f->restricted_ago_ms >= w->restricted_within_ms))
        return false;
    if (w->risky != CONFIG_RISKY_ANY && (w->risky == CONFIG_RISKY_YES) != f->is_risky)
        return false;
    return is_in(&w->classes, f->account_class);
}

static bool has_finding(const struct config_strings *wanted, struct view findings)
{
    while (wanted->count > 0 && findings.n > 0) {
        struct view line = view_cut(&findings, '\n');
        struct view name = view_cut(&line, ' ');
        if (name.n > 0 && is_in(wanted, name))
            return true;
    }
    return wanted->count == 0;
}

/* All but the recipients. */
static bool holds(const struct config_route_when *w, const struct route_facts *f)
{
    return (w->min_score_milli <= CONFIG_SCORE_ANY_MILLI || f->score_milli >= w->min_score_milli) &&
           is_from(w, f) && is_account(w, f) && has_finding(&w->findings, f->findings);
}

static uint64_t holding(const struct routes *r, const struct route_facts *f)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < r->config->route_count; i++)
        if (holds(&r->config->route[i].when, f))
            mask |= BIT(i);
    return mask;
}

/* ---- recipients ---- */

static uint64_t routes_of(const struct routes *r, struct view domain)
{
    struct table_entry *e = table_find(&r->domains, domain);
    return e ? CONTAINER_OF(e, struct route_domain, entry)->routes : 0;
}

/* Of the domain itself, and of ".example.jp" of each domain above it. */
static uint64_t routes_towards(const struct routes *r, struct view path)
{
    char lower[DOMAIN_MAX];
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '@')
        at--;
    struct view domain = view_slice(path, at, path.n);
    if (at == 0 || domain.n == 0 || domain.n > sizeof lower)
        return 0;
    for (size_t i = 0; i < domain.n; i++)
        lower[i] = ascii_lower(domain.p[i]);
    uint64_t mask = routes_of(r, view_of(lower, domain.n));
    for (size_t i = 1; i < domain.n; i++)
        if (lower[i] == '.')
            mask |= routes_of(r, view_of(lower + i, domain.n - i));
    return mask;
}

/* ---- the decision ---- */

static struct route_choice choice_of(const struct routes *r, uint64_t candidates)
{
    struct route_choice c = {.then = CONFIG_ROUTE_POOL, .pool = r->default_pool};
    if (candidates == 0)
        return c;
    c.route = &r->config->route[__builtin_ctzll(candidates)];
    c.then = c.route->then;
    c.pool = route_pool_position(r->config, view_cstr(c.route->pool), r->default_pool);
    return c;
}

static bool is_stricter(const struct route_choice *a, const struct route_choice *b)
{
    if (a->then != b->then)
        return a->then > b->then;
    return a->pool > b->pool;
}

/* Of the routes in `mask`, which hold but for the recipients. */
static void decide(const struct routes *r, uint64_t mask, struct view recipients, struct route_choice *out)
{
    uint64_t last = 0;
    bool is_first = true;
    struct view item;
    *out = choice_of(r, mask & ~r->with_destinations);
    if (!(mask & r->with_destinations))
        return;
    while (items_next(&recipients, &item)) {
        struct msg_recipient rcpt;
        if (msg_recipient_decode(item, &rcpt) < 0)
            break; /* looked at before: it cannot be */
        uint64_t candidates =
            mask & (routes_towards(r, rcpt.path) | ~r->with_destinations);
        if (!is_first && candidates == last)
            continue;
        struct route_choice c = choice_of(r, candidates);
        if (is_first || is_stricter(&c, out))
            *out = c;
        last = candidates;
        is_first = false;
    }
}

void routes_decide(const struct routes *r, const struct route_facts *facts, struct view recipients,
                   struct route_choice *out, struct route_choice *shadow_out)
{
    uint64_t mask = holding(r, facts);
    *shadow_out = (struct route_choice){0};
    decide(r, mask & ~r->in_shadow, recipients, out);
    if (!(mask & r->in_shadow))
        return;
    decide(r, mask, recipients, shadow_out);
    if (shadow_out->route && shadow_out->route->mode != CONFIG_ROUTE_SHADOW)
        shadow_out->route = NULL;
}
