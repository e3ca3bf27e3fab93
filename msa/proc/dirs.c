#include "msa/proc/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/err.h"

/* Roles pass through to their own directory, but cannot list what else is there. */
#define MODE_ROOT  (S_IRWXU | S_IXGRP | S_IXOTH)
#define MODE_STATE S_IRWXU

#define LOCK_POLL_MS  5
#define ROLES_GONE_MS 10000 /* a commit to a slow disk may be under way */

static int fail(char error[DIRS_ERROR_MAX], const char *what, const char *path)
{
    snprintf(error, DIRS_ERROR_MAX, "%s %s: %s", what, path, strerror(errno));
    return MSA_EACCESS;
}

/* The mode given to mkdir would lose what umask takes. */
static int make(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == -1)
        return errno == EEXIST ? 0 : -1;
    return chmod(path, mode);
}

static int make_with_parents(const char *path, char error[DIRS_ERROR_MAX])
{
    char part[DIRS_PATH_MAX];
    if (!view_to_cstr(view_cstr(path), part, sizeof part)) {
        errno = ENAMETOOLONG;
        return fail(error, "cannot make", path);
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make(part, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) == -1)
            return fail(error, "cannot make", part);
        *slash = '/';
    }
    return make(part, MODE_ROOT) == -1 ? fail(error, "cannot make", path) : MSA_OK;
}

int dirs_make_roots(const struct config *cfg, char error[DIRS_ERROR_MAX])
{
    int err = make_with_parents(cfg->state_dir, error);
    return err < 0 ? err : make_with_parents(cfg->runtime_dir, error);
}

/* MSA_EEXIST: somebody holds it `wait_ms` long. Polls: flock itself has no deadline. */
static int lock_within(int fd, int wait_ms)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000};
    while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return MSA_EACCESS;
        if (wait_ms <= 0)
            return MSA_EEXIST;
        nanosleep(&pause, NULL);
        wait_ms -= LOCK_POLL_MS;
    }
    return MSA_OK;
}

static int lock(const struct config *cfg, const char *name, int wait_ms, const char *held_by,
                char error[DIRS_ERROR_MAX])
{
    char path[DIRS_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", cfg->state_dir, name);
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd == -1)
        return fail(error, "cannot open", path);
    int err = lock_within(fd, wait_ms);
    if (err == MSA_OK)
        return fd;
    fail(error, "cannot lock", path);
    if (err == MSA_EEXIST)
        snprintf(error, DIRS_ERROR_MAX, "%s on %s", held_by, cfg->state_dir);
    close(fd);
    return err;
}

int dirs_lock(const struct config *cfg, char error[DIRS_ERROR_MAX])
{
    return lock(cfg, "lock", 0, "another msad is running", error);
}

int dirs_lock_roles(const struct config *cfg, char error[DIRS_ERROR_MAX])
{
    return lock(cfg, "lock.roles", ROLES_GONE_MS, "roles of an msad that was killed still run", error);
}

/* By descriptor, so that nobody swaps the directory between the look and the change. */
static int own(int fd, const struct spawn_user *user)
{
    struct stat st;
    if (fstat(fd, &st) == -1)
        return -1;
    uid_t uid = user->is_changed ? user->uid : geteuid();
    if (st.st_uid != uid && fchown(fd, uid, user->is_changed ? user->gid : (gid_t)-1) == -1)
        return -1;
    return (st.st_mode & 07777) == MODE_STATE ? 0 : fchmod(fd, MODE_STATE);
}

int dirs_make_state(const struct config *cfg, const char *role, const struct spawn_user *user,
                    char path_out[DIRS_PATH_MAX], char error[DIRS_ERROR_MAX])
{
    int n = snprintf(path_out, DIRS_PATH_MAX, "%s/%s", cfg->state_dir, role);
    if (n < 0 || n >= DIRS_PATH_MAX) {
        errno = ENAMETOOLONG;
        return fail(error, "cannot make", cfg->state_dir);
    }
    if (make(path_out, MODE_STATE) == -1)
        return fail(error, "cannot make", path_out);
    int fd = open(path_out, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1)
        return fail(error, "cannot open", path_out);
    int rc = own(fd, user);
    int err = rc == -1 ? fail(error, "cannot own", path_out) : MSA_OK;
    close(fd);
    return err;
}
