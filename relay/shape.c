/* Gates: which there are, who waits at them. Taking and giving back is in shape_admit.c. */
#include "relay/shape.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/shape_impl.h"

#define OTHERS "(others)" /* no domain is called so */

/* ---- the queue's hooks ---- */

static struct shape_gate *gate_of(struct queue_wait *w)
{
    return CONTAINER_OF(w, struct shape_gate, wait);
}

static void arm(struct shape_gate *g, int64_t wait_ms)
{
    if (timer_start(&g->timer, g->shape->all->loop, wait_ms) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "mail to %s waits without a timer",
                shape_gate_name(g));
}

void shape_wait_for_time(struct shape_gate *g)
{
    int64_t wait_ms = gate_wait_ms(&g->gate, clock_mono_ms());
    if (wait_ms > 0)
        arm(g, wait_ms);
}

static bool on_take(void *arg, struct queue_wait *w)
{
    (void)arg;
    if (gate_take(&gate_of(w)->gate, clock_mono_ms()))
        return true;
    shape_wait_for_time(gate_of(w));
    return false;
}

void shape_give_back(struct shape_gate *g, uint32_t rcpt_count)
{
    gate_undo(&g->gate, rcpt_count, clock_mono_ms());
    if (!list_is_empty(&g->wait.lanes))
        arm(g, 0);
}

/* Not at once: this is inside a call of the queue. */
static void on_give_back(void *arg, struct queue_wait *w)
{
    (void)arg;
    shape_give_back(gate_of(w), 1);
}

static void on_woken(void *arg, uint16_t pool)
{
    const struct shapes *all = arg;
    all->events.woken(all->events.arg, pool);
}

static void on_time(void *arg)
{
    struct shape_gate *g = arg;
    struct shapes *all = g->shape->all;
    if (g == &g->shape->rate)
        all->events.open(all->events.arg, g->shape);
    else
        queue_wait_serve(all->queue, &g->wait);
}

/* ---- gates ---- */

static void gate_setup(struct shape_gate *g, struct shape *s, const struct config_towards *limits)
{
    const struct gate_limits wanted = shape_limits(limits);
    g->shape = s;
    g->pass = SHAPE_NO_PASS;
    queue_wait_init(&g->wait);
    timer_init(&g->timer, on_time, g);
    gate_init(&g->gate, &wanted, clock_mono_ms());
}

const char *shape_gate_name(const struct shape_gate *g)
{
    return g->key + g->is_group;
}

static struct shape_gate *find_gate(const struct shape *s, struct view name, bool is_group)
{
    char key[SHAPE_NAME_SIZE + 1] = "=";
    size_t n = name.n < SHAPE_NAME_SIZE ? name.n : SHAPE_NAME_SIZE - 1;
    if (n > 0)
        memcpy(key + is_group, name.p, n);
    struct table_entry *found = table_find(&s->gates, view_of(key, n + is_group));
    return found ? CONTAINER_OF(found, struct shape_gate, by_name) : NULL;
}

static void free_gate(struct shape_gate *g)
{
    timer_stop(&g->timer);
    free(g->key);
    free(g);
}

static struct shape_gate *make_gate(struct shape *s, struct view name, bool is_group,
                                    const struct config_towards *limits)
{
    struct shape_gate *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    gate_setup(g, s, limits);
    g->is_group = is_group;
    g->key = calloc(1, name.n + 2);
    if (g->key)
        memcpy(g->key + is_group, name.p, name.n);
    if (g->key && is_group)
        g->key[0] = '=';
    g->by_name.key = view_of(g->key, name.n + is_group);
    if (!g->key || table_insert(&s->gates, &g->by_name) < 0) {
        free_gate(g);
        return NULL;
    }
    s->domain_count += !is_group;
    return g;
}

/* Without memory for one more, and beyond the most there may be, domains share the limits of one: too strict, never
 * too lax. */
static struct shape_gate *gate_of_domain(struct shape *s, struct view domain)
{
    struct shape_gate *g = find_gate(s, domain, false);
    if (!g && s->domain_count < SHAPE_DOMAINS_MAX)
        g = make_gate(s, domain, false, &s->by_default);
    return g ? g : &s->others;
}

