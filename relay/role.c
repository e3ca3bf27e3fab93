/* The role as the process frame sees it: opening, configurations, peers, drain. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/admin.h"
#include "relay/bodies.h"
#include "relay/fallback.h"
#include "relay/handover.h"
#include "relay/notice.h"
#include "relay/relay.h"
#include "relay/schedule.h"
#include "relay/signing.h"
#include "relay/state.h"
#include "relay/webhook.h"

#define SYNC_THREADS   2
#define SYNC_QUEUE_MAX 256
#define SIGN_THREADS   2 /* each makes about a thousand RSA signatures a second */
#define MINUTE_MS      60000
#define DRAIN_STEP_MS  50

static void on_minute(void *arg)
{
    struct relay *r = arg;
    spool_check_readers(r->spool);
    signing_give_back_old(r->signing);
    shapes_sweep(r->shapes);
    pools_drop_finished(&r->retired_pools);
    if (timer_start(&r->minute, r->loop, MINUTE_MS) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "the minute's timer does not run");
}

static int open_role(const struct role_env *env, void **state_out)
{
    struct relay *r = calloc(1, sizeof *r);
    *state_out = r;
    if (!r)
        return MSA_ENOMEM;
    r->loop = env->loop;
    r->state_dir = env->state_dir;
    list_init(&r->handovers);
    list_init(&r->changes);
    list_init(&r->calls);
    r->queue = queue_new();
    r->fetcher = fetcher_new(r->loop);
    r->signing = signing_new(r);
    if (r->queue)
        r->shapes = shapes_new(r->loop, r->queue, &(struct shape_events){schedule_on_woken, schedule_on_open, r});
    r->healths = healths_new();
    return r->shapes && r->healths && r->fetcher && r->signing ? MSA_OK : MSA_ENOMEM;
}

/* ---- configuration ---- */

/* The spool's size is in the configuration, so it is opened with the first one. */
static int open_store(struct relay *r, const struct config *config, char *why_not, size_t size)
{
    if (r->spool)
        return MSA_OK;
    r->spool = spool_open(r->state_dir, config->queue.bytes, why_not, size);
    return r->spool ? MSA_OK : MSA_EIO;
}

/* c-ares has read resolv.conf before the sandbox closed: it is kept as long as its settings are the same. */
static bool is_dns_same(const struct config_dns *a, const struct config_dns *b)
{
    if (a->timeout_ms != b->timeout_ms || a->attempt_count != b->attempt_count ||
        a->max_ttl_ms != b->max_ttl_ms || a->servers.count != b->servers.count)
        return false;
    for (uint32_t i = 0; i < a->servers.count; i++) {
        if (a->servers.items[i].port != b->servers.items[i].port ||
            !ipaddr_eq(&a->servers.items[i].addr, &b->servers.items[i].addr))
            return false;
    }
    return true;
}

static struct dns *dns_for(struct relay *r, const struct config *config, char *why_not, size_t size)
{
    if (r->dns && is_dns_same(&r->config->dns, &config->dns))
        return r->dns;
    return dns_new(r->loop, &config->dns, why_not, size);
}

static void retire(struct relay *r, struct pools *pools, struct dns *dns)
{
    pools_retire(pools, &r->retired_pools);
    dns_free(&r->retired_dns);
    r->retired_dns = dns == r->dns ? NULL : dns;
}

/* The old pools go last: what they give back asks for the new ones. */
static void swap_pools(struct relay *r, const struct config *config, struct dns *dns,
                       struct pools *pools, struct signing_plan *plan)
{
    struct pools *old_pools = r->pools;
    struct dns *old_dns = r->dns;
    webhook_forget_names(r);
    r->config = config;
    r->pools = pools;
    r->dns = dns;
    if (shapes_configure(r->shapes, config) < 0)
        log_msg(LOG_LEVEL_ERROR, "relay-no-memory", "limits of destinations are not in force");
    schedule_reconfigure(r);
    signing_set_plan(r->signing, plan);
    if (old_pools)
        retire(r, old_pools, old_dns);
}

