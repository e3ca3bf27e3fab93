/* The token database: examples come back as they went in, once each, and a model survives. */
#include <criterion/criterion.h>

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/db/db.h"
#include "policy/score/classify/tokens.h"

TestSuite(tokens, .timeout = 120);

struct place {
    char dir[64];
    char error[TOKENS_ERROR_MAX];
    struct tokens *t;
    struct document_reader *reader;
    struct features *f;
};

static void place_open(struct place *p)
{
    *p = (struct place){.dir = "/tmp/msad-tokens-XXXXXX"};
    cr_assert_not_null(mkdtemp(p->dir));
    p->t = tokens_open(p->dir, p->error);
    p->reader = document_reader_new();
    p->f = features_new();
    cr_assert(p->t && p->reader && p->f, "%s", p->error);
}

static void place_reopen(struct place *p)
{
    tokens_close(&p->t);
    p->t = tokens_open(p->dir, p->error);
    cr_assert_not_null(p->t, "%s", p->error);
}

static void place_close(struct place *p)
{
    char path[128];
    tokens_close(&p->t);
    snprintf(path, sizeof path, "%s/tokens.mdb", p->dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/tokens.mdb-lock", p->dir);
    unlink(path);
    cr_expect_eq(rmdir(p->dir), 0);
    document_reader_free(p->reader);
    features_free(&p->f);
}

static void add(struct place *p, struct tokens_batch *b, unsigned number, bool is_spam)
{
    char message[256];
    const struct document *d;
    int n = snprintf(message, sizeof message, "Subject: letter %c%c\n\n%s\n", 'a' + number % 26, 'a' + number / 26,
                     is_spam ? "win cheap money" : "meeting on monday");
    cr_assert_eq(document_read(p->reader, view_of(message, (size_t)n), &d), MSA_OK);
    cr_assert_eq(features_read(p->f, d, p->reader), MSA_OK);
    cr_assert_eq(tokens_batch_add(b, view_of(message, (size_t)n), p->f, is_spam), MSA_OK);
}

/* The letters [from, to) of both kinds, forwards or backwards. */
static struct tokens_added remember(struct place *p, unsigned from, unsigned to, bool is_backwards)
{
    struct tokens_batch *b = tokens_batch_new();
    struct tokens_added added;
    cr_assert_not_null(b);
    for (unsigned i = from; i < to; i++) {
        unsigned number = is_backwards ? to - 1 - (i - from) : i;
        add(p, b, number, false);
        add(p, b, number, true);
    }
    cr_assert_eq(tokens_remember(p->t, b, &added), MSA_OK);
    tokens_batch_free(&b);
    return added;
}

Test(tokens, each_message_counts_once)
{
    struct place p;
    struct corpus c;
    uint32_t outdated;
    place_open(&p);
    cr_expect_eq(remember(&p, 0, 30, false).added, 60);
    place_reopen(&p);
    struct tokens_added again = remember(&p, 20, 40, false);
    cr_expect_eq(again.added, 20);
    cr_expect_eq(again.changed, 0);
    corpus_init(&c);
    cr_assert_eq(tokens_read(p.t, &c, &outdated), MSA_OK);
    cr_expect_eq(c.count, 80);
    unsigned spam = 0;
    for (size_t i = 0; i < c.count; i++)
        spam += c.examples[i].is_spam;
    cr_expect_eq(spam, 40);
    corpus_fini(&c);
    place_close(&p);
}

Test(tokens, the_last_word_on_a_message_holds)
{
    struct place p;
    struct corpus c;
    struct tokens_added added;
    uint32_t outdated;
    place_open(&p);
    struct tokens_batch *b = tokens_batch_new();
    add(&p, b, 1, false);
    cr_assert_eq(tokens_remember(p.t, b, &added), MSA_OK);
    tokens_batch_free(&b);
    b = tokens_batch_new();
    const char *message = "Subject: letter ba\n\nmeeting on monday\n"; /* the same bytes, said to be spam */
    cr_assert_eq(tokens_batch_add(b, view_cstr(message), p.f, true), MSA_OK);
    cr_assert_eq(tokens_remember(p.t, b, &added), MSA_OK);
    tokens_batch_free(&b);
    cr_expect_eq(added.added, 0);
    cr_expect_eq(added.changed, 1);
    corpus_init(&c);
    cr_assert_eq(tokens_read(p.t, &c, &outdated), MSA_OK);
    cr_expect(c.count == 1 && c.examples[0].is_spam);
    corpus_fini(&c);
    place_close(&p);
}

static struct model *train(struct place *p)
{
    struct corpus c;
    struct model *m;
    uint32_t outdated;
    corpus_init(&c);
    cr_assert_eq(tokens_read(p->t, &c, &outdated), MSA_OK);
    cr_assert_eq(model_train(&c, NULL, &m), MSA_OK);
    corpus_fini(&c);
    return m;
}

Test(tokens, the_order_in_which_mail_came_does_not_matter)
{
    struct place p, q;
    place_open(&p);
    place_open(&q);
    remember(&p, 0, 40, false);
    remember(&q, 20, 40, true);
    remember(&q, 0, 30, true);
    struct model *one = train(&p), *two = train(&q);
    cr_expect(memcmp(one, two, sizeof *one) == 0);
    model_free(&one);
    model_free(&two);
    place_close(&p);
    place_close(&q);
}

Test(tokens, a_model_survives_and_can_be_forgotten)
{
    struct place p;
    struct model *again;
    struct corpus c;
    uint32_t outdated;
    const char *why = NULL;
    place_open(&p);
    cr_expect_eq(tokens_get_model(p.t, &again, &why), MSA_ENOENT);
    remember(&p, 0, 30, false);
    struct model *m = train(&p);
    cr_assert_eq(tokens_put_model(p.t, m, 1748000000000), MSA_OK);
    place_reopen(&p);
    cr_assert_eq(tokens_get_model(p.t, &again, &why), MSA_OK);
    cr_expect(memcmp(m, again, sizeof *m) == 0);
    cr_expect_eq(tokens_trained_ms(p.t), 1748000000000);
    model_free(&again);
    cr_assert_eq(tokens_forget_all(p.t), MSA_OK);
    cr_expect_eq(tokens_get_model(p.t, &again, &why), MSA_ENOENT);
    cr_expect_eq(tokens_trained_ms(p.t), 0);
    corpus_init(&c);
    cr_assert_eq(tokens_read(p.t, &c, &outdated), MSA_OK);
    cr_expect_eq(c.count, 0);
    model_free(&m);
    place_close(&p);
}

/* Writes what no msad of this version would, as another or a broken disk might. */
static void write_raw(struct place *p, unsigned table, struct view key, struct view value)
{
    static const char *const names[] = {"examples", "model"};
    char path[128];
    struct db_txn txn;
    tokens_close(&p->t);
    snprintf(path, sizeof path, "%s/tokens.mdb", p->dir);
    struct db *db = db_open(&(struct db_settings){.path = path, .map_bytes = (size_t)1 << 30, .tables = names,
                                                  .table_count = 2},
                            p->error, sizeof p->error);
    cr_assert_not_null(db, "%s", p->error);
    db_begin(db, true, &txn);
    db_put(&txn, table, key, value);
    cr_assert_eq(db_commit(&txn), MSA_OK);
    db_close(&db);
    place_reopen(p);
}

/* An example as another version left it, of a feature that this one does not have. */
static void write_outdated(struct place *p, unsigned version)
{
    static const struct view key = VIEW_LIT("0123456789abcdef");
    char record[] = "\1\1\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377";
    record[0] = (char)(version << 1 | 1);
    write_raw(p, 0, key, view_of(record, sizeof record - 1));
}

Test(tokens, what_another_version_learnt_does_not_count)
{
    static const unsigned versions[] = {0, FEATURE_VERSION - 1, FEATURE_VERSION + 1};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        struct place p;
        struct corpus c;
        uint32_t outdated;
        place_open(&p);
        remember(&p, 0, 10, false);
        write_outdated(&p, versions[i]);
        corpus_init(&c);
        cr_assert_eq(tokens_read(p.t, &c, &outdated), MSA_OK);
        cr_expect_eq(c.count, 20);
        cr_expect_eq(outdated, 1, "version %u", versions[i]);
        corpus_fini(&c);
        place_close(&p);
    }
}

