/* The policy process: questions come in, decisions go out. Counters are in a file that
 * may be lost, settings and restrictions in one that may not; who is connected is in
 * memory. */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "policy/enforce.h"
#include "policy/mail_hold.h"
#include "policy/ops.h"
#include "policy/reservation.h"
#include "policy/rules.h"
#include "policy/state.h"
#include "policy/tell.h"
#include "policy/watched.h"

#define LEDGER_MAP_BYTES (16ULL << 30)
#define CARE_MS          1000
#define PATH_BYTES       4096
#define ERROR_BYTES      256

/* ---- sessions ---- */

struct live_session *policy_session(struct policy *p, const struct chan *worker,
                                    uint64_t id, const struct ipaddr *ip)
{
    struct live_session *s = sessions_find(p->sessions, id);
    if (s)
        return s;
    s = sessions_get(p->sessions, worker, id, ip);
    if (s)
        geo_lookup(p->geo, ip, &s->place);
    return s;
}

/* What a session that vanished had reserved stays used: nobody knows what became of its
 * message. */
void policy_session_over(void *arg, struct live_session *s)
{
    (void)arg;
    reservation_free(&s->reservation);
}

/* ---- timers ---- */

static void on_turn_over(void *arg)
{
    struct policy *p = arg;
    if (p->counters)
        store_lmdb_flush(p->counters);
    if (p->sign_in_store)
        store_lmdb_flush(p->sign_in_store);
    if (p->sent_store)
        store_lmdb_flush(p->sent_store);
}

static void on_care(void *arg)
{
    struct policy *p = arg;
    if (p->counters)
        store_lmdb_care(p->counters, clock_wall_ms());
    if (p->sign_in_store)
        store_lmdb_care(p->sign_in_store, clock_wall_ms());
    if (p->sent_store)
        store_lmdb_care(p->sent_store, clock_wall_ms());
    enforce_release_due(p);
    mail_hold_retry(p);
    expiry_step(&p->expiry, p->ledger, &p->config->retention, clock_wall_ms());
    geo_refresh(p->geo);
    watched_sign_ins(p);
    (void)timer_start(&p->care_timer, p->loop, CARE_MS);
}

/* ---- life ---- */

static bool is_restricted(uint64_t account, void *arg)
{
    const struct policy *p = arg;
    return restrictions_standing(p->restrictions, account) != NULL;
}

/* Once, with the first configuration: its size is a setting. */
static void open_counters(struct policy *p, uint64_t bytes)
{
    char path[PATH_BYTES], error[256];
    snprintf(path, sizeof path, "%s/counters.mdb", p->state_dir);
    const struct store_lmdb_settings settings = {
        .path = path, .map_bytes = bytes, .is_kept = is_restricted, .arg = p};
    p->counters = store_lmdb_open(&settings, error, sizeof error);
    if (p->counters)
        store_lmdb_hash_key(p->counters, p->hash_key);
    else
        log_msg(LOG_LEVEL_ERROR, "counters-lost", "%s", error);
}

/* Likewise. They want less room than the counters: a quarter of it. NULL with a text in `error`. */
static struct store_lmdb *open_beside(struct policy *p, const char *name, uint64_t counters_bytes, char error[ERROR_BYTES])
{
    char path[PATH_BYTES];
    uint64_t bytes = counters_bytes / 4;
    snprintf(path, sizeof path, "%s/%s", p->state_dir, name);
    const struct store_lmdb_settings settings = {
        .path = path,
        .map_bytes = bytes > STORE_LMDB_BYTES_MIN ? bytes : STORE_LMDB_BYTES_MIN,
        .is_kept = is_restricted,
        .arg = p};
    return store_lmdb_open(&settings, error, ERROR_BYTES);
}

static void open_sign_ins(struct policy *p, uint64_t counters_bytes)
{
    char error[ERROR_BYTES];
    p->sign_in_store = open_beside(p, "sign-ins.mdb", counters_bytes, error);
    if (p->sign_in_store)
        p->sign_ins = sign_ins_new(store_lmdb_store(p->sign_in_store));
    else
        log_msg(LOG_LEVEL_ERROR, "sign-ins-lost", "%s", error);
}

static void open_sent(struct policy *p, uint64_t counters_bytes)
{
    char error[ERROR_BYTES];
    p->sent_store = open_beside(p, "sent.mdb", counters_bytes, error);
    if (!p->sent_store) {
        log_msg(LOG_LEVEL_ERROR, "sent-lost", "%s", error);
        return;
    }
    p->sent.store = store_lmdb_store(p->sent_store);
    store_lmdb_hash_key(p->sent_store, p->sent.hash_key);
}

static int open_ledger(struct policy *p)
{
    char path[PATH_BYTES], error[256];
    snprintf(path, sizeof path, "%s/policy.mdb", p->state_dir);
    p->ledger = ledger_open(p->loop, path, LEDGER_MAP_BYTES, error, sizeof error);
    if (p->ledger)
        return MSA_OK;
    log_msg(LOG_LEVEL_ERROR, "policy-broken", "%s", error);
    return MSA_EIO;
}

