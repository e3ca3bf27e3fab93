/* struct source: the bytes of a message by their offset, from memory or from a descriptor.
 *
 * A descriptor is read by pread into one window, so its file position stays and nothing is mapped (the writer may
 * cut a file short while it is read: that gives an early end, not a signal). Views are valid until the next call
 * of source_at. */
#ifndef POLICY_SCORE_CONTENT_SOURCE_H
#define POLICY_SCORE_CONTENT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define SOURCE_WINDOW_BYTES ((size_t)128 * 1024)

struct source {
    struct view memory; /* all of it, when there is no descriptor */
    int fd;             /* not owned; -1: memory */
    uint64_t length;    /* bytes of the message; smaller after an early end */
    char *window;       /* owned by the caller: window_bytes of room; NULL for memory */
    size_t window_bytes;
    uint64_t window_at; /* offset of what the window holds */
    size_t window_held;
    bool has_failed;    /* a read failed, or the file was shorter than said */
};

void source_open_memory(struct source *s, struct view message);
void source_open_fd(struct source *s, int fd, uint64_t length, char *window, size_t window_bytes);

/* What stands at `offset`: at least `want` bytes (at most the window's size), fewer only at the end of the
 * message, more where they are there anyway. */
struct view source_at(struct source *s, uint64_t offset, size_t want);

#endif
