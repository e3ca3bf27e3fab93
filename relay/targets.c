#include "relay/targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define PAUSE_DOUBLINGS  3
#define DROPS_MAX        3
#define SLOW_PAUSE_MS    1000 /* what many links say within it is one thing */
#define SLOW_STEP_MS     5000
#define RESOLVE_PAUSE_MS 10000 /* before a name that could not be resolved is asked for again */

/* ---- the list ---- */

static bool is_before(const struct target *a, const struct target *b)
{
    if (a->preference != b->preference)
        return a->preference < b->preference;
    if (a->smarthost != b->smarthost && a->mx_preference == b->mx_preference)
        return a->smarthost < b->smarthost;
    return a->mx_preference < b->mx_preference;
}

static bool is_same_place(const struct target *a, const struct target *b)
{
    return a->port == b->port && ipaddr_eq(&a->ip, &b->ip) && a->smarthost == b->smarthost;
}

/* Takes the memory of `old` with it, if the address was known before. */
static void remember(struct target *t, const struct target *old, uint32_t old_count)
{
    for (uint32_t i = 0; i < old_count; i++) {
        if (!is_same_place(t, &old[i]))
            continue;
        t->dead_until_ms = old[i].dead_until_ms;
        t->failure_count = old[i].failure_count;
        t->drop_count = old[i].drop_count;
        t->clear_until_ms = old[i].clear_until_ms;
        t->slow_limit = old[i].slow_limit;
        t->slow_changed_ms = old[i].slow_changed_ms;
    }
}

static void insert(struct targets *t, const struct target *one)
{
    bool is_reachable =
        ipaddr_is_none(&t->source) || ipaddr_is_v4(&t->source) == ipaddr_is_v4(&one->ip);
    if (t->count == TARGETS_MAX || !is_reachable)
        return;
    uint32_t at = t->count++;
    for (; at > 0 && is_before(one, &t->items[at - 1]); at--)
        t->items[at] = t->items[at - 1];
    t->items[at] = *one;
}

static void remove_smarthost(struct targets *t, uint32_t smarthost)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->items[i].smarthost != smarthost)
            t->items[kept++] = t->items[i];
    }
    t->count = kept;
}

/* ---- names ---- */

static struct target target_of(const struct targets *t, uint32_t smarthost)
{
    const struct config_smarthost *s = &t->pool->smarthosts[smarthost];
    struct target one = {.port = s->host.port, .preference = s->preference, .smarthost = smarthost};
    snprintf(one.name, sizeof one.name, "%s", s->host.name);
    return one;
}

static void replace(struct targets *t, uint32_t smarthost, const struct dns_answer *a)
{
    struct target old[TARGETS_MAX];
    uint32_t old_count = t->count;
    memcpy(old, t->items, sizeof old);
    remove_smarthost(t, smarthost);
    for (size_t i = 0; i < a->count; i++) {
        struct target one = target_of(t, smarthost);
        one.ip = a->addresses[i].ip;
        one.mx_preference = a->addresses[i].preference;
        memcpy(one.name, a->addresses[i].name, sizeof one.name);
        remember(&one, old, old_count);
        insert(t, &one);
    }
}

static void on_answer(void *arg, const struct dns_answer *a)
{
    struct targets_query *q = arg;
    struct targets *t = q->targets;
    q->query = NULL;
    t->resolving_count--;
    int64_t again_ms = clock_mono_ms() + (a->err == MSA_OK ? a->ttl_ms : RESOLVE_PAUSE_MS);
    if (again_ms < t->resolve_at_ms)
        t->resolve_at_ms = again_ms;
    if (a->err == MSA_OK)
        replace(t, q->smarthost, a);
    else
        log_msg(LOG_LEVEL_WARN, "smarthost-unresolved", "%s: %s",
                t->pool->smarthosts[q->smarthost].host.name, msa_strerror(a->err));
    if (t->resolving_count == 0)
        t->fn(t->arg);
}

static void ask(struct targets *t, uint32_t smarthost)
{
    const struct config_smarthost *s = &t->pool->smarthosts[smarthost];
    struct targets_query *q = &t->queries[smarthost];
    q->query = dns_ask(t->dns, s->host.name, s->mx, on_answer, q);
    if (q->query)
        t->resolving_count++;
}

