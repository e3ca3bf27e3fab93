#include "msa/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/secret.h"

#define BLOCK_BYTES 4096
#define ALIGN       _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    max_align_t bytes[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

void arena_init_secret(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes, .is_secret = true};
}

void arena_fini(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        if (a->is_secret)
            secret_wipe(a->head->bytes, a->head->used);
        free(a->head);
        a->head = next;
    }
    a->used_bytes = 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t room = a->max_bytes - a->used_bytes;
    if (n > room || room == 0)
        return NULL; /* tested before the rounding, which could overflow */
    size_t rounded = n == 0 ? ALIGN : (n + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *block = a->head;
    if (!block || rounded > block->size - block->used) {
        size_t size = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        block = calloc(1, sizeof *block + size);
        if (!block)
            return NULL;
        block->size = size;
        block->next = a->head;
        a->head = block;
    }
    void *p = (char *)block->bytes + block->used;
    block->used += rounded;
    a->used_bytes += rounded < room ? rounded : room; /* many small pieces count in full */
    return p;
}

char *arena_strview(struct arena *a, struct view v)
{
    if (v.n >= a->max_bytes)
        return NULL;
    char *p = arena_alloc(a, v.n + 1);
    if (p && v.n > 0)
        memcpy(p, v.p, v.n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strview(a, view_cstr(s));
}

struct view arena_copy(struct arena *a, struct view v)
{
    char *p = v.n > 0 ? arena_strview(a, v) : NULL;
    return p ? view_of(p, v.n) : VIEW_EMPTY;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, measured;
    va_start(ap, fmt);
    va_copy(measured, ap);
    int n = vsnprintf(NULL, 0, fmt, measured);
    va_end(measured);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
