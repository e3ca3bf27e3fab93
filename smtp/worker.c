/* The session role's process: see worker.h for its parts. */
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ipc/admin.h"
#include "smtp/smtp.h"
#include "smtp/worker.h"

/* ---- configuration ------------------------------------------------------------------------------- */

static int make_tls(const struct role_config *next, struct tls_server **tls_out, char *why_not,
                    size_t why_not_size)
{
    const struct tls_server_settings settings = {
        .certificates = next->certificates,
        .certificate_count = next->certificate_count,
        .min_is_tls13 = next->config->tls.min_version == CONFIG_TLS_1_3,
        .ticket_keys = next->ticket_keys,
    };
    char error[TLS_ERROR_MAX];
    *tls_out = NULL;
    if (settings.certificate_count == 0) /* only a listener on loopback can do without */
        return MSA_OK;
    *tls_out = tls_server_new(&settings, error);
    if (*tls_out)
        return MSA_OK;
    view_to_cstr(view_slice(view_cstr(error), 0, why_not_size - 1), why_not, why_not_size);
    return MSA_EINVAL;
}

static void drop_trusts(struct trust **list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        tls_trust_free(&(*list)[i].tls);
    free(*list);
    *list = NULL;
    *count = 0;
}

static int make_trusts(const struct config *c, struct trust **out, size_t *count_out, char *why_not,
                       size_t why_not_size)
{
    char error[TLS_ERROR_MAX];
    *count_out = 0;
    *out = calloc((size_t)c->listener_count + 1, sizeof **out);
    if (!*out)
        return MSA_ENOMEM;
    for (uint32_t i = 0; i < c->listener_count; i++) {
        const struct config_client_certificates *l = &c->listeners[i].client_certificates;
        const struct tls_trust_settings settings = {l->ca_pem, l->crl_pem, l->required};
        if (l->ca_pem[0] == '\0')
            continue;
        struct trust *t = &(*out)[*count_out];
        t->tls = tls_trust_new(&settings, error);
        if (!t->tls || !view_to_cstr(view_cstr(c->listeners[i].name), t->listener, sizeof t->listener)) {
            tls_trust_free(&t->tls);
            drop_trusts(out, count_out);
            view_to_cstr(view_slice(view_cstr(error), 0, why_not_size - 1), why_not, why_not_size);
            return MSA_EINVAL;
        }
        ++*count_out;
    }
    return MSA_OK;
}

static int smtp_take_config(void *state, const struct role_config *next, char *why_not,
                            size_t why_not_size)
{
    struct worker *w = state;
    struct tls_server *tls;
    struct trust *trusts;
    size_t trust_count;
    int err = make_tls(next, &tls, why_not, why_not_size);
    if (err != MSA_OK)
        return err;
    err = make_trusts(next->config, &trusts, &trust_count, why_not, why_not_size);
    if (err != MSA_OK) {
        if (tls)
            tls_server_free(&tls);
        return err;
    }
    drop_trusts(&w->trusts, &w->trust_count);
    w->trusts = trusts;
    w->trust_count = trust_count;
    if (w->tls)
        tls_server_free(&w->tls); /* live connections keep theirs */
    w->tls = tls;
    w->site.has_tls = tls != NULL;
    w->site.config = next->config;
    w->stock.answer_ms = next->config->deadlines.relay_answer_ms;
    if (w->worker_count == 0) /* fixed at the start; and counting cores opens a file, which the sandbox forbids */
        w->worker_count = config_worker_count(next->config);
    places_configure(&w->places, &next->config->limits, w->worker_count);
    return MSA_OK;
}

/* ---- peers --------------------------------------------------------------------------------------- */

static void smtp_peer_up(void *state, struct chan *c)
{
    struct worker *w = state;
    enum role role = chan_peer(c);
    if (role == ROLE_POLICY)
        w->policy = c;
    else if (role == ROLE_AUTH)
        w->auth = c;
    else if (role == ROLE_SCORE && chan_peer_index(c) < WORKER_SCORES_MAX)
        w->scores[chan_peer_index(c)] = c;
    else if (role == ROLE_RELAY) {
        w->relay = c;
        stock_relay_up(&w->stock, c);
    }
}

/* `tell` may end sessions; it frees none. */
static void tell_all(struct worker *w, void (*tell)(struct smtp_session *s))
{
    struct smtp_client *c, *next;
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link) {
        tell(&c->session);
        smtp_client_rearm(c);
    }
}

/* Questions to the peer are answered by its channel (chan_free). */
static void smtp_peer_down(void *state, struct chan *c)
{
    struct worker *w = state;
    if (w->policy == c) {
        w->policy = NULL;
        tell_all(w, smtp_session_on_policy_lost);
    } else if (w->auth == c) {
        w->auth = NULL;
        tell_all(w, smtp_session_on_auth_lost);
    } else if (w->relay == c) {
        w->relay = NULL;
        stock_relay_down(&w->stock);
    }
    for (unsigned i = 0; i < WORKER_SCORES_MAX; i++)
        if (w->scores[i] == c)
            w->scores[i] = NULL;
}

