#include "policy/score/knowledge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/threads.h"

#define READERS_EVERY 12 /* looks: a minute */
#define GENERATION_TEXT_MAX 17

struct knowledge {
    struct loop *loop;
    struct tokens *tokens; /* NULL: see why_not */
    char why_not[TOKENS_ERROR_MAX];
    knowledge_use_fn *use;
    void *use_arg;
    struct shared_model *model; /* in force; NULL: none */
    int64_t trained_ms;         /* 0: nobody knows */
    uint64_t seen_generation;   /* of what was loaded, or could not be; 0: nothing is stored */
    const char *unusable;       /* why what is stored is not in force; NULL: it is */
    struct threads *threads;
    struct timer look;
    unsigned look_count;
    struct job load;
    bool is_loading;
    int load_err; /* these four are the worker's while `is_loading` */
    struct model *loaded;
    uint64_t loaded_generation;
    const char *load_why;
};

/* ---- what is in force ---- */

static void generation_text(uint64_t generation, char out[static GENERATION_TEXT_MAX])
{
    snprintf(out, GENERATION_TEXT_MAX, "%016" PRIx64, generation);
}

static void log_loaded(const struct model *m, uint64_t generation)
{
    struct log_line l;
    char text[GENERATION_TEXT_MAX];
    generation_text(generation, text);
    log_begin(&l, LOG_LEVEL_INFO, "model-loaded");
    log_str(&l, "generation", text);
    log_num(&l, "ham", (int64_t)m->ham_count);
    log_num(&l, "spam", (int64_t)m->spam_count);
    log_end(&l);
}

static void put_in_force(struct knowledge *k, struct shared_model *model)
{
    shared_model_unref(&k->model);
    k->model = model;
    k->use(k->use_arg, shared_model_ref(model));
    k->trained_ms = tokens_trained_ms(k->tokens);
}

void knowledge_take(struct knowledge *k, struct model *model, uint64_t generation)
{
    struct shared_model *shared = model ? shared_model_new(model, generation) : NULL;
    if (model && !shared)
        return; /* out of memory; the next look finds it */
    k->seen_generation = generation;
    k->unusable = NULL;
    if (shared)
        log_loaded(shared->model, generation);
    put_in_force(k, shared);
}

/* The one before stays in force, if there is one. */
static void take_failure(struct knowledge *k, uint64_t generation, const char *why)
{
    k->seen_generation = generation;
    k->unusable = why;
    log_msg(LOG_LEVEL_ERROR, "model-unusable", "what was learnt does not count%s: %s",
            k->model ? "; the model before it does" : "", why);
}

static void take_loaded(struct knowledge *k)
{
    if (k->load_err == MSA_OK)
        knowledge_take(k, k->loaded, k->loaded_generation);
    else if (k->load_err == MSA_ENOENT)
        knowledge_take(k, NULL, 0);
    else
        take_failure(k, k->loaded_generation, k->load_why);
    k->loaded = NULL;
}

/* ---- loading ---- */

static void load_now(struct knowledge *k)
{
    k->loaded = NULL;
    int err = tokens_model_generation(k->tokens, &k->loaded_generation);
    k->load_err = tokens_get_model(k->tokens, &k->loaded, &k->load_why);
    if (err < 0 && err != MSA_ENOENT && k->load_err == MSA_OK) {
        model_free(&k->loaded);
        k->load_err = err;
        k->load_why = "the token database cannot be read";
    }
    if (k->load_err == MSA_ENOMEM)
        k->load_why = "out of memory";
}

static void run_load(struct job *job)
{
    load_now(CONTAINER_OF(job, struct knowledge, load));
}

static void on_loaded(struct job *job)
{
    struct knowledge *k = CONTAINER_OF(job, struct knowledge, load);
    k->is_loading = false;
    if (job->was_run)
        take_loaded(k);
}

static void on_look(void *arg)
{
    struct knowledge *k = arg;
    uint64_t generation;
    (void)timer_start(&k->look, k->loop, KNOWLEDGE_LOOK_MS); /* its place is there already */
    if (++k->look_count % READERS_EVERY == 0)
        tokens_check_readers(k->tokens);
    int err = tokens_model_generation(k->tokens, &generation);
    if (generation == k->seen_generation)
        k->trained_ms = tokens_trained_ms(k->tokens); /* the same again is the same model, of another time */
    if ((err < 0 && err != MSA_ENOENT) || generation == k->seen_generation || k->is_loading)
        return;
    k->load = (struct job){.run = run_load, .done = on_loaded};
    k->is_loading = threads_submit(k->threads, &k->load) == MSA_OK;
}

/* ---- life ---- */

static void open_database(struct knowledge *k, const char *state_dir)
{
    if (!state_dir)
        snprintf(k->why_not, sizeof k->why_not, "there is no state directory");
    else
        k->tokens = tokens_open(state_dir, k->why_not);
    if (!k->tokens && state_dir)
        log_msg(LOG_LEVEL_ERROR, "model-unusable",
                "what was learnt does not count: %s; move the file away to begin anew", k->why_not);
    if (!k->tokens)
        return;
    load_now(k);
    if (k->load_err != MSA_ENOENT)
        take_loaded(k);
}

struct knowledge *knowledge_new(struct loop *loop, const char *state_dir, knowledge_use_fn *use, void *arg)
{
    struct knowledge *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->loop = loop;
    k->use = use;
    k->use_arg = arg;
    timer_init(&k->look, on_look, k);
    open_database(k, state_dir);
    return k;
}

int knowledge_serve(struct knowledge *k)
{
    if (!k->tokens)
        return MSA_OK;
    k->threads = threads_new(k->loop, 1, 1);
    return k->threads ? timer_start(&k->look, k->loop, KNOWLEDGE_LOOK_MS) : MSA_ENOMEM;
}

void knowledge_free(struct knowledge **kp)
{
    struct knowledge *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    timer_stop(&k->look);
    threads_free(&k->threads); /* may still load one */
    shared_model_unref(&k->model);
    tokens_close(&k->tokens);
    free(k);
}

struct tokens *knowledge_tokens(const struct knowledge *k, const char **why_out)
{
    *why_out = k->why_not;
    return k->tokens;
}

/* ---- what is said of it ---- */

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

json_t *knowledge_model_json(const struct model *m, uint64_t generation)
{
    char text[GENERATION_TEXT_MAX];
    generation_text(generation, text);
    return json_pack("{s:s, s:I, s:I, s:f, s:f}", "generation", text, "ham", (json_int_t)m->ham_count, "spam",
                     (json_int_t)m->spam_count, "ham_wrong", share(m->ham_above_count, m->ham_count), "spam_caught",
                     share(m->spam_above_count, m->spam_count));
}

json_t *knowledge_status(const struct knowledge *k)
{
    const char *why = k->tokens ? k->unusable : k->why_not;
    json_t *status = k->model ? knowledge_model_json(k->model->model, k->model->generation) : json_object();
    json_object_set_new(status, "state", json_string(k->model ? "ready" : why ? "unusable" : "untrained"));
    if (k->model && k->trained_ms > 0)
        json_object_set_new(status, "trained_ms", json_integer((json_int_t)k->trained_ms));
    if (why)
        json_object_set_new(status, "detail", json_string(why));
    return status;
}
