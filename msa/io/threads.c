#include "msa/io/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "msa/base/err.h"

#define STACK_BYTES (512u << 10) /* libsasl and its plugins; the default of 8 MiB is address space for nothing */

/* `lock` guards all below it. Jobs go queue → (a worker) → finished → (the loop) done. */
struct threads {
    struct wakeup *wakeup;
    pthread_t *ids;
    unsigned thread_count;
    size_t queue_max;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct list queue;
    size_t queued_count;
    struct list finished;
    bool is_stopping;
};

static struct job *take_job(struct threads *t)
{
    while (list_is_empty(&t->queue) && !t->is_stopping)
        pthread_cond_wait(&t->has_work, &t->lock);
    if (t->is_stopping)
        return NULL;
    struct job *job = CONTAINER_OF(t->queue.next, struct job, link);
    list_remove(&job->link);
    t->queued_count--;
    return job;
}

static void *work(void *arg)
{
    struct threads *t = arg;
    struct job *job;
    pthread_mutex_lock(&t->lock);
    while ((job = take_job(t))) {
        pthread_mutex_unlock(&t->lock);
        job->run(job);
        job->was_run = 1;
        pthread_mutex_lock(&t->lock);
        list_append(&t->finished, &job->link);
        wakeup_send(t->wakeup);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void complete_all(struct list *jobs)
{
    while (!list_is_empty(jobs)) {
        struct job *job = CONTAINER_OF(jobs->next, struct job, link);
        list_remove(&job->link);
        job->done(job);
    }
}

static void on_finished(void *arg)
{
    struct threads *t = arg;
    struct list jobs;
    list_init(&jobs);
    pthread_mutex_lock(&t->lock);
    list_move_all(&jobs, &t->finished);
    pthread_mutex_unlock(&t->lock);
    complete_all(&jobs);
}

/* Workers take no signals: those are the loop's. */
static void start_workers(struct threads *t, unsigned thread_count)
{
    sigset_t all, old;
    pthread_attr_t attr;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (t->thread_count < thread_count &&
           pthread_create(&t->ids[t->thread_count], &attr, work, t) == 0)
        t->thread_count++;
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct threads *threads_new(struct loop *loop, unsigned thread_count, size_t queue_max)
{
    struct threads *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->has_work, NULL);
    list_init(&t->queue);
    list_init(&t->finished);
    t->queue_max = queue_max;
    t->ids = calloc(thread_count, sizeof *t->ids);
    t->wakeup = wakeup_new(loop, on_finished, t);
    if (t->ids && t->wakeup)
        start_workers(t, thread_count);
    if (t->thread_count < thread_count || thread_count == 0)
        threads_free(&t);
    return t;
}

void threads_free(struct threads **threads)
{
    struct threads *t = *threads;
    if (!t)
        return;
    *threads = NULL;
    pthread_mutex_lock(&t->lock);
    t->is_stopping = true;
    pthread_cond_broadcast(&t->has_work);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->thread_count; i++)
        pthread_join(t->ids[i], NULL);
    wakeup_free(&t->wakeup);
    complete_all(&t->finished);
    complete_all(&t->queue);
    pthread_cond_destroy(&t->has_work);
    pthread_mutex_destroy(&t->lock);
    free(t->ids);
    free(t);
}

int threads_submit(struct threads *t, struct job *job)
{
    int err = MSA_EFULL;
    job->was_run = 0;
    list_init(&job->link);
    pthread_mutex_lock(&t->lock);
    if (t->queued_count < t->queue_max && !t->is_stopping) {
        list_append(&t->queue, &job->link);
        t->queued_count++;
        pthread_cond_signal(&t->has_work);
        err = MSA_OK;
    }
    pthread_mutex_unlock(&t->lock);
    return err;
}

size_t threads_queued(const struct threads *threads)
{
    struct threads *t = (struct threads *)(uintptr_t)threads; /* only the lock changes */
    pthread_mutex_lock(&t->lock);
    size_t n = t->queued_count;
    pthread_mutex_unlock(&t->lock);
    return n;
}
