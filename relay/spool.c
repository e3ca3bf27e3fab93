#include "relay/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/spool_impl.h"

static const char *const table_names[SPOOL_TABLE_COUNT] = {
    [SPOOL_ENVELOPES] = "envelopes",
    [SPOOL_BODIES] = "bodies",
    [SPOOL_DAMAGED] = "damaged",
};

/* Room in the address space beyond what the queue may hold: tree pages, and copies of changed pages
 * while a transaction is open. Deleting must never find the map full. */
static size_t map_bytes_for(uint64_t max_bytes)
{
    uint64_t bytes = max_bytes + max_bytes / 2 + (256u << 20);
    return bytes > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)bytes;
}

static int open_dir(const char *path, char *error, size_t error_size)
{
    if (mkdir(path, 0700) == -1 && errno != EEXIST) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    return fd;
}

struct spool *spool_open(const char *state_dir, uint64_t max_bytes, char *error, size_t error_size)
{
    char path[4096];
    struct spool *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    s->max_bytes = max_bytes;
    /* The directory first: opening the store syncs the one above, and with it both names. */
    snprintf(path, sizeof path, "%s/bodies", state_dir);
    s->bodies_fd = open_dir(path, error, error_size);
    snprintf(path, sizeof path, "%s/queue.mdb", state_dir);
    const struct db_settings settings = {
        .path = path,
        .map_bytes = map_bytes_for(max_bytes),
        .tables = table_names,
        .table_count = SPOOL_TABLE_COUNT,
    };
    if (s->bodies_fd >= 0)
        s->db = db_open(&settings, error, error_size);
    if (!s->db)
        spool_close(&s);
    return s;
}

void spool_close(struct spool **s)
{
    if (!*s)
        return;
    if ((*s)->bodies_fd >= 0)
        close((*s)->bodies_fd);
    if ((*s)->db)
        db_close(&(*s)->db);
    free(*s);
    *s = NULL;
}

