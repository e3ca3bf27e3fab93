#include "msa/proc/systemd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/view.h"

int systemd_parse_sockets(const char *listen_pid, const char *listen_fds, const char *listen_names,
                          pid_t self, struct systemd_sockets *out)
{
    uint64_t pid = 0;
    uint64_t count = 0;
    *out = (struct systemd_sockets){0};
    if (!listen_pid || !listen_fds)
        return MSA_OK;
    if (!view_parse_u64(view_cstr(listen_pid), INT32_MAX, &pid))
        return MSA_EINVAL;
    if ((pid_t)pid != self)
        return MSA_OK;
    if (!view_parse_u64(view_cstr(listen_fds), SYSTEMD_SOCKETS_MAX, &count))
        return MSA_EINVAL;
    struct view names = view_cstr(listen_names);
    for (size_t i = 0; i < count; i++) {
        struct view name = view_cut(&names, ':');
        if (!view_to_cstr(name, out->items[i].name, SYSTEMD_NAME_MAX))
            return MSA_EINVAL;
        out->items[i].fd = SYSTEMD_FIRST_FD + (int)i;
    }
    out->count = count;
    return MSA_OK;
}

int systemd_take_sockets(struct systemd_sockets *out)
{
    int err = systemd_parse_sockets(getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                                    getenv("LISTEN_FDNAMES"), getpid(), out);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (size_t i = 0; err == MSA_OK && i < out->count; i++) {
        int fd = out->items[i].fd;
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
            err = MSA_EINVAL; /* fewer descriptors came than were announced */
    }
    return err;
}

int systemd_notify_open(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof sun.sun_path)
        return -1;
    memcpy(sun.sun_path, path, n);
    if (path[0] == '@')
        sun.sun_path[0] = 0; /* abstract: its name has a length, no end mark */
    unsetenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    if (fd != -1 && connect(fd, (struct sockaddr *)&sun, len) == -1) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void systemd_notify(int fd, const char *state)
{
    if (fd != -1)
        send(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void systemd_reloading_text(uint64_t monotonic_us, char out[SYSTEMD_RELOADING_MAX])
{
    snprintf(out, SYSTEMD_RELOADING_MAX, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_us);
}
