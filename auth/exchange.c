#include "auth/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "auth/app_use.h"
#include "auth/sasl.h"
#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/base/table.h"

#define COMPLAINT_EVERY_MS 1000

/* Rules outlive the configuration that they came with for as long as an exchange holds them.
 * Counted in the loop's thread only. */
struct rules_ref {
    size_t holder_count;
    struct verify_rules rules;
};

/* How many steps of one address are under way. */
struct source {
    struct table_entry entry;
    struct ipaddr network;
    size_t step_count;
};

struct exchange_key {
    uint64_t peer;
    uint64_t session;
};

struct exchange {
    struct job job;
    struct table_entry entry; /* in `running`, under `key`, while somebody waits for it */
    struct exchange_key key;
    struct timer deadline;
    struct exchanges *owner;
    struct rules_ref *rules;
    struct source *source; /* while a step is under way */
    void *peer;            /* NULL: nobody waits */
    uint64_t session;
    struct ipaddr network;
    char country[3];
    struct sasl_run *run;
    struct buf message; /* of the step under way */
    bool has_message;
    bool is_in_worker;
    const struct authority *asked; /* NULL: nobody is being asked */
    uint64_t question;             /* for cancel; 0 while `ask` runs */
    struct finding finding;        /* what it found */
    int64_t now_ms;
    struct sasl_answer answer;
};

struct exchanges {
    struct loop *loop;
    struct threads *workers;
    const struct verify_env *env;
    struct exchange_owner owner;
    struct rules_ref *rules;
    struct exchange_limits limits;
    struct authority authorities[AUTHORITY_COUNT]; /* `ask` NULL: nobody */
    struct table running;
    struct table sources;
    size_t alive_count; /* also those that nobody waits for */
    bool is_refusing;
    int64_t complained_ms;
    struct exchange_counts counts;
};

/* ---- rules ----------------------------------------------------------------------------------- */

static void rules_drop(struct rules_ref **r)
{
    if (*r && --(*r)->holder_count == 0)
        free(*r);
    *r = NULL;
}

int exchanges_configure(struct exchanges *x, const struct verify_rules *rules,
                        const struct exchange_limits *limits)
{
    struct rules_ref *next = malloc(sizeof *next);
    if (!next)
        return MSA_ENOMEM;
    *next = (struct rules_ref){.holder_count = 1, .rules = *rules};
    rules_drop(&x->rules);
    x->rules = next;
    x->limits = *limits;
    return MSA_OK;
}

struct exchanges *exchanges_new(struct loop *loop, struct threads *workers,
                                const struct verify_env *env, const struct exchange_owner *owner)
{
    struct exchanges *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->loop = loop;
    x->workers = workers;
    x->env = env;
    x->owner = *owner;
    table_init(&x->running);
    table_init(&x->sources);
    return x;
}

/* ---- steps under way of one address ---------------------------------------------------------- */

static struct source *source_take(struct exchanges *x, const struct ipaddr *network)
{
    struct view key = view_of((const char *)network->bytes, sizeof network->bytes);
    struct table_entry *e = table_find(&x->sources, key);
    struct source *s = e ? CONTAINER_OF(e, struct source, entry) : NULL;
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return NULL;
        s->network = *network;
        s->entry.key = view_of((const char *)s->network.bytes, sizeof s->network.bytes);
        if (table_insert(&x->sources, &s->entry) < 0) {
            free(s);
            return NULL;
        }
    }
    if (s->step_count >= x->limits.step_per_source_count)
        return NULL; /* it holds others, so it stays */
    s->step_count++;
    return s;
}

static void source_give(struct exchanges *x, struct source **s)
{
    if (--(*s)->step_count == 0) {
        table_remove(&x->sources, &(*s)->entry);
        free(*s);
    }
    *s = NULL;
}

/* ---- an exchange ----------------------------------------------------------------------------- */

/* One line a second, however many clients are sent away. */
static void complain(struct exchanges *x, const char *why)
{
    if (log_is_due(&x->complained_ms, COMPLAINT_EVERY_MS))
        log_msg(LOG_LEVEL_WARN, "auth-unavailable", "%s", why);
}

