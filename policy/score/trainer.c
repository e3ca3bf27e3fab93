#include "policy/score/trainer.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/threads.h"
#include "policy/score/classify/prior.h"

#define WAITING_MAX 8 /* batches; each has TRAINER_BATCH_BYTES */

/* What reading messages takes; of one thread. */
struct desk {
    struct document_reader *reader;
    struct features *features;
};

struct training {
    struct job job;
    bool is_under_way;
    uint64_t number;
    int64_t began_ms, began_wall_ms;
    struct learn_progress progress;
    int err; /* these four are the worker's while `is_under_way` */
    uint32_t outdated; /* examples that do not count */
    struct model *model;
    uint64_t generation;
};

struct trainer {
    struct loop *loop;
    struct knowledge *knowledge;
    struct tokens *tokens;
    struct desk learning_desk, training_desk;
    struct threads *learners; /* one thread each */
    struct threads *trainers;
    struct list tasks; /* of struct task */
    struct training training;
    json_t *last; /* NULL: none has ended */
};

/* Messages to learn, or to forget everything. */
struct task {
    struct job job;
    struct list link;
    struct trainer *trainer;
    bool is_forgetting;
    bool is_spam;
    struct buf messages;
    trainer_learnt_fn *fn; /* NULL: nobody waits */
    void *peer;
    uint64_t id;
    struct trainer_learnt learnt;
};

/* ---- messages ---- */

static int add_message(struct trainer *t, struct tokens_batch *batch, struct view message, bool is_spam)
{
    const struct document *d;
    struct desk *desk = &t->learning_desk;
    int err = document_read(desk->reader, message, &d);
    if (err == MSA_OK)
        err = features_read(desk->features, d, desk->reader);
    return err == MSA_OK ? tokens_batch_add(batch, message, desk->features, is_spam) : err;
}