/* ---- console ------------------------------------------------------------------------------------- */

static void op_status(void *state, const struct admin_call *call)
{
    const struct worker *w = state;
    json_t *out = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "sessions", (json_int_t)w->places.session_count,
        "strangers", (json_int_t)w->places.stranger_count, "sessions_ever",
        (json_int_t)w->session_count, "refused_ever", (json_int_t)w->refused_count, "late_answers",
        (json_int_t)w->site.late_answers, "missing_scores", (json_int_t)w->site.missing_scores,
        "is_draining", w->site.is_draining);
    admin_reply(call->chan, call->id, 200, out);
}

static const struct admin_op ops[] = {
    {"smtp.status", op_status, false},
};

static int on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(ops, sizeof ops / sizeof ops[0], owner, c, m);
}

/* ---- drain --------------------------------------------------------------------------------------- */

static uint32_t count_clients(struct worker *w)
{
    struct smtp_client *c, *next;
    uint32_t n = 0;
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link)
        n++;
    return n;
}

static void say_drained(struct worker *w)
{
    role_drained_fn *fn = w->on_drained;
    if (!fn)
        return;
    w->on_drained = NULL;
    timer_stop(&w->drain_timer);
    fn(w->drained_arg, count_clients(w));
}

static void drain_sessions(struct worker *w, bool is_forced)
{
    struct smtp_client *c, *next;
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link) {
        smtp_session_drain(&c->session, is_forced);
        smtp_client_rearm(c);
    }
}

static void on_drain_over(void *arg)
{
    struct worker *w = arg;
    drain_sessions(w, true);
    say_drained(w);
}

static void smtp_drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    struct worker *w = state;
    w->on_drained = done;
    w->drained_arg = arg;
    w->site.is_draining = true;
    doors_close(w);
    drain_sessions(w, false);
    if (timer_start(&w->drain_timer, w->loop, within_ms) != MSA_OK)
        on_drain_over(w);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static void at_end_of_turn(void *arg)
{
    struct worker *w = arg;
    smtp_client_free_over(w);
    if (w->on_drained && list_is_empty(&w->clients))
        say_drained(w);
}

static int smtp_open(const struct role_env *env, void **state_out)
{
    struct worker *w = calloc(1, sizeof *w);
    *state_out = w;
    if (!w)
        return MSA_ENOMEM;
    w->loop = env->loop;
    w->site.host = &smtp_worker_host;
    list_init(&w->doors);
    list_init(&w->fronts);
    list_init(&w->clients);
    list_init(&w->over);
    table_init(&w->by_id);
    places_init(&w->places);
    stock_init(&w->stock);
    timer_init(&w->drain_timer, on_drain_over, w);
    return MSA_OK;
}

static int smtp_serve(void *state)
{
    struct worker *w = state;
    loop_hook_add(w->loop, LOOP_STAGE_FREE, &w->free_hook, at_end_of_turn, w);
    return MSA_OK;
}

static void smtp_take_listener(void *state, struct view name, const struct ipaddr *ip,
                               uint16_t port, int fd)
{
    doors_open(state, name, ip, port, fd);
}

static void smtp_drop_listener(void *state, struct view name, const struct ipaddr *ip,
                               uint16_t port)
{
    doors_close_one(state, name, ip, port);
}

static void smtp_close(void **state)
{
    struct worker *w = *state;
    struct smtp_client *c, *next;
    *state = NULL;
    if (!w)
        return;
    doors_close(w);
    LIST_FOREACH(c, next, &w->clients, struct smtp_client, link)
        smtp_session_abandon(&c->session);
    smtp_client_free_over(w);
    stock_relay_down(&w->stock);
    doors_free(w);
    loop_hook_remove(&w->free_hook);
    timer_stop(&w->drain_timer);
    stock_fini(&w->stock);
    places_fini(&w->places);
    table_fini(&w->by_id);
    if (w->tls)
        tls_server_free(&w->tls);
    drop_trusts(&w->trusts, &w->trust_count);
    free(w);
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_auth_challenge] = asks_on_challenge,
    [IPC_auth_done] = asks_on_auth_done,
    [IPC_auth_revoked] = asks_on_revoked,
    [IPC_policy_kill] = asks_on_kill,
    [IPC_admin_ask] = on_admin,
};

const struct role_ops smtp_role = {
    .role = ROLE_SMTP,
    .open = smtp_open,
    .take_config = smtp_take_config,
    .serve = smtp_serve,
    .take_listener = smtp_take_listener,
    .drop_listener = smtp_drop_listener,
    .peer_up = smtp_peer_up,
    .peer_down = smtp_peer_down,
    .handlers = handlers,
    .drain = smtp_drain,
    .close = smtp_close,
};