struct shape_gate *shape_gate_for(struct shape *s, struct view path)
{
    char domain[SHAPE_NAME_SIZE];
    struct view name = shape_domain_of(path, domain);
    const struct shape_domain *group = shapes_group_of(s->all, name);
    if (group)
        return find_gate(s, view_cstr(group->destination), true);
    return s->is_default_limited ? gate_of_domain(s, name) : NULL;
}

/* ---- configuration ---- */

static bool is_limited(const struct config_towards *t)
{
    return t->connection_count || t->messages_per_connection_count || t->messages_per_minute ||
           t->recipients_per_minute;
}

static const struct config_towards *limits_of(const struct config_pool *pool,
                                              const struct config_destination *d)
{
    for (uint32_t i = 0; i < pool->shape_count; i++) {
        if (strcmp(pool->shapes[i].name, d->name) == 0)
            return &pool->shapes[i].limits;
    }
    return &d->limits;
}

static void set_limits(struct shape_gate *g, const struct config_towards *limits)
{
    const struct gate_limits wanted = shape_limits(limits);
    gate_set_limits(&g->gate, &wanted, clock_mono_ms());
    arm(g, 0); /* there may be room now */
}

static int set_group(struct shape *s, const struct config_destination *d,
                     const struct config_towards *limits)
{
    struct shape_gate *g = find_gate(s, view_cstr(d->name), true);
    if (g)
        g->is_current = true;
    if (!g && !is_limited(limits))
        return MSA_OK;
    if (!g)
        g = make_gate(s, view_cstr(d->name), true, limits);
    if (!g)
        return MSA_ENOMEM;
    g->is_current = true;
    set_limits(g, limits);
    s->is_on = s->is_on || is_limited(limits);
    return MSA_OK;
}

static void begin_gate(struct table_entry *e, void *arg)
{
    (void)arg;
    CONTAINER_OF(e, struct shape_gate, by_name)->is_current = false;
}

/* Those no longer configured limit nothing, but know what is under way. */
static void end_gate(struct table_entry *e, void *arg)
{
    static const struct config_towards none;
    const struct shape *s = arg;
    struct shape_gate *g = CONTAINER_OF(e, struct shape_gate, by_name);
    if (!g->is_group)
        set_limits(g, &s->by_default);
    else if (!g->is_current)
        set_limits(g, &none);
}

static int set_shape(struct shape *s, const struct config *config, const struct config_pool *pool)
{
    static const struct config_towards none;
    const struct config_towards rate = {.messages_per_minute = pool->messages_per_minute};
    int err = MSA_OK;
    s->is_on = pool->messages_per_minute > 0;
    s->by_default = none;
    table_each(&s->gates, begin_gate, NULL);
    for (uint32_t i = 0; i < pool->shape_count; i++) { /* also where there is no block of its own */
        if (strcmp(pool->shapes[i].name, CONFIG_DESTINATION_DEFAULT) == 0)
            s->by_default = pool->shapes[i].limits;
    }
    for (uint32_t i = 0; i < config->destination_count && err == MSA_OK; i++) {
        const struct config_destination *d = &config->destinations[i];
        const struct config_towards *limits = limits_of(pool, d);
        if (strcmp(d->name, CONFIG_DESTINATION_DEFAULT) == 0)
            s->by_default = *limits;
        else
            err = set_group(s, d, limits);
    }
    s->is_default_limited = is_limited(&s->by_default);
    s->is_on = s->is_on || s->is_default_limited;
    table_each(&s->gates, end_gate, s);
    set_limits(&s->rate, &rate);
    set_limits(&s->others, &s->by_default);
    return err;
}

struct shape *shapes_lookup(const struct shapes *all, struct view name)
{
    struct table_entry *found = table_find(&all->by_pool, name);
    return found ? CONTAINER_OF(found, struct shape, by_pool) : NULL;
}

