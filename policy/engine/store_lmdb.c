#include "policy/engine/store_lmdb.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/table.h"
#include "msa/db/db.h"
#include "policy/engine/record.h"
#include "policy/engine/subject.h"

enum { TABLE_ACCOUNTS = 0, TABLE_SOURCES, TABLE_META, TABLE_COUNT };

static const char *const table_names[TABLE_COUNT] = {"accounts", "sources", "meta"};

#define KEY_BYTES     8
#define VERSION_BYTES 8    /* before the record's own bytes */
#define BATCH_MAX     2048 /* decisions in one transaction */
#define BATCH_MIN     16
#define SAMPLE_COUNT  16 /* neighbours, about a page of them, */
#define SAMPLE_EVICTED                                               \
    12 /* of which those go that run out first: so pages become free \
        */
#define SLICE_RECORDS 2000
#define META_HASH_KEY VIEW_LIT("hash-key")

/* Shares of the file in use. Above the first sources give way to new ones, above the
 * second accounts, too. */
#define FULL_PERCENT     60
#define FULLER_PERCENT   75
#define RECORD_COST      64 /* of LMDB, about, beside key and value */
#define FAILED_CARES_MAX 3

struct slot {
    unsigned table;
    char key[KEY_BYTES];
};

struct store_lmdb {
    struct store base;
    struct db *db;
    struct db_txn txn;
    bool is_open; /* txn */
    unsigned batch_count;
    unsigned batch_max;
    uint8_t hash_key[16];
    uint64_t random;
    bool (*is_kept)(uint64_t account, void *arg);
    void *arg;
    uint64_t counts[TABLE_COUNT];
    uint64_t max_counts[TABLE_COUNT]; /* new ones beyond push out others; UINT64_MAX: no
                                         bound */
    uint64_t shrunk_at_bytes[TABLE_COUNT]; /* in use when max_counts was lowered last */
    uint64_t new_bytes;                    /* written since used_bytes was measured */
    unsigned failed_cares;
    char *path;
    char sweep_key[TABLE_COUNT][KEY_BYTES]; /* where expiry goes on */
    uint64_t used_bytes, max_bytes;
    uint64_t expired_count, evicted_count;
};

static struct store_lmdb *of_store(struct store *s)
{
    return (struct store_lmdb *)s; /* its first member */
}

static struct view key_of(const struct slot *slot)
{
    return view_of(slot->key, KEY_BYTES);
}

static uint64_t next_random(struct store_lmdb *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random;
}

/* An account's key is its letter and number, as made in subject.c. */
static struct slot slot_of(const struct store_lmdb *s, const struct store_key *key)
{
    struct slot slot = {.table = TABLE_SOURCES};
    if (key->bytes[0] == SUBJECT_KEY_ACCOUNT && key->length == 1 + KEY_BYTES) {
        slot.table = TABLE_ACCOUNTS;
        memcpy(slot.key, key->bytes + 1, KEY_BYTES);
        return slot;
    }
    uint64_t hash = siphash13(s->hash_key, key->bytes, key->length);
    memcpy(slot.key, &hash, KEY_BYTES);
    return slot;
}

static uint64_t account_of(struct view key)
{
    uint64_t n = 0;
    for (size_t i = 0; i < KEY_BYTES; i++)
        n = n << 8 | (unsigned char)key.p[i];
    return n;
}

/* ---- transactions ---- */

static int open_txn(struct store_lmdb *s)
{
    if (s->is_open)
        return MSA_OK;
    if (!s->db)
        return MSA_EAGAIN;
    db_begin(s->db, true, &s->txn);
    if (s->txn.err < 0) {
        db_abort(&s->txn);
        return MSA_EAGAIN;
    }
    s->is_open = true;
    return MSA_OK;
}

static void recount(struct store_lmdb *s)
{
    struct db_txn txn;
    db_begin(s->db, false, &txn);
    for (unsigned t = 0; t < TABLE_META; t++)
        s->counts[t] = db_count(&txn, t);
    db_abort(&txn);
}

/* What was decided in this batch is lost; nothing before it. */
static int drop_txn(struct store_lmdb *s)
{
    db_abort(&s->txn);
    s->is_open = false;
    s->batch_count = 0;
    recount(s);
    return MSA_EAGAIN;
}

void store_lmdb_flush(struct store_lmdb *s)
{
    if (!s->is_open)
        return;
    s->is_open = false;
    s->batch_count = 0;
    if (db_commit(&s->txn) < 0)
        recount(s);
}