bool targets_refresh(struct targets *t, int64_t now_ms)
{
    if (t->resolving_count == 0 && now_ms >= t->resolve_at_ms) {
        t->resolve_at_ms = INT64_MAX;
        for (uint32_t i = 0; i < t->pool->smarthost_count; i++) {
            struct ipaddr ip;
            if (!ipaddr_parse(view_cstr(t->pool->smarthosts[i].host.name), &ip))
                ask(t, i);
        }
    }
    return t->resolving_count > 0 && t->count == 0;
}

int targets_init(struct targets *t, struct dns *dns, const struct config_pool *pool,
                 const struct ipaddr *source, targets_ready_fn *fn, void *arg)
{
    *t = (struct targets){.dns = dns, .pool = pool, .source = *source, .fn = fn, .arg = arg};
    t->queries = calloc(pool->smarthost_count > 0 ? pool->smarthost_count : 1, sizeof *t->queries);
    if (!t->queries)
        return MSA_ENOMEM;
    for (uint32_t i = 0; i < pool->smarthost_count; i++) {
        struct target one = target_of(t, i);
        t->queries[i] = (struct targets_query){.targets = t, .smarthost = i};
        if (ipaddr_parse(view_cstr(pool->smarthosts[i].host.name), &one.ip))
            insert(t, &one);
    }
    return MSA_OK;
}

void targets_fini(struct targets *t)
{
    for (uint32_t i = 0; t->queries && i < t->pool->smarthost_count; i++)
        dns_cancel(&t->queries[i].query);
    free(t->queries);
    *t = (struct targets){0};
}

/* ---- choosing ---- */

struct target *targets_choose(struct targets *t, int64_t now_ms)
{
    struct target *equal[TARGETS_MAX];
    const struct target *best = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        struct target *one = &t->items[i];
        bool is_equal = !best || (one->preference == best->preference &&
                                  one->mx_preference == best->mx_preference);
        if (one->dead_until_ms > now_ms || !is_equal)
            continue;
        best = one;
        if (one->slow_limit == 0 || one->link_count < one->slow_limit)
            equal[n++] = one;
    }
    return n > 0 ? equal[t->turn++ % n] : NULL;
}

struct target *targets_find(struct targets *t, const struct ipaddr *ip, uint16_t port)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->items[i].port == port && ipaddr_eq(&t->items[i].ip, ip))
            return &t->items[i];
    }
    return NULL;
}

int64_t targets_back_at_ms(const struct targets *t, int64_t now_ms)
{
    int64_t first_ms = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->items[i].dead_until_ms <= now_ms)
            return 0;
        if (first_ms == 0 || t->items[i].dead_until_ms < first_ms)
            first_ms = t->items[i].dead_until_ms;
    }
    return first_ms;
}

void target_failed(struct target *t, int64_t pause_ms, int64_t now_ms)
{
    if (t->dead_until_ms > now_ms)
        return; /* several links at once tell one thing */
    uint32_t doublings = t->failure_count < PAUSE_DOUBLINGS ? t->failure_count : PAUSE_DOUBLINGS;
    t->failure_count++;
    t->dead_until_ms = now_ms + (pause_ms << doublings);
}

void target_dropped(struct target *t, int64_t pause_ms, int64_t now_ms)
{
    if (++t->drop_count >= DROPS_MAX)
        target_failed(t, pause_ms, now_ms);
}

void targets_forgive(struct targets *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        t->items[i].dead_until_ms = 0;
        t->items[i].failure_count = t->items[i].drop_count = 0;
        t->items[i].slow_limit = 0;
    }
}

bool target_slow_down(struct target *t, uint32_t link_count, int64_t now_ms)
{
    uint32_t from = t->slow_limit > 0 && t->slow_limit < link_count ? t->slow_limit : link_count;
    if (t->slow_limit > 0 && now_ms - t->slow_changed_ms < SLOW_PAUSE_MS)
        return false;
    t->slow_limit = from > 1 ? from / 2 : 1;
    t->slow_changed_ms = now_ms;
    return true;
}

void target_recover(struct target *t, uint32_t link_max, int64_t now_ms)
{
    if (t->slow_limit == 0 || now_ms - t->slow_changed_ms < SLOW_STEP_MS)
        return;
    t->slow_changed_ms = now_ms;
    if (++t->slow_limit >= link_max)
        t->slow_limit = 0;
}

void target_is_up(struct target *t)
{
    t->dead_until_ms = 0;
    if (t->drop_count == 0)
        t->failure_count = 0;
}

void target_answered(struct target *t)
{
    t->failure_count = t->drop_count = 0;
}
