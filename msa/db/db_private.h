/* Inside msa/db: the only place with lmdb.h. */
#ifndef MSA_DB_DB_PRIVATE_H
#define MSA_DB_DB_PRIVATE_H

#include <lmdb.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "msa/db/db.h"

struct db {
    MDB_env *env;
    MDB_dbi tables[DB_TABLES_MAX];
    unsigned table_count;
    char *path;
    size_t map_bytes;
    bool is_throwaway;
    bool is_map_writable;        /* MDB_WRITEMAP is in force */
    atomic_bool is_bad;          /* a sync failed */
    atomic_bool is_full_logged;  /* said once, until a commit succeeds */
    _Atomic(MDB_txn *) spare;    /* a read transaction at rest, to be renewed */
};

int db_err_of(int rc); /* enum msa_err of an LMDB or errno code */
void db_log_failed(struct db *db, const char *op, int rc);

/* ---- throw-away files ---- */

/* True if what is there may be used: closed in order, or last open since the machine came up. */
bool throwaway_is_sound(const char *path);
void throwaway_remove(const char *path);
/* Notes that the file is in use from now on, or closed in order. */
void throwaway_mark_open(const char *path);
void throwaway_mark_closed(const char *path);
/* Takes `bytes` on disk. False: there is no room, and a writable map would be deadly. */
bool throwaway_reserve(const char *path, size_t bytes);

#endif
