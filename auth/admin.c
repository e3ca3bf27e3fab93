#include "auth/admin.h"

#include <stdlib.h>

#include "auth/ops.h"
#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/ipc/admin.h"

#define OP_NAME_MAX 32
#define ACTOR_MAX   129

struct admin {
    struct threads *writer;
    struct threads *workers;
    const struct verify_env *env;
    const struct exchanges *exchanges;
    admin_revoked_fn *revoked;
    void *revoked_arg;
    struct authority saslauthd; /* `ask` NULL: nobody */
    struct verify_rules rules;
    struct list running; /* of struct operation */
    struct admin_op table[OPS_COUNT];
};

struct operation {
    struct job job;
    struct list link;
    struct admin *owner;
    struct chan *chan; /* NULL: nobody waits */
    uint64_t id;
    char name[OP_NAME_MAX];
    char actor[ACTOR_MAX];
    json_t *args; /* may hold a password; jansson wipes it */
    json_t *answer;
    struct verify_rules rules;
    struct ops_snapshot snapshot;
    struct ops_call call;
    uint64_t question; /* for cancel; 0: nobody is being asked */
    struct finding finding;
    int status;
};

static void operation_free(struct operation *o)
{
    list_remove(&o->link);
    json_decref(o->args);
    json_decref(o->answer);
    free(o->call.replaced);
    secret_wipe(o, sizeof *o);
    free(o);
}

/* The audit log: who did what to whom, and with what success. */
static void log_operation(const struct operation *o)
{
    struct log_line l;
    bool is_change = ops_is_change(view_cstr(o->name));
    log_begin(&l, is_change ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "account-op");
    log_str(&l, "op", o->name);
    log_str(&l, "actor", o->actor);
    log_str(&l, "user", o->call.login[0] ? o->call.login : NULL);
    log_num(&l, "status", o->status);
    log_str(&l, "text", o->call.detail[0] ? o->call.detail : NULL);
    log_end(&l);
}

static void on_operation_done(struct job *job);

/* The writer's thread, or a worker. */
static void run_operation(struct job *job)
{
    struct operation *o = CONTAINER_OF(job, struct operation, job);
    o->status = ops_run(&o->call, view_cstr(o->name), o->args, &o->answer);
}

/* Before it is answered: who changed it may rely on it. */
static void tell_revoked(const struct operation *o)
{
    struct admin *a = o->owner;
    if (o->call.revoked.account != 0)
        a->revoked(a->revoked_arg, &o->call.revoked);
    for (size_t i = 0; i < o->call.replaced_count; i++)
        a->revoked(a->revoked_arg, &(struct ops_revoked){.account = o->call.replaced[i], .is_all = true});
}

static bool resume(struct operation *o)
{
    struct admin *a = o->owner;
    struct threads *threads = ops_is_change(view_cstr(o->name)) ? a->writer : a->workers;
    o->job = (struct job){.run = run_operation, .done = on_operation_done};
    return threads_submit(threads, &o->job) == MSA_OK;
}

/* It runs again, from its beginning: what was looked up may have changed meanwhile. */
static void on_found(void *arg, const struct finding *finding)
{
    struct operation *o = arg;
    o->question = 0;
    o->finding = *finding;
    o->call.finding = &o->finding;
    if (resume(o))
        return;
    if (o->chan)
        admin_refuse(o->chan, o->id, 503, "auth has too much to do");
    operation_free(o);
}

/* Between two runs. False: it is over. */
static bool ask(struct operation *o)
{
    const struct authority *a = &o->owner->saslauthd;
    const struct question q = {.login = view_cstr(o->call.login), .secret = o->call.secret};
    if (!o->call.asks || o->call.finding || !o->chan || !a->ask)
        return false;
    a->ask(a->self, &q, on_found, o, &o->question);
    return true;
}

static void on_operation_done(struct job *job)
{
    struct operation *o = CONTAINER_OF(job, struct operation, job);
    if (job->was_run && ask(o))
        return;
    if (job->was_run)
        log_operation(o);
    tell_revoked(o);
    if (o->chan && job->was_run && o->answer)
        admin_reply(o->chan, o->id, (unsigned)o->status, json_incref(o->answer));
    else if (o->chan && job->was_run)
        admin_refuse(o->chan, o->id, (unsigned)o->status, "%s", o->call.detail);
    operation_free(o);
}

static struct operation *operation_new(struct admin *a, const struct admin_call *call)
{
    struct operation *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->owner = a;
    o->chan = call->chan;
    o->id = call->id;
    o->args = json_incref(call->args);
    o->rules = a->rules;
    o->snapshot.now_wall_ms = clock_wall_ms();
    o->snapshot.now_mono_ms = clock_mono_ms();
    o->snapshot.queued_count = threads_queued(a->writer);
    exchanges_counts(a->exchanges, &o->snapshot.exchanges);
    cache_counts(a->env->cache, &o->snapshot.cache_hits, &o->snapshot.cache_misses);
    o->call = (struct ops_call){
        .store = a->env->store, .env = a->env, .rules = &o->rules, .snapshot = &o->snapshot};
    list_append(&a->running, &o->link);
    /* The name is one of the table's; an actor that is cut is still an actor. */
    (void)view_to_cstr(call->op, o->name, sizeof o->name);
    (void)view_to_cstr(view_slice(call->actor, 0, sizeof o->actor - 1), o->actor, sizeof o->actor);
    o->call.actor = view_cstr(o->actor);
    return o;
}

static void submit(void *state, const struct admin_call *call)
{
    struct admin *a = state;
    struct operation *o = operation_new(a, call);
    if (o && resume(o))
        return;
    if (o)
        operation_free(o);
    admin_refuse(call->chan, call->id, 503, "auth has too much to do");
}

struct admin *admin_new(struct threads *writer, struct threads *workers,
                        const struct verify_env *env, const struct exchanges *exchanges,
                        admin_revoked_fn *revoked, void *arg)
{
    struct admin *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->writer = writer;
    a->workers = workers;
    a->env = env;
    a->exchanges = exchanges;
    a->revoked = revoked;
    a->revoked_arg = arg;
    list_init(&a->running);
    /* Not marked as changes: account-op in the log says more than admin_dispatch could. */
    for (size_t i = 0; i < OPS_COUNT; i++)
        a->table[i] = (struct admin_op){.name = ops_name(i), .fn = submit};
    return a;
}

void admin_free(struct admin **a)
{
    if (!*a)
        return;
    MSA_ASSERT(list_is_empty(&(*a)->running));
    free(*a);
    *a = NULL;
}

void admin_set_saslauthd(struct admin *a, const struct authority *saslauthd)
{
    a->saslauthd = *saslauthd;
}

void admin_configure(struct admin *a, const struct verify_rules *rules)
{
    a->rules = *rules;
}

int auth_admin_on_ask(struct admin *a, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(a->table, OPS_COUNT, a, c, m);
}

/* Nobody waits: a job ends by itself, a question would not. */
static void give_up(struct operation *o)
{
    o->chan = NULL;
    if (o->question == 0)
        return;
    o->owner->saslauthd.cancel(o->owner->saslauthd.self, o->question);
    operation_free(o);
}

void admin_drop_peer(struct admin *a, const struct chan *c)
{
    struct operation *o, *next;
    LIST_FOREACH(o, next, &a->running, struct operation, link) {
        if (o->chan == c)
            give_up(o);
    }
}

void admin_drop_all(struct admin *a)
{
    struct operation *o, *next;
    LIST_FOREACH(o, next, &a->running, struct operation, link) {
        give_up(o);
    }
}