static int take_config(void *state, const struct role_config *next, char *why_not, size_t size)
{
    struct relay *r = state;
    int err = open_store(r, next->config, why_not, size);
    struct dns *dns = err == MSA_OK ? dns_for(r, next->config, why_not, size) : NULL;
    struct pools *pools = NULL;
    struct signing_plan *plan = NULL;
    if (dns)
        pools = pools_new(r->loop, dns, next->config, signing_next, signing_ready, r, why_not, size);
    if (pools)
        plan = signing_plan_new(next->config, pools_count(pools), why_not, size);
    if (plan) {
        swap_pools(r, next->config, dns, pools, plan);
    } else {
        pools_free(&pools);
        if (dns != r->dns)
            dns_free(&dns);
    }
    return plan ? MSA_OK : err < 0 ? err : MSA_EINVAL;
}

static int serve(void *state)
{
    struct relay *r = state;
    r->syncers = threads_new(r->loop, SYNC_THREADS, SYNC_QUEUE_MAX);
    r->committer = committer_new(r->loop, r->spool, r->config->queue.commit_batch_count);
    if (!r->syncers || !r->committer || signing_start(r->signing, SIGN_THREADS) < 0) {
        log_msg(LOG_LEVEL_ERROR, "relay-no-memory", "threads cannot be started");
        return MSA_ENOMEM;
    }
    timer_init(&r->minute, on_minute, r);
    on_minute(r);
    fallback_start(r);
    return schedule_load(r);
}

/* ---- peers ---- */

static void peer_up(void *state, struct chan *c)
{
    struct relay *r = state;
    news_peer_up(&r->news, c);
    if (chan_peer(c) == ROLE_POLICY)
        r->policy = c;
}

static void peer_down(void *state, struct chan *c)
{
    struct relay *r = state;
    news_peer_down(&r->news, c);
    if (r->policy == c) {
        webhook_forget_all(r);
        r->policy = NULL;
    }
    handover_forget_chan(r, c);
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_relay_body_ask] = bodies_on_ask,
    [IPC_relay_accept_ask] = handover_on_ask,
    [IPC_relay_hold_ask] = notice_on_hold_ask,
    [IPC_relay_notice_ask] = notice_on_notice_ask,
    [IPC_relay_webhook_ask] = webhook_on_ask,
    [IPC_admin_ask] = relay_admin_on_ask,
};

/* ---- the end ---- */

static uint32_t left_over(const struct relay *r)
{
    struct queue_counts counts;
    queue_count_all(r->queue, &counts);
    return (uint32_t)(counts.by_state[QUEUE_ACTIVE] + !list_is_empty(&r->handovers));
}

static void end_drain(struct relay *r, uint32_t left)
{
    role_drained_fn *done = r->on_drained;
    timer_stop(&r->drain_timer);
    r->on_drained = NULL;
    if (done)
        done(r->drained_arg, left);
}

static void on_drain_step(void *arg)
{
    struct relay *r = arg;
    uint32_t left = left_over(r);
    r->drain_left_ms -= DRAIN_STEP_MS;
    if (left == 0 || r->drain_left_ms <= 0 ||
        timer_start(&r->drain_timer, r->loop, DRAIN_STEP_MS) < 0)
        end_drain(r, left);
}

static void drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct relay *r = state;
    r->is_draining = true;
    r->on_drained = done;
    r->drained_arg = arg;
    r->drain_left_ms = within_ms;
    timer_init(&r->drain_timer, on_drain_step, r);
    if (timer_start(&r->drain_timer, r->loop, 0) < 0)
        end_drain(r, left_over(r));
}

/* Clients who still wait have no 250: their sessions are gone or about to be told 421. */
static void close_role(void **state)
{
    struct relay *r = *state;
    if (!r)
        return;
    r->is_draining = r->is_closing = true;
    r->policy = NULL;
    handover_forget_all(r);
    webhook_forget_all(r);
    fetcher_free(&r->fetcher);
    signing_free(&r->signing);
    pools_drop_all(&r->retired_pools);
    pools_free(&r->pools);
    dns_free(&r->retired_dns);
    dns_free(&r->dns);
    threads_free(&r->syncers);
    committer_free(&r->committer);
    spool_close(&r->spool);
    queue_free(&r->queue);
    shapes_free(&r->shapes);
    healths_free(&r->healths);
    timer_stop(&r->fallback);
    timer_stop(&r->due);
    timer_stop(&r->minute);
    timer_stop(&r->drain_timer);
    free(r);
    *state = NULL;
}

const struct role_ops relay_role = {
    .role = ROLE_RELAY,
    .open = open_role,
    .take_config = take_config,
    .serve = serve,
    .peer_up = peer_up,
    .peer_down = peer_down,
    .handlers = handlers,
    .drain = drain,
    .close = close_role,
};