/* Nobody waits for it any more: it can be found no longer, and goes when no worker holds it. */
static void forget(struct exchange *e)
{
    if (!e->peer)
        return;
    e->peer = NULL;
    timer_stop(&e->deadline);
    table_remove(&e->owner->running, &e->entry);
}

/* The step is over, however it ended. */
static void end_step(struct exchange *e)
{
    e->owner->counts.steps--;
    source_give(e->owner, &e->source);
    buf_fini(&e->message); /* the password, most likely */
}

static void exchange_free(struct exchange *e)
{
    MSA_ASSERT(!e->is_in_worker);
    forget(e);
    if (e->asked) {
        e->asked->cancel(e->asked->self, e->question);
        e->asked = NULL;
        end_step(e);
    }
    sasl_run_free(&e->run);
    buf_fini(&e->message);
    rules_drop(&e->rules);
    e->owner->alive_count--;
    free(e);
}

static void release(struct exchange *e)
{
    forget(e);
    if (!e->is_in_worker)
        exchange_free(e);
}

static void note_use(const struct exchange *e, const struct verify *v)
{
    const struct exchanges *x = e->owner;
    if (x->owner.used && v->app_id != 0 &&
        app_use_is_due(v->app_used_ms, v->app_used_from, clock_wall_ms(), e->country))
        x->owner.used(x->owner.arg, v, e->country);
}

/* The password was looked at a moment ago, in a SCRAM exchange perhaps minutes ago, and may have been changed or taken
 * back since: whoever did it has been told already which sessions are over. */
static bool still_holds(const struct exchanges *x, const struct verify *v)
{
    struct account now;
    bool holds = store_find(x->env->store, view_cstr(v->login), &now) == MSA_FOUND && now.id == v->account.id &&
                 now.generation == v->account.generation && !now.is_disabled;
    account_wipe(&now);
    return holds;
}

/* Tells the session how it ended, and ends it. `v` is NULL where no worker has looked at it. */
static void finish(struct exchange *e, enum auth_result result, const struct verify *v)
{
    struct exchanges *x = e->owner;
    void *peer = e->peer;
    if (result == AUTH_OK && !still_holds(x, v))
        result = AUTH_UNAVAILABLE; /* the next try knows */
    struct msg_auth_done m = {.session = e->session, .result = (uint8_t)result};
    if (result == AUTH_OK)
        m.final_challenge = e->answer.challenge;
    if (e->run)
        m.refusal_challenge = view_cstr(sasl_run_refusal(e->run));
    if (v) {
        m.login = view_cstr(v->login);
        m.wrong_password = result == AUTH_OK ? 0 : v->wrong_password;
        /* policy counts what was tried in vain for the account, too */
        m.account = v->is_known ? v->account.id : 0;
        m.created_ms = v->is_known ? v->account.created_ms : 0;
        m.credential = v->is_without_password ? IPC_CREDENTIAL_ELSEWHERE : v->app_id;
    }
    if (result == AUTH_OK)
        x->counts.succeeded++;
    else
        x->counts.failed++;
    if (result == AUTH_OK)
        note_use(e, v);
    if (result == AUTH_OK && v->has_upgrade)
        x->owner.upgrade(x->owner.arg, v->login, &v->upgrade);
    forget(e);
    x->owner.done(x->owner.arg, peer, &m);
    release(e);
}

static void on_deadline(void *arg)
{
    struct exchange *e = arg;
    /* The session has its own, shorter deadline; this one only bounds what a lost abort costs. */
    finish(e, AUTH_UNAVAILABLE, NULL);
}

/* A worker: the step may block for the length of a key derivation. */
static void run_step(struct job *job)
{
    struct exchange *e = CONTAINER_OF(job, struct exchange, job);
    struct view message = buf_view(&e->message);
    sasl_run_step(e->run, e->has_message ? &message : NULL, e->now_ms, &e->answer);
}

/* What the run says goes to the client. */
static void report(struct exchange *e)
{
    struct exchanges *x = e->owner;
    end_step(e);
    if (!e->peer) {
        exchange_free(e);
    } else if (!e->answer.is_over) {
        x->owner.challenge(x->owner.arg, e->peer, e->session, e->answer.challenge);
    } else {
        const struct verify *v = sasl_run_verify(e->run);
        if (v->is_broken)
            complain(x, "the account store cannot be read");
        finish(e, e->answer.result, v);
    }
}

