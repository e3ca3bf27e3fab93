#include "policy/score/classify/tokens.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/db/db.h"

#define MAP_BYTES     ((size_t)8 << 30) /* address space */
#define KEY_BYTES     16
#define RECORD_BYTES_MAX                                                                           \
    (1 + 4 * FEATURE_FAMILIES + 4 * (FEATURE_GRAMS_MAX + FEATURE_WORDS_MAX + FEATURE_SHAPES_MAX))
#define BATCH_BYTES_MAX ((size_t)256 << 20)

/* The first byte of a record. */
#define SPAM_BIT      1u
#define VERSION_SHIFT 1
_Static_assert(FEATURE_VERSION > 0 && FEATURE_VERSION < 128, "a version fits above the bit of the kind");

enum { TABLE_EXAMPLES, TABLE_MODEL, TABLE_COUNT };
static const char *const tables[TABLE_COUNT] = {"examples", "model"};

static const struct view model_key = {"model", 5};
static const struct view trained_key = {"trained", 7};

struct tokens {
    struct db *db;
};

struct tokens *tokens_open(const char *state_dir, char error[static TOKENS_ERROR_MAX])
{
    char path[4096];
    struct tokens *t = calloc(1, sizeof *t);
    if (!t || (size_t)snprintf(path, sizeof path, "%s/tokens.mdb", state_dir) >= sizeof path) {
        snprintf(error, TOKENS_ERROR_MAX, "no memory, or too long a path, for the token database");
        free(t);
        return NULL;
    }
    const struct db_settings settings = {
        .path = path, .map_bytes = MAP_BYTES, .tables = tables, .table_count = TABLE_COUNT};
    t->db = db_open(&settings, error, TOKENS_ERROR_MAX);
    if (!t->db)
        tokens_close(&t);
    return t;
}

void tokens_close(struct tokens **t)
{
    if (*t && (*t)->db)
        db_close(&(*t)->db);
    free(*t);
    *t = NULL;
}

/* ---- examples ---- */

/* Keys and records one behind the other, each with its length. */
struct tokens_batch {
    struct buf records;
};

struct tokens_batch *tokens_batch_new(void)
{
    struct tokens_batch *b = calloc(1, sizeof *b);
    if (b)
        buf_init(&b->records, BATCH_BYTES_MAX);
    return b;
}

void tokens_batch_free(struct tokens_batch **b)
{
    if (*b)
        buf_fini(&(*b)->records);
    free(*b);
    *b = NULL;
}

int tokens_batch_add(struct tokens_batch *b, struct view message, const struct features *f, bool is_spam)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf record;
    SHA256((const unsigned char *)message.p, message.n, digest);
    buf_init(&record, RECORD_BYTES_MAX);
    put_u8(&record, (uint8_t)(FEATURE_VERSION << VERSION_SHIFT | (is_spam ? SPAM_BIT : 0)));
    for (int k = 0; k < FEATURE_FAMILIES; k++)
        put_u32(&record, f->count[k]);
    for (int k = 0; k < FEATURE_FAMILIES; k++)
        for (uint32_t i = 0; i < f->count[k]; i++)
            put_u32(&record, f->ids[k][i]);
    put_bytes(&b->records, view_of((const char *)digest, KEY_BYTES));
    put_bytes(&b->records, buf_view(&record));
    int err = buf_failed(&record) || buf_failed(&b->records) ? MSA_ENOMEM : MSA_OK;
    buf_fini(&record);
    return err;
}

static bool is_outdated(struct view record)
{
    return record.n > 0 && (unsigned char)record.p[0] >> VERSION_SHIFT != FEATURE_VERSION;
}

static void remember(struct db_txn *txn, struct view key, struct view record, struct tokens_added *out)
{
    struct view known;
    if (db_get(txn, TABLE_EXAMPLES, key, &known) != MSA_FOUND || is_outdated(known))
        out->added++;
    else if (known.n == 0 || known.p[0] != record.p[0])
        out->changed++;
    db_put(txn, TABLE_EXAMPLES, key, record);
}

int tokens_remember(struct tokens *t, const struct tokens_batch *b, struct tokens_added *out)
{
    struct db_txn txn;
    struct reader r = reader_of(buf_view(&b->records));
    *out = (struct tokens_added){0};
    db_begin(t->db, true, &txn);
    while (r.n > 0 && !r.failed) {
        struct view key = get_bytes(&r, KEY_BYTES), record = get_bytes(&r, RECORD_BYTES_MAX);
        if (!r.failed)
            remember(&txn, key, record, out);
    }
    if (db_count(&txn, TABLE_EXAMPLES) > TOKENS_EXAMPLES_MAX) {
        db_abort(&txn);
        return MSA_EFULL;
    }
    return db_commit(&txn);
}

