#include "msa/config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"

static int fail_errno(char why[FILE_WHY_MAX], const char *what)
{
    snprintf(why, FILE_WHY_MAX, "%s: %s", what, strerrordesc_np(errno));
    return errno == ENOENT ? MSA_ENOENT : MSA_EIO;
}

/* Reads until end of file: the size that fstat gave may be out of date by now. */
static int read_all(int fd, size_t max_bytes, char *out, size_t *n_out, char why[FILE_WHY_MAX])
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, out + n, max_bytes + 1 - n);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            return fail_errno(why, "cannot read it");
        n += (size_t)got;
        if (n > max_bytes) {
            snprintf(why, FILE_WHY_MAX, "larger than %zu bytes", max_bytes);
            return MSA_ETOOBIG;
        }
        if (got == 0)
            break;
    }
    *n_out = n;
    return MSA_OK;
}

static int read_regular(int fd, size_t max_bytes, struct arena *arena, struct view *text_out,
                        struct stat *st_out, char why[FILE_WHY_MAX])
{
    if (fstat(fd, st_out) == -1)
        return fail_errno(why, "cannot stat it");
    if (!S_ISREG(st_out->st_mode)) {
        snprintf(why, FILE_WHY_MAX, "not a regular file");
        return MSA_EINVAL;
    }
    size_t room = st_out->st_size < (off_t)max_bytes ? (size_t)st_out->st_size : max_bytes;
    char *bytes = arena_alloc(arena, room + 1);
    if (!bytes) {
        snprintf(why, FILE_WHY_MAX, "no memory for it, or too much included");
        return MSA_ENOMEM;
    }
    size_t n = 0;
    int err = read_all(fd, room, bytes, &n, why);
    if (err == MSA_OK)
        *text_out = view_of(bytes, n);
    return err;
}

int file_read(const char *path, size_t max_bytes, struct arena *arena, struct view *text_out,
              struct stat *st_out, char why[FILE_WHY_MAX])
{
    /* O_NONBLOCK: opening a FIFO must not hang the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd == -1)
        return fail_errno(why, "cannot open it");
    int err = read_regular(fd, max_bytes, arena, text_out, st_out, why);
    close(fd);
    return err;
}
