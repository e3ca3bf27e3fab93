#include "msa/proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/err.h"

extern char **environ;

#define EXIT_NOT_STARTED 127

int spawn_user_find(const char *name, struct spawn_user *out, char error[SPAWN_ERROR_MAX])
{
    int count = SPAWN_GROUPS_MAX;
    *out = (struct spawn_user){0};
    if (geteuid() != 0)
        return MSA_OK;
    const struct passwd *pw = getpwnam(name);
    if (!pw) {
        snprintf(error, SPAWN_ERROR_MAX,
                 "there is no user '%.64s': create it (useradd --system) or set 'user'", name);
        return MSA_ENOENT;
    }
    out->is_changed = true;
    out->uid = pw->pw_uid;
    out->gid = pw->pw_gid;
    if (getgrouplist(name, pw->pw_gid, out->groups, &count) == -1) {
        snprintf(error, SPAWN_ERROR_MAX, "user '%.64s' is in more than %d groups", name,
                 SPAWN_GROUPS_MAX);
        return MSA_ETOOBIG;
    }
    out->group_count = (size_t)count;
    return MSA_OK;
}

int spawn_open_self(void)
{
    return open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

/* Between fork and exec: async-signal-safe calls only, and no way back but _exit. */

/* Ambient capabilities (systemd's way to ports below 1024 without root) are the only ones that an ordinary user
 * keeps over exec; a kernel that knows none has none to clear. */
static void drop_to(const struct spawn_user *user)
{
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 && errno != EINVAL)
        _exit(EXIT_NOT_STARTED);
    if (!user->is_changed)
        return;
    if (setgroups(user->group_count, user->groups) == -1 ||
        setresgid(user->gid, user->gid, user->gid) == -1 ||
        setresuid(user->uid, user->uid, user->uid) == -1)
        _exit(EXIT_NOT_STARTED);
    if (user->uid != 0 && (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0))
        _exit(EXIT_NOT_STARTED); /* the drop did not hold */
}

/* A role ends when its boot channel does. Signals meant for the supervisor (Ctrl-C reaches the
 * whole foreground group, systemctl may signal the whole unit) must not end it before. */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A copy above the numbers that are about to be given away. */
static int move_up(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_LOCK_FD + 1);
    if (copy == -1)
        _exit(EXIT_NOT_STARTED);
    return copy;
}

static void arrange_descriptors(int boot_fd, int lock_fd)
{
    int null_fd = open("/dev/null", O_RDWR);
    if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1)
        _exit(EXIT_NOT_STARTED);
    if (dup2(boot_fd, SPAWN_BOOT_FD) == -1 || dup2(lock_fd, SPAWN_LOCK_FD) == -1 ||
        close_range(SPAWN_LOCK_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) == -1)
        _exit(EXIT_NOT_STARTED);
}

static _Noreturn void become_role(const struct spawn_settings *s)
{
    /* One could be the very number that another needs. */
    int exe_fd = move_up(s->exe_fd);
    int boot_fd = move_up(s->boot_fd);
    arrange_descriptors(boot_fd, move_up(s->lock_fd));
    reset_signals();
    drop_to(s->user);
    execveat(exe_fd, "", (char *const *)s->argv, environ, AT_EMPTY_PATH);
    _exit(EXIT_NOT_STARTED);
}

pid_t spawn_role(const struct spawn_settings *settings)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); /* no handler of ours may run in the child */
    pid_t pid = fork();
    if (pid == 0)
        become_role(settings);
    int saved_errno = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = saved_errno;
    return pid;
}

/* Not out of /proc, where systemd may show us nothing. */
int64_t spawn_cpu_ms(pid_t pid)
{
    clockid_t id;
    struct timespec used = {0};
    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &used) == -1)
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}