int tokens_forget_all(struct tokens *t)
{
    struct db_txn txn;
    struct db_cursor cur;
    char key[KEY_BYTES];
    db_begin(t->db, true, &txn);
    for (;;) {
        db_seek(&txn, TABLE_EXAMPLES, VIEW_EMPTY, &cur);
        bool is_at = db_cursor_is_at(&cur) && cur.key.n == KEY_BYTES;
        if (is_at)
            memcpy(key, cur.key.p, KEY_BYTES);
        db_cursor_end(&cur);
        if (!is_at || !db_delete(&txn, TABLE_EXAMPLES, view_of(key, KEY_BYTES)))
            break;
    }
    db_delete(&txn, TABLE_MODEL, model_key);
    db_delete(&txn, TABLE_MODEL, trained_key);
    return db_commit(&txn);
}

/* ids is room for one message's. */
static int read_example(struct view record, uint32_t *ids, struct corpus *c)
{
    static const uint32_t most[FEATURE_FAMILIES] = {FEATURE_GRAMS_MAX, FEATURE_WORDS_MAX, FEATURE_SHAPES_MAX};
    struct reader r = reader_of(record);
    uint32_t count[FEATURE_FAMILIES], total = 0;
    bool is_spam = get_u8(&r) & SPAM_BIT;
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        count[k] = get_u32(&r);
        if (count[k] > most[k])
            return MSA_ECORRUPT;
        total += count[k];
    }
    for (uint32_t i = 0; i < total; i++)
        ids[i] = get_u32(&r);
    if (reader_end(&r) < 0)
        return MSA_ECORRUPT;
    int err = corpus_add(c, ids, count, is_spam, 1, false);
    return err == MSA_EINVAL ? MSA_ECORRUPT : err;
}

int tokens_read(struct tokens *t, struct corpus *c, uint32_t *outdated_out)
{
    struct db_txn txn;
    struct db_cursor cur;
    uint32_t *ids = malloc(RECORD_BYTES_MAX);
    int err = ids ? MSA_OK : MSA_ENOMEM;
    *outdated_out = 0;
    if (!ids)
        return err;
    db_begin(t->db, false, &txn);
    db_seek(&txn, TABLE_EXAMPLES, VIEW_EMPTY, &cur);
    for (; db_cursor_is_at(&cur) && err == MSA_OK; db_next(&cur)) {
        if (is_outdated(cur.value))
            ++*outdated_out;
        else
            err = read_example(cur.value, ids, c);
    }
    db_cursor_end(&cur);
    if (err == MSA_OK && txn.err < 0)
        err = txn.err;
    db_abort(&txn);
    free(ids);
    return err;
}

/* ---- the model ---- */

int tokens_put_model(struct tokens *t, const struct model *m, int64_t trained_ms)
{
    struct db_txn txn;
    struct buf bytes, time;
    buf_init(&bytes, MODEL_BYTES_MAX);
    buf_init(&time, sizeof trained_ms);
    put_i64(&time, trained_ms);
    int err = buf_failed(&time) ? MSA_ENOMEM : model_encode(m, &bytes);
    if (err == MSA_OK) {
        db_begin(t->db, true, &txn);
        db_put(&txn, TABLE_MODEL, model_key, buf_view(&bytes));
        db_put(&txn, TABLE_MODEL, trained_key, buf_view(&time));
        err = db_commit(&txn);
    }
    buf_fini(&time);
    buf_fini(&bytes);
    return err;
}

int tokens_get_model(struct tokens *t, struct model **out, const char **why_out)
{
    struct db_txn txn;
    struct view bytes;
    *out = NULL;
    *why_out = "nothing was trained yet";
    db_begin(t->db, false, &txn);
    int err = MSA_ENOENT;
    enum msa_lookup found = db_get(&txn, TABLE_MODEL, model_key, &bytes);
    if (found == MSA_FOUND) {
        err = model_decode(bytes, out, why_out);
    } else if (txn.err < 0) {
        *why_out = "the token database cannot be read";
        err = txn.err;
    }
    db_abort(&txn);
    return err;
}

int tokens_model_generation(struct tokens *t, uint64_t *out)
{
    struct db_txn txn;
    struct view bytes;
    *out = 0;
    db_begin(t->db, false, &txn);
    int err = db_get(&txn, TABLE_MODEL, model_key, &bytes) == MSA_FOUND ? MSA_OK : MSA_ENOENT;
    if (err == MSA_OK && bytes.n >= sizeof *out) {
        struct reader r = reader_of(view_slice(bytes, bytes.n - sizeof *out, bytes.n));
        *out = get_u64(&r);
    } else if (txn.err < 0) {
        err = txn.err;
    }
    db_abort(&txn);
    return err;
}

int64_t tokens_trained_ms(struct tokens *t)
{
    struct db_txn txn;
    struct view bytes = VIEW_EMPTY;
    db_begin(t->db, false, &txn);
    (void)db_get(&txn, TABLE_MODEL, trained_key, &bytes);
    struct reader r = reader_of(bytes);
    int64_t ms = get_i64(&r);
    db_abort(&txn);
    return reader_end(&r) == 0 ? ms : 0;
}

void tokens_check_readers(struct tokens *t)
{
    db_check_readers(t->db);
}
