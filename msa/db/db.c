/* Environments: opening, growing, closing, and what to tell of them. */
#include "msa/db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/log.h"
#include "msa/db/db_private.h"

#define READERS_MAX 1024 /* the library's 126 are fewer than threads plus slots of killed readers */

int db_err_of(int rc)
{
    switch (rc) {
    case MDB_SUCCESS: return MSA_OK;
    case MDB_NOTFOUND: return MSA_ENOENT;
    case MDB_KEYEXIST: return MSA_EEXIST;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT: return MSA_EFULL;
    case ENOMEM: return MSA_ENOMEM;
    case MDB_BAD_VALSIZE: return MSA_EINVAL;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED: return MSA_EAGAIN;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH: return MSA_ECORRUPT;
    case EACCES:
    case EPERM:
    case EROFS: return MSA_EACCESS;
    default: return MSA_EIO;
    }
}

void db_log_failed(struct db *db, const char *op, int rc)
{
    if (db_err_of(rc) == MSA_EFULL && atomic_exchange(&db->is_full_logged, true))
        return; /* every message fails now: one line until one succeeds */
    struct log_line l;
    log_begin(&l, LOG_LEVEL_ERROR, "db-failed");
    log_str(&l, "path", db->path);
    log_str(&l, "op", op);
    log_str(&l, "text", mdb_strerror(rc));
    log_end(&l);
}

/* ---- opening ---- */

static void on_assert(MDB_env *env, const char *text)
{
    (void)env;
    msa_assert_failed(text, "lmdb", 0);
}

/* The name of a new file is durable only with its directory. */
static int sync_directory(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return ENAMETOOLONG;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return errno;
    int rc = fsync(fd) == -1 ? errno : 0;
    close(fd);
    return rc;
}

