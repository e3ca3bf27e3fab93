#include "msa/ctl/log_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "msa/base/err.h"

#define BLOCK_BYTES (4 * LOG_FILE_LINE_MAX)

struct log_file {
    gzFile file;
    uint64_t total_bytes;
    size_t start; /* of what is not taken yet, in `block` */
    size_t end;
    bool is_at_end;
    bool is_in_long_line; /* its rest is to be passed over */
    char block[BLOCK_BYTES];
};

struct log_file *log_file_open(const char *path)
{
    struct log_file *l = malloc(sizeof *l);
    struct stat st;
    if (!l)
        return NULL;
    *l = (struct log_file){0};
    l->file =
        strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "r") : gzopen(path, "r");
    if (!l->file) {
        free(l);
        return NULL;
    }
    gzbuffer(l->file, 1u << 17);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        l->total_bytes = (uint64_t)st.st_size;
    return l;
}

void log_file_close(struct log_file **l)
{
    if (!*l)
        return;
    gzclose_r((*l)->file);
    free(*l);
    *l = NULL;
}

static int fill(struct log_file *l)
{
    memmove(l->block, l->block + l->start, l->end - l->start);
    l->end -= l->start;
    l->start = 0;
    int n = gzread(l->file, l->block + l->end, (unsigned)(sizeof l->block - l->end));
    if (n < 0)
        return MSA_EIO;
    l->end += (size_t)n;
    l->is_at_end = n == 0;
    return MSA_OK;
}

/* Takes up to the next line end, or all there is if none comes. False: more must be read.
 */
static bool take(struct log_file *l, struct view *out)
{
    char *from = l->block + l->start;
    size_t n = l->end - l->start;
    char *lf = memchr(from, '\n', n);
    if (!lf && !l->is_at_end && n < LOG_FILE_LINE_MAX)
        return false;
    size_t length = lf ? (size_t)(lf - from) : n;
    l->start += lf ? length + 1 : length;
    *out = view_of(from, length < LOG_FILE_LINE_MAX ? length : LOG_FILE_LINE_MAX);
    if (lf && out->n > 0 && from[out->n - 1] == '\r')
        out->n--;
    bool is_rest = l->is_in_long_line;
    l->is_in_long_line = !lf;
    return !is_rest;
}

int log_file_next(struct log_file *l, struct view *out)
{
    for (;;) {
        if (l->start < l->end && take(l, out))
            return 1;
        if (l->is_at_end && l->start == l->end)
            return 0;
        int err = fill(l);
        if (err < 0)
            return err;
    }
}

uint64_t log_file_done_bytes(const struct log_file *l)
{
    z_off_t at = gzoffset(l->file);
    return at > 0 ? (uint64_t)at : 0;
}

uint64_t log_file_total_bytes(const struct log_file *l)
{
    return l->total_bytes;
}
