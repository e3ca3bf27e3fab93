/* Where the bytes of a message are: in front what a session wants prepended, then the client's own
 * bytes, either in memory or in a file that is read by offset. Nothing is copied to look at it. */
#ifndef RELAY_CONTENT_H
#define RELAY_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

struct content {
    struct view prepend; /* lives as long as the message that holds the content */
    struct view memory;  /* the rest, when fd is -1 */
    void *owned;         /* freed by content_fini; what `memory` points into, or NULL */
    int fd;              /* the rest, from offset 0; -1: in memory. Owned */
    uint64_t fd_bytes;
};

void content_init(struct content *c); /* empty */
void content_fini(struct content *c); /* frees and closes; empty afterwards */

uint64_t content_bytes(const struct content *c);

/* The piece of the content that begins at `offset` (below content_bytes): a view into memory, or
 * what was read into `scratch`. Never empty. MSA_OK, or MSA_EIO when the file is shorter than was
 * said or cannot be read (logged). Blocks only as long as a file in the page cache takes. */
int content_piece(const struct content *c, uint64_t offset, char *scratch, size_t scratch_bytes,
                  struct view *piece_out);

/* Copies `n` bytes from `offset` on to `dst`. Any thread, as long as nobody changes the content. */
int content_copy(const struct content *c, uint64_t offset, char *dst, size_t n);

#endif
