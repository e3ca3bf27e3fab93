/* What has threads, driven hard: for the thread sanitizer (make test-race), under which Criterion does not
 * run. Exits 1 if anything came out wrong; the sanitizer says the rest. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/db/db.h"
#include "msa/io/threads.h"

#define JOB_COUNT  2000
#define READ_COUNT 2000

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "race: %s\n", what);
    exit(1);
}

/* ---- pool: jobs that are submitted again by their completion ---- */

struct sum {
    struct job job;
    long n;
    long total; /* handed back and forth, never shared */
    int round;
};

static struct threads *pool;
static int finished_count;

static void add(struct job *job)
{
    struct sum *s = CONTAINER_OF(job, struct sum, job);
    s->total += s->n;
}

static void added(struct job *job)
{
    struct sum *s = CONTAINER_OF(job, struct sum, job);
    must(s->job.was_run, "a job was completed that had not run");
    if (++s->round < 5)
        must(threads_submit(pool, job) == MSA_OK, "a job did not fit");
    else
        finished_count++;
}

static void race_pool(struct loop *loop)
{
    struct sum *sums = calloc(JOB_COUNT, sizeof *sums);
    pool = threads_new(loop, 4, JOB_COUNT);
    must(sums && pool, "out of memory");
    for (int i = 0; i < JOB_COUNT; i++) {
        sums[i] = (struct sum){.job = {.run = add, .done = added}, .n = i};
        must(threads_submit(pool, &sums[i].job) == MSA_OK, "a job did not fit");
    }
    while (finished_count < JOB_COUNT)
        loop_run_once(loop, true);
    for (int i = 0; i < JOB_COUNT; i++)
        must(sums[i].total == 5L * i, "a job ran too often or not enough");
    threads_free(&pool);
    free(sums);
}

static int dropped_count;

static void count_dropped(struct job *job)
{
    (void)job;
    dropped_count++;
}

static void race_freeing(struct loop *loop)
{
    for (int round = 0; round < 50; round++) {
        struct sum sums[20];
        dropped_count = 0;
        pool = threads_new(loop, 3, 20);
        for (int i = 0; i < 20; i++) {
            sums[i] = (struct sum){.job = {.run = add, .done = count_dropped}};
            must(threads_submit(pool, &sums[i].job) == MSA_OK, "a job did not fit");
        }
        threads_free(&pool);
        must(dropped_count == 20, "a job was not completed at the end");
    }
}

/* ---- wake-ups from many threads ---- */

static atomic_int sent_total;

static void *send_wakeups(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        atomic_fetch_add(&sent_total, 1);
        wakeup_send(arg);
    }
    return NULL;
}

static void on_wakeup(void *arg)
{
    *(int *)arg = atomic_load(&sent_total);
}

static void race_wakeups(struct loop *loop)
{
    int seen = 0;
    pthread_t threads[3];
    struct wakeup *w = wakeup_new(loop, on_wakeup, &seen);
    for (int i = 0; i < 3; i++)
        must(pthread_create(&threads[i], NULL, send_wakeups, w) == 0, "no thread");
    while (seen < 3 * 2000) /* hangs if the last one were lost */
        loop_run_once(loop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    wakeup_free(&w);
}

/* ---- database: one writer, many readers ---- */

static void *read_pairs(void *arg)
{
    for (int i = 0; i < READ_COUNT; i++) {
        struct db_txn txn;
        struct view a, b;
        db_begin(arg, false, &txn);
        enum msa_lookup fa = db_get(&txn, 0, view_cstr("a"), &a);
        enum msa_lookup fb = db_get(&txn, 0, view_cstr("b"), &b);
        must(fa == fb && view_eq(a, b), "a reader saw half a transaction");
        db_abort(&txn);
    }
    return NULL;
}

static void race_db(void)
{
    static const char *const tables[] = {"t"};
    char dir[] = "/tmp/msad-race-XXXXXX", path[64], error[256];
    pthread_t threads[3];
    must(mkdtemp(dir) != NULL, "no directory");
    snprintf(path, sizeof path, "%s/db", dir);
    struct db_settings set = {.path = path, .map_bytes = 1u << 20, .tables = tables, .table_count = 1};
    struct db *db = db_open(&set, error, sizeof error);
    must(db != NULL, error);
    for (int i = 0; i < 3; i++)
        must(pthread_create(&threads[i], NULL, read_pairs, db) == 0, "no thread");
    for (int i = 0; i < 100; i++) {
        char value[16];
        struct db_txn txn;
        snprintf(value, sizeof value, "%d", i);
        db_begin(db, true, &txn);
        db_put(&txn, 0, view_cstr("a"), view_cstr(value));
        db_put(&txn, 0, view_cstr("b"), view_cstr(value));
        must(db_commit(&txn) == MSA_OK, "a commit failed");
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    db_close(&db);
    unlink(path);
    snprintf(path, sizeof path, "%s/db-lock", dir);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    struct loop *loop = loop_new();
    must(loop != NULL, "no loop");
    race_pool(loop);
    race_freeing(loop);
    race_wakeups(loop);
    race_db();
    loop_free(&loop);
    puts("race: 4 passed, 0 failed");
    return 0;
}
