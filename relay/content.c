#include "relay/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

void content_init(struct content *c)
{
    *c = (struct content){.fd = -1};
}

void content_fini(struct content *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->owned);
    content_init(c);
}

uint64_t content_bytes(const struct content *c)
{
    return c->prepend.n + (c->fd >= 0 ? c->fd_bytes : c->memory.n);
}

/* The peer that handed us the descriptor may have cut the file short since: that is an error of
 * this message, not of ours. */
static ssize_t read_at(int fd, char *dst, size_t n, uint64_t offset)
{
    ssize_t got;
    do
        got = pread(fd, dst, n, (off_t)offset);
    while (got == -1 && errno == EINTR);
    if (got == -1)
        log_msg(LOG_LEVEL_ERROR, "body-read-failed", "%s", strerror(errno));
    return got;
}

int content_piece(const struct content *c, uint64_t offset, char *scratch, size_t scratch_bytes,
                  struct view *piece_out)
{
    MSA_ASSERT(offset < content_bytes(c));
    if (offset < c->prepend.n) {
        *piece_out = view_slice(c->prepend, (size_t)offset, c->prepend.n);
        return MSA_OK;
    }
    offset -= c->prepend.n;
    if (c->fd < 0) {
        *piece_out = view_slice(c->memory, (size_t)offset, c->memory.n);
        return MSA_OK;
    }
    uint64_t left = c->fd_bytes - offset;
    ssize_t got = read_at(c->fd, scratch, left < scratch_bytes ? (size_t)left : scratch_bytes, offset);
    if (got <= 0)
        return MSA_EIO;
    *piece_out = view_of(scratch, (size_t)got);
    return MSA_OK;
}

int content_copy(const struct content *c, uint64_t offset, char *dst, size_t n)
{
    if (offset > content_bytes(c) || n > content_bytes(c) - offset)
        return MSA_EINVAL;
    while (n > 0) {
        struct view piece;
        int err = content_piece(c, offset, dst, n, &piece);
        if (err < 0)
            return err;
        size_t got = piece.n < n ? piece.n : n;
        if (piece.p != dst)
            memcpy(dst, piece.p, got);
        dst += got;
        offset += got;
        n -= got;
    }
    return MSA_OK;
}
