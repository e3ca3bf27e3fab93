/* Starting a role: fork, drop to its user, exec of our own binary (a fresh address layout per process).
 *
 * The role begins with descriptor 3, the boot channel, descriptor 4, a lock that it only holds, and the
 * standard three; everything else closes at exec. No line of a role's code runs with root's rights. */
#ifndef MSA_PROC_SPAWN_H
#define MSA_PROC_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_BOOT_FD    3
#define SPAWN_LOCK_FD    4
#define SPAWN_GROUPS_MAX 32

/* Who a role runs as. */
struct spawn_user {
    bool is_changed; /* false: as the supervisor itself, which is not root */
    uid_t uid;
    gid_t gid;
    gid_t groups[SPAWN_GROUPS_MAX];
    size_t group_count;
};

#define SPAWN_ERROR_MAX 160

/* Looks `name` up. 0, or MSA_ENOENT with a text for people. Without root the user is not looked
 * at: an unprivileged supervisor can only be itself. Reads the user database: may block. */
int spawn_user_find(const char *name, struct spawn_user *out, char error[SPAWN_ERROR_MAX]);

/* Our own binary, opened before anybody can replace it. A descriptor, or -1 with errno. */
int spawn_open_self(void);

struct spawn_settings {
    int exe_fd;
    const char *const *argv;
    const struct spawn_user *user;
    int boot_fd; /* the role's end of the boot channel; stays the caller's */
    int lock_fd; /* dirs_lock_roles; stays the caller's */
};

/* The new process's id, or -1 with errno. A failure behind the fork shows as exit status 127. */
pid_t spawn_role(const struct spawn_settings *settings);

/* CPU time that the process has used up to now; 0 when it is gone. */
int64_t spawn_cpu_ms(pid_t pid);

#endif
