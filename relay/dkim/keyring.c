#include "relay/dkim/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"

#define ARENA_MAX_BYTES (64u << 20)

struct dkim_keyring {
    unsigned holder_count;
    uint32_t count;
    struct dkim_domain *domains; /* by name */
    struct arena arena;
};

static int copy_names(struct arena *arena, const struct config_strings *from, struct dkim_names *to)
{
    to->items = arena_alloc(arena, from->count * sizeof *to->items + 1);
    if (!to->items)
        return MSA_ENOMEM;
    for (; to->count < from->count; to->count++) {
        to->items[to->count] = arena_strdup(arena, from->items[to->count]);
        if (!to->items[to->count])
            return MSA_ENOMEM;
    }
    return MSA_OK;
}

static int add_key(struct arena *arena, const struct config_dkim_selector *s, struct dkim_domain *d,
                   char *why, size_t why_size)
{
    char reason[DKIM_KEY_WHY_MAX];
    struct dkim_key *key = dkim_key_parse(view_cstr(s->key_pem), reason);
    if (!key) {
        snprintf(why, why_size, "dkim %s, selector %s: %s", d->name, s->name, reason);
        return MSA_EINVAL;
    }
    enum dkim_algorithm algorithm = dkim_key_algorithm(key);
    const char *name = d->keys[algorithm] ? NULL : arena_strdup(arena, s->name);
    if (!name) {
        snprintf(why, why_size, "dkim %s, selector %s: %s", d->name, s->name,
                 d->keys[algorithm] ? "a second key of that kind is in use" : "out of memory");
        dkim_key_free(&key);
        return MSA_EINVAL;
    }
    d->keys[algorithm] = key;
    d->selectors[algorithm] = name;
    return MSA_OK;
}

static int add_domain(struct dkim_keyring *ring, const struct config_dkim *c, char *why, size_t why_size)
{
    struct dkim_domain *d = &ring->domains[ring->count++];
    if (domain_to_ascii(view_cstr(c->domain), d->name) < 0) {
        snprintf(why, why_size, "dkim %s: not a domain name", c->domain);
        return MSA_EINVAL;
    }
    d->has_subdomains = c->subdomains;
    d->expire_s = c->expire_ms / 1000;
    int err = copy_names(&ring->arena, &c->oversign, &d->oversign);
    if (err == MSA_OK)
        err = copy_names(&ring->arena, &c->sign, &d->sign);
    for (uint32_t i = 0; err == MSA_OK && i < c->selector_count; i++) {
        if (c->selectors[i].use)
            err = add_key(&ring->arena, &c->selectors[i], d, why, why_size);
    }
    return err;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct dkim_domain *)a)->name, ((const struct dkim_domain *)b)->name);
}

struct dkim_keyring *dkim_keyring_new(const struct config *config, char *why, size_t why_size)
{
    struct dkim_keyring *ring = calloc(1, sizeof *ring);
    int err = MSA_OK;
    snprintf(why, why_size, "out of memory");
    if (!ring)
        return NULL;
    ring->holder_count = 1;
    arena_init(&ring->arena, ARENA_MAX_BYTES);
    ring->domains = calloc(config->dkim_count + 1, sizeof *ring->domains);
    if (!ring->domains)
        err = MSA_ENOMEM;
    for (uint32_t i = 0; err == MSA_OK && i < config->dkim_count; i++)
        err = add_domain(ring, &config->dkim[i], why, why_size);
    if (err < 0)
        dkim_keyring_drop(&ring);
    else
        qsort(ring->domains, ring->count, sizeof *ring->domains, compare);
    return ring;
}

struct dkim_keyring *dkim_keyring_hold(struct dkim_keyring *ring)
{
    ring->holder_count++;
    return ring;
}

void dkim_keyring_drop(struct dkim_keyring **ring)
{
    struct dkim_keyring *r = *ring;
    *ring = NULL;
    if (!r || --r->holder_count > 0)
        return;
    for (uint32_t i = 0; i < r->count; i++) {
        for (int k = 0; k < DKIM_ALGORITHM_COUNT; k++)
            dkim_key_free(&r->domains[i].keys[k]);
    }
    free(r->domains);
    arena_fini(&r->arena);
    free(r);
}

bool dkim_keyring_is_empty(const struct dkim_keyring *ring)
{
    return ring->count == 0;
}

static const struct dkim_domain *find_exactly(const struct dkim_keyring *ring, struct view name)
{
    uint32_t low = 0, high = ring->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = view_cmp(name, view_cstr(ring->domains[middle].name));
        if (order == 0)
            return &ring->domains[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool is_in_use(const struct dkim_domain *d)
{
    for (int k = 0; k < DKIM_ALGORITHM_COUNT; k++) {
        if (d->keys[k])
            return true;
    }
    return false;
}

/* A block for the name itself is the last word, also one whose keys are all out of use. */
const struct dkim_domain *dkim_keyring_find(const struct dkim_keyring *ring, struct view name)
{
    const struct dkim_domain *d = find_exactly(ring, name);
    if (d)
        return is_in_use(d) ? d : NULL;
    while (name.n > 0) {
        view_cut(&name, '.');
        d = find_exactly(ring, name);
        if (d && d->has_subdomains && is_in_use(d))
            return d;
    }
    return NULL;
}
