/* The auth process: what its loop owns, and the handlers of its channels.
 *
 *   session ── auth_start, auth_step, auth_abort ──→ exchange.c ── a job a step ──→ workers
 *                └─ about a token: introspect.c ── HTTPS ──→ the identity provider
 *                └─ about a password kept elsewhere: saslauthd.c ── a Unix socket ──→ saslauthd
 *   console ── admin_ask ──→ admin.c ── a job ──→ the writer, the one thread that writes accounts
 *   console ── auth_name_ask ──→ name.c, at once
 *
 * Everything here runs in the loop's thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/admin.h"
#include "auth/app_use.h"
#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/exchange.h"
#include "auth/introspect.h"
#include "auth/name.h"
#include "auth/ops.h"
#include "auth/sasl.h"
#include "auth/saslauthd.h"
#include "auth/scram.h"
#include "auth/store.h"
#include "auth/upgrade.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define EXCHANGES_MAX      16384 /* with libsasl2's 8 KiB each, when it gets that far: 128 MiB */
#define WRITER_QUEUE_MAX   4096
#define CACHE_ENTRIES      65536 /* 4 MiB */
#define READERS_CHECK_MS   60000
#define SESSION_WORKERS_MAX 256
#define DEADLINE_SLACK_MS  5000 /* behind the session's own */

struct auth {
    struct loop *loop;
    struct verify_env env;
    struct threads *workers;
    struct threads *writer;
    struct exchanges *exchanges;
    struct fetcher *fetcher;
    struct introspect *introspect;
    struct saslauthd *saslauthd;
    bool may_connect; /* as the sandbox was closed */
    struct admin *admin;
    struct timer readers_timer;
    struct timer drain_timer;
    struct loop_hook drain_hook;
    role_drained_fn *drained; /* NULL: not draining */
    void *drained_arg;
    struct chan *sessions[SESSION_WORKERS_MAX]; /* the session workers; NULL: a free place */
    unsigned thread_count;
    struct verify_rules rules;
    struct exchange_limits limits;
};

/* ---- answers --------------------------------------------------------------------------------- */

static void send_challenge(void *arg, void *peer, uint64_t session, struct view challenge)
{
    struct msg_auth_challenge m = {.session = session, .challenge = challenge};
    (void)arg;
    /* Into a dead channel: peer_down comes. */
    (void)CHAN_SEND((struct chan *)peer, auth_challenge, 0, &m);
}

static void send_done(void *arg, void *peer, const struct msg_auth_done *m)
{
    (void)arg;
    (void)CHAN_SEND((struct chan *)peer, auth_done, 0, m);
}

static void store_upgrade(void *arg, const char *login, const struct account *account)
{
    struct auth *a = arg;
    upgrade_submit(a->writer, a->env.store, login, account);
}

static void note_use(void *arg, const struct verify *v, const char *country)
{
    struct auth *a = arg;
    app_use_submit(a->writer, a->env.store, v->account.id, v->app_id, country);
}

static void send_revoked(void *arg, const struct ops_revoked *revoked)
{
    struct auth *a = arg;
    const struct msg_auth_revoked m = {
        .account = revoked->account, .is_all = revoked->is_all, .credential = revoked->credential};
    for (size_t i = 0; i < SESSION_WORKERS_MAX; i++)
        if (a->sessions[i])
            (void)CHAN_SEND(a->sessions[i], auth_revoked, 0, &m); /* gone: so are its sessions */
}

/* ---- questions ------------------------------------------------------------------------------- */

static int on_auth_start(void *owner, struct chan *c, struct chan_message *message)
{
    struct auth *a = owner;
    struct msg_auth_start m;
    int err = msg_auth_start_decode(message->payload, &m);
    return err < 0 ? err : exchanges_start(a->exchanges, c, &m);
}

static int on_auth_step(void *owner, struct chan *c, struct chan_message *message)
{
    struct auth *a = owner;
    struct msg_auth_step m;
    int err = msg_auth_step_decode(message->payload, &m);
    return err < 0 ? err : exchanges_step(a->exchanges, c, &m);
}