/* ---- room ---- */

static bool may_go(const struct store_lmdb *s, unsigned table, struct view key)
{
    return table != TABLE_ACCOUNTS || !s->is_kept || !s->is_kept(account_of(key), s->arg);
}

struct candidate {
    struct slot slot;
    uint32_t until_s;
};

static int by_end(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->until_s > y->until_s) - (x->until_s < y->until_s);
}

/* A place that nobody chooses: keys of sources are hashes; numbers of accounts are dense
 * at the beginning. */
static struct slot random_place(struct store_lmdb *s, unsigned table)
{
    struct slot place = {.table = table};
    uint64_t random = next_random(s);
    if (table == TABLE_ACCOUNTS)
        random %= 2 * s->counts[table] + 1;
    for (size_t i = 0; i < KEY_BYTES; i++)
        place.key[i] = (char)(random >> (56 - 8 * i));
    return place;
}

/* Those of a few neighbours that may go, the one that runs out first in front. The end
 * runs into the beginning. */
static unsigned find_candidates(struct store_lmdb *s, unsigned table,
                                struct candidate out[SAMPLE_COUNT])
{
    struct db_cursor cur;
    struct slot place = random_place(s, table);
    unsigned count = 0;
    db_seek(&s->txn, table, key_of(&place), &cur);
    if (!db_cursor_is_at(&cur)) {
        db_cursor_end(&cur);
        db_seek(&s->txn, table, VIEW_EMPTY, &cur);
    }
    for (unsigned n = 0; n < SAMPLE_COUNT && db_cursor_is_at(&cur); n++, db_next(&cur)) {
        if (!may_go(s, table, cur.key))
            continue;
        struct view bytes = view_slice(cur.value, VERSION_BYTES, cur.value.n);
        out[count].until_s = record_keep_until(bytes);
        out[count].slot.table = table;
        memcpy(out[count++].slot.key, cur.key.p, KEY_BYTES);
    }
    db_cursor_end(&cur);
    qsort(out, count, sizeof out[0], by_end);
    return count;
}

static void evict(struct store_lmdb *s, unsigned table)
{
    struct candidate candidates[SAMPLE_COUNT];
    unsigned count = find_candidates(s, table, candidates);
    for (unsigned i = 0; i < count && i < SAMPLE_EVICTED; i++) {
        if (!db_delete(&s->txn, table, key_of(&candidates[i].slot)))
            return;
        s->counts[table]--;
        s->evicted_count++;
    }
}

/* The bound is one of bytes, kept as a number of records: what fitted when the file was
 * full enough. Pages do not become free as fast as records go; it is lowered further only
 * while the file goes on growing. */
static void bound(struct store_lmdb *s, unsigned table, unsigned percent)
{
    uint64_t one_percent = s->max_bytes / 100;
    bool is_full = s->used_bytes > one_percent * percent;
    if (is_full && s->used_bytes > s->shrunk_at_bytes[table] + one_percent) {
        s->max_counts[table] = s->counts[table] - s->counts[table] / 20;
        s->shrunk_at_bytes[table] = s->used_bytes;
    } else if (s->used_bytes < one_percent * (percent - 10)) {
        s->max_counts[table] = UINT64_MAX;
        s->shrunk_at_bytes[table] = 0;
    }
}

/* With no transaction open. */
static void measure(struct store_lmdb *s)
{
    db_usage(s->db, &s->used_bytes, &s->max_bytes);
    s->new_bytes = 0;
    bound(s, TABLE_SOURCES, FULL_PERCENT);
    bound(s, TABLE_ACCOUNTS, FULLER_PERCENT);
}

/* ---- the two operations ---- */

static void take_value(struct view value, struct store_record *r)
{
    struct reader in = reader_of(value);
    uint64_t version = get_u64(&in);
    r->version = in.failed ? 0 : version;
    r->bytes = in.failed ? VIEW_EMPTY : view_slice(value, VERSION_BYTES, value.n);
}