Test(tokens, what_is_learnt_anew_counts_again)
{
    struct place p;
    struct corpus c;
    uint32_t outdated;
    static const char message[] = "Subject: letter ba\n\nmeeting on monday\n"; /* as add() makes number 1 */
    unsigned char digest[SHA256_DIGEST_LENGTH];
    place_open(&p);
    SHA256((const unsigned char *)message, strlen(message), digest);
    write_raw(&p, 0, view_of((const char *)digest, 16), VIEW_LIT("\1\0\0\0\0\0\0\0\0\0\0\0\0"));
    struct tokens_added added = remember(&p, 1, 2, false);
    cr_expect_eq(added.added, 2);
    cr_expect_eq(added.changed, 0);
    corpus_init(&c);
    cr_assert_eq(tokens_read(p.t, &c, &outdated), MSA_OK);
    cr_expect_eq(c.count, 2);
    cr_expect_eq(outdated, 0);
    corpus_fini(&c);
    place_close(&p);
}

Test(tokens, what_is_broken_is_refused)
{
    struct place p;
    struct model *m;
    struct corpus c;
    uint32_t outdated;
    const char *why = NULL;
    place_open(&p);
    write_raw(&p, 1, VIEW_LIT("model"), VIEW_LIT("msadcls\n\x63\0\0\0\1\0\0\0 and so on"));
    cr_expect_eq(tokens_get_model(p.t, &m, &why), MSA_EINVAL);
    cr_expect_not_null(strstr(why, "version"));
    write_raw(&p, 1, VIEW_LIT("model"), VIEW_LIT("rubbish"));
    cr_expect_eq(tokens_get_model(p.t, &m, &why), MSA_ECORRUPT);
    static const struct view bad[] = {
        VIEW_LIT(""),
        VIEW_LIT("\1\377\377\377\377\0\0\0\0\0\0\0\0"),
        VIEW_LIT("\1\1\0\0\0\0\0\0\0\0\0\0\0"),
        VIEW_LIT("\1\1\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char record[32] = {0};
        memcpy(record, bad[i].p, bad[i].n);
        record[0] = (char)(FEATURE_VERSION << 1 | 1);
        write_raw(&p, 0, VIEW_LIT("0123456789abcdef"), view_of(record, bad[i].n));
        corpus_init(&c);
        cr_expect_eq(tokens_read(p.t, &c, &outdated), MSA_ECORRUPT, "record %zu", i);
        corpus_fini(&c);
    }
    place_close(&p);
}