static void set_unavailable(struct exchange *e)
{
    e->answer = (struct sasl_answer){.is_over = true, .result = AUTH_UNAVAILABLE};
}

static void on_settled(struct job *job)
{
    struct exchange *e = CONTAINER_OF(job, struct exchange, job);
    e->is_in_worker = false;
    if (!job->was_run)
        set_unavailable(e);
    report(e);
}

/* A worker: the account is looked up. */
static void run_settle(struct job *job)
{
    struct exchange *e = CONTAINER_OF(job, struct exchange, job);
    sasl_run_settle(e->run, &e->finding, e->now_ms, &e->answer);
}

/* Its place in the workers' queue was paid for with the step. */
static void on_found(void *arg, const struct finding *finding)
{
    struct exchange *e = arg;
    e->asked = NULL;
    e->finding = *finding;
    e->now_ms = clock_mono_ms();
    e->job = (struct job){.run = run_settle, .done = on_settled};
    if (threads_submit(e->owner->workers, &e->job) < 0) {
        set_unavailable(e);
        report(e);
        return;
    }
    e->is_in_worker = true;
}

static void ask(struct exchange *e)
{
    static const struct finding away = {.kind = FINDING_AWAY};
    const struct authority *a = &e->owner->authorities[e->answer.asks];
    const struct verify *v = sasl_run_verify(e->run);
    const struct question q = {.login = view_cstr(v->login), .secret = e->answer.secret};
    if (!a->ask) {
        on_found(e, &away);
        return;
    }
    e->asked = a;
    a->ask(a->self, &q, on_found, e, &e->question);
}

static void on_stepped(struct job *job)
{
    struct exchange *e = CONTAINER_OF(job, struct exchange, job);
    e->is_in_worker = false;
    if (!job->was_run)
        set_unavailable(e);
    if (e->peer && e->answer.asks != AUTHORITY_NONE)
        ask(e);
    else
        report(e);
}

static void turn_away(struct exchange *e, const char *why)
{
    e->owner->counts.turned_away++;
    complain(e->owner, why);
    finish(e, AUTH_UNAVAILABLE, NULL);
}

/* Hands the client's message to the workers, or ends the exchange where there is no room. */
static void submit(struct exchange *e, bool has_message, struct view message)
{
    struct exchanges *x = e->owner;
    buf_init_secret(&e->message, message.n + 1);
    e->has_message = has_message;
    e->now_ms = clock_mono_ms();
    e->answer = (struct sasl_answer){0};
    if (x->counts.steps >= x->limits.step_count) {
        turn_away(e, "too many sign-ins at once");
        return;
    }
    if (buf_add(&e->message, message) < 0) {
        turn_away(e, "no memory");
        return;
    }
    e->source = source_take(x, &e->network);
    if (!e->source) {
        turn_away(e, "too many sign-ins at once from one address");
        return;
    }
    e->job = (struct job){.run = run_step, .done = on_stepped};
    if (threads_submit(x->workers, &e->job) < 0) {
        source_give(x, &e->source);
        turn_away(e, "the workers' queue is full");
        return;
    }
    e->is_in_worker = true;
    x->counts.steps++;
}

static struct exchange_key key_of(const void *peer, uint64_t session)
{
    return (struct exchange_key){(uint64_t)(uintptr_t)peer, session};
}

