#include "relay/admin_pool.h"

#include <string.h>

#include "relay/schedule.h"

#define DESTINATIONS_SHOWN 200

json_t *admin_queue_counts(const struct queue_counts *counts)
{
    json_t *result = json_object();
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        json_object_set_new(result, queue_state_name((enum queue_state)i),
                            json_integer((json_int_t)counts->by_state[i]));
    json_object_set_new(result, "bytes", json_integer((json_int_t)counts->bytes));
    return result;
}

/* ---- sources ---- */

static const char *state_of(struct relay *r, const struct pool *p, const struct pool_status *s)
{
    struct shape *shape = schedule_shape_of(r, p);
    if (s->is_given_up)
        return "given-up";
    if (s->down_ms > 0)
        return "down";
    return shape && !shape_is_open(shape) ? "limited" : "up";
}

static json_t *json_source(struct relay *r, const struct pool *p)
{
    struct pool_status s;
    struct queue_counts counts;
    char source[IPADDR_TEXT_MAX] = "";
    pool_get_status(p, &s);
    queue_count_pool(r->queue, pool_number(p), &counts);
    if (!ipaddr_is_none(&s.source))
        ipaddr_format(&s.source, source);
    return json_pack("{s:s, s:s, s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:o}",
                     "pool", pool_config(p)->name,
                     "source", source,
                     "state", state_of(r, p, &s),
                     "is_open", (int)s.is_open,
                     "link_count", (int)s.link_count,
                     "link_max", (int)s.link_max,
                     "busy_count", (int)s.busy_count,
                     "waiting_count", (int)s.waiting_count,
                     "host_count", (int)s.target_count,
                     "dead_host_count", (int)s.dead_count,
                     "down_s", (json_int_t)(s.down_ms / 1000),
                     "answered_count", (json_int_t)s.delivered_count,
                     "lost_count", (json_int_t)s.lost_count,
                     "queue", admin_queue_counts(&counts));
}

json_t *admin_pool_list(struct relay *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < pools_count(r->pools); i++)
        json_array_append_new(list, json_source(r, pools_at(r->pools, i)));
    return list;
}

/* ---- health ---- */

static void set_counts(json_t *into, const struct health_shares *s)
{
    static const char *const names[HEALTH_END_COUNT] = {"delivered", "refused", "deferred"};
    static const char *const total_names[HEALTH_END_COUNT] = {"delivered_total", "refused_total", "deferred_total"};
    for (int i = 0; i < HEALTH_END_COUNT; i++) {
        json_object_set_new(into, names[i], json_integer((json_int_t)s->counts[i]));
        json_object_set_new(into, total_names[i], json_integer((json_int_t)s->totals[i]));
    }
}

struct destinations {
    json_t *pool; /* gets what is of the pool as a whole */
    json_t *list; /* an object for each destination, by name */
    bool is_groups_only;
};

static json_t *entry_of(struct destinations *d, const char *name, bool is_group)
{
    json_t *entry = json_object_get(d->list, name);
    if (entry || json_object_size(d->list) >= DESTINATIONS_SHOWN)
        return entry;
    json_object_set_new(d->list, name, json_pack("{s:s, s:b}", "destination", name, "is_group", (int)is_group));
    return json_object_get(d->list, name);
}

static void on_health(const struct health_shares *s, void *arg)
{
    struct destinations *d = arg;
    json_t *entry = NULL;
    if (s->destination[0] == '\0')
        entry = d->pool;
    else if (s->is_group || !d->is_groups_only)
        entry = entry_of(d, s->destination, s->is_group);
    if (entry)
        set_counts(entry, s);
}

static void on_gate(const struct shape_gate *g, void *arg)
{
    struct destinations *d = arg;
    const struct gate_limits *l = &g->gate.limits;
    bool is_quiet = g->gate.busy_count == 0 && g->wait.part_count == 0;
    json_t *entry = g->is_group || !(d->is_groups_only || is_quiet)
                        ? entry_of(d, shape_gate_name(g), g->is_group)
                        : NULL;
    if (!entry)
        return;
    json_object_set_new(entry, "busy_count", json_integer((json_int_t)g->gate.busy_count));
    json_object_set_new(entry, "waiting_count", json_integer((json_int_t)g->wait.part_count));
    json_object_set_new(entry, "limits", json_pack("{s:i, s:i, s:i, s:i}",
                                                   "connections", (int)l->connection_count,
                                                   "messages_per_connection", (int)l->messages_per_connection,
                                                   "messages_per_minute", (int)l->messages_per_minute,
                                                   "recipients_per_minute", (int)l->rcpts_per_minute));
}

/* Fills `into` with the figures of a pool and its destinations. */
static void add_figures(struct relay *r, const struct config_pool *pool, json_t *into, bool is_groups_only)
{
    static const struct health_shares nothing = {.destination = ""};
    const char *name;
    json_t *entry;
    struct destinations d = {.pool = into, .list = json_object(), .is_groups_only = is_groups_only};
    struct shape *shape = shapes_find(r->shapes, view_cstr(pool->name));
    set_counts(into, &nothing);
    healths_each(r->healths, view_cstr(pool->name), on_health, &d);
    if (shape)
        shape_each(shape, on_gate, &d);
    json_t *list = json_array();
    json_object_foreach(d.list, name, entry)
        json_array_append(list, entry);
    json_object_set_new(into, "destinations", list);
    json_decref(d.list);
}

json_t *admin_pool_health(struct relay *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->config->pool_count; i++) {
        json_t *one = json_pack("{s:s}", "pool", r->config->pools[i].name);
        add_figures(r, &r->config->pools[i], one, true);
        json_array_append_new(list, one);
    }
    return list;
}

/* ---- operations ---- */

void admin_pool_list_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:o, s:o}", "pools", admin_pool_list(r), "health", admin_pool_health(r)));
}

static void add_hosts(json_t *list, const struct pool *p)
{
    struct pool_target_status t;
    for (uint32_t i = 0; pool_get_target(p, i, &t); i++) {
        char ip[IPADDR_TEXT_MAX];
        ipaddr_format(&t.ip, ip);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i}", "host", t.name, "ip", ip,
                                              "port", (int)t.port,
                                              "preference", (int)t.preference,
                                              "link_count", (int)t.link_count,
                                              "slowed_to", (int)t.slow_limit,
                                              "dead_s", (int)((t.dead_ms + 999) / 1000)));
    }
}

static json_t *json_sources(struct relay *r, const char *name)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < pools_count(r->pools); i++) {
        const struct pool *p = pools_at(r->pools, i);
        if (strcmp(pool_config(p)->name, name) != 0)
            continue;
        json_t *one = json_source(r, p), *hosts = json_array();
        add_hosts(hosts, p);
        json_object_set_new(one, "hosts", hosts);
        json_array_append_new(list, one);
    }
    return list;
}

void admin_pool_show_op(void *state, const struct admin_call *call)
{
    struct relay *r = state;
    const struct config_pool *pool = config_pool_find(r->config, admin_text(call->args, "id"));
    if (!pool) {
        admin_refuse(call->chan, call->id, 404, "no such pool is configured");
        return;
    }
    json_t *result = json_pack("{s:s, s:s, s:i}", "pool", pool->name, "fallback", pool->fallback,
                               "messages_per_minute", (int)pool->messages_per_minute);
    add_figures(r, pool, result, false);
    json_object_set_new(result, "sources", json_sources(r, pool->name));
    admin_reply(call->chan, call->id, 200, result);
}