static int read_many(struct store *base, struct store_record *records, unsigned count)
{
    struct store_lmdb *s = of_store(base);
    bool is_growing = s->new_bytes > s->max_bytes / 64;
    if (s->batch_count >= s->batch_max || is_growing)
        store_lmdb_flush(s); /* here, where nobody holds a view into it */
    if (is_growing)
        measure(s);
    if (open_txn(s) < 0)
        return MSA_EAGAIN;
    s->batch_count++;
    for (unsigned i = 0; i < count; i++) {
        struct slot slot = slot_of(s, &records[i].key);
        struct view value;
        enum msa_lookup found = db_get(&s->txn, slot.table, key_of(&slot), &value);
        if (found == MSA_RETRY)
            return drop_txn(s);
        if (found == MSA_FOUND)
            take_value(value, &records[i]);
        else
            records[i] = (struct store_record){.key = records[i].key};
    }
    return MSA_OK;
}

/* `version` is of the record that this one replaces. */
static void write_one(struct store_lmdb *s, const struct slot *slot,
                      const struct store_record *r)
{
    char *to =
        db_put_reserve(&s->txn, slot->table, key_of(slot), VERSION_BYTES + r->bytes.n);
    if (!to)
        return;
    uint64_t version = r->version + 1;
    for (size_t i = 0; i < VERSION_BYTES; i++)
        to[i] = (char)(version >> (8 * i));
    memcpy(to + VERSION_BYTES, r->bytes.p, r->bytes.n);
    if (r->version > 0)
        return;
    s->counts[slot->table]++;
    s->new_bytes += KEY_BYTES + VERSION_BYTES + r->bytes.n + RECORD_COST;
    if (s->counts[slot->table] > s->max_counts[slot->table])
        evict(s, slot->table);
}

/* Nobody else writes between reading and swapping: this process has the file, one thread
 * has the store. So the versions need no second look; they are there for stores with
 * several writers. */
static int swap_many(struct store *base, const struct store_record *records,
                     unsigned count)
{
    struct store_lmdb *s = of_store(base);
    if (open_txn(s) < 0)
        return MSA_EAGAIN;
    for (unsigned i = 0; i < count && s->txn.err == MSA_OK; i++) {
        struct slot slot = slot_of(s, &records[i].key);
        write_one(s, &slot, &records[i]);
    }
    return s->txn.err < 0 ? drop_txn(s) : MSA_OK;
}

static const struct store_ops lmdb_ops = {.read_many = read_many, .swap_many = swap_many};

/* ---- the file ---- */

static struct db *open_db(const char *path, size_t map_bytes, char *error,
                          size_t error_size)
{
    struct db_settings settings = {.path = path,
                                   .map_bytes = map_bytes,
                                   .is_throwaway = true,
                                   .tables = table_names,
                                   .table_count = TABLE_COUNT};
    return db_open(&settings, error, error_size);
}

/* The key belongs to the file: without it no source's record is found again. */
static int load_hash_key(struct store_lmdb *s)
{
    struct view kept;
    if (open_txn(s) < 0)
        return MSA_EIO;
    if (db_get(&s->txn, TABLE_META, META_HASH_KEY, &kept) == MSA_FOUND &&
        kept.n == sizeof s->hash_key) {
        memcpy(s->hash_key, kept.p, sizeof s->hash_key);
    } else {
        if (getrandom(s->hash_key, sizeof s->hash_key, 0) != (ssize_t)sizeof s->hash_key)
            return MSA_EIO;
        db_put(&s->txn, TABLE_META, META_HASH_KEY,
               view_of((const char *)s->hash_key, sizeof s->hash_key));
    }
    for (unsigned t = 0; t < TABLE_META; t++)
        s->counts[t] = db_count(&s->txn, t);
    s->is_open = false;
    return db_commit(&s->txn);
}

/* ---- care ---- */

/* Deletes what has run out among the next records of the table. */
static void expire_slice(struct store_lmdb *s, unsigned table, uint32_t now_s)
{
    static struct slot gone[SLICE_RECORDS];
    struct db_cursor cur;
    unsigned gone_count = 0, n = 0;
    db_seek(&s->txn, table, view_of(s->sweep_key[table], KEY_BYTES), &cur);
    for (; n < SLICE_RECORDS && db_cursor_is_at(&cur); n++, db_next(&cur)) {
        memcpy(s->sweep_key[table], cur.key.p, KEY_BYTES);
        struct view bytes = view_slice(cur.value, VERSION_BYTES, cur.value.n);
        if (record_keep_until(bytes) < now_s && may_go(s, table, cur.key))
            memcpy(gone[gone_count++].key, cur.key.p, KEY_BYTES);
    }
    if (!db_cursor_is_at(&cur))
        memset(s->sweep_key[table], 0, KEY_BYTES); /* from the beginning, the next time */
    db_cursor_end(&cur);
    for (unsigned i = 0; i < gone_count; i++)
        if (db_delete(&s->txn, table, key_of(&gone[i]))) {
            s->counts[table]--;
            s->expired_count++;
        }
}

