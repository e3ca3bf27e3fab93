#include "relay/signing.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/dkim/sign.h"
#include "relay/schedule.h"

#define JOBS_MAX     4096 /* that wait for a thread; beyond it clients' mail goes to the queue */
#define AHEAD_MIN    2u   /* deliveries of one pool that are fetched ahead */
#define AHEAD_MAX    64u
#define READY_MAX_MS 60000

/* What is fetched ahead for one pool. */
struct lane {
    struct list ready; /* of deliveries */
    uint32_t count;    /* of them, and of those being signed */
};

struct signing_plan {
    struct dkim_keyring *ring;
    uint32_t lane_count;
    struct lane lanes[]; /* by number of the pool */
};

struct signing {
    struct relay *relay;
    struct threads *threads;
    struct signing_plan *plan; /* NULL before the first configuration */
    uint64_t plan_number;
    struct signing_counts counts;
};

/* ---- one signature ---- */

struct sign_job {
    struct job job;
    struct signing *signing;
    struct message *m;
    struct dkim_keyring *ring;
    int64_t at_s;
    int err;
    struct dkim_signed result;
    signing_done_fn *done;
    void *arg;
};

static int read_piece(const void *arg, uint64_t offset, char *scratch, size_t scratch_bytes,
                      struct view *piece_out)
{
    return content_piece(arg, offset, scratch, scratch_bytes, piece_out);
}

/* In a thread. */
static void run(struct job *job)
{
    struct sign_job *j = CONTAINER_OF(job, struct sign_job, job);
    const struct dkim_message m = {read_piece, &j->m->content, content_bytes(&j->m->content)};
    j->err = dkim_sign(j->ring, &m, j->at_s, &j->result);
}

static int keep_result(struct sign_job *j)
{
    struct message *m = j->m;
    struct view fields = buf_view(&j->result.fields);
    if (j->err < 0 || fields.n == 0)
        return j->err;
    m->signature = arena_copy(&m->arena, fields);
    m->signed_by = arena_copy(&m->arena, view_cstr(j->result.by));
    return m->signature.n == fields.n ? MSA_OK : MSA_ENOMEM;
}

static void count(struct signing *s, const struct message *m, int err)
{
    char id[MSGID_TEXT_MAX];
    if (err == MSA_OK && m->signature.n > 0) {
        s->counts.signed_count++;
    } else if (err == MSA_OK) {
        s->counts.unsigned_count++;
    } else {
        s->counts.failed_count++;
        msgid_format(m->id, id);
        log_msg(LOG_LEVEL_WARN, "dkim-failed", "message %s: %s", id, msa_strerror(err));
    }
}

static void on_done(struct job *job)
{
    struct sign_job *j = CONTAINER_OF(job, struct sign_job, job);
    int err = job->was_run ? keep_result(j) : MSA_EAGAIN;
    if (job->was_run) /* else we are ending */
        count(j->signing, j->m, err);
    j->done(j->arg, err);
    dkim_signed_fini(&j->result);
    dkim_keyring_drop(&j->ring);
    free(j);
}

int signing_begin(struct signing *s, struct message *m, signing_done_fn *done, void *arg)
{
    struct sign_job *j = calloc(1, sizeof *j);
    if (!j)
        return MSA_ENOMEM;
    m->signature = m->signed_by = VIEW_EMPTY;
    *j = (struct sign_job){.job = {.run = run, .done = on_done},
                           .signing = s,
                           .m = m,
                           .at_s = clock_wall_ms() / 1000,
                           .done = done,
                           .arg = arg};
    list_init(&j->job.link);
    dkim_signed_init(&j->result);
    j->ring = dkim_keyring_hold(s->plan->ring);
    int err = threads_submit(s->threads, &j->job);
    if (err < 0) {
        dkim_keyring_drop(&j->ring);
        free(j);
    }
    return err;
}

bool signing_is_on(const struct signing *s)
{
    return s->plan && !dkim_keyring_is_empty(s->plan->ring);
}

void signing_get_counts(const struct signing *s, struct signing_counts *out)
{
    *out = s->counts;
}

/* ---- the queue's, ahead of the links ---- */

struct ahead {
    struct signing *signing;
    struct delivery *delivery;
    uint16_t number;      /* of its pool */
    uint64_t plan_number; /* what that number belongs to */
};

static struct lane *lane_of(struct signing *s, const struct pool *p)
{
    uint16_t number = pool_number(p);
    if (!s->plan || number >= s->plan->lane_count || pools_at(s->relay->pools, number) != p)
        return NULL; /* one of the last configuration */
    return &s->plan->lanes[number];
}

/* Nothing was sent, and it is tried again as after a 4xx of a smarthost. */
static void put_off(struct delivery *d)
{
    message_clear_answers(d->m);
    message_answer_open(d->m, 451, "4.7.5", VIEW_LIT("the message could not be signed"));
    d->done(d, DELIVERY_ANSWERED);
}