static int on_auth_abort(void *owner, struct chan *c, struct chan_message *message)
{
    struct auth *a = owner;
    struct msg_auth_abort m;
    int err = msg_auth_abort_decode(message->payload, &m);
    if (err == MSA_OK)
        exchanges_abort(a->exchanges, c, m.session);
    return err;
}

static int on_name_ask(void *owner, struct chan *c, struct chan_message *message)
{
    struct auth *a = owner;
    struct msg_auth_name_ask m;
    struct msg_auth_name_answer answer;
    char login[STORE_LOGIN_MAX + 1];
    int err = msg_auth_name_ask_decode(message->payload, &m);
    if (err < 0)
        return err;
    name_find(a->env.store, &a->rules, m.typed, login, &answer);
    (void)CHAN_SEND(c, auth_name_answer, message->id, &answer); /* into a dead channel: nobody asks any more */
    return MSA_OK;
}

static int on_admin_ask(void *owner, struct chan *c, struct chan_message *message)
{
    struct auth *a = owner;
    return auth_admin_on_ask(a->admin, c, message);
}

static chan_handlers handlers = {
    [IPC_auth_start] = on_auth_start,
    [IPC_auth_step] = on_auth_step,
    [IPC_auth_abort] = on_auth_abort,
    [IPC_auth_name_ask] = on_name_ask,
    [IPC_admin_ask] = on_admin_ask,
};

/* ---- life ------------------------------------------------------------------------------------ */

static void auth_close(void **state);

static void check_readers(void *arg)
{
    struct auth *a = arg;
    store_check_readers(a->env.store);
    (void)timer_start(&a->readers_timer, a->loop, READERS_CHECK_MS); /* was on: cannot fail */
}

static int open_store(struct auth *a, const char *state_dir)
{
    char path[1024], error[512];
    int n = snprintf(path, sizeof path, "%s/accounts.mdb", state_dir ? state_dir : ".");
    if (n < 0 || (size_t)n >= sizeof path) {
        log_msg(LOG_LEVEL_ERROR, "auth-broken", "the path of the state directory is too long");
        return MSA_ETOOBIG;
    }
    a->env.store = store_open(path, error, sizeof error);
    if (!a->env.store) {
        log_msg(LOG_LEVEL_ERROR, "auth-broken", "%s", error);
        return MSA_EIO;
    }
    return MSA_OK;
}

/* OpenSSL reads its configuration file at its first use, which must be before the sandbox
 * closes. */
static void warm_up(void)
{
    struct scram_verifier unused;
    (void)scram_make(VIEW_LIT("warm-up"), SCRAM_ITERATIONS_MIN, &unused);
}

static int auth_open(const struct role_env *env, void **state_out)
{
    char error[512];
    *state_out = NULL;
    ops_setup();
    int err = sasl_library_open(error, sizeof error);
    if (err < 0) {
        log_msg(LOG_LEVEL_ERROR, "auth-broken", "%s", error);
        return err;
    }
    struct auth *a = calloc(1, sizeof *a);
    if (!a) {
        sasl_library_close();
        return MSA_ENOMEM;
    }
    warm_up();
    *state_out = a;
    a->loop = env->loop;
    a->env.cache = cache_new(CACHE_ENTRIES);
    timer_init(&a->readers_timer, check_readers, a);
    a->fetcher = fetcher_new(env->loop); /* curl, too, reads files at its first use */
    a->introspect = a->fetcher ? introspect_new(a->fetcher) : NULL;
    a->saslauthd = saslauthd_new(env->loop);
    err = a->env.cache && a->introspect && a->saslauthd ? open_store(a, env->state_dir) : MSA_ENOMEM;
    if (err < 0)
        auth_close(state_out);
    return err;
}

