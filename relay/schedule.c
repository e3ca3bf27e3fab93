/* The index and the clock: filling it, what is due, the next message for a pool. What follows from the answers
 * is in settle.c, what operators and policy say in hold.c. */
#include "relay/schedule.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/base/secret.h"
#include "relay/settle.h"

#define LOOKS_MAX    64  /* at queued messages without finding one that may go, before others have their turn */
#define DUE_PER_TURN 256 /* so that ten thousand messages due at once do not stop the rest */
#define RETRY_SOON_MS 60000 /* where the configuration lists no waits */

int64_t schedule_wait_ms(const struct config_durations *retry, uint32_t attempt_count, uint32_t random)
{
    int64_t wait_ms = RETRY_SOON_MS;
    if (retry->count > 0)
        wait_ms = retry->items_ms[attempt_count < retry->count ? attempt_count : retry->count - 1];
    int64_t span_ms = wait_ms / 5;
    return wait_ms - span_ms / 2 + (span_ms > 0 ? (int64_t)(random % (uint64_t)span_ms) : 0);
}

/* ---- the index ---- */

/* Ages come from the wall clock once, when an entry is made, and count on the monotonic one from then on. What lies in
 * the future (the clock was set back) is as good as new. */
static int64_t since_of(int64_t arrival_ms, int64_t hold_until_ms)
{
    int64_t now_ms = clock_wall_ms(), from_ms = arrival_ms < now_ms ? arrival_ms : now_ms;
    if (hold_until_ms > from_ms)
        from_ms = hold_until_ms;
    return clock_mono_ms() - (now_ms - from_ms);
}

static enum queue_state state_of(const struct envelope_head *h, bool is_active)
{
    if (is_active)
        return QUEUE_ACTIVE;
    if (h->flags & MESSAGE_HELD)
        return QUEUE_HELD;
    return h->next_attempt_ms > clock_wall_ms() ? QUEUE_WAITING : QUEUE_READY;
}

static int64_t next_of(const struct relay *r, const struct envelope_head *h)
{
    int64_t wait_ms = h->next_attempt_ms - clock_wall_ms();
    const struct config_durations *retry = &r->config->queue.retry;
    int64_t longest_ms = retry->count > 0 ? retry->items_ms[retry->count - 1] * 2 : RETRY_SOON_MS;
    if (h->next_attempt_ms != h->hold_until_ms && wait_ms > longest_ms)
        wait_ms = longest_ms; /* the clock was set back since this was written */
    return clock_mono_ms() + wait_ms;
}

/* `m` may be NULL: where it waits for room is found out when it is looked at. */
static int add_head(struct relay *r, const struct envelope_head *h, const struct message *m, bool is_active)
{
    struct pool *pool = pools_find(r->pools, h->pool, h->account);
    struct queue_wait *waits[QUEUE_PARTS_MAX];
    const struct queue_facts facts = {
        .id = h->id,
        .account = h->account,
        .bytes = h->content_bytes,
        .since_ms = since_of(h->arrival_ms, h->hold_until_ms),
        .next_ms = next_of(r, h),
        .attempt_count = h->attempt_count,
        .pool = pool_number(pool),
        .name = queue_name_of(r->queue, h->pool),
        .state = state_of(h, is_active),
        .is_noticed = (h->flags & MESSAGE_DELAY_NOTICED) != 0,
        .is_large = (h->flags & MESSAGE_LARGE) != 0,
        .held_for = (uint8_t)message_held_for(h->flags),
        .waits = waits,
        .wait_count = m ? shape_waits(schedule_shape_of(r, pool), m, false, waits) : 0,
    };
    if (!queue_add(r->queue, &facts))
        return MSA_ENOMEM;
    if (facts.state == QUEUE_READY)
        pool_wake(pool);
    return MSA_OK;
}

int schedule_add(struct relay *r, const struct message *m, bool is_active)
{
    const struct envelope_head head = {
        .id = m->id,
        .account = m->account,
        .arrival_ms = m->arrival_ms,
        .next_attempt_ms = m->next_attempt_ms,
        .hold_until_ms = m->hold_until_ms,
        .content_bytes = content_bytes(&m->content),
        .attempt_count = m->attempt_count,
        .flags = m->flags,
        .pool = m->pool,
    };
    int err = add_head(r, &head, m, is_active);
    schedule_rearm(r);
    return err;
}

static int on_scanned(void *arg, const struct envelope_head *head)
{
    return add_head(arg, head, NULL, false);
}

int schedule_load(struct relay *r)
{
    struct spool_scan_result found;
    int err = spool_scan(r->spool, on_scanned, r, &found);
    struct log_line line;
    log_begin(&line, err < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "queue-loaded");
    log_num(&line, "messages", (int64_t)found.message_count);
    log_num(&line, "damaged", (int64_t)found.damaged_count);
    log_num(&line, "orphans", (int64_t)found.orphan_count);
    log_str(&line, "error", err < 0 ? msa_strerror(err) : NULL);
    log_end(&line);
    schedule_rearm(r);
    return err;
}

static void move_to_pool(struct queue_entry *e, void *arg)
{
    struct relay *r = arg;
    struct pool *pool = pools_find(r->pools, queue_pool_name(r->queue, e->name), e->account);
    if (queue_set_pool(r->queue, e, pool_number(pool)) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "a message stays with its old pool");
}

void schedule_reconfigure(struct relay *r)
{
    queue_set_ages(r->queue, r->config->queue.expiry_ms, r->config->queue.delay_notice_ms);
    queue_each(r->queue, move_to_pool, r);
    for (uint32_t i = 0; i < pools_count(r->pools); i++) {
        if (queue_takeable_count(r->queue, (uint16_t)i) > 0) /* a pool that is woken opens links */
            pool_wake(pools_at(r->pools, i));
    }
    schedule_rearm(r);
}

