#include "relay/change.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/schedule.h"

#define STEPS_MAX 4

struct change_step {
    struct commit_job job;
    struct message *m; /* of an insertion */
    struct change *change;
    bool is_lent;
    bool has_file; /* a name was made for its large body */
};

struct change {
    struct list link;
    struct relay *relay;
    change_done_fn *done;
    void *arg;
    struct job sync; /* in a thread: names for large bodies */
    struct timer failed; /* so that nothing is done inside change_submit */
    struct change_step steps[STEPS_MAX];
    unsigned count;
    unsigned unfinished_count;
    int err;
};

struct change *change_new(struct relay *r, change_done_fn *done, void *arg)
{
    struct change *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->relay = r;
    c->done = done;
    c->arg = arg;
    list_append(&r->changes, &c->link);
    return c;
}

void change_free(struct change **c)
{
    if (!*c)
        return;
    for (unsigned i = 0; i < (*c)->count; i++) {
        struct change_step *s = &(*c)->steps[i];
        commit_job_fini(&s->job);
        if (s->m && !s->is_lent)
            message_free(&s->m);
    }
    list_remove(&(*c)->link);
    timer_stop(&(*c)->failed);
    free(*c);
    *c = NULL;
}

/* ---- the end ---- */

static void enter_index(struct change_step *s)
{
    struct relay *r = s->change->relay;
    if (r->is_closing)
        return; /* the next start finds it */
    if (schedule_add(r, s->m, s->is_lent) < 0) {
        char id[MSGID_TEXT_MAX];
        msgid_format(s->m->id, id);
        log_msg(LOG_LEVEL_ERROR, "queue-index-failed", "message %s waits for the next start", id);
    }
}

static void finish(struct change *c)
{
    change_done_fn *done = c->done;
    void *arg = c->arg;
    int err = c->err;
    for (unsigned i = 0; i < c->count; i++) {
        struct change_step *s = &c->steps[i];
        if (s->job.kind != COMMIT_INSERT)
            continue;
        if (s->job.err == MSA_OK)
            enter_index(s);
        else if (s->has_file)
            spool_large_remove(c->relay->spool, s->job.id);
    }
    change_free(&c);
    done(arg, err);
}

static void on_committed(struct commit_job *job)
{
    struct change_step *s = job->arg;
    struct change *c = s->change;
    if (job->err < 0 && c->err == MSA_OK)
        c->err = job->err;
    if (--c->unfinished_count == 0)
        finish(c);
}

/* ---- the steps ---- */

static struct change_step *add_step(struct change *c, enum commit_kind kind, uint64_t id)
{
    MSA_ASSERT(c->count < STEPS_MAX);
    struct change_step *s = &c->steps[c->count++];
    commit_job_init(&s->job, kind, id, on_committed, s);
    s->change = c;
    return s;
}

static int insert(struct change *c, struct message *m, enum change_kind kind, bool is_lent)
{
    struct change_step *s = add_step(c, COMMIT_INSERT, m->id);
    s->m = m;
    s->is_lent = is_lent;
    s->job.content = &m->content;
    s->job.is_large = message_has(m, MESSAGE_LARGE);
    s->job.is_refusable = kind == CHANGE_FRESH;
    return envelope_encode(m, &s->job.record);
}

int change_insert(struct change *c, struct message *m, enum change_kind kind)
{
    return insert(c, m, kind, false);
}

int change_insert_active(struct change *c, struct message *m)
{
    return insert(c, m, CHANGE_FRESH, true);
}

int change_update(struct change *c, const struct message *m)
{
    struct change_step *s = add_step(c, COMMIT_UPDATE, m->id);
    return envelope_encode(m, &s->job.record);
}

int change_delete(struct change *c, uint64_t id, bool is_large)
{
    struct change_step *s = add_step(c, COMMIT_DELETE, id);
    s->job.is_large = is_large;
    return MSA_OK;
}

/* ---- the way to the disk ---- */

static void to_committer(struct change *c)
{
    struct list jobs;
    list_init(&jobs);
    c->unfinished_count = c->count;
    for (unsigned i = 0; i < c->count; i++) {
        c->steps[i].job.is_with_next = i + 1 < c->count;
        list_append(&jobs, &c->steps[i].job.link);
    }
    committer_submit_all(c->relay->committer, &jobs);
}

static bool has_large_insert(const struct change *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (c->steps[i].job.kind == COMMIT_INSERT && c->steps[i].job.is_large)
            return true;
    }
    return false;
}

/* In a thread: nothing but the descriptors and the directory is touched. */
static void keep_files(struct job *job)
{
    struct change *c = CONTAINER_OF(job, struct change, sync);
    for (unsigned i = 0; i < c->count; i++) {
        struct change_step *s = &c->steps[i];
        if (s->job.kind != COMMIT_INSERT || !s->job.is_large || c->err < 0)
            continue;
        c->err = spool_large_keep(c->relay->spool, s->m->content.fd, s->job.id);
        s->has_file = c->err == MSA_OK;
    }
}

static void fail_all(struct change *c)
{
    for (unsigned i = 0; i < c->count; i++)
        c->steps[i].job.err = c->err;
    finish(c);
}

static void on_files_kept(struct job *job)
{
    struct change *c = CONTAINER_OF(job, struct change, sync);
    if (!job->was_run && c->err == MSA_OK)
        c->err = MSA_ECLOSED;
    if (c->err < 0)
        fail_all(c);
    else
        to_committer(c);
}

static void on_refused(void *arg)
{
    fail_all(arg);
}

void change_submit(struct change *c)
{
    MSA_ASSERT(c->count > 0);
    if (!has_large_insert(c)) {
        to_committer(c);
        return;
    }
    c->sync = (struct job){.run = keep_files, .done = on_files_kept};
    if (threads_submit(c->relay->syncers, &c->sync) < 0) { /* more than the disk takes */
        c->err = MSA_EFULL;
        timer_init(&c->failed, on_refused, c);
        timer_start(&c->failed, c->relay->loop, 0);
    }
}