static void on_ahead_signed(void *arg, int err)
{
    struct ahead *a = arg;
    struct signing *s = a->signing;
    struct delivery *d = a->delivery;
    bool is_current = a->plan_number == s->plan_number;
    struct lane *lane = is_current ? &s->plan->lanes[a->number] : NULL;
    uint16_t number = a->number;
    free(a);
    if (!is_current || err == MSA_EAGAIN) {
        if (lane)
            lane->count--;
        d->done(d, DELIVERY_NOT_TRIED);
    } else if (err < 0) {
        lane->count--;
        put_off(d);
    } else {
        d->signed_ms = clock_mono_ms();
        list_append(&lane->ready, &d->link);
        pool_wake(pools_at(s->relay->pools, number));
    }
}

static int sign_ahead(struct signing *s, struct lane *lane, const struct pool *p, struct delivery *d)
{
    struct ahead *a = malloc(sizeof *a);
    if (!a)
        return MSA_ENOMEM;
    *a = (struct ahead){s, d, pool_number(p), s->plan_number};
    int err = signing_begin(s, d->m, on_ahead_signed, a);
    if (err < 0)
        free(a);
    else
        lane->count++;
    return err;
}

static uint32_t ahead_count(const struct pool *p)
{
    uint32_t links = pool_config(p)->connection_count;
    return links < AHEAD_MIN ? AHEAD_MIN : links > AHEAD_MAX ? AHEAD_MAX : links;
}

static void fetch_ahead(struct signing *s, struct lane *lane, struct pool *p)
{
    struct delivery *d;
    while (lane->count < ahead_count(p) && (d = schedule_next(s->relay, p))) {
        if (sign_ahead(s, lane, p, d) < 0)
            put_off(d);
    }
}

static struct delivery *take_ready(struct lane *lane)
{
    struct delivery *d = LIST_FIRST(&lane->ready, struct delivery, link);
    if (d) {
        list_remove(&d->link);
        lane->count--;
    }
    return d;
}

/* Somebody has asked to hold it since it was taken out of the queue. */
static bool is_to_be_held(const struct signing *s, const struct delivery *d)
{
    const struct queue_entry *e = queue_find(s->relay->queue, d->m->id);
    return e && e->held_for != 0;
}

struct delivery *signing_next(void *arg, struct pool *p)
{
    struct relay *r = arg;
    struct signing *s = r->signing;
    struct lane *lane = lane_of(s, p);
    struct delivery *d;
    if (!lane || !signing_is_on(s))
        return schedule_next(r, p);
    while ((d = take_ready(lane)) && is_to_be_held(s, d))
        d->done(d, DELIVERY_NOT_TRIED);
    fetch_ahead(s, lane, p);
    return d;
}

uint64_t signing_ready(void *arg, const struct pool *p)
{
    struct relay *r = arg;
    const struct lane *lane = lane_of(r->signing, p);
    return schedule_ready(r, p) + (lane ? lane->count : 0);
}

/* Those ready since before `since_ms`. */
static void give_back(struct signing_plan *plan, int64_t since_ms)
{
    for (uint32_t i = 0; plan && i < plan->lane_count; i++) {
        struct lane *lane = &plan->lanes[i];
        struct delivery *d;
        while ((d = LIST_FIRST(&lane->ready, struct delivery, link)) && d->signed_ms <= since_ms) {
            take_ready(lane);
            d->done(d, DELIVERY_NOT_TRIED);
        }
    }
}

void signing_give_back_old(struct signing *s)
{
    give_back(s->plan, clock_mono_ms() - READY_MAX_MS);
}

/* ---- configurations ---- */

struct signing_plan *signing_plan_new(const struct config *config, uint32_t pool_count, char *why_not,
                                      size_t size)
{
    struct dkim_keyring *ring = dkim_keyring_new(config, why_not, size);
    struct signing_plan *plan =
        ring ? calloc(1, sizeof *plan + pool_count * sizeof plan->lanes[0]) : NULL;
    if (!plan) {
        dkim_keyring_drop(&ring);
        return NULL;
    }
    plan->ring = ring;
    plan->lane_count = pool_count;
    for (uint32_t i = 0; i < pool_count; i++)
        list_init(&plan->lanes[i].ready);
    return plan;
}

void signing_plan_free(struct signing_plan **plan)
{
    if (!*plan)
        return;
    dkim_keyring_drop(&(*plan)->ring);
    free(*plan);
    *plan = NULL;
}

void signing_set_plan(struct signing *s, struct signing_plan *plan)
{
    struct signing_plan *old = s->plan;
    s->plan = plan;
    s->plan_number++;
    give_back(old, INT64_MAX);
    signing_plan_free(&old);
}

/* ---- start and end ---- */

struct signing *signing_new(struct relay *r)
{
    struct signing *s = calloc(1, sizeof *s);
    if (s)
        s->relay = r;
    return s;
}

int signing_start(struct signing *s, unsigned thread_count)
{
    s->threads = threads_new(s->relay->loop, thread_count, JOBS_MAX);
    return s->threads ? MSA_OK : MSA_ENOMEM;
}

void signing_free(struct signing **s)
{
    if (!*s)
        return;
    if ((*s)->threads)
        threads_free(&(*s)->threads);
    give_back((*s)->plan, INT64_MAX);
    signing_plan_free(&(*s)->plan);
    free(*s);
    *s = NULL;
}