static void read_rules(const struct config *config, struct verify_rules *out)
{
    *out = (struct verify_rules){
        .mechanisms = config->auth.mechanisms,
        .scram_iteration_count = config->auth.scram_iteration_count,
        .cache_life_ms = config->auth.credential_cache_ms,
    };
    /* Domain names fit: the configuration holds them to 255 bytes. */
    (void)view_to_cstr(view_cstr(config->auth.default_domain), out->default_domain,
                       sizeof out->default_domain);
    (void)view_to_cstr(view_cstr(config->hostname), out->hostname, sizeof out->hostname);
    for (int form = BEARER_OAUTH; form <= BEARER_XOAUTH2; form++)
        bearer_refusal((enum bearer_form)form, config->identity_provider.scope,
                       config->identity_provider.openid_configuration, out->refusals[form]);
}

static int apply_rules(struct auth *a)
{
    int err = exchanges_configure(a->exchanges, &a->rules, &a->limits);
    if (err == MSA_OK)
        admin_configure(a->admin, &a->rules);
    return err;
}

/* "": nobody new is to be asked; else who it is. */
static const char *unreachable(const struct auth *a, bool has_provider, bool has_saslauthd)
{
    if (!a->exchanges || a->may_connect) /* before serve the sandbox is open */
        return "";
    return has_provider ? "identity_provider" : has_saslauthd ? "saslauthd" : "";
}

/* The number of threads, and whether there is anybody to ask, is that of the start; all else is in force for the
 * exchanges that begin now. */
static int auth_take_config(void *state, const struct role_config *next, char *why_not,
                            size_t why_not_size)
{
    struct auth *a = state;
    const struct config_auth *auth = &next->config->auth;
    const struct config_identity_provider *provider = &next->config->identity_provider;
    const struct config_saslauthd *saslauthd = &next->config->saslauthd;
    bool has_provider = provider->introspection[0] != '\0', has_saslauthd = saslauthd->socket[0] != '\0';
    const char *new_one = unreachable(a, has_provider, has_saslauthd);
    if (new_one[0] != '\0') {
        snprintf(why_not, why_not_size, "'%s' is new: auth may connect only after a restart of msad", new_one);
        return MSA_EACCESS;
    }
    read_rules(next->config, &a->rules);
    a->limits = (struct exchange_limits){
        .exchange_count = EXCHANGES_MAX,
        .step_count = auth->hash_queue_count,
        .step_per_source_count = auth->hash_queue_per_address_count,
        .deadline_ms = next->config->deadlines.auth_exchange_ms + DEADLINE_SLACK_MS,
    };
    a->thread_count = auth->thread_count;
    int err = a->exchanges ? apply_rules(a) : MSA_OK; /* before serve: there */
    if (err < 0) {
        snprintf(why_not, why_not_size, "%s", msa_strerror(err));
        return err;
    }
    if (!a->exchanges)
        a->may_connect = has_provider || has_saslauthd;
    introspect_configure(a->introspect, has_provider ? provider : NULL);
    saslauthd_configure(a->saslauthd, has_saslauthd ? saslauthd : NULL);
    return MSA_OK;
}

/* libsasl2 opens it for each SCRAM and CRAM-MD5 exchange, and where it cannot it makes challenges
 * from the time of day without a word. So the sandbox must let it be read; better not to serve
 * than that. */
static int check_random_source(void)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        log_msg(LOG_LEVEL_ERROR, "auth-broken", "/dev/urandom cannot be read: %s", strerror(errno));
        return MSA_EACCESS;
    }
    close(fd);
    return MSA_OK;
}