static struct exchange *find(struct exchanges *x, const void *peer, uint64_t session)
{
    struct exchange_key key = key_of(peer, session);
    struct table_entry *e = table_find(&x->running, view_of((const char *)&key, sizeof key));
    return e ? CONTAINER_OF(e, struct exchange, entry) : NULL;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A refusal before there is an exchange. */
static void refuse(struct exchanges *x, void *peer, uint64_t session, enum auth_result result)
{
    x->counts.failed++;
    x->owner.done(x->owner.arg, peer,
                  &(struct msg_auth_done){.session = session, .result = (uint8_t)result});
}

static struct exchange *exchange_new(struct exchanges *x, void *peer, uint64_t session)
{
    struct exchange *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->owner = x;
    e->peer = peer;
    e->session = session;
    e->key = key_of(peer, session);
    e->entry.key = view_of((const char *)&e->key, sizeof e->key);
    timer_init(&e->deadline, on_deadline, e);
    if (table_insert(&x->running, &e->entry) < 0) {
        free(e);
        return NULL;
    }
    e->rules = x->rules;
    e->rules->holder_count++;
    x->alive_count++;
    if (timer_start(&e->deadline, x->loop, x->limits.deadline_ms) < 0) {
        exchange_free(e);
        return NULL;
    }
    return e;
}

int exchanges_start(struct exchanges *x, void *peer, const struct msg_auth_start *m)
{
    struct sasl_start start = {
        .mechanism = m->mechanism,
        .bindings = {m->binding_exporter, m->binding_unique, m->binding_end_point},
        .is_tls = m->is_tls,
        .certificate = m->certificate,
    };
    if (find(x, peer, m->session))
        return MSA_EPROTO;
    x->counts.started++;
    if (x->is_refusing || !x->rules || x->alive_count >= x->limits.exchange_count) {
        x->counts.turned_away++;
        if (!x->is_refusing)
            complain(x, "too many sign-ins under way");
        refuse(x, peer, m->session, AUTH_UNAVAILABLE);
        return MSA_OK;
    }
    struct exchange *e = exchange_new(x, peer, m->session);
    if (!e) {
        refuse(x, peer, m->session, AUTH_UNAVAILABLE);
        return MSA_OK;
    }
    e->network = ipaddr_network(&m->client_ip, 32, 64).addr;
    if (m->country.n == 2)
        (void)view_to_cstr(m->country, e->country, sizeof e->country);
    enum auth_result result = sasl_run_new(x->env, &e->rules->rules, &start, &e->run);
    if (result != AUTH_OK)
        finish(e, result, NULL);
    else
        submit(e, m->has_initial, m->initial);
    return MSA_OK;
}

int exchanges_step(struct exchanges *x, void *peer, const struct msg_auth_step *m)
{
    struct exchange *e = find(x, peer, m->session);
    if (!e)
        return MSA_OK; /* its deadline passed while the step was on its way */
    if (e->is_in_worker || e->asked)
        return MSA_EPROTO;
    submit(e, true, m->response);
    return MSA_OK;
}

void exchanges_abort(struct exchanges *x, void *peer, uint64_t session)
{
    struct exchange *e = find(x, peer, session);
    if (e)
        release(e);
}

static void drop_if_of_peer(struct table_entry *entry, void *arg)
{
    struct exchange *e = CONTAINER_OF(entry, struct exchange, entry);
    if (e->peer == arg)
        release(e);
}

void exchanges_drop_peer(struct exchanges *x, const void *peer)
{
    table_each(&x->running, drop_if_of_peer, (void *)(uintptr_t)peer);
}

static void drop_entry(struct table_entry *entry, void *arg)
{
    (void)arg;
    release(CONTAINER_OF(entry, struct exchange, entry));
}

void exchanges_drop_all(struct exchanges *x)
{
    table_each(&x->running, drop_entry, NULL);
}

/* ---- the whole ------------------------------------------------------------------------------- */

void exchanges_set_authority(struct exchanges *x, enum authority_kind kind, const struct authority *a)
{
    x->authorities[kind] = *a;
}

void exchanges_refuse_new(struct exchanges *x)
{
    x->is_refusing = true;
}

size_t exchanges_running(const struct exchanges *x)
{
    return x->running.count;
}

void exchanges_counts(const struct exchanges *x, struct exchange_counts *out)
{
    *out = x->counts;
    out->running = x->running.count;
}

void exchanges_free(struct exchanges **x)
{
    if (!*x)
        return;
    exchanges_drop_all(*x);
    MSA_ASSERT((*x)->alive_count == 0);
    table_fini(&(*x)->running);
    table_fini(&(*x)->sources);
    rules_drop(&(*x)->rules);
    free(*x);
    *x = NULL;
}
