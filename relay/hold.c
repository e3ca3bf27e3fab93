#include "relay/hold.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/handover.h"
#include "relay/settle.h"

/* ---- one job of its own ---- */

static void on_job_done(struct commit_job *job)
{
    if (job->err < 0 && job->err != MSA_ENOENT)
        log_msg(LOG_LEVEL_WARN, "queue-trouble", "a change to a message was not kept: %s",
                msa_strerror(job->err));
    commit_job_fini(job);
    free(job);
}

static struct commit_job *job_of(enum commit_kind kind, uint64_t id)
{
    struct commit_job *job = calloc(1, sizeof *job);
    if (job)
        commit_job_init(job, kind, id, on_job_done, NULL);
    else
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "a change to a message is not kept");
    return job;
}

void hold_set_aside(struct relay *r, uint64_t id)
{
    struct commit_job *job = job_of(COMMIT_SET_ASIDE, id);
    if (job)
        committer_submit(r->committer, job);
}

/* ---- hold and release ---- */

static void keep_reasons(struct relay *r, const struct queue_entry *e, int64_t age_from_ms)
{
    struct commit_job *job = job_of(COMMIT_HOLD, e->id);
    if (!job)
        return;
    job->held_for = e->held_for;
    job->age_from_ms = age_from_ms;
    committer_submit(r->committer, job);
}

void hold_now(struct relay *r, struct queue_entry *e)
{
    keep_reasons(r, e, 0);
    queue_set_held(r->queue, e);
}

/* Its age counts from now on: while it was held nobody could deliver it. What was to wait for its time in any case
 * (FUTURERELEASE) still does. */
static void let_go(struct relay *r, struct queue_entry *e)
{
    int64_t now_ms = clock_mono_ms();
    if (e->since_ms > now_ms) {
        queue_set_waiting(r->queue, e, e->since_ms);
    } else {
        e->since_ms = now_ms; /* what is held stands in no order by it */
        e->is_released = true;
        queue_set_ready(r->queue, e);
        schedule_wake(r, e);
    }
    schedule_rearm(r);
}

/* What was held before is written in any case: its progress may have gone to the disk as held. */
static void change_reasons(struct relay *r, struct queue_entry *e, unsigned held_for)
{
    bool was_held = e->held_for != 0;
    e->held_for = (uint8_t)held_for;
    if (e->state != QUEUE_ACTIVE || was_held)
        keep_reasons(r, e, e->state == QUEUE_HELD && held_for == 0 ? clock_wall_ms() : 0);
    if (e->state == QUEUE_ACTIVE || was_held == (held_for != 0))
        return;
    if (held_for != 0)
        queue_set_held(r->queue, e);
    else
        let_go(r, e);
}

bool hold_entry(struct relay *r, struct queue_entry *e, unsigned reasons, bool is_held)
{
    unsigned before = e->held_for, after = is_held ? before | reasons : before & ~reasons;
    if (after != before)
        change_reasons(r, e, after);
    return (before != 0) != (after != 0);
}

struct holding {
    struct relay *relay;
    unsigned reasons;
    bool is_held;
    uint32_t count;
};

static void hold_each(struct queue_entry *e, void *arg)
{
    struct holding *h = arg;
    h->count += hold_entry(h->relay, e, h->reasons, h->is_held);
}

uint32_t hold_account(struct relay *r, uint64_t account, unsigned reasons, bool is_held)
{
    struct holding h = {.relay = r, .reasons = reasons, .is_held = is_held};
    queue_each_of(r->queue, account, hold_each, &h);
    h.count += handover_hold_account(r, account, reasons, is_held);
    schedule_rearm(r);
    return h.count;
}

/* ---- flush ---- */

void hold_flush(struct relay *r, struct queue_entry *e)
{
    if (e->is_rest_waiting)
        queue_set_waits(r->queue, e, NULL, 0);
    if (e->state == QUEUE_WAITING || e->is_rest_waiting)
        queue_set_ready(r->queue, e);
    pool_try_now(pools_at(r->pools, e->pool));
}

static void flush_each(struct queue_entry *e, void *arg)
{
    struct holding *h = arg;
    if (e->since_ms > clock_mono_ms())
        return;
    h->count += e->state == QUEUE_WAITING || e->state == QUEUE_READY;
    hold_flush(h->relay, e);
}

uint32_t hold_flush_all(struct relay *r)
{
    struct holding h = {.relay = r};
    queue_each(r->queue, flush_each, &h);
    schedule_rearm(r);
    return h.count;
}

/* ---- delete ---- */

int hold_delete(struct relay *r, struct queue_entry *e, const char *why)
{
    const struct settle_reason reason = {"5.7.1", why};
    enum queue_state before = e->state;
    if (before == QUEUE_ACTIVE)
        return MSA_EAGAIN;
    queue_set_active(r->queue, e);
    int err = settle_give_up(r, e, &reason, why != NULL);
    if (err < 0 && before == QUEUE_HELD)
        queue_set_held(r->queue, e);
    else if (err < 0)
        queue_set_ready(r->queue, e);
    return err;
}