/* A message is the same one with either kind of line ends. */
static int with_lf(struct view message, struct buf *out)
{
    buf_reset(out);
    while (message.n > 0) {
        bool has_end = view_find(message, '\n') < message.n;
        struct view line = view_cut(&message, '\n');
        if (has_end && line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        buf_add(out, line);
        if (has_end)
            buf_add_char(out, '\n');
    }
    return buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

static int add_all(struct task *task, struct tokens_batch *batch)
{
    struct buf message;
    struct reader r = reader_of(buf_view(&task->messages));
    int err = MSA_OK;
    buf_init(&message, TRAINER_BATCH_BYTES);
    while (r.n > 0 && err == MSA_OK) {
        struct view raw = get_bytes(&r, TRAINER_BATCH_BYTES);
        err = r.failed ? MSA_EINVAL : with_lf(raw, &message);
        if (err == MSA_OK)
            err = add_message(task->trainer, batch, buf_view(&message), task->is_spam);
        task->learnt.count += err == MSA_OK;
    }
    buf_fini(&message);
    return err;
}

static int learn(struct task *task)
{
    struct tokens_batch *batch = tokens_batch_new();
    int err = batch ? add_all(task, batch) : MSA_ENOMEM;
    if (err == MSA_OK)
        err = tokens_remember(task->trainer->tokens, batch, &task->learnt.added);
    tokens_batch_free(&batch);
    return err;
}

static void run_task(struct job *job)
{
    struct task *task = CONTAINER_OF(job, struct task, job);
    task->learnt.err = task->is_forgetting ? tokens_forget_all(task->trainer->tokens) : learn(task);
}

static void on_task(struct job *job)
{
    struct task *task = CONTAINER_OF(job, struct task, job);
    if (!job->was_run)
        task->learnt.err = MSA_ECLOSED;
    else if (task->is_forgetting && task->learnt.err == MSA_OK)
        knowledge_take(task->trainer->knowledge, NULL, 0);
    if (task->fn)
        task->fn(task->peer, task->id, &task->learnt);
    list_remove(&task->link);
    buf_fini(&task->messages);
    free(task);
}

static struct task *task_new(struct trainer *t, trainer_learnt_fn *fn, void *peer, uint64_t id)
{
    struct task *task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->job = (struct job){.run = run_task, .done = on_task};
    task->trainer = t;
    task->fn = fn;
    task->peer = peer;
    task->id = id;
    list_append(&t->tasks, &task->link);
    return task;
}

static int submit(struct trainer *t, struct task *task)
{
    int err = threads_submit(t->learners, &task->job);
    if (err == MSA_OK)
        return MSA_OK;
    list_remove(&task->link);
    buf_fini(&task->messages);
    free(task);
    return err;
}

int trainer_learn(struct trainer *t, struct buf *messages, bool is_spam, trainer_learnt_fn *fn, void *peer,
                  uint64_t id)
{
    struct task *task = task_new(t, fn, peer, id);
    if (!task) {
        buf_fini(messages);
        return MSA_ENOMEM;
    }
    task->is_spam = is_spam;
    task->messages = *messages;
    return submit(t, task);
}

int trainer_forget(struct trainer *t, trainer_learnt_fn *fn, void *peer, uint64_t id)
{
    struct task *task = task_new(t, fn, peer, id);
    if (!task)
        return MSA_ENOMEM;
    task->is_forgetting = true;
    return submit(t, task);
}

void trainer_drop_peer(struct trainer *t, const void *peer)
{
    struct task *task, *next;
    LIST_FOREACH(task, next, &t->tasks, struct task, link)
        if (task->peer == peer)
            task->fn = NULL;
}

/* ---- training ---- */

static int train(struct trainer *t)
{
    struct corpus corpus;
    struct training *g = &t->training;
    corpus_init(&corpus);
    int err = tokens_read(t->tokens, &corpus, &g->outdated);
    if (err == MSA_OK)
        err = prior_add(&corpus, t->training_desk.features, t->training_desk.reader);
    if (err == MSA_OK)
        err = model_train(&corpus, &g->progress, &g->model);
    corpus_fini(&corpus);
    if (err == MSA_OK)
        err = tokens_put_model(t->tokens, g->model, g->began_wall_ms);
    if (err == MSA_OK)
        err = tokens_model_generation(t->tokens, &g->generation);
    if (err < 0)
        model_free(&g->model);
    return err;
}

static void run_training(struct job *job)
{
    struct trainer *t = CONTAINER_OF(job, struct trainer, training.job);
    t->training.err = train(t);
}

static const char *why_not(const struct training *g)
{
    int err = g->err;
    if (err == MSA_EINVAL && g->outdated > 0)
        return "too few sorted messages count, 20 of ham and 20 of spam are the least: those that another version of "
               "msad learnt are to be learnt anew";
    if (err == MSA_EINVAL)
        return "there are too few sorted messages: 20 of ham and 20 of spam are the least";
    if (err == MSA_ENOENT)
        return "all was forgotten meanwhile";
    return msa_strerror(err);
}

static void log_training(const struct training *g, int64_t took_ms)
{
    struct log_line l;
    log_begin(&l, g->err < 0 || g->outdated > 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "training-ended");
    log_num(&l, "ms", took_ms);
    if (g->outdated > 0)
        log_num(&l, "outdated", g->outdated);
    if (g->err < 0)
        log_str(&l, "text", why_not(g));
    log_end(&l);
}

static void on_trained(struct job *job)
{
    struct trainer *t = CONTAINER_OF(job, struct trainer, training.job);
    struct training *g = &t->training;
    int64_t took_ms = clock_mono_ms() - g->began_ms;
    g->is_under_way = false;
    if (!job->was_run)
        return;
    log_training(g, took_ms);
    json_decref(t->last);
    t->last = g->err < 0 ? json_pack("{s:s}", "detail", why_not(g)) : knowledge_model_json(g->model, g->generation);
    json_object_set_new(t->last, "number", json_integer((json_int_t)g->number));
    json_object_set_new(t->last, "outdated", json_integer(g->outdated));
    json_object_set_new(t->last, "ok", json_boolean(g->err == MSA_OK));
    json_object_set_new(t->last, "ms", json_integer((json_int_t)took_ms));
    if (g->err == MSA_OK)
        knowledge_take(t->knowledge, g->model, g->generation);
    g->model = NULL;
}

int trainer_train(struct trainer *t, uint64_t *number_out)
{
    struct training *g = &t->training;
    if (g->is_under_way)
        return MSA_EEXIST;
    g->job = (struct job){.run = run_training, .done = on_trained};
    atomic_store(&g->progress.done, 0);
    atomic_store(&g->progress.total, 0);
    g->model = NULL;
    g->outdated = 0;
    g->began_ms = clock_mono_ms();
    g->began_wall_ms = clock_wall_ms();
    int err = threads_submit(t->trainers, &g->job);
    if (err < 0)
        return err;
    g->is_under_way = true;
    *number_out = ++g->number;
    return MSA_OK;
}

json_t *trainer_status(const struct trainer *t)
{
    const struct training *g = &t->training;
    unsigned total = atomic_load(&g->progress.total), done = atomic_load(&g->progress.done);
    return json_pack("{s:b, s:I, s:i, s:O*}", "training", g->is_under_way, "number", (json_int_t)g->number, "percent",
                     total > 0 ? (int)(100u * done / total) : 0, "last", t->last);
}

/* ---- life ---- */

static bool desk_init(struct desk *d)
{
    *d = (struct desk){.reader = document_reader_new(), .features = features_new()};
    return d->reader && d->features;
}

static void desk_fini(struct desk *d)
{
    document_reader_free(d->reader);
    features_free(&d->features);
}

struct trainer *trainer_new(struct loop *loop, struct knowledge *k)
{
    const char *why;
    struct trainer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->loop = loop;
    t->knowledge = k;
    t->tokens = knowledge_tokens(k, &why);
    list_init(&t->tasks);
    bool is_whole = desk_init(&t->learning_desk);
    is_whole = desk_init(&t->training_desk) && is_whole;
    if (!is_whole)
        trainer_free(&t);
    return t;
}

int trainer_serve(struct trainer *t)
{
    t->learners = threads_new(t->loop, 1, WAITING_MAX);
    t->trainers = t->learners ? threads_new(t->loop, 1, 1) : NULL;
    return t->trainers ? MSA_OK : MSA_ENOMEM;
}

void trainer_free(struct trainer **tp)
{
    struct trainer *t = *tp;
    struct task *task, *next;
    *tp = NULL;
    if (!t)
        return;
    atomic_store(&t->training.progress.is_cancelled, true);
    LIST_FOREACH(task, next, &t->tasks, struct task, link)
        task->fn = NULL;
    threads_free(&t->learners);
    threads_free(&t->trainers);
    desk_fini(&t->learning_desk);
    desk_fini(&t->training_desk);
    json_decref(t->last);
    free(t);
}
