/* struct threads: a fixed number of worker threads with one bounded queue, for what blocks (password
 * hashes, syncs). A job runs in some worker, then its completion in the loop. */
#ifndef MSA_IO_THREADS_H
#define MSA_IO_THREADS_H

#include <stddef.h>

#include "msa/base/list.h"
#include "msa/io/loop.h"

struct job;
typedef void job_fn(struct job *job);

/* Embedded in the caller's object, which belongs to the pool between submit and `done`. */
struct job {
    struct list link;
    job_fn *run;  /* in a worker thread */
    job_fn *done; /* in the loop, always, also at threads_free (where run may not have happened) */
    int was_run;
};

struct threads;

struct threads *threads_new(struct loop *loop, unsigned thread_count, size_t queue_max);
/* Waits for running jobs, completes all others with was_run 0. */
void threads_free(struct threads **t);
/* MSA_OK, or MSA_EFULL with nothing started. */
int threads_submit(struct threads *t, struct job *job);
size_t threads_queued(const struct threads *t);

#endif