/* ---- what is due ---- */

void schedule_wake(const struct relay *r, const struct queue_entry *e)
{
    if (!r->is_closing)
        pool_wake(pools_at(r->pools, e->pool));
}

static void on_due(void *arg)
{
    struct relay *r = arg;
    struct queue_entry *e;
    for (int n = 0; n < DUE_PER_TURN; n++) {
        switch (queue_next_due(r->queue, clock_mono_ms(), &e)) {
        case QUEUE_DUE_NOTHING: n = DUE_PER_TURN; break;
        case QUEUE_DUE_ATTEMPT: schedule_wake(r, e); break;
        case QUEUE_DUE_NOTICE: settle_send_delay_notice(r, e); break;
        case QUEUE_DUE_EXPIRY: settle_expire(r, e); break;
        }
    }
    schedule_rearm(r);
}

void schedule_rearm(struct relay *r)
{
    int64_t wait_ms = queue_wait_ms(r->queue, clock_mono_ms());
    if (wait_ms < 0) {
        timer_stop(&r->due);
        return;
    }
    if (!r->due.fn)
        timer_init(&r->due, on_due, r);
    if (timer_start(&r->due, r->loop, wait_ms) < 0)
        log_msg(LOG_LEVEL_ERROR, "relay-no-memory", "the queue's timer does not run");
}

/* ---- deliveries ---- */

static struct delivery *delivery_of(struct relay *r, struct message *m)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    list_init(&d->link);
    d->m = m;
    d->done = schedule_on_done;
    d->arg = r;
    return d;
}

/* One of the last configuration gives back what it has and gets nothing new. */
static bool is_current(struct relay *r, const struct pool *p)
{
    return pool_number(p) < pools_count(r->pools) && pools_at(r->pools, pool_number(p)) == p;
}

static bool may_send(struct relay *r, const struct pool *p)
{
    struct shape *s = is_current(r, p) && !r->is_draining ? schedule_shape_of(r, p) : NULL;
    return is_current(r, p) && !r->is_draining && (!s || shape_is_open(s));
}

uint64_t schedule_ready(void *arg, const struct pool *p)
{
    struct relay *r = arg;
    return may_send(r, p) ? queue_takeable_count(r->queue, pool_number(p)) : 0;
}

/* What the entry asks for, from its message; a delivery, or NULL with the message back in the queue. */
static struct delivery *admit(struct relay *r, struct shape *s, struct queue_entry *e, struct message *m,
                              struct queue_wait *granted)
{
    const struct shape_ask ask = {.granted = granted, .is_rest_waiting = e->is_rest_waiting};
    struct shape_passes passes;
    uint32_t count = shape_admit(s, m, &ask, &passes);
    struct delivery *d = count > 0 ? delivery_of(r, m) : NULL;
    if (!d) {
        shape_release(&passes, false);
        schedule_set_waits(r, e, m, e->is_rest_waiting);
        settle_put_back(r, e, 0);
        message_free(&m);
        return NULL;
    }
    d->passes = passes;
    queue_charge(r->queue, e, count - 1);
    return d;
}

/* With what is perhaps still on its way to the disk. */
static void catch_up(struct message *m, const struct queue_entry *e)
{
    int64_t since_ms = clock_wall_ms() - (clock_mono_ms() - e->since_ms);
    if (e->is_noticed)
        m->flags |= MESSAGE_DELAY_NOTICED;
    if (e->is_released && m->hold_until_ms < since_ms)
        m->hold_until_ms = since_ms;
}

static struct delivery *look_at(struct relay *r, struct pool *p, struct queue_entry *e,
                                struct queue_wait *granted)
{
    struct message *m;
    int err = spool_load(r->spool, e->id, &m);
    if (err < 0) {
        shape_give_up(granted);
        settle_unreadable(r, e, err);
        return NULL;
    }
    catch_up(m, e);
    return admit(r, schedule_shape_of(r, p), e, m, granted);
}

struct delivery *schedule_next(void *arg, struct pool *p)
{
    struct relay *r = arg;
    struct queue_wait *granted;
    for (int n = 0; n < LOOKS_MAX && may_send(r, p); n++) {
        struct queue_entry *e = queue_take(r->queue, pool_number(p), &granted);
        struct delivery *d = e ? look_at(r, p, e, granted) : NULL;
        if (d || !e)
            return d;
    }
    if (may_send(r, p))
        pool_wake(p); /* goes on in the next turn */
    return NULL;
}

/* ---- limits ---- */

struct shape *schedule_shape_of(const struct relay *r, const struct pool *p)
{
    return shapes_find(r->shapes, view_cstr(pool_config(p)->name));
}

void schedule_set_waits(struct relay *r, struct queue_entry *e, const struct message *m, bool is_rest_waiting)
{
    struct queue_wait *waits[QUEUE_PARTS_MAX];
    struct shape *s = schedule_shape_of(r, pools_at(r->pools, e->pool));
    queue_set_waits(r->queue, e, waits, shape_waits(s, m, is_rest_waiting, waits));
}

void schedule_on_woken(void *arg, uint16_t pool)
{
    struct relay *r = arg;
    if (r->pools && !r->is_closing && pool < pools_count(r->pools))
        pool_wake(pools_at(r->pools, pool));
}

void schedule_on_open(void *arg, const struct shape *shape)
{
    struct relay *r = arg;
    for (uint32_t i = 0; r->pools && i < pools_count(r->pools); i++) {
        if (schedule_shape_of(r, pools_at(r->pools, i)) == shape)
            pool_wake(pools_at(r->pools, i));
    }
}