/* Too full even to delete, or broken: counters may be lost, decisions may not wait for
 * them. */
static void renew(struct store_lmdb *s)
{
    char error[256];
    struct db *db;
    log_msg(LOG_LEVEL_WARN, "counters-renewed", "%s could not be mended", s->path);
    db_close(&s->db);
    unlink(s->path);
    db = open_db(s->path, s->max_bytes, error, sizeof error);
    if (!db)
        log_msg(LOG_LEVEL_ERROR, "counters-lost", "%s", error);
    s->db = db;
    s->failed_cares = 0;
    if (s->db && load_hash_key(s) < 0)
        db_close(&s->db);
}

static void care(struct store_lmdb *s, uint32_t now_s)
{
    if (open_txn(s) < 0) {
        s->failed_cares++;
        return;
    }
    for (unsigned t = 0; t < TABLE_META; t++) {
        s->counts[t] = db_count(&s->txn, t);
        expire_slice(s, t, now_s);
        for (unsigned n = 0; n < s->batch_max && s->counts[t] > s->max_counts[t]; n++)
            evict(s, t);
    }
    s->is_open = false;
    s->batch_count = 0;
    if (db_commit(&s->txn) == MSA_OK) {
        s->failed_cares = 0;
        return;
    }
    s->failed_cares++;
    recount(s);
}

void store_lmdb_care(struct store_lmdb *s, int64_t now_ms)
{
    store_lmdb_flush(s);
    if (s->db) {
        measure(s);
        care(s, (uint32_t)(now_ms / 1000));
    }
    if (!s->db || s->failed_cares >= FAILED_CARES_MAX)
        renew(s);
}

struct store_lmdb_usage store_lmdb_usage(struct store_lmdb *s)
{
    struct store_lmdb_usage u = {.account_count = s->counts[TABLE_ACCOUNTS],
                                 .source_count = s->counts[TABLE_SOURCES],
                                 .expired_count = s->expired_count,
                                 .evicted_count = s->evicted_count};
    store_lmdb_flush(s);
    if (s->db)
        db_usage(s->db, &u.used_bytes, &u.max_bytes);
    return u;
}

/* ---- life ---- */

/* A transaction copies each page that it touches and the file has both until later ones
 * reuse the old: so one batch, of some three pages for each decision, may touch a
 * sixteenth of the file. */
static unsigned batch_for(size_t map_bytes)
{
    size_t n = map_bytes / 4096 / 16 / 3;
    if (n < BATCH_MIN)
        return BATCH_MIN;
    return n < BATCH_MAX ? (unsigned)n : BATCH_MAX;
}

struct store_lmdb *store_lmdb_open(const struct store_lmdb_settings *settings,
                                   char *error, size_t error_size)
{
    struct store_lmdb *s = calloc(1, sizeof *s);
    if (s)
        s->path = strdup(settings->path);
    if (!s || !s->path) {
        view_to_cstr(VIEW_LIT("out of memory"), error, error_size);
        free(s);
        return NULL;
    }
    s->base.ops = &lmdb_ops;
    s->is_kept = settings->is_kept;
    s->arg = settings->arg;
    s->random = (uint64_t)(uintptr_t)s | 1;
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        s->max_counts[t] = UINT64_MAX;
    s->max_bytes = settings->map_bytes;
    s->batch_max = batch_for(settings->map_bytes);
    s->db = open_db(s->path, settings->map_bytes, error, error_size);
    if (s->db && load_hash_key(s) == MSA_OK)
        return s;
    if (s->db)
        view_to_cstr(VIEW_LIT("the counters' key cannot be written"), error, error_size);
    store_lmdb_close(&s);
    return NULL;
}

void store_lmdb_close(struct store_lmdb **s)
{
    if (!*s)
        return;
    store_lmdb_flush(*s);
    db_close(&(*s)->db);
    free((*s)->path);
    free(*s);
    *s = NULL;
}

void store_lmdb_hash_key(const struct store_lmdb *s, uint8_t out[16])
{
    memcpy(out, s->hash_key, sizeof s->hash_key);
}

struct store *store_lmdb_store(struct store_lmdb *s)
{
    return &s->base;
}
