#include "relay/pools.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/table.h"

struct pools {
    struct pools *next; /* retired before it */
    const struct config *config;
    struct pool **items; /* those of one configured pool stand together */
    uint32_t count;
    uint32_t *first;     /* per configured pool, its first one */
};

static uint32_t source_count(const struct config_pool *pool)
{
    return pool->source.count > 0 ? pool->source.count : 1;
}

static uint32_t share_of(const struct config_pool *pool)
{
    uint32_t share = pool->connection_count / source_count(pool);
    return share > 0 ? share : 1;
}

static uint32_t total_count(const struct config *config)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < config->pool_count; i++)
        total += source_count(&config->pools[i]);
    return total;
}

static int fill(struct pools *ps, struct pool_settings *settings, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < ps->config->pool_count; i++) {
        const struct config_pool *pool = &ps->config->pools[i];
        ps->first[i] = ps->count;
        for (uint32_t s = 0; s < source_count(pool); s++) {
            settings->config = pool;
            settings->connection_count = share_of(pool);
            settings->number = (uint16_t)ps->count;
            settings->source = pool->source.count > 0 ? pool->source.items[s] : (struct ipaddr){{0}};
            ps->items[ps->count] = pool_new(settings, error, error_size);
            if (!ps->items[ps->count])
                return -1;
            ps->count++;
        }
    }
    return 0;
}

struct pools *pools_new(struct loop *loop, struct dns *dns, const struct config *config,
                        pool_next_fn *next, pool_ready_fn *ready, void *arg, char *error,
                        size_t error_size)
{
    struct pool_settings settings = {.loop = loop, .dns = dns, .next = next, .ready = ready, .arg = arg};
    uint32_t total = total_count(config);
    struct pools *ps = calloc(1, sizeof *ps);
    snprintf(error, error_size, total > 0 ? "out of memory" : "no pool is configured");
    if (!ps || total == 0 || total > UINT16_MAX) {
        free(ps);
        return NULL;
    }
    ps->config = config;
    ps->items = calloc(total, sizeof(struct pool *));
    ps->first = calloc(config->pool_count, sizeof *ps->first);
    if (!ps->items || !ps->first || fill(ps, &settings, error, error_size) < 0)
        pools_free(&ps);
    return ps;
}

void pools_free(struct pools **ps)
{
    if (!*ps)
        return;
    for (uint32_t i = 0; i < (*ps)->count; i++)
        pool_free(&(*ps)->items[i]);
    free((*ps)->items);
    free((*ps)->first);
    free(*ps);
    *ps = NULL;
}

void pools_retire(struct pools *ps, struct pools **line)
{
    pools_drop_finished(line);
    for (struct pools *before = *line; before; before = before->next) {
        for (uint32_t i = 0; i < before->count; i++)
            pool_detach(before->items[i]);
    }
    for (uint32_t i = 0; i < ps->count; i++)
        pool_retire(ps->items[i]);
    ps->next = *line;
    *line = ps;
}

static bool are_empty(const struct pools *ps)
{
    for (uint32_t i = 0; i < ps->count; i++) {
        if (!pool_is_empty(ps->items[i]))
            return false;
    }
    return true;
}

static void drop_first(struct pools **line)
{
    struct pools *gone = *line;
    *line = gone->next;
    pools_free(&gone);
}

void pools_drop_finished(struct pools **line)
{
    while (*line) {
        if (are_empty(*line))
            drop_first(line);
        else
            line = &(*line)->next;
    }
}

void pools_drop_all(struct pools **line)
{
    while (*line)
        drop_first(line);
}

static uint32_t place_of(const struct pools *ps, struct view name)
{
    for (uint32_t i = 0; i < ps->config->pool_count; i++) {
        if (view_eq(view_cstr(ps->config->pools[i].name), name))
            return i;
    }
    return UINT32_MAX;
}

/* The same account leaves from the same address, over restarts too: receivers know senders by it. */
static uint32_t source_of(const struct config_pool *pool, uint64_t account)
{
    static const uint8_t fixed_key[16] = "source-addresses";
    return (uint32_t)(siphash13(fixed_key, &account, sizeof account) % source_count(pool));
}

struct pool *pools_find(struct pools *ps, struct view name, uint64_t account)
{
    uint32_t place = place_of(ps, name);
    if (place == UINT32_MAX)
        place = place_of(ps, view_cstr(ps->config->policy.default_pool));
    if (place == UINT32_MAX)
        place = 0;
    return ps->items[ps->first[place] + source_of(&ps->config->pools[place], account)];
}

uint32_t pools_count(const struct pools *ps)
{
    return ps->count;
}

struct pool *pools_at(struct pools *ps, uint32_t number)
{
    return ps->items[number];
}
