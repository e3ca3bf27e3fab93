#include <criterion/criterion.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/io/threads.h"

static struct loop *loop;
static pthread_t loop_thread;

static void set_up(void)
{
    loop = loop_new();
    loop_thread = pthread_self();
}

static void tear_down(void)
{
    loop_free(&loop);
}

TestSuite(threads, .timeout = 20, .init = set_up, .fini = tear_down);

struct task {
    struct job job;
    sem_t *may_go; /* NULL: at once */
    sem_t *has_begun;
    long n;
    long square; /* by the worker */
    int done_count;
    bool was_in_loop;
};

static int done_total;

static void run(struct job *job)
{
    struct task *t = CONTAINER_OF(job, struct task, job);
    if (t->has_begun)
        sem_post(t->has_begun);
    if (t->may_go)
        sem_wait(t->may_go);
    t->square = t->n * t->n;
}

static void done(struct job *job)
{
    struct task *t = CONTAINER_OF(job, struct task, job);
    t->done_count++;
    t->was_in_loop = pthread_equal(pthread_self(), loop_thread);
    done_total++;
}

static void task_init(struct task *t, long n)
{
    *t = (struct task){.job = {.run = run, .done = done}, .n = n};
}

Test(threads, jobs_run_in_workers_and_complete_in_the_loop)
{
    enum { COUNT = 500 };
    static struct task tasks[COUNT];
    struct threads *pool = threads_new(loop, 4, COUNT);
    cr_assert_not_null(pool);
    for (int i = 0; i < COUNT; i++) {
        task_init(&tasks[i], i);
        cr_assert_eq(threads_submit(pool, &tasks[i].job), MSA_OK);
    }
    while (done_total < COUNT)
        loop_run_once(loop, true);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(tasks[i].done_count, 1);
        cr_assert_eq(tasks[i].job.was_run, 1);
        cr_assert_eq(tasks[i].square, (long)i * i);
        cr_assert(tasks[i].was_in_loop);
    }
    cr_assert_eq(threads_queued(pool), 0);
    threads_free(&pool);
    cr_assert_null(pool);
}

Test(threads, queue_is_bounded)
{
    sem_t may_go, has_begun;
    struct task tasks[4];
    sem_init(&may_go, 0, 0);
    sem_init(&has_begun, 0, 0);
    struct threads *pool = threads_new(loop, 1, 2);
    for (int i = 0; i < 4; i++) {
        task_init(&tasks[i], i);
        tasks[i].may_go = &may_go;
        tasks[i].has_begun = &has_begun;
    }
    cr_assert_eq(threads_submit(pool, &tasks[0].job), MSA_OK);
    sem_wait(&has_begun); /* it has left the queue */
    cr_assert_eq(threads_submit(pool, &tasks[1].job), MSA_OK);
    cr_assert_eq(threads_submit(pool, &tasks[2].job), MSA_OK);
    cr_assert_eq(threads_queued(pool), 2);
    cr_assert_eq(threads_submit(pool, &tasks[3].job), MSA_EFULL);
    for (int i = 0; i < 3; i++)
        sem_post(&may_go);
    while (done_total < 3)
        loop_run_once(loop, true);
    cr_assert_eq(tasks[3].done_count, 0);
    threads_free(&pool);
    sem_destroy(&may_go);
    sem_destroy(&has_begun);
}

Test(threads, freeing_completes_all_and_says_what_did_not_run)
{
    sem_t may_go, has_begun;
    struct task tasks[3];
    sem_init(&may_go, 0, 1);
    sem_init(&has_begun, 0, 0);
    struct threads *pool = threads_new(loop, 1, 8);
    for (int i = 0; i < 3; i++)
        task_init(&tasks[i], i);
    tasks[0].has_begun = tasks[1].has_begun = &has_begun;
    tasks[0].may_go = &may_go;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(threads_submit(pool, &tasks[i].job), MSA_OK);
    sem_wait(&has_begun);
    threads_free(&pool);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tasks[i].done_count, 1);
        cr_assert(tasks[i].was_in_loop);
    }
    cr_assert_eq(tasks[0].job.was_run, 1);
    sem_destroy(&may_go);
    sem_destroy(&has_begun);
}

static struct threads *chain_pool;

static void done_and_again(struct job *job)
{
    done(job);
    if (done_total < 50)
        cr_assert_eq(threads_submit(chain_pool, job), MSA_OK);
}

Test(threads, completion_may_submit_the_job_again)
{
    struct task t;
    task_init(&t, 7);
    t.job.done = done_and_again;
    chain_pool = threads_new(loop, 2, 4);
    cr_assert_eq(threads_submit(chain_pool, &t.job), MSA_OK);
    while (done_total < 50)
        loop_run_once(loop, true);
    threads_free(&chain_pool);
}

Test(threads, a_pool_without_threads_cannot_be)
{
    cr_assert_null(threads_new(loop, 0, 4));
}
