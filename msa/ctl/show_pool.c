/* Pools as text for people: a line for each source address, then one for each pool's health. */
#include <inttypes.h>

#include "msa/ctl/grid.h"
#include "msa/ctl/json_at.h"
#include "msa/ctl/show.h"

static void add_number(struct grid *g, const json_t *object, const char *key)
{
    grid_addf(g, "%" PRId64, number_at(object, key));
}

static void show_sources(const json_t *pools, struct buf *out)
{
    size_t i;
    const json_t *p;
    struct grid g;
    grid_init(&g, "POOL SOURCE STATE >LINKS >OF >BUSY >DEAD >READY >WAITING >HELD >ANSWERED >LOST");
    json_array_foreach(pools, i, p) {
        const json_t *queue = json_object_get(p, "queue");
        grid_begin_row(&g);
        grid_add(&g, text_at(p, "pool"));
        grid_add(&g, text_at(p, "source"));
        grid_add(&g, text_at(p, "state"));
        add_number(&g, p, "link_count");
        add_number(&g, p, "link_max");
        add_number(&g, p, "busy_count");
        add_number(&g, p, "dead_host_count");
        add_number(&g, queue, "ready");
        add_number(&g, queue, "waiting");
        add_number(&g, queue, "held");
        add_number(&g, p, "answered_count");
        add_number(&g, p, "lost_count");
    }
    grid_write(&g, out);
    grid_fini(&g);
}

static void add_share(struct grid *g, const json_t *object, const char *key)
{
    int64_t total = number_at(object, "delivered") + number_at(object, "refused") + number_at(object, "deferred");
    int64_t percent = total > 0 ? (number_at(object, key) * 100 + total / 2) / total : 0;
    grid_addf(g, "%" PRId64 "%%", percent);
}

static void add_health(struct grid *g, struct view pool, struct view destination, const json_t *object)
{
    grid_begin_row(g);
    grid_add(g, pool);
    grid_add(g, destination.n > 0 ? destination : VIEW_LIT("(all)"));
    add_number(g, object, "delivered");
    add_number(g, object, "refused");
    add_number(g, object, "deferred");
    add_share(g, object, "refused");
    add_share(g, object, "deferred");
    add_number(g, object, "busy_count");
    add_number(g, object, "waiting_count");
}

static void show_health(const json_t *pools, struct buf *out)
{
    size_t i, k;
    const json_t *p, *d;
    struct grid g;
    grid_init(&g, "POOL DESTINATION >DELIVERED >REFUSED >DEFERRED >REFUSED% >DEFERRED% >BUSY >QUEUED");
    json_array_foreach(pools, i, p) {
        add_health(&g, text_at(p, "pool"), VIEW_EMPTY, p);
        json_array_foreach(json_object_get(p, "destinations"), k, d)
            add_health(&g, text_at(p, "pool"), text_at(d, "destination"), d);
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_pools(const json_t *answer, struct buf *out)
{
    show_sources(json_object_get(answer, "pools"), out);
    buf_add_cstr(out, "\nrecipients of the last ten minutes:\n");
    show_health(json_object_get(answer, "health"), out);
}
