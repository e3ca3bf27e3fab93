#include "relay/fallback.h"

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/settle.h"

#define LOOK_MS       1000
#define MORE_MS       10   /* when there was more to give than fits a turn */
#define GIVE_PER_TURN 1000
#define DOWN_IS_NEWS_MS 2000

static void log_change(const struct pool *p, bool is_given_up)
{
    char source[IPADDR_TEXT_MAX] = "";
    struct pool_status s;
    struct log_line line;
    pool_get_status(p, &s);
    if (!ipaddr_is_none(&s.source))
        ipaddr_format(&s.source, source);
    log_begin(&line, LOG_LEVEL_WARN, is_given_up ? "pool-fallback" : "pool-recovered");
    log_str(&line, "pool", pool_config(p)->name);
    log_str(&line, "source", source[0] ? source : NULL);
    log_str(&line, "fallback", pool_config(p)->fallback);
    log_num(&line, "down_s", s.down_ms / 1000);
    log_end(&line);
}

/* Takes what is ready, as the pool itself would. What waits for its time is ready one day, what waits for room at once: the
 * pool uses none. */
static bool give_one(struct relay *r, struct pool *p)
{
    struct queue_wait *granted;
    struct queue_entry *e = queue_take(r->queue, pool_number(p), &granted);
    if (!e)
        return false;
    shape_give_up(granted);
    struct pool *to = pools_find(r->pools, view_cstr(pool_config(p)->fallback), e->account);
    bool is_moved = queue_set_pool(r->queue, e, pool_number(to)) == MSA_OK;
    settle_put_back(r, e, 0); /* wakes the pool that it is with now */
    return is_moved;
}

/* Whether there was more than fits one turn. */
static bool give(struct relay *r, struct pool *p)
{
    for (int i = 0; i < GIVE_PER_TURN; i++) {
        if (!give_one(r, p))
            return false;
    }
    return true;
}

/* A pool is down when none of its smarthosts can be reached: for a moment that is no news. */
static void tell_change(struct relay *r, struct pool *p)
{
    bool is_down = pool_down_ms(p) >= DOWN_IS_NEWS_MS;
    if (is_down == pool_marks(p)->is_told_down || (!is_down && pool_down_ms(p) > 0))
        return;
    pool_marks(p)->is_told_down = is_down;
    news_tell(&r->news, is_down ? NEWS_POOL_DOWN : NEWS_POOL_UP,
               json_pack("{s:s}", "pool", pool_config(p)->name));
}

static bool can_be_reached(const struct relay *r, const char *pool)
{
    for (uint32_t i = 0; i < pools_count(r->pools); i++) {
        const struct pool *p = pools_at(r->pools, i);
        if (pool_down_ms(p) == 0 && view_eq(view_cstr(pool_config(p)->name), view_cstr(pool)))
            return true;
    }
    return false;
}

/* Whether there is more to do at once. Where the fallback is down, too, nothing is gained; and two that fall back to
 * each other would pass their mail to and fro. */
static bool look_at(struct relay *r, struct pool *p)
{
    const struct config_pool *config = pool_config(p);
    tell_change(r, p);
    if (config->fallback[0] == '\0')
        return false;
    bool is_over = pool_down_ms(p) >= config->fallback_after_ms;
    if (is_over != pool_marks(p)->is_given_up) {
        pool_marks(p)->is_given_up = is_over;
        log_change(p, is_over);
    }
    return is_over && can_be_reached(r, config->fallback) && give(r, p);
}

static void on_look(void *arg)
{
    struct relay *r = arg;
    bool has_more = false;
    for (uint32_t i = 0; i < pools_count(r->pools) && !r->is_draining; i++)
        has_more = look_at(r, pools_at(r->pools, i)) || has_more;
    if (timer_start(&r->fallback, r->loop, has_more ? MORE_MS : LOOK_MS) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "the fallback's timer does not run");
}

void fallback_start(struct relay *r)
{
    timer_init(&r->fallback, on_look, r);
    on_look(r);
}