static int open_tables(struct db *db, const struct db_settings *set)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(db->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    for (unsigned i = 0; i < set->table_count && rc == 0; i++)
        rc = mdb_dbi_open(txn, set->tables[i], MDB_CREATE, &db->tables[i]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int open_env(struct db *db, const struct db_settings *set, unsigned flags)
{
    int rc = mdb_env_create(&db->env);
    if (rc != 0)
        return rc;
    mdb_env_set_assert(db->env, on_assert);
    if ((rc = mdb_env_set_maxdbs(db->env, DB_TABLES_MAX)) != 0 ||
        (rc = mdb_env_set_mapsize(db->env, set->map_bytes)) != 0 ||
        (rc = mdb_env_set_maxreaders(db->env, READERS_MAX)) != 0)
        return rc;
    rc = mdb_env_open(db->env, set->path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
    mdb_filehandle_t fd;
    if (rc != 0 || (rc = mdb_env_get_fd(db->env, &fd)) != 0)
        return rc;
    /* The library opens its other descriptors so, but not the data file's. */
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? errno : 0;
}

static void close_env(struct db *db)
{
    if (db->env)
        mdb_env_close(db->env);
    db->env = NULL;
}

static int open_durable(struct db *db, const struct db_settings *set)
{
    int rc = open_env(db, set, 0);
    if (rc != 0 || (rc = open_tables(db, set)) != 0)
        return rc;
    /* At every start: whoever made the file may have been killed before it came to this. */
    return sync_directory(set->path);
}

/* The map is not written to before all of it has its place on the disk. */
static int try_throwaway(struct db *db, const struct db_settings *set)
{
    int rc = open_env(db, set, MDB_NOSYNC | MDB_WRITEMAP);
    db->is_map_writable = rc == 0 && throwaway_reserve(set->path, set->map_bytes);
    if (rc == 0 && !db->is_map_writable) {
        close_env(db);
        rc = open_env(db, set, MDB_NOSYNC);
    }
    return rc == 0 ? open_tables(db, set) : rc;
}

static int open_throwaway(struct db *db, const struct db_settings *set)
{
    if (!throwaway_is_sound(set->path)) {
        log_msg(LOG_LEVEL_WARN, "db-renewed", "%s: open when the machine went down", set->path);
        throwaway_remove(set->path);
    }
    throwaway_mark_open(set->path);
    int rc = try_throwaway(db, set);
    if (rc == 0)
        return 0;
    log_msg(LOG_LEVEL_WARN, "db-renewed", "%s: %s", set->path, mdb_strerror(rc));
    close_env(db);
    throwaway_remove(set->path);
    return try_throwaway(db, set);
}

static void explain(const struct db_settings *set, int rc, char *error, size_t error_size)
{
    const char *right = "";
    switch (db_err_of(rc)) {
    case MSA_EACCESS: right = "; the user of this process must be able to write there"; break;
    case MSA_ECORRUPT: right = "; restore it from a copy, or move it away to begin anew"; break;
    case MSA_EFULL: right = "; make room on the disk, or a larger map"; break;
    default: break;
    }
    snprintf(error, error_size, "cannot open %s: %s%s", set->path, mdb_strerror(rc), right);
}

struct db *db_open(const struct db_settings *settings, char *error, size_t error_size)
{
    MSA_ASSERT(settings->table_count <= DB_TABLES_MAX);
    struct db *db = calloc(1, sizeof *db);
    if (db)
        db->path = strdup(settings->path);
    if (!db || !db->path) {
        explain(settings, ENOMEM, error, error_size);
        free(db);
        return NULL;
    }
    db->table_count = settings->table_count;
    db->map_bytes = settings->map_bytes;
    db->is_throwaway = settings->is_throwaway;
    int rc = db->is_throwaway ? open_throwaway(db, settings) : open_durable(db, settings);
    if (rc != 0) {
        explain(settings, rc, error, error_size);
        close_env(db);
        free(db->path);
        free(db);
        return NULL;
    }
    db_check_readers(db);
    return db;
}

static void drop_spare(struct db *db)
{
    MDB_txn *spare = atomic_exchange(&db->spare, NULL);
    if (spare)
        mdb_txn_abort(spare);
}

void db_close(struct db **db)
{
    struct db *d = *db;
    if (!d)
        return;
    *db = NULL;
    drop_spare(d);
    bool is_synced = d->is_throwaway && mdb_env_sync(d->env, 1) == 0;
    close_env(d);
    if (is_synced)
        throwaway_mark_closed(d->path);
    free(d->path);
    free(d);
}

/* ---- care ---- */

bool db_is_writable(const struct db *db)
{
    return !atomic_load(&db->is_bad);
}

void db_check_readers(struct db *db)
{
    int dead_count = 0;
    int rc = mdb_reader_check(db->env, &dead_count);
    if (rc != 0)
        db_log_failed(db, "reader-check", rc);
}

/* Each record of LMDB's own table 0 begins with how many pages it lists. */
static size_t free_page_count(MDB_txn *txn)
{
    const MDB_dbi free_table = 0;
    MDB_cursor *cursor;
    if (mdb_cursor_open(txn, free_table, &cursor) != 0)
        return 0;
    size_t count = 0;
    MDB_val key, value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t listed;
        if (value.mv_size < sizeof listed)
            break;
        memcpy(&listed, value.mv_data, sizeof listed);
        count += listed;
    }
    mdb_cursor_close(cursor);
    return count;
}

void db_usage(struct db *db, uint64_t *used_bytes_out, uint64_t *max_bytes_out)
{
    MDB_stat stat;
    MDB_envinfo info;
    struct db_txn txn;
    *max_bytes_out = db->map_bytes;
    *used_bytes_out = 0;
    db_begin(db, false, &txn);
    if (txn.err == MSA_OK && mdb_env_stat(db->env, &stat) == 0 && mdb_env_info(db->env, &info) == 0) {
        size_t free_count = free_page_count(txn.handle);
        size_t page_count = info.me_last_pgno + 1;
        *used_bytes_out = (page_count > free_count ? page_count - free_count : 0) * stat.ms_psize;
    }
    db_abort(&txn);
}

int db_grow(struct db *db, uint64_t max_bytes)
{
    uint64_t wanted = db->map_bytes > max_bytes / 2 ? max_bytes : (uint64_t)db->map_bytes * 2;
    if (wanted <= db->map_bytes || wanted > SIZE_MAX)
        return MSA_EFULL;
    drop_spare(db);
    if (db->is_map_writable && !throwaway_reserve(db->path, (size_t)wanted))
        return MSA_EFULL;
    int rc = mdb_env_set_mapsize(db->env, (size_t)wanted);
    if (rc != 0) {
        db_log_failed(db, "grow", rc);
        return db_err_of(rc);
    }
    db->map_bytes = (size_t)wanted;
    return MSA_OK;
}
