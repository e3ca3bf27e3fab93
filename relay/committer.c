#include "relay/committer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define FULL_PAUSE_S 1 /* between two attempts at what must be written while there is no space */
#define YIELDS_MAX   8

struct committer {
    struct spool *spool;
    struct wakeup *wakeup;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the next five */
    pthread_cond_t changed; /* by the monotonic clock */
    struct list waiting;
    struct list finished;
    bool is_stopping;
    bool is_broken;

    bool is_busy;            /* the last batch held several; the committer's thread alone */
    size_t unfinished_count; /* the loop's thread alone */
    uint32_t batch_count;    /* never changes */
};

void commit_job_init(struct commit_job *job, enum commit_kind kind, uint64_t id,
                     commit_done_fn *done, void *arg)
{
    *job = (struct commit_job){.kind = kind, .id = id, .done = done, .arg = arg};
    list_init(&job->link);
    buf_init(&job->record, ENVELOPE_MAX_BYTES);
}

void commit_job_fini(struct commit_job *job)
{
    buf_fini(&job->record);
}

static struct commit_job *job_of(struct list *link)
{
    return CONTAINER_OF(link, struct commit_job, link);
}

/* ---- in the committer's thread ---- */

static int apply(struct spool *s, struct commit_job *job)
{
    struct view record = buf_view(&job->record);
    switch (job->kind) {
    case COMMIT_INSERT: return spool_insert(s, job->id, record, job->content, job->is_large);
    case COMMIT_UPDATE: return spool_update(s, job->id, record);
    case COMMIT_DELETE: return spool_delete(s, job->id);
    case COMMIT_HOLD: return spool_set_held(s, job->id, job->held_for, job->age_from_ms);
    case COMMIT_SET_ASIDE: return spool_set_aside(s, job->id);
    }
    return MSA_EINVAL;
}

static void finish_all(struct list *batch, struct list *finished, int err)
{
    for (struct list *at = batch->next; at != batch; at = at->next)
        job_of(at)->err = err;
    list_move_all(finished, batch);
}

static void move_refusable(struct list *batch, struct list *finished)
{
    struct commit_job *job, *tmp;
    LIST_FOREACH (job, tmp, batch, struct commit_job, link) {
        if (!job->is_refusable)
            continue;
        job->err = MSA_EFULL;
        list_remove(&job->link);
        list_append(finished, &job->link);
    }
}

static int commit_once(struct spool *s, struct list *batch)
{
    spool_begin(s);
    for (struct list *at = batch->next; at != batch; at = at->next)
        job_of(at)->err = apply(s, job_of(at));
    return spool_commit(s);
}

/* Names of large bodies go only now: a crash before this line leaves an orphan, never a message
 * without its body. */
static void remove_large(struct spool *s, const struct list *batch)
{
    for (struct list *at = batch->next; at != batch; at = at->next) {
        if (job_of(at)->kind == COMMIT_DELETE && job_of(at)->is_large)
            spool_large_remove(s, job_of(at)->id);
    }
}

/* What could not be written stays in `batch`. */
static int commit_batch(struct committer *c, struct list *batch, struct list *finished)
{
    int err = commit_once(c->spool, batch);
    if (err == MSA_EFULL || err == MSA_ENOMEM) {
        move_refusable(batch, finished);
        err = list_is_empty(batch) ? MSA_OK : commit_once(c->spool, batch);
    }
    if (err == MSA_OK) {
        remove_large(c->spool, batch);
        list_move_all(finished, batch);
    } else if (err != MSA_EFULL && err != MSA_ENOMEM) {
        log_msg(LOG_LEVEL_ERROR, "queue-broken", "commit failed (%s): no mail is taken any more",
                msa_strerror(err));
        finish_all(batch, finished, MSA_EIO);
    }
    return err;
}

/* Where a sync takes a fraction of a millisecond, what it costs is CPU. So on a busy core the others go first, for as
 * long as that brings more jobs; where nobody wants the core this returns at once. With the lock held, as the next. */
static void let_others_bring_more(struct committer *c)
{
    const struct list *last = NULL;
    for (int n = 0; n < YIELDS_MAX && last != c->waiting.prev; n++) {
        last = c->waiting.prev;
        pthread_mutex_unlock(&c->lock);
        sched_yield();
        pthread_mutex_lock(&c->lock);
    }
}

