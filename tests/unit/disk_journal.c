#include "disk_journal.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EVENTS_MAX 8192

int disk_sync_errno;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk_event events[EVENTS_MAX];
static size_t event_count;
static atomic_bool is_recording, are_syncs_skipped;

void disk_record_start(void)
{
    is_recording = true;
}
void disk_record_stop(void)
{
    is_recording = false;
}
void disk_skip_syncs(bool is_skipped)
{
    are_syncs_skipped = is_skipped;
}

const struct disk_event *disk_events(size_t *count_out)
{
    *count_out = event_count;
    return events;
}

void disk_record_free(void)
{
    for (size_t i = 0; i < event_count; i++)
        free(events[i].bytes);
    event_count = 0;
}

/* ---- noting: called when the call has succeeded, so before whoever made it can go on
 * ---- */

static void add(struct disk_event e)
{
    pthread_mutex_lock(&lock);
    cr_assert_lt(event_count, EVENTS_MAX);
    events[event_count++] = e;
    pthread_mutex_unlock(&lock);
}

static void add_name(enum disk_event_kind kind, ino_t file, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct disk_event e = {.kind = kind, .file = file};
    snprintf(e.name, sizeof e.name, "%s", slash ? slash + 1 : path);
    add(e);
}

static bool is_noted(int fd, struct stat *st)
{
    return is_recording && fstat(fd, st) == 0 &&
           (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
}

static void add_write(int fd, const struct iovec *iov, int count, size_t written,
                      uint64_t offset)
{
    struct stat st;
    size_t at = 0;
    if (!is_noted(fd, &st))
        return;
    struct disk_event e = {
        .kind = DISK_WRITE, .file = st.st_ino, .offset = offset, .n = written};
    e.is_durable = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
    e.bytes = malloc(written);
    for (int i = 0; i < count && at < written; i++) {
        size_t n = iov[i].iov_len < written - at ? iov[i].iov_len : written - at;
        memcpy(e.bytes + at, iov[i].iov_base, n);
        at += n;
    }
    add(e);
}

static bool has_writes(ino_t file)
{
    bool has = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < event_count && !has; i++)
        has = events[i].kind == DISK_WRITE && events[i].file == file;
    pthread_mutex_unlock(&lock);
    return has;
}

static void add_sync(int fd)
{
    struct stat st;
    if (!is_noted(fd, &st))
        return;
    struct disk_event e = {.kind = S_ISDIR(st.st_mode) ? DISK_SYNC_DIR : DISK_SYNC,
                           .file = st.st_ino};
    if (e.kind == DISK_SYNC && !has_writes(st.st_ino)) {
        e.n = (size_t)st.st_size;
        e.bytes = malloc(e.n + 1);
        cr_assert_eq(pread(fd, e.bytes, e.n, 0), (ssize_t)e.n);
    }
    add(e);
}

void disk_note(int what, uint64_t number)
{
    if (is_recording)
        add((struct disk_event){.kind = DISK_NOTE, .what = what, .number = number});
}

/* ---- in place of the C library's, also for LMDB ---- */

int fdatasync(int fd)
{
    if (disk_sync_errno) {
        errno = disk_sync_errno;
        return -1;
    }
    int rc = are_syncs_skipped ? 0 : (int)syscall(SYS_fdatasync, fd);
    if (rc == 0)
        add_sync(fd);
    return rc;
}

int fsync(int fd)
{
    int rc = are_syncs_skipped ? 0 : (int)syscall(SYS_fsync, fd);
    if (rc == 0)
        add_sync(fd);
    return rc;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, n, offset);
    if (written > 0)
        add_write(fd, &(struct iovec){(void *)bytes, n}, 1, (size_t)written,
                  (uint64_t)offset);
    return written;
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    off_t offset = is_recording ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t written = syscall(SYS_writev, fd, iov, count);
    if (written > 0 && offset >= 0)
        add_write(fd, iov, count, (size_t)written, (uint64_t)offset);
    return written;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    struct stat st;
    int rc = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (rc == 0 && is_recording && fstatat(to_dir, to, &st, 0) == 0)
        add_name(DISK_NAME, st.st_ino, to);
    return rc;
}

int unlinkat(int dir, const char *name, int flags)
{
    int rc = (int)syscall(SYS_unlinkat, dir, name, flags);
    if (rc == 0 && is_recording)
        add_name(DISK_UNNAME, 0, name);
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (rc == 0 && is_recording)
        add_name(DISK_MAKE_DIR, 0, path);
    return rc;
}