static unsigned core_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static int auth_serve(void *state)
{
    struct auth *a = state;
    const struct exchange_owner owner = {send_challenge, send_done, store_upgrade, a, note_use};
    unsigned count = a->thread_count > 0 ? a->thread_count : core_count();
    int err = check_random_source();
    if (err < 0)
        return err;
    /* The queue's own bound is out of the way: exchange.c has the configured one. */
    a->workers = threads_new(a->loop, count, EXCHANGES_MAX);
    a->writer = threads_new(a->loop, 1, WRITER_QUEUE_MAX);
    if (!a->workers || !a->writer)
        return MSA_ENOMEM;
    a->exchanges = exchanges_new(a->loop, a->workers, &a->env, &owner);
    if (!a->exchanges)
        return MSA_ENOMEM;
    const struct authority provider = introspect_authority(a->introspect);
    const struct authority saslauthd = saslauthd_authority(a->saslauthd);
    exchanges_set_authority(a->exchanges, AUTHORITY_PROVIDER, &provider);
    exchanges_set_authority(a->exchanges, AUTHORITY_SASLAUTHD, &saslauthd);
    a->admin = admin_new(a->writer, a->workers, &a->env, a->exchanges, send_revoked, a);
    if (!a->admin)
        return MSA_ENOMEM;
    admin_set_saslauthd(a->admin, &saslauthd);
    err = apply_rules(a);
    return err < 0 ? err : timer_start(&a->readers_timer, a->loop, READERS_CHECK_MS);
}

static void auth_peer_up(void *state, struct chan *c)
{
    struct auth *a = state;
    if (chan_peer(c) != ROLE_SMTP)
        return;
    for (size_t i = 0; i < SESSION_WORKERS_MAX; i++) {
        if (a->sessions[i])
            continue;
        a->sessions[i] = c;
        return;
    }
}

static void auth_peer_down(void *state, struct chan *c)
{
    struct auth *a = state;
    for (size_t i = 0; i < SESSION_WORKERS_MAX; i++)
        if (a->sessions[i] == c)
            a->sessions[i] = NULL;
    exchanges_drop_peer(a->exchanges, c);
    admin_drop_peer(a->admin, c);
}

/* ---- drain and close ------------------------------------------------------------------------- */

static void end_drain(struct auth *a)
{
    role_drained_fn *drained = a->drained;
    a->drained = NULL;
    timer_stop(&a->drain_timer);
    loop_hook_remove(&a->drain_hook);
    drained(a->drained_arg, (uint32_t)exchanges_running(a->exchanges));
}

static void on_drain_timer(void *arg)
{
    end_drain(arg);
}

/* At the end of each turn while draining. */
static void check_drained(void *arg)
{
    struct auth *a = arg;
    if (exchanges_running(a->exchanges) == 0)
        end_drain(a);
}

static void auth_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct auth *a = state;
    a->drained = done;
    a->drained_arg = arg;
    exchanges_refuse_new(a->exchanges);
    timer_init(&a->drain_timer, on_drain_timer, a);
    loop_hook_add(a->loop, LOOP_STAGE_WORK, &a->drain_hook, check_drained, a);
    if (timer_start(&a->drain_timer, a->loop, within_ms) < 0)
        end_drain(a);
}

static void auth_close(void **state)
{
    struct auth *a = *state;
    if (!a)
        return;
    timer_stop(&a->readers_timer);
    if (a->drained) {
        timer_stop(&a->drain_timer);
        loop_hook_remove(&a->drain_hook);
    }
    if (a->exchanges)
        exchanges_drop_all(a->exchanges);
    if (a->admin)
        admin_drop_all(a->admin);
    threads_free(&a->workers);
    threads_free(&a->writer); /* after the workers, which may have given it upgrades */
    admin_free(&a->admin);
    exchanges_free(&a->exchanges);
    introspect_free(&a->introspect);
    saslauthd_free(&a->saslauthd);
    fetcher_free(&a->fetcher);
    store_close(&a->env.store);
    cache_free(&a->env.cache);
    sasl_library_close();
    free(a);
    *state = NULL;
}

const struct role_ops auth_role = {
    .role = ROLE_AUTH,
    .open = auth_open,
    .take_config = auth_take_config,
    .serve = auth_serve,
    .peer_up = auth_peer_up,
    .peer_down = auth_peer_down,
    .handlers = handlers,
    .drain = auth_drain,
    .close = auth_close,
};