static struct shape *shape_new(struct shapes *all, const char *pool)
{
    static const struct config_towards none;
    struct shape *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->all = all;
    s->name = strdup(pool);
    s->rate.key = strdup(pool);
    s->others.key = strdup(OTHERS);
    table_init(&s->gates);
    gate_setup(&s->rate, s, &none);
    gate_setup(&s->others, s, &none);
    s->by_pool.key = view_cstr(s->name ? s->name : "");
    if (s->name && s->rate.key && s->others.key && table_insert(&all->by_pool, &s->by_pool) == MSA_OK)
        return s;
    shape_free(s);
    return NULL;
}

static void turn_off(struct table_entry *e, void *arg)
{
    (void)arg;
    CONTAINER_OF(e, struct shape, by_pool)->is_on = false;
}

int shapes_configure(struct shapes *all, const struct config *config)
{
    int err = shapes_set_domains(all, config);
    table_each(&all->by_pool, turn_off, NULL); /* pools that are no more keep what is under way */
    for (uint32_t i = 0; i < config->pool_count && err == MSA_OK; i++) {
        struct shape *s = shapes_lookup(all, view_cstr(config->pools[i].name));
        if (!s)
            s = shape_new(all, config->pools[i].name);
        err = s ? set_shape(s, config, &config->pools[i]) : MSA_ENOMEM;
    }
    return err;
}

struct shape *shapes_find(const struct shapes *all, struct view name)
{
    struct shape *s = shapes_lookup(all, name);
    return s && s->is_on ? s : NULL;
}

/* ---- the whole ---- */

struct shapes *shapes_new(struct loop *loop, struct queue *q, const struct shape_events *events)
{
    struct shapes *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->loop = loop;
    all->queue = q;
    all->events = *events;
    table_init(&all->by_pool);
    table_init(&all->domains);
    queue_set_hooks(q, &(struct queue_hooks){on_take, on_give_back, on_woken, all});
    return all;
}

static void free_each_gate(struct table_entry *e, void *arg)
{
    struct shape *s = arg;
    table_remove(&s->gates, e);
    free_gate(CONTAINER_OF(e, struct shape_gate, by_name));
}

void shape_free(struct shape *s)
{
    table_each(&s->gates, free_each_gate, s);
    table_fini(&s->gates);
    timer_stop(&s->rate.timer);
    timer_stop(&s->others.timer);
    free(s->rate.key);
    free(s->others.key);
    free(s->name);
    free(s);
}

static void free_each_shape(struct table_entry *e, void *arg)
{
    struct shapes *all = arg;
    table_remove(&all->by_pool, e);
    shape_free(CONTAINER_OF(e, struct shape, by_pool));
}

void shapes_free(struct shapes **all)
{
    if (!*all)
        return;
    table_each(&(*all)->by_pool, free_each_shape, *all);
    table_fini(&(*all)->by_pool);
    shapes_clear_domains(*all);
    table_fini(&(*all)->domains);
    free(*all);
    *all = NULL;
}

static void sweep_gate(struct table_entry *e, void *arg)
{
    struct shape *s = arg;
    struct shape_gate *g = CONTAINER_OF(e, struct shape_gate, by_name);
    if (g->is_group || g->wait.lane_count > 0 || !gate_is_fresh(&g->gate, clock_mono_ms()))
        return;
    table_remove(&s->gates, e);
    s->domain_count--;
    free_gate(g);
}

static void sweep_shape(struct table_entry *e, void *arg)
{
    (void)arg;
    struct shape *s = CONTAINER_OF(e, struct shape, by_pool);
    table_each(&s->gates, sweep_gate, s);
}

void shapes_sweep(struct shapes *all)
{
    table_each(&all->by_pool, sweep_shape, NULL);
}

struct gate_walk {
    shape_each_fn *fn;
    void *arg;
};

static void each_gate(struct table_entry *e, void *arg)
{
    struct gate_walk *walk = arg;
    walk->fn(CONTAINER_OF(e, struct shape_gate, by_name), walk->arg);
}

void shape_each(const struct shape *s, shape_each_fn *fn, void *arg)
{
    struct gate_walk walk = {fn, arg};
    table_each((struct table *)&s->gates, each_gate, &walk);
}
