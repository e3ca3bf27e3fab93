/* Files that may be lost but must never stop us: counters.
 *
 * Written without sync, such a file is whole after the death of a process (the kernel has its pages), but may be
 * torn after the death of the machine, and LMDB would not notice and crash on it, at every start. So a note
 * beside it, PATH-boot, says during which boot of the machine it was last open, or "closed". */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msa/db/db_private.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define CLOSED       "closed\n"
#define NOTE_MAX     64
#define PATH_BYTES_MAX    4096

static bool name_of(char out[PATH_BYTES_MAX], const char *path, const char *suffix)
{
    int n = snprintf(out, PATH_BYTES_MAX, "%s%s", path, suffix);
    return n > 0 && n < PATH_BYTES_MAX;
}

/* Empty if it cannot be read. */
static void read_note(const char *name, char out[NOTE_MAX])
{
    out[0] = '\0';
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return;
    ssize_t n = read(fd, out, NOTE_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    close(fd);
}

static void write_note(const char *path, const char *note)
{
    char name[PATH_BYTES_MAX];
    if (!name_of(name, path, "-boot"))
        return;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1)
        return;
    /* A note that could not be written reads as "not sound" the next time, which is safe. */
    if (write(fd, note, strlen(note)) == (ssize_t)strlen(note))
        fdatasync(fd);
    close(fd);
}

bool throwaway_is_sound(const char *path)
{
    char name[PATH_BYTES_MAX], note[NOTE_MAX], boot[NOTE_MAX];
    if (access(path, F_OK) == -1)
        return true;
    if (!name_of(name, path, "-boot"))
        return false;
    read_note(name, note);
    read_note(BOOT_ID_FILE, boot);
    return strcmp(note, CLOSED) == 0 || (boot[0] != '\0' && strcmp(note, boot) == 0);
}

void throwaway_remove(const char *path)
{
    char name[PATH_BYTES_MAX];
    unlink(path);
    if (name_of(name, path, "-lock"))
        unlink(name);
}

void throwaway_mark_open(const char *path)
{
    char boot[NOTE_MAX];
    read_note(BOOT_ID_FILE, boot);
    write_note(path, boot);
}

void throwaway_mark_closed(const char *path)
{
    write_note(path, CLOSED);
}

bool throwaway_reserve(const char *path, size_t bytes)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd == -1)
        return false;
    int rc = posix_fallocate(fd, 0, (off_t)bytes);
    close(fd);
    return rc == 0;
}
