#include "msa/proc/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/err.h"

#define FILE_MODE (S_IRUSR | S_IWUSR | S_IRGRP)

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd != -1 && fchmod(fd, FILE_MODE) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_syslog(void)
{
    const struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (const struct sockaddr *)&sun, sizeof sun) == -1) {
        int saved_errno = errno;
        close(fd);
        errno = saved_errno;
        return -1;
    }
    return fd;
}

int logfile_open(const struct config_log *settings, struct logfile *out)
{
    *out = (struct logfile){.level = (enum log_level)settings->level};
    switch (settings->target) {
    case CONFIG_LOG_STDERR: out->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); break;
    case CONFIG_LOG_FILE: out->fd = open_file(settings->file); break;
    case CONFIG_LOG_SYSLOG:
        out->fd = open_syslog();
        out->target = LOG_TO_SYSLOG;
        break;
    }
    return out->fd == -1 ? MSA_EIO : MSA_OK;
}

void logfile_close(struct logfile *l)
{
    if (l->fd != -1)
        close(l->fd);
    l->fd = -1;
}
