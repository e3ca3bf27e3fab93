/* The only door to LMDB. One environment per file, opened once per process, after the last fork.
 *
 * A transaction carries a sticky error: calls chain without checks, db_commit decides. One write
 * transaction at a time, begun and ended by the same thread (a second db_begin waits); read transactions may run
 * beside it in any thread and are short (a reader that stays makes the file grow). No DUPSORT, no NOSYNC
 * for anything that a 250 depends on. Failures of the store are logged here (db-failed). */
#ifndef MSA_DB_DB_H
#define MSA_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/err.h"
#include "msa/base/view.h"

struct db;

#define DB_TABLES_MAX 16
#define DB_KEY_MAX    511

struct db_settings {
    const char *path;         /* a file; the lock file is path-lock */
    /* Address space, not memory: make it large. A throw-away file takes all of it on disk at once, so that
     * a full disk cannot kill whoever writes to the map. */
    size_t map_bytes;
    /* Counters: no sync, a writable map; removed and made anew if it cannot be opened, or may be torn because
     * the machine went down while it was open. */
    bool is_throwaway;
    const char *const *tables; /* named tables, created if missing; index = position */
    unsigned table_count;
};

/* NULL with a text in `error` (what, and what would be right). Clears stale readers. */
struct db *db_open(const struct db_settings *settings, char *error, size_t error_size);
void db_close(struct db **db);

/* False after a sync has failed: every write ends in MSA_EIO until the process is started anew. */
bool db_is_writable(const struct db *db);

/* By timer, every minute: slots of killed readers are given back. */
void db_check_readers(struct db *db);
/* Bytes of the file in use, and the most it may have: 452 is said before it is full. Walks the list of
 * free pages, so now and then, not for every message. */
void db_usage(struct db *db, uint64_t *used_bytes_out, uint64_t *max_bytes_out);
/* Doubles the map, up to `max_bytes`; MSA_EFULL when it is that large already or the disk is full. No
 * transaction may be open in this process. */
int db_grow(struct db *db, uint64_t max_bytes);

struct db_txn {
    struct db *db;
    void *handle;
    int err;        /* first failure: MSA_EFULL, MSA_EIO, MSA_ENOMEM, MSA_ECORRUPT … */
    bool is_write;
};

void db_begin(struct db *db, bool is_write, struct db_txn *txn_out);
/* Durable when it returns MSA_OK (synced, unless throw-away). Else txn->err, nothing was changed. After
 * MSA_EIO the environment must not be written again: stop accepting and say so. */
int db_commit(struct db_txn *txn);
void db_abort(struct db_txn *txn); /* also after db_commit, as a no-op */

/* Keys have 1 to DB_KEY_MAX bytes; any other is MSA_EINVAL. The value lives until the next write in, or
 * the end of, the transaction. */
enum msa_lookup db_get(struct db_txn *txn, unsigned table, struct view key, struct view *value_out);
void db_put(struct db_txn *txn, unsigned table, struct view key, struct view value);
/* MSA_EEXIST is returned, and not sticky, when the key is there. */
int db_put_new(struct db_txn *txn, unsigned table, struct view key, struct view value);
/* Room for a value to be written in place before the next call; NULL after a failure. */
void *db_put_reserve(struct db_txn *txn, unsigned table, struct view key, size_t value_bytes);
bool db_delete(struct db_txn *txn, unsigned table, struct view key); /* false: was not there */
uint64_t db_count(struct db_txn *txn, unsigned table);

/* Keys in byte order from `first` (empty: the first of all) on:
 *
 *      struct db_cursor cur;
 *      for (db_seek(&txn, table, first, &cur); db_cursor_is_at(&cur); db_next(&cur)) … cur.key, cur.value
 *      db_cursor_end(&cur);
 *
 * Do not write to the same table while one is open, and end it before its transaction. */
struct db_cursor {
    struct db_txn *txn;
    void *handle;
    bool is_at;
    struct view key;
    struct view value;
};

void db_seek(struct db_txn *txn, unsigned table, struct view first, struct db_cursor *cur_out);
static inline bool db_cursor_is_at(const struct db_cursor *cur) { return cur->is_at; }
void db_next(struct db_cursor *cur);
void db_cursor_end(struct db_cursor *cur);

#endif
