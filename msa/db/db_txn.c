/* Transactions, records and cursors. */
#include <string.h>

#include "msa/base/assert.h"
#include "msa/db/db_private.h"

/* Remembers the first failure; what "the first" is worth decides db_commit. */
static bool has_failed(struct db_txn *txn, const char *op, int rc)
{
    if (rc == 0)
        return false;
    if (txn->err == MSA_OK) {
        txn->err = db_err_of(rc);
        db_log_failed(txn->db, op, rc);
    }
    return true;
}

static MDB_val val_of(struct view v)
{
    return (MDB_val){.mv_size = v.n, .mv_data = (char *)(uintptr_t)v.p};
}

static struct view view_of_val(const MDB_val *val)
{
    return view_of(val->mv_data, val->mv_size);
}

static MDB_dbi table_of(const struct db_txn *txn, unsigned table)
{
    MSA_ASSERT(table < txn->db->table_count);
    return txn->db->tables[table];
}

/* ---- transactions ---- */

/* A reader at rest keeps its slot in the lock file; to wake it costs no lock. */
static int begin_read(struct db *db, MDB_txn **txn_out)
{
    MDB_txn *spare = atomic_exchange(&db->spare, NULL);
    if (spare && mdb_txn_renew(spare) == 0) {
        *txn_out = spare;
        return 0;
    }
    if (spare)
        mdb_txn_abort(spare);
    int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, txn_out);
    if (rc != MDB_READERS_FULL)
        return rc;
    db_check_readers(db);
    return mdb_txn_begin(db->env, NULL, MDB_RDONLY, txn_out);
}

static void end_read(struct db *db, MDB_txn *txn)
{
    mdb_txn_reset(txn);
    MDB_txn *none = NULL;
    if (!atomic_compare_exchange_strong(&db->spare, &none, txn))
        mdb_txn_abort(txn);
}

void db_begin(struct db *db, bool is_write, struct db_txn *txn_out)
{
    *txn_out = (struct db_txn){.db = db, .is_write = is_write};
    if (is_write && atomic_load(&db->is_bad)) {
        txn_out->err = MSA_EIO; /* logged when it happened */
        return;
    }
    MDB_txn *txn = NULL;
    int rc = is_write ? mdb_txn_begin(db->env, NULL, 0, &txn) : begin_read(db, &txn);
    if (!has_failed(txn_out, "begin", rc))
        txn_out->handle = txn;
}

void db_abort(struct db_txn *txn)
{
    if (!txn->handle)
        return;
    if (txn->is_write)
        mdb_txn_abort(txn->handle);
    else
        end_read(txn->db, txn->handle);
    txn->handle = NULL;
}

/* After a failed sync the kernel calls the lost pages clean, so that a second try would "succeed" and
 * prove nothing: the environment takes no more writes. */
static void commit_write(struct db_txn *txn)
{
    int rc = mdb_txn_commit(txn->handle);
    txn->handle = NULL; /* it is freed, whatever the result */
    if (has_failed(txn, "commit", rc)) {
        if (txn->err == MSA_EIO)
            atomic_store(&txn->db->is_bad, true);
        return;
    }
    atomic_store(&txn->db->is_full_logged, false);
}

int db_commit(struct db_txn *txn)
{
    if (txn->err == MSA_OK && txn->handle && txn->is_write)
        commit_write(txn);
    db_abort(txn);
    return txn->err;
}

/* ---- records ---- */

enum msa_lookup db_get(struct db_txn *txn, unsigned table, struct view key, struct view *value_out)
{
    *value_out = VIEW_EMPTY;
    if (txn->err < 0)
        return MSA_RETRY;
    MDB_val k = val_of(key), v;
    int rc = mdb_get(txn->handle, table_of(txn, table), &k, &v);
    if (rc == MDB_NOTFOUND)
        return MSA_NOT_FOUND;
    if (has_failed(txn, "get", rc))
        return MSA_RETRY;
    *value_out = view_of_val(&v);
    return MSA_FOUND;
}

void db_put(struct db_txn *txn, unsigned table, struct view key, struct view value)
{
    if (txn->err < 0)
        return;
    MDB_val k = val_of(key), v = val_of(value);
    has_failed(txn, "put", mdb_put(txn->handle, table_of(txn, table), &k, &v, 0));
}

int db_put_new(struct db_txn *txn, unsigned table, struct view key, struct view value)
{
    if (txn->err < 0)
        return txn->err;
    MDB_val k = val_of(key), v = val_of(value);
    int rc = mdb_put(txn->handle, table_of(txn, table), &k, &v, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST)
        return MSA_EEXIST;
    has_failed(txn, "put", rc);
    return txn->err;
}

void *db_put_reserve(struct db_txn *txn, unsigned table, struct view key, size_t value_bytes)
{
    if (txn->err < 0)
        return NULL;
    MDB_val k = val_of(key), v = {.mv_size = value_bytes};
    int rc = mdb_put(txn->handle, table_of(txn, table), &k, &v, MDB_RESERVE);
    return has_failed(txn, "put", rc) ? NULL : v.mv_data;
}

bool db_delete(struct db_txn *txn, unsigned table, struct view key)
{
    if (txn->err < 0)
        return false;
    MDB_val k = val_of(key);
    int rc = mdb_del(txn->handle, table_of(txn, table), &k, NULL);
    return rc != MDB_NOTFOUND && !has_failed(txn, "delete", rc);
}

uint64_t db_count(struct db_txn *txn, unsigned table)
{
    MDB_stat stat;
    if (txn->err < 0 ||
        has_failed(txn, "count", mdb_stat(txn->handle, table_of(txn, table), &stat)))
        return 0;
    return stat.ms_entries;
}

/* ---- cursors ---- */

static void step(struct db_cursor *cur, struct view first, MDB_cursor_op op)
{
    MDB_val k = val_of(first), v;
    int rc = mdb_cursor_get(cur->handle, &k, &v, op);
    cur->is_at = rc != MDB_NOTFOUND && !has_failed(cur->txn, "next", rc);
    cur->key = cur->is_at ? view_of_val(&k) : VIEW_EMPTY;
    cur->value = cur->is_at ? view_of_val(&v) : VIEW_EMPTY;
}

void db_seek(struct db_txn *txn, unsigned table, struct view first, struct db_cursor *cur_out)
{
    *cur_out = (struct db_cursor){.txn = txn};
    if (txn->err < 0)
        return;
    MDB_cursor *handle;
    if (has_failed(txn, "seek", mdb_cursor_open(txn->handle, table_of(txn, table), &handle)))
        return;
    cur_out->handle = handle;
    step(cur_out, first, first.n > 0 ? MDB_SET_RANGE : MDB_FIRST);
}

void db_next(struct db_cursor *cur)
{
    if (cur->is_at)
        step(cur, VIEW_EMPTY, MDB_NEXT);
}

void db_cursor_end(struct db_cursor *cur)
{
    if (cur->handle)
        mdb_cursor_close(cur->handle);
    *cur = (struct db_cursor){.txn = cur->txn};
}