static void policy_close(void **state)
{
    struct policy *p = *state;
    *state = NULL;
    if (!p)
        return;
    timer_stop(&p->care_timer);
    loop_hook_remove(&p->flush_hook);
    mail_hold_fini(p);
    sessions_free(&p->sessions);
    notices_free(&p->notices);
    restrictions_free(&p->restrictions);
    store_lmdb_close(&p->counters);
    sign_ins_free(&p->sign_ins);
    store_lmdb_close(&p->sign_in_store);
    store_lmdb_close(&p->sent_store);
    ledger_close(&p->ledger);
    rules_free(&p->rules);
    routes_free(&p->routes);
    geo_free(&p->geo);
    free(p);
}

static int open_all(struct policy *p)
{
    if (getrandom(p->hash_key, sizeof p->hash_key, 0) != (ssize_t)sizeof p->hash_key)
        return MSA_EIO;
    int err = open_ledger(p);
    if (err < 0)
        return err;
    p->restrictions = restrictions_new(p->ledger);
    p->sessions = sessions_new();
    p->geo = geo_new();
    p->notices = notices_new(p->loop, p->ledger);
    return p->restrictions && p->sessions && p->geo && p->notices ? MSA_OK : MSA_ENOMEM;
}

static int policy_open(const struct role_env *env, void **state_out)
{
    struct policy *p = calloc(1, sizeof *p);
    *state_out = p;
    if (!p)
        return MSA_ENOMEM;
    p->loop = env->loop;
    timer_init(&p->care_timer, on_care, p);
    list_init(&p->slow_answers);
    mail_hold_init(p);
    p->state_dir = env->state_dir ? env->state_dir : ".";
    int err = open_all(p);
    if (err < 0)
        policy_close(state_out);
    return err;
}

static int policy_take_config(void *state, const struct role_config *next, char *why_not,
                              size_t why_not_size)
{
    struct policy *p = state;
    if (!p->config) {
        open_counters(p, next->config->counters.file_bytes);
        open_sign_ins(p, next->config->counters.file_bytes);
        open_sent(p, next->config->counters.file_bytes);
    }
    struct rule_set *rules = rules_new(next->config, p->hash_key);
    struct routes *routes = routes_new(next->config);
    if (!rules || !routes) {
        rules_free(&rules);
        routes_free(&routes);
        snprintf(why_not, why_not_size, "out of memory");
        return MSA_ENOMEM;
    }
    rules_free(&p->rules); /* reservations hold events, not rules */
    routes_free(&p->routes);
    p->rules = rules;
    p->routes = routes;
    p->config = next->config;
    sessions_set_source_bits(p->sessions, rules->v6_source_bits);
    geo_take(p->geo, &next->config->geo);
    tell_take_config(p);
    return MSA_OK;
}

static int policy_serve(void *state)
{
    struct policy *p = state;
    loop_hook_add(p->loop, LOOP_STAGE_WORK, &p->flush_hook, on_turn_over, p);
    int err = timer_start(&p->care_timer, p->loop, CARE_MS);
    return err < 0 ? err : ledger_start(p->ledger);
}

static void policy_peer_up(void *state, struct chan *c)
{
    struct policy *p = state;
    news_peer_up(&p->news, c);
    if (chan_peer(c) == ROLE_RELAY) {
        p->relay = c;
        mail_hold_tell_relay(p);
        notices_peer_up(p->notices, c);
    } else if (chan_peer(c) == ROLE_SMTP && chan_peer_index(c) < POLICY_WORKERS_MAX) {
        p->workers[chan_peer_index(c)] = c;
        enforce_tell_worker(p, c);
    }
}

static void policy_peer_down(void *state, struct chan *c)
{
    struct policy *p = state;
    news_peer_down(&p->news, c);
    policy_ops_account_drop_peer(p, c);
    if (p->relay == c) {
        notices_peer_down(p->notices);
        p->relay = NULL;
    }
    for (size_t i = 0; i < POLICY_WORKERS_MAX; i++)
        if (p->workers[i] == c)
            p->workers[i] = NULL;
    sessions_end_worker(p->sessions, c, policy_session_over, p);
}

static void policy_drain(void *state, uint32_t within_ms, role_drained_fn *done,
                         void *arg)
{
    (void)state,
        (void)within_ms; /* policy_close waits for what the ledger has to write */
    done(arg, 0);
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_policy_connect_ask] = policy_on_connect,
    [IPC_policy_login_ask] = policy_on_login,
    [IPC_policy_mail_ask] = policy_on_mail,
    [IPC_policy_quota_ask] = policy_on_quota,
    [IPC_policy_route_ask] = policy_on_route,
    [IPC_policy_settle] = policy_on_settle,
    [IPC_policy_disconnect] = policy_on_disconnect,
    [IPC_relay_outcome] = policy_on_outcome,
    [IPC_policy_mailbox_ask] = policy_on_mailbox,
    [IPC_admin_ask] = policy_on_admin,
};

const struct role_ops policy_role = {
    .role = ROLE_POLICY,
    .open = policy_open,
    .take_config = policy_take_config,
    .serve = policy_serve,
    .peer_up = policy_peer_up,
    .peer_down = policy_peer_down,
    .handlers = handlers,
    .drain = policy_drain,
    .close = policy_close,
};
