#include "relay/health.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/table.h"

#define SLOTS   10
#define SLOT_MS (HEALTH_WINDOW_MS / SLOTS)

struct slot {
    int64_t number; /* the time divided by SLOT_MS */
    uint32_t counts[HEALTH_END_COUNT];
};

struct row {
    struct table_entry by_name;
    struct slot slots[SLOTS];
    uint64_t totals[HEALTH_END_COUNT];
    bool is_group;
    bool is_warned;
    char name[];
};

/* Of one pool. */
struct health {
    struct table_entry by_pool;
    struct row *whole;
    struct table rows; /* the key has a "=" before the name of a group */
    uint32_t domain_count;
    char name[];
};

struct healths {
    struct table by_pool;
};

/* ---- rows ---- */

static int64_t slot_now(void)
{
    return clock_mono_ms() / SLOT_MS;
}

static struct health_shares shares_of(const struct row *r)
{
    struct health_shares s = {.destination = r->name + r->is_group, .is_group = r->is_group};
    memcpy(s.totals, r->totals, sizeof s.totals);
    for (int i = 0; i < SLOTS; i++) {
        if (r->slots[i].number <= slot_now() - SLOTS)
            continue;
        for (int end = 0; end < HEALTH_END_COUNT; end++)
            s.counts[end] += r->slots[i].counts[end];
    }
    return s;
}

static uint64_t total_of(const struct health_shares *s)
{
    return s->counts[HEALTH_DELIVERED] + s->counts[HEALTH_REFUSED] + s->counts[HEALTH_DEFERRED];
}

static void count(struct row *r, enum health_end end)
{
    struct slot *slot = &r->slots[slot_now() % SLOTS];
    if (slot->number != slot_now())
        *slot = (struct slot){.number = slot_now()};
    slot->counts[end]++;
    r->totals[end]++;
}

static struct row *row_new(struct view name, bool is_group)
{
    struct row *r = calloc(1, sizeof *r + name.n + 2);
    if (!r)
        return NULL;
    r->is_group = is_group;
    r->name[0] = '=';
    if (name.n > 0)
        memcpy(r->name + is_group, name.p, name.n);
    r->name[name.n + is_group] = '\0';
    r->by_name.key = view_of(r->name, name.n + is_group);
    for (int i = 0; i < SLOTS; i++)
        r->slots[i].number = INT64_MIN / 2;
    return r;
}

struct least {
    struct row *row;
    uint64_t total;
};

static void find_least(struct table_entry *e, void *arg)
{
    struct least *l = arg;
    struct row *r = CONTAINER_OF(e, struct row, by_name);
    const struct health_shares s = shares_of(r);
    if (r->is_group || (l->row && total_of(&s) >= l->total))
        return;
    *l = (struct least){r, total_of(&s)};
}

static void make_room(struct health *h)
{
    struct least l = {0};
    table_each(&h->rows, find_least, &l);
    if (!l.row)
        return;
    table_remove(&h->rows, &l.row->by_name);
    free(l.row);
    h->domain_count--;
}

static struct row *find_row(const struct health *h, struct view name, bool is_group)
{
    char key[320] = "=";
    if (name.n == 0)
        return h->whole;
    name = view_slice(name, 0, sizeof key - 2);
    memcpy(key + is_group, name.p, name.n);
    struct table_entry *found = table_find(&h->rows, view_of(key, name.n + is_group));
    return found ? CONTAINER_OF(found, struct row, by_name) : NULL;
}

static struct row *row_of(struct health *h, struct view name, bool is_group)
{
    struct row *r = find_row(h, name, is_group);
    if (r)
        return r;
    if (!is_group && h->domain_count >= HEALTH_DOMAINS_MAX)
        make_room(h);
    r = row_new(view_slice(name, 0, 255), is_group);
    if (r && table_insert(&h->rows, &r->by_name) < 0) {
        free(r);
        return NULL;
    }
    h->domain_count += r && !is_group;
    return r;
}

/* ---- pools ---- */

static struct health *find_pool(const struct healths *all, struct view pool)
{
    struct table_entry *found = table_find(&all->by_pool, pool);
    return found ? CONTAINER_OF(found, struct health, by_pool) : NULL;
}

static struct health *pool_of(struct healths *all, struct view pool)
{
    struct health *h = find_pool(all, pool);
    if (h)
        return h;
    h = calloc(1, sizeof *h + pool.n + 1);
    if (!h)
        return NULL;
    if (pool.n > 0)
        memcpy(h->name, pool.p, pool.n);
    table_init(&h->rows);
    h->whole = row_new(VIEW_EMPTY, false);
    h->by_pool.key = view_of(h->name, pool.n);
    if (h->whole && table_insert(&all->by_pool, &h->by_pool) == MSA_OK)
        return h;
    free(h->whole);
    free(h);
    return NULL;
}

/* ---- the owner's calls ---- */

struct healths *healths_new(void)
{
    struct healths *all = calloc(1, sizeof *all);
    if (all)
        table_init(&all->by_pool);
    return all;
}

static void free_row(struct table_entry *e, void *arg)
{
    table_remove(arg, e);
    free(CONTAINER_OF(e, struct row, by_name));
}

static void free_pool(struct table_entry *e, void *arg)
{
    struct health *h = CONTAINER_OF(e, struct health, by_pool);
    table_remove(arg, e);
    table_each(&h->rows, free_row, &h->rows);
    table_fini(&h->rows);
    free(h->whole);
    free(h);
}

void healths_free(struct healths **all)
{
    if (!*all)
        return;
    table_each(&(*all)->by_pool, free_pool, &(*all)->by_pool);
    table_fini(&(*all)->by_pool);
    free(*all);
    *all = NULL;
}

void healths_add(struct healths *all, struct view pool, struct view destination, bool is_group,
                 enum health_end end)
{
    struct health *h = pool_of(all, pool);
    struct row *r = h ? row_of(h, destination, is_group) : NULL;
    if (h)
        count(h->whole, end);
    if (r && r != h->whole)
        count(r, end);
}

struct walk {
    health_fn *fn;
    void *arg;
};

static void each_row(struct table_entry *e, void *arg)
{
    struct walk *w = arg;
    const struct health_shares s = shares_of(CONTAINER_OF(e, struct row, by_name));
    if (total_of(&s) > 0 || s.is_group)
        w->fn(&s, w->arg);
}

void healths_each(struct healths *all, struct view pool, health_fn *fn, void *arg)
{
    struct health *h = find_pool(all, pool);
    struct walk w = {fn, arg};
    if (!h)
        return;
    const struct health_shares whole = shares_of(h->whole);
    fn(&whole, arg);
    table_each(&h->rows, each_row, &w);
}

enum health_news healths_judge(struct healths *all, struct view pool, struct view destination, bool is_group,
                               uint32_t percent, struct health_shares *out)
{
    struct health *h = find_pool(all, pool);
    struct row *r = h ? find_row(h, destination, is_group) : NULL;
    if (!r || percent == 0)
        return HEALTH_NO_NEWS;
    *out = shares_of(r);
    uint64_t total = total_of(out), refused = out->counts[HEALTH_REFUSED];
    bool is_worse = total >= HEALTH_RCPTS_MIN && refused * 100 >= total * percent;
    bool is_better = refused * 200 < total * percent;
    if (!r->is_warned && is_worse) {
        r->is_warned = true;
        return HEALTH_WORSE;
    }
    if (r->is_warned && is_better) {
        r->is_warned = false;
        return HEALTH_BETTER;
    }
    return HEALTH_NO_NEWS;
}
