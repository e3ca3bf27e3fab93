/* What the figures of metrics.c cannot say: those of each pool, and of each configured destination in it. Never of other
 * domains: there is no end to them. */
#include "msa/console/metrics_private.h"

#include <inttypes.h>

#include "msa/base/view.h"

/* Names in the configuration hold nothing that would need to be quoted here (letters, digits, '-', '_', '.'), addresses
 * neither. */
static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- of a source address ---- */

static const struct {
    const char *key;
    enum metric_kind kind;
    const char *name;
    const char *help;
} sources[] = {
    {"link_count", GAUGE, "msad_pool_connections", "Connections to smarthosts."},
    {"link_max", GAUGE, "msad_pool_connections_max", "Connections there may be."},
    {"dead_host_count", GAUGE, "msad_pool_hosts_dead", "Smarthosts that are left alone after a failure."},
    {"down_s", GAUGE, "msad_pool_down_seconds", "Since when no smarthost could be reached; 0: one can."},
    {"answered_count", COUNTER, "msad_pool_transactions", "Transactions that ended with an answer."},
    {"lost_count", COUNTER, "msad_pool_transactions_lost", "Transactions cut off by a lost connection."},
};

static void write_sources(const json_t *pools, const struct metrics_writer *w)
{
    size_t i;
    const json_t *p;
    for (size_t k = 0; k < sizeof sources / sizeof sources[0]; k++) {
        metrics_head(w, sources[k].name, sources[k].kind, sources[k].help);
        json_array_foreach(pools, i, p)
            buf_addf(w->out, "%s%s{pool=\"%s\",source=\"%s\"} %" PRId64 "\n", sources[k].name,
                     metrics_suffix(sources[k].kind), text_at(p, "pool"), text_at(p, "source"),
                     (int64_t)json_integer_value(json_object_get(p, sources[k].key)));
    }
}

static void write_queue(const json_t *pools, const struct metrics_writer *w)
{
    static const char *const states[] = {"ready", "active", "waiting", "held"};
    size_t i;
    const json_t *p;
    metrics_head(w, "msad_pool_queue", GAUGE, "Queued messages of the pool.");
    json_array_foreach(pools, i, p) {
        const json_t *queue = json_object_get(p, "queue");
        for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
            buf_addf(w->out, "msad_pool_queue{pool=\"%s\",source=\"%s\",state=\"%s\"} %" PRId64 "\n",
                     text_at(p, "pool"), text_at(p, "source"), states[k],
                     (int64_t)json_integer_value(json_object_get(queue, states[k])));
    }
}

/* ---- of a pool and its destinations ---- */

static void write_ends(const char *pool, const char *destination, const json_t *of, struct buf *out)
{
    static const char *const ends[][2] = {
        {"delivered", "delivered_total"}, {"refused", "refused_total"}, {"deferred", "deferred_total"}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        buf_addf(out, "%s_total{pool=\"%s\"%s%s%s,result=\"%s\"} %" PRId64 "\n",
                 destination ? "msad_destination_recipients" : "msad_pool_recipients", pool,
                 destination ? ",destination=\"" : "", destination ? destination : "", destination ? "\"" : "",
                 ends[i][0], (int64_t)json_integer_value(json_object_get(of, ends[i][1])));
}

typedef void destination_fn(const char *pool, const json_t *d, struct buf *out);

static void each_destination(const json_t *health, destination_fn *fn, struct buf *out)
{
    size_t i, k;
    const json_t *p, *d;
    json_array_foreach(health, i, p) {
        json_array_foreach(json_object_get(p, "destinations"), k, d)
            fn(text_at(p, "pool"), d, out);
    }
}

static void write_destination_ends(const char *pool, const json_t *d, struct buf *out)
{
    write_ends(pool, text_at(d, "destination"), d, out);
}

static void write_busy(const char *pool, const json_t *d, struct buf *out)
{
    buf_addf(out, "msad_destination_transactions{pool=\"%s\",destination=\"%s\"} %" PRId64 "\n", pool,
             text_at(d, "destination"), (int64_t)json_integer_value(json_object_get(d, "busy_count")));
}

static void write_waiting(const char *pool, const json_t *d, struct buf *out)
{
    buf_addf(out, "msad_destination_queue_ready{pool=\"%s\",destination=\"%s\"} %" PRId64 "\n", pool,
             text_at(d, "destination"), (int64_t)json_integer_value(json_object_get(d, "waiting_count")));
}

void metrics_write_relay(const json_t *statuses, const struct metrics_writer *w)
{
    const json_t *relay = json_array_get(json_object_get(statuses, "relay"), 0);
    const json_t *pools = json_object_get(relay, "pools"), *health = json_object_get(relay, "health");
    size_t i;
    const json_t *p;
    if (!json_is_array(pools) || !json_is_array(health))
        return;
    write_sources(pools, w);
    write_queue(pools, w);
    metrics_head(w, "msad_pool_recipients", COUNTER, "Recipients handed to the pool's smarthosts, by their answer.");
    json_array_foreach(health, i, p)
        write_ends(text_at(p, "pool"), NULL, p, w->out);
    metrics_head(w, "msad_destination_recipients", COUNTER, "The same for one configured destination.");
    each_destination(health, write_destination_ends, w->out);
    metrics_head(w, "msad_destination_transactions", GAUGE, "Transactions under way towards it.");
    each_destination(health, write_busy, w->out);
    metrics_head(w, "msad_destination_queue_ready", GAUGE, "Queued messages that could go but for its limits.");
    each_destination(health, write_waiting, w->out);
}
