#include "msa/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define CAP_FIRST 256

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes};
}

void buf_init_secret(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes, .is_secret = true};
}

/* Of a lent block only what was put there is ours to wipe; what was taken is wiped already. */
static void drop_memory(struct buf *b)
{
    if (b->is_secret && b->is_lent)
        secret_wipe(b->data + b->start, b->end - b->start);
    else if (b->is_secret)
        secret_wipe(b->data, b->cap);
    if (!b->is_lent)
        free(b->data);
    b->data = NULL;
    b->is_lent = false;
}

void buf_fini(struct buf *b)
{
    drop_memory(b);
    b->start = b->end = b->cap = 0;
    b->failed = false;
}

void buf_release(struct buf *b)
{
    bool failed = b->failed;
    if (buf_len(b) > 0)
        return;
    buf_fini(b);
    b->failed = failed;
}

void buf_reset(struct buf *b)
{
    if (b->is_secret)
        secret_wipe(b->data, b->cap);
    b->start = b->end = 0;
    b->failed = false;
}

struct view buf_view(const struct buf *b)
{
    return (struct view){b->data ? b->data + b->start : NULL, b->end - b->start};
}

/* Moves the held bytes to a block of `cap` bytes, and one more for the NUL of vsnprintf. */
static int move_to(struct buf *b, size_t cap)
{
    size_t len = buf_len(b);
    char *data = malloc(cap + 1);
    if (!data)
        return MSA_ENOMEM;
    if (len > 0)
        memcpy(data, b->data + b->start, len);
    drop_memory(b);
    b->data = data;
    b->cap = cap;
    b->start = 0;
    b->end = len;
    return MSA_OK;
}

void buf_lend(struct buf *b, char *mem, size_t mem_bytes)
{
    size_t len = buf_len(b);
    MSA_ASSERT(len <= mem_bytes && !b->is_lent);
    if (len > 0)
        memcpy(mem, b->data + b->start, len);
    drop_memory(b);
    b->data = mem;
    b->start = 0;
    b->end = len;
    b->cap = mem_bytes;
    b->is_lent = true;
}

int buf_settle(struct buf *b)
{
    if (!b->is_lent)
        return MSA_OK;
    size_t len = buf_len(b);
    int err = len > 0 ? move_to(b, len) : MSA_OK;
    if (b->is_lent) { /* nothing left, or no memory for it */
        drop_memory(b);
        b->start = b->end = b->cap = 0;
    }
    return err;
}

static void slide_to_front(struct buf *b, size_t len)
{
    memmove(b->data, b->data + b->start, len);
    if (b->is_secret)
        secret_wipe(b->data + len, b->end - len);
    b->start = 0;
    b->end = len;
}

static size_t next_cap(size_t cap, size_t max)
{
    if (cap == 0)
        return max < CAP_FIRST ? max : CAP_FIRST;
    return cap > max / 2 ? max : cap * 2;
}

static int make_room(struct buf *b, size_t n)
{
    size_t len = buf_len(b);
    if (n > b->max || len > b->max - n)
        return MSA_ETOOBIG;
    if (n <= b->cap - b->end)
        return MSA_OK;
    /* Sliding costs `len` and is paid for by the `start` bytes taken before, so that a long queue
     * drained byte by byte stays linear; otherwise it grows, as far as it may. */
    if (len + n <= b->cap && (b->start >= len || b->cap >= b->max)) {
        slide_to_front(b, len);
        return MSA_OK;
    }
    size_t cap = b->cap;
    do
        cap = next_cap(cap, b->max);
    while (cap < len + n);
    return move_to(b, cap);
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (make_room(b, n) < 0) {
        b->failed = true;
        return NULL;
    }
    return b->data ? b->data + b->end : NULL;
}

size_t buf_room(const struct buf *b)
{
    size_t free_at_end = b->cap - b->end;
    size_t allowed = b->max - buf_len(b);
    return free_at_end < allowed ? free_at_end : allowed;
}

void buf_commit(struct buf *b, size_t n)
{
    MSA_ASSERT(n <= buf_room(b));
    b->end += n;
}

int buf_append(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return MSA_OK;
    int err = make_room(b, n);
    if (err < 0) {
        b->failed = true;
        return err;
    }
    memcpy(b->data + b->end, p, n);
    b->end += n;
    return MSA_OK;
}

int buf_add(struct buf *b, struct view v)
{
    return buf_append(b, v.p, v.n);
}

int buf_add_cstr(struct buf *b, const char *s)
{
    return buf_append(b, s, strlen(s));
}

int buf_add_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list measured;
    va_copy(measured, ap);
    int n = vsnprintf(NULL, 0, fmt, measured);
    va_end(measured);
    int err = n < 0 ? MSA_EINVAL : make_room(b, (size_t)n);
    if (err < 0) {
        b->failed = true;
        return err;
    }
    if (n > 0)
        vsnprintf(b->data + b->end, (size_t)n + 1, fmt, ap); /* move_to left room for the NUL */
    b->end += (size_t)n;
    return MSA_OK;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int err = buf_vaddf(b, fmt, ap);
    va_end(ap);
    return err;
}

int buf_add_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return buf_append(b, digits + at, sizeof digits - at);
}

void buf_take(struct buf *b, size_t n)
{
    MSA_ASSERT(n <= buf_len(b));
    if (b->is_secret && n > 0)
        secret_wipe(b->data + b->start, n);
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buf_truncate(struct buf *b, size_t n)
{
    MSA_ASSERT(n <= buf_len(b));
    if (b->is_secret && b->data)
        secret_wipe(b->data + b->start + n, buf_len(b) - n);
    b->end = b->start + n;
}
