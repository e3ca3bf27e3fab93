#include "msa/base/wipe_alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/secret.h"

/* Before each block, aligned for any type. */
union head {
    size_t size;
    max_align_t align;
};

void *wipe_malloc(size_t n)
{
    if (n > SIZE_MAX - sizeof(union head))
        return NULL;
    union head *h = malloc(sizeof *h + n);
    if (!h)
        return NULL;
    h->size = n;
    return h + 1;
}

void *wipe_calloc(size_t count, size_t n)
{
    if (n != 0 && count > SIZE_MAX / n)
        return NULL;
    void *p = wipe_malloc(count * n);
    if (p)
        memset(p, 0, count * n);
    return p;
}

void *wipe_realloc(void *p, size_t n)
{
    void *moved = wipe_malloc(n);
    if (!moved || !p)
        return moved;
    size_t old = ((union head *)p - 1)->size;
    memcpy(moved, p, old < n ? old : n);
    wipe_free(p);
    return moved;
}

char *wipe_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = wipe_malloc(n);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

void wipe_free(void *p)
{
    if (!p)
        return;
    union head *h = (union head *)p - 1;
    secret_wipe(p, h->size);
    free(h);
}
