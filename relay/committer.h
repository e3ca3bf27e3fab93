/* The one thread that writes the queue, with group commit: it takes everything that waits, puts it into
 * one transaction, syncs once, and then reports all of it. While it syncs the next batch gathers, and on a
 * busy core a little longer.
 *
 * After a failed sync nothing is written again in this process (the kernel has forgotten which pages
 * were bad): every job fails with MSA_EIO from then on, and the role stops taking mail. When there is
 * no space, new mail fails with MSA_EFULL while progress and deletions are kept and tried anew. */
#ifndef RELAY_COMMITTER_H
#define RELAY_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/list.h"
#include "msa/io/loop.h"
#include "relay/content.h"
#include "relay/spool.h"

enum commit_kind {
    COMMIT_INSERT = 0, /* record and content */
    COMMIT_UPDATE,     /* record */
    COMMIT_DELETE,     /* also the name of a large body, after the commit */
    COMMIT_HOLD,       /* the flags in the record that say for what it is held */
    COMMIT_SET_ASIDE,  /* a damaged record */
};

struct commit_job;
typedef void commit_done_fn(struct commit_job *job);

/* Embedded in, or made for, what is to be committed. It, its record and the content belong to the
 * committer from submit to `done`. */
struct commit_job {
    struct list link;
    enum commit_kind kind;
    uint64_t id;
    struct buf record;
    const struct content *content;
    bool is_large;
    uint8_t held_for;     /* COMMIT_HOLD: bits of enum hold_reason */
    int64_t age_from_ms;  /* COMMIT_HOLD: wall clock of a release; 0: its age stays */
    bool is_refusable;    /* fresh mail: fails when there is no space, instead of waiting */
    bool is_with_next;    /* lands in the same transaction as the job behind it */
    int err;              /* MSA_OK: durable */
    commit_done_fn *done; /* in the loop, exactly once */
    void *arg;
};

void commit_job_init(struct commit_job *job, enum commit_kind kind, uint64_t id,
                     commit_done_fn *done, void *arg);
void commit_job_fini(struct commit_job *job); /* frees the record */

struct committer;

/* Starts the thread. NULL: out of memory or threads. `spool` outlives it. */
struct committer *committer_new(struct loop *loop, struct spool *spool, uint32_t batch_count);
/* Commits what waits, calls every `done`, ends the thread. Blocks for a sync or two. */
void committer_free(struct committer **c);

void committer_submit(struct committer *c, struct commit_job *job);
/* All of `jobs`, which becomes empty, one behind the other; mark all but the last is_with_next to have
 * them in one transaction. */
void committer_submit_all(struct committer *c, struct list *jobs);

size_t committer_waiting(const struct committer *c); /* submitted and not yet done; the loop's count */
bool committer_is_broken(struct committer *c);       /* a sync failed */

#endif
