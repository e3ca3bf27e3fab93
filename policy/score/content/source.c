#include "policy/score/content/source.h"

#include <errno.h>
#include <unistd.h>

void source_open_memory(struct source *s, struct view message)
{
    *s = (struct source){.memory = message, .fd = -1, .length = message.n};
}

void source_open_fd(struct source *s, int fd, uint64_t length, char *window,
                    size_t window_bytes)
{
    *s = (struct source){
        .fd = fd, .length = length, .window = window, .window_bytes = window_bytes};
}

/* Fills the window from `offset` on. What is missing then ends the message. */
static void load(struct source *s, uint64_t offset)
{
    uint64_t left = s->length - offset;
    size_t want = left < s->window_bytes ? (size_t)left : s->window_bytes;
    s->window_at = offset;
    s->window_held = 0;
    while (s->window_held < want) {
        ssize_t n = pread(s->fd, s->window + s->window_held, want - s->window_held,
                          (off_t)(offset + s->window_held));
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            s->has_failed = true;
            s->length = offset + s->window_held;
            return;
        }
        s->window_held += (size_t)n;
    }
}

static struct view in_window(const struct source *s, uint64_t offset)
{
    if (offset < s->window_at || offset >= s->window_at + s->window_held)
        return VIEW_EMPTY;
    size_t from = (size_t)(offset - s->window_at);
    return view_of(s->window + from, s->window_held - from);
}

struct view source_at(struct source *s, uint64_t offset, size_t want)
{
    if (offset >= s->length)
        return VIEW_EMPTY;
    if (s->fd == -1)
        return view_slice(s->memory, (size_t)offset, s->memory.n);
    struct view held = in_window(s, offset);
    if (held.n >= want || (held.n > 0 && offset + held.n >= s->length))
        return held;
    load(s, offset);
    return in_window(s, offset);
}
