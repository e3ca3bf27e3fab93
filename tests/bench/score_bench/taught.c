#include "tests/bench/score_bench/taught.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "policy/score/classify/prior.h"
#include "policy/score/classify/tokens.h"
#include "tests/bench/score_bench/letters.h"

#define PATH_BYTES   4096
#define MADE_LETTERS 60

_Noreturn void die(const char *what)
{
    fprintf(stderr, "score_bench: %s\n", what);
    exit(2);
}

/* ---- mail ---- */

static void take_file(const char *path, bool is_spam, mail_fn *take, void *arg)
{
    static char bytes[LETTER_BYTES_MAX];
    FILE *in = fopen(path, "rb");
    if (!in)
        die(path);
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    take(arg, view_of(bytes, n), is_spam);
}

static void take_folder(const char *dir, bool is_spam, mail_fn *take, void *arg)
{
    char path[PATH_BYTES];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/%s", dir, is_spam ? "spam" : "ham");
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        die(path);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", dir, is_spam ? "spam" : "ham", names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            take_file(path, is_spam, take, arg);
        free(names[i]);
    }
    free(names);
}

void each_mail(const char *dir, mail_fn *take, void *arg)
{
    take_folder(dir, false, take, arg);
    take_folder(dir, true, take, arg);
}

/* ---- learning ---- */

struct pupil {
    struct document_reader *reader;
    struct features *features;
    struct corpus corpus;
};

static void learn_one(void *arg, struct view message, bool is_spam)
{
    struct pupil *p = arg;
    const struct document *d;
    if (document_read(p->reader, message, &d) < 0 || features_read(p->features, d, p->reader) < 0 ||
        corpus_add_features(&p->corpus, p->features, is_spam, 1, false) < 0)
        die("out of memory");
}

static void learn_letters(struct pupil *p)
{
    struct buf letter;
    buf_init(&letter, LETTER_BYTES_MAX);
    for (unsigned i = 0; i < 2 * MADE_LETTERS; i++) {
        buf_reset(&letter);
        letter_example(&letter, i % 2, i);
        learn_one(p, buf_view(&letter), i % 2);
    }
    buf_fini(&letter);
}

/* By way of a database in a folder of its own, which is gone behind it. */
static struct model *store_and_load(const struct model *m)
{
    char dir[] = "/tmp/score_bench-XXXXXX", path[sizeof dir + 32], error[TOKENS_ERROR_MAX];
    const char *why = "the model was not stored";
    struct model *loaded = NULL;
    struct tokens *t = mkdtemp(dir) ? tokens_open(dir, error) : NULL;
    if (!t || tokens_put_model(t, m, 0) < 0 || tokens_get_model(t, &loaded, &why) < 0)
        die(t ? why : "no token database could be made");
    tokens_close(&t);
    static const char *const files[] = {"tokens.mdb", "tokens.mdb-lock"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
    return loaded;
}

struct shared_model *taught(const char *dir)
{
    struct pupil p = {.reader = document_reader_new(), .features = features_new()};
    struct model *m;
    if (!p.reader || !p.features)
        die("out of memory");
    corpus_init(&p.corpus);
    if (dir)
        each_mail(dir, learn_one, &p);
    else
        learn_letters(&p);
    if (prior_add(&p.corpus, p.features, p.reader) < 0 || model_train(&p.corpus, NULL, &m) < 0)
        die("too little mail, or too little memory, to learn from");
    struct shared_model *shared = shared_model_new(store_and_load(m), 1);
    model_free(&m);
    corpus_fini(&p.corpus);
    features_free(&p.features);
    document_reader_free(p.reader);
    if (!shared)
        die("out of memory");
    return shared;
}