void spool_usage(struct spool *s, uint64_t *used_bytes_out, uint64_t *free_bytes_out)
{
    uint64_t max;
    struct statvfs fs;
    db_usage(s->db, used_bytes_out, &max);
    *free_bytes_out = fstatvfs(s->bodies_fd, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

uint64_t spool_max_bytes(const struct spool *s)
{
    return s->max_bytes;
}

void spool_check_readers(struct spool *s)
{
    db_check_readers(s->db);
}

struct view spool_key_of(uint64_t id, struct spool_key *key)
{
    for (size_t i = 0; i < sizeof key->bytes; i++)
        key->bytes[i] = (char)(id >> (56 - 8 * i) & 0xff);
    return view_of(key->bytes, sizeof key->bytes);
}

/* ---- writing ---- */

void spool_begin(struct spool *s)
{
    db_begin(s->db, true, &s->txn);
}

int spool_commit(struct spool *s)
{
    return db_commit(&s->txn);
}

/* What stands in the body table: all of the content, or what precedes a file. */
static int put_body(struct spool *s, struct view key, const struct content *content, bool is_large)
{
    size_t n = is_large ? content->prepend.n : (size_t)content_bytes(content);
    if (n == 0)
        return MSA_OK;
    char *place = db_put_reserve(&s->txn, SPOOL_BODIES, key, n);
    return place ? content_copy(content, 0, place, n) : MSA_OK; /* else the commit tells */
}

int spool_insert(struct spool *s, uint64_t id, struct view record, const struct content *content,
                 bool is_large)
{
    struct spool_key buf;
    struct view key = spool_key_of(id, &buf);
    int err = db_put_new(&s->txn, SPOOL_ENVELOPES, key, record);
    if (err < 0)
        return err == MSA_EEXIST ? err : MSA_OK;
    err = put_body(s, key, content, is_large);
    if (err < 0) {
        db_delete(&s->txn, SPOOL_ENVELOPES, key);
        db_delete(&s->txn, SPOOL_BODIES, key);
    }
    return err;
}

int spool_update(struct spool *s, uint64_t id, struct view record)
{
    struct spool_key buf;
    struct view key = spool_key_of(id, &buf), old;
    if (db_get(&s->txn, SPOOL_ENVELOPES, key, &old) != MSA_FOUND)
        return MSA_ENOENT;
    db_put(&s->txn, SPOOL_ENVELOPES, key, record);
    return MSA_OK;
}

int spool_delete(struct spool *s, uint64_t id)
{
    struct spool_key buf;
    struct view key = spool_key_of(id, &buf);
    bool was_there = db_delete(&s->txn, SPOOL_ENVELOPES, key);
    db_delete(&s->txn, SPOOL_BODIES, key);
    return was_there ? MSA_OK : MSA_ENOENT;
}

/* The record of `id` in memory of its own, for the caller to free: the stored one is in the map, where a put may
 * move things. MSA_OK, MSA_ENOENT or MSA_ENOMEM. */
static int copy_record(struct spool *s, struct view key, char **copy_out, size_t *n_out)
{
    struct view stored;
    if (db_get(&s->txn, SPOOL_ENVELOPES, key, &stored) != MSA_FOUND)
        return MSA_ENOENT;
    *copy_out = malloc(stored.n > 0 ? stored.n : 1);
    if (!*copy_out)
        return MSA_ENOMEM;
    memcpy(*copy_out, stored.p, stored.n);
    *n_out = stored.n;
    return MSA_OK;
}

int spool_set_held(struct spool *s, uint64_t id, unsigned held_for, int64_t age_from_ms)
{
    struct spool_key buf;
    struct view key = spool_key_of(id, &buf);
    char *copy;
    size_t n;
    int err = copy_record(s, key, &copy, &n);
    if (err < 0)
        return err;
    err = envelope_set_held(copy, n, held_for, age_from_ms);
    if (err == MSA_OK)
        db_put(&s->txn, SPOOL_ENVELOPES, key, view_of(copy, n));
    free(copy);
    return err;
}

int spool_set_aside(struct spool *s, uint64_t id)
{
    struct spool_key buf;
    struct view key = spool_key_of(id, &buf);
    char *copy;
    size_t n;
    int err = copy_record(s, key, &copy, &n);
    if (err < 0)
        return err;
    db_put(&s->txn, SPOOL_DAMAGED, key, view_of(copy, n));
    db_delete(&s->txn, SPOOL_ENVELOPES, key);
    free(copy);
    return MSA_OK;
}

/* ---- large bodies ---- */

static int failed_to(const char *what)
{
    int err = errno == ENOSPC || errno == EDQUOT ? MSA_EFULL : MSA_EIO;
    log_msg(LOG_LEVEL_ERROR, "body-file-failed", "cannot %s: %s", what, strerror(errno));
    return err;
}

int spool_large_new(struct spool *s, int *fd_out)
{
    *fd_out = openat(s->bodies_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd_out == -1 ? failed_to("make a file") : MSA_OK;
}

/* An unnamed file gets a name through /proc, or directly where the kernel lets its owner do so. */
static int give_name(struct spool *s, int fd, const char *name)
{
    char by_fd[64];
    snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, by_fd, s->bodies_fd, name, AT_SYMLINK_FOLLOW) == 0)
        return MSA_OK;
    if (errno == ENOENT && linkat(fd, "", s->bodies_fd, name, AT_EMPTY_PATH) == 0)
        return MSA_OK;
    return errno == EEXIST ? MSA_EEXIST : failed_to("name a file");
}

int spool_large_keep(struct spool *s, int fd, uint64_t id)
{
    char name[MSGID_TEXT_MAX];
    msgid_format(id, name);
    if (fdatasync(fd) == -1) /* never again on this descriptor: the kernel has dropped the pages */
        return failed_to("sync a file");
    int err = give_name(s, fd, name);
    if (err == MSA_OK && fsync(s->bodies_fd) == -1)
        err = failed_to("sync the directory");
    return err;
}

void spool_large_remove(struct spool *s, uint64_t id)
{
    char name[MSGID_TEXT_MAX];
    msgid_format(id, name);
    if (unlinkat(s->bodies_fd, name, 0) == -1 && errno != ENOENT)
        (void)failed_to("remove a file");
}
