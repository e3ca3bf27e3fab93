/* What systemd wants and gives, without libsystemd: sockets by name (sd_listen_fds(3)) and notices
 * (sd_notify(3)). Without systemd every call is a quiet no-op. */
#ifndef MSA_PROC_SYSTEMD_H
#define MSA_PROC_SYSTEMD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSTEMD_SOCKETS_MAX 64
#define SYSTEMD_NAME_MAX    64
#define SYSTEMD_FIRST_FD    3

struct systemd_socket {
    int fd; /* close-on-exec */
    char name[SYSTEMD_NAME_MAX];
};

struct systemd_sockets {
    struct systemd_socket items[SYSTEMD_SOCKETS_MAX];
    size_t count;
};

/* Pure: the three LISTEN_* variables (NULL: absent) as seen by process `self`. 0, with count 0 when they are
 * not for this process, or MSA_EINVAL. */
int systemd_parse_sockets(const char *listen_pid, const char *listen_fds, const char *listen_names,
                          pid_t self, struct systemd_sockets *out);

/* Reads and unsets the variables, so that no child takes them for its own. */
int systemd_take_sockets(struct systemd_sockets *out);

/* Connects to NOTIFY_SOCKET while its path can still be reached. A descriptor, or -1. */
int systemd_notify_open(void);
void systemd_notify(int fd, const char *state); /* "READY=1" …; never blocks; -1 is fine */

#define SYSTEMD_RELOADING_MAX 64
/* Type=notify-reload wants to know since when. */
void systemd_reloading_text(uint64_t monotonic_us, char out[SYSTEMD_RELOADING_MAX]);

#endif
