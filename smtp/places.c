#include "smtp/places.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

#define IDLE_SOURCES_MAX 20000

struct place_source {
    struct table_entry entry; /* key: network */
    struct list idle;
    struct ipaddr network;
    uint32_t session_count;
    uint32_t stranger_count;
    uint32_t handshake_count; /* since window_ms */
    int64_t window_ms;
};

void places_init(struct places *p)
{
    *p = (struct places){.session_max = 0};
    table_init(&p->sources);
    list_init(&p->idle);
}

static void forget(struct places *p, struct place_source *source)
{
    table_remove(&p->sources, &source->entry);
    list_remove(&source->idle);
    p->idle_count--;
    free(source);
}

void places_fini(struct places *p)
{
    struct place_source *source;
    while ((source = LIST_FIRST(&p->idle, struct place_source, idle)) != NULL)
        forget(p, source);
    MSA_ASSERT(p->sources.count == 0);
    table_fini(&p->sources);
}

static uint32_t share(uint32_t all, uint32_t worker_count)
{
    return worker_count > 1 ? (all + worker_count - 1) / worker_count : all;
}

/* The kernel deals one address' connections out over all workers, so a share of the per-address limits
 * would refuse people long before the limit; they hold per worker. */
void places_configure(struct places *p, const struct config_limits *limits, uint32_t worker_count)
{
    p->session_max = share(limits->session_count, worker_count);
    p->stranger_max = share(limits->preauth_session_count, worker_count);
    p->per_address_max = limits->session_per_address_count;
    p->strangers_per_address_max = limits->preauth_per_address_count;
    p->handshakes = limits->handshakes_per_address;
}

/* ---- sources ------------------------------------------------------------------------------------- */

static bool is_window_over(const struct places *p, const struct place_source *source)
{
    return clock_mono_ms() - source->window_ms >= p->handshakes.window_ms;
}

static void sweep(struct places *p)
{
    struct place_source *source;
    while ((source = LIST_FIRST(&p->idle, struct place_source, idle)) != NULL &&
           (p->idle_count > IDLE_SOURCES_MAX || is_window_over(p, source)))
        forget(p, source);
}

static struct place_source *find_or_make(struct places *p, const struct ipaddr *ip)
{
    struct ipaddr network = ipaddr_network(ip, 32, 64).addr;
    struct view key = view_of((const char *)network.bytes, sizeof network.bytes);
    struct table_entry *found = table_find(&p->sources, key);
    if (found)
        return CONTAINER_OF(found, struct place_source, entry);
    struct place_source *source = calloc(1, sizeof *source);
    if (!source)
        return NULL;
    source->network = network;
    source->entry.key =
        view_of((const char *)source->network.bytes, sizeof source->network.bytes);
    source->window_ms = clock_mono_ms();
    list_init(&source->idle);
    if (table_insert(&p->sources, &source->entry) != MSA_OK) {
        free(source);
        return NULL;
    }
    list_append(&p->idle, &source->idle);
    p->idle_count++;
    return source;
}

static void come(struct places *p, struct place_source *source, bool is_stranger)
{
    if (source->session_count++ == 0) {
        list_remove(&source->idle);
        p->idle_count--;
    }
    source->stranger_count += is_stranger;
}

static void go(struct places *p, struct place_source *source, bool was_stranger)
{
    source->stranger_count -= was_stranger;
    if (--source->session_count > 0)
        return;
    list_append(&p->idle, &source->idle);
    p->idle_count++;
}

static bool may_shake_hands(const struct places *p, struct place_source *source)
{
    if (p->handshakes.limit == 0)
        return true;
    if (is_window_over(p, source)) {
        source->window_ms = clock_mono_ms();
        source->handshake_count = 0;
    }
    return source->handshake_count++ < p->handshakes.limit;
}

static bool has_room(const struct places *p, struct place_source *source)
{
    return source->session_count < p->per_address_max &&
           source->stranger_count < p->strangers_per_address_max && may_shake_hands(p, source);
}

/* ---- places -------------------------------------------------------------------------------------- */

enum places_result places_take(struct places *p, struct place *place, const struct ipaddr *ip)
{
    struct place_source *source = NULL;
    *place = (struct place){.source = NULL};
    sweep(p);
    if (p->session_count >= p->session_max || p->stranger_count >= p->stranger_max)
        return PLACES_FULL;
    if (ip) {
        source = find_or_make(p, ip);
        if (!source || !has_room(p, source))
            return PLACES_FULL_ADDRESS;
        come(p, source, true);
    }
    p->session_count++;
    p->stranger_count++;
    *place = (struct place){.source = source, .is_taken = true, .is_stranger = true};
    return PLACES_OK;
}

void places_leave(struct places *p, struct place *place)
{
    if (!place->is_taken)
        return;
    if (place->source)
        go(p, place->source, place->is_stranger);
    p->session_count--;
    p->stranger_count -= place->is_stranger;
    *place = (struct place){.source = NULL};
}

void places_settle(struct places *p, struct place *place)
{
    if (!place->is_stranger)
        return;
    place->is_stranger = false;
    p->stranger_count--;
    if (place->source)
        place->source->stranger_count--;
}

void places_move(struct places *p, struct place *place, const struct ipaddr *ip)
{
    struct place_source *source = find_or_make(p, ip);
    if (source)
        come(p, source, place->is_stranger);
    if (place->source)
        go(p, place->source, place->is_stranger);
    place->source = source;
}