/* Moves up to batch_count jobs, and as many more as belong to the last one. */
static void take_batch(struct committer *c, struct list *batch)
{
    bool is_with_next = false;
    c->is_busy = c->waiting.next != c->waiting.prev;
    for (uint32_t n = 0; !list_is_empty(&c->waiting) && (n < c->batch_count || is_with_next); n++) {
        struct list *link = c->waiting.next;
        is_with_next = job_of(link)->is_with_next;
        list_remove(link);
        list_append(batch, link);
    }
}

static void wait_for_space(struct committer *c)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FULL_PAUSE_S;
    pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

/* With the lock held; gives it up while the disk works. */
static void commit_waiting(struct committer *c)
{
    struct list batch, finished;
    list_init(&batch);
    list_init(&finished);
    take_batch(c, &batch);
    bool is_broken = c->is_broken;
    pthread_mutex_unlock(&c->lock);

    int err = MSA_EIO;
    if (is_broken)
        finish_all(&batch, &finished, MSA_EIO);
    else
        err = commit_batch(c, &batch, &finished);

    pthread_mutex_lock(&c->lock);
    bool is_short_of_space = !list_is_empty(&batch);
    if (is_short_of_space && c->is_stopping) /* it will be done again after the restart */
        finish_all(&batch, &finished, err);
    list_move_all(&batch, &c->waiting); /* what is left goes first */
    list_move_all(&c->waiting, &batch);
    c->is_broken = err == MSA_EIO || err == MSA_ECORRUPT || is_broken;
    list_move_all(&c->finished, &finished);
    wakeup_send(c->wakeup);
    if (is_short_of_space && !c->is_stopping)
        wait_for_space(c);
}

static void *run(void *arg)
{
    struct committer *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->is_stopping || !list_is_empty(&c->waiting)) {
        if (list_is_empty(&c->waiting)) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        if (c->is_busy)
            let_others_bring_more(c);
        commit_waiting(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- in the loop's thread ---- */

static void on_finished(void *arg)
{
    struct committer *c = arg;
    struct list finished;
    list_init(&finished);
    pthread_mutex_lock(&c->lock);
    list_move_all(&finished, &c->finished);
    pthread_mutex_unlock(&c->lock);
    while (!list_is_empty(&finished)) {
        struct commit_job *job = job_of(finished.next);
        list_remove(&job->link);
        c->unfinished_count--;
        job->done(job); /* may submit more, may free the job */
    }
}

struct committer *committer_new(struct loop *loop, struct spool *spool, uint32_t batch_count)
{
    struct committer *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->spool = spool;
    c->batch_count = batch_count > 0 ? batch_count : 1;
    list_init(&c->waiting);
    list_init(&c->finished);
    c->wakeup = wakeup_new(loop, on_finished, c);
    if (!c->wakeup) {
        free(c);
        return NULL;
    }
    pthread_condattr_t by_monotonic;
    pthread_condattr_init(&by_monotonic);
    pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &by_monotonic);
    pthread_condattr_destroy(&by_monotonic);
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        wakeup_free(&c->wakeup);
        free(c);
        return NULL;
    }
    return c;
}

void committer_free(struct committer **c)
{
    if (!*c)
        return;
    pthread_mutex_lock(&(*c)->lock);
    (*c)->is_stopping = true;
    pthread_cond_signal(&(*c)->changed);
    pthread_mutex_unlock(&(*c)->lock);
    pthread_join((*c)->thread, NULL);
    on_finished(*c);
    wakeup_free(&(*c)->wakeup);
    pthread_mutex_destroy(&(*c)->lock);
    pthread_cond_destroy(&(*c)->changed);
    free(*c);
    *c = NULL;
}

void committer_submit_all(struct committer *c, struct list *jobs)
{
    for (struct list *at = jobs->next; at != jobs; at = at->next)
        c->unfinished_count++;
    pthread_mutex_lock(&c->lock);
    bool was_idle = list_is_empty(&c->waiting);
    list_move_all(&c->waiting, jobs);
    if (was_idle)
        pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void committer_submit(struct committer *c, struct commit_job *job)
{
    struct list one;
    list_init(&one);
    list_append(&one, &job->link);
    committer_submit_all(c, &one);
}

size_t committer_waiting(const struct committer *c)
{
    return c->unfinished_count;
}

bool committer_is_broken(struct committer *c)
{
    pthread_mutex_lock(&c->lock);
    bool is_broken = c->is_broken;
    pthread_mutex_unlock(&c->lock);
    return is_broken;
}
