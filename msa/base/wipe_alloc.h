/* An allocator for libraries that hold passwords and do not wipe them (jansson, libsasl2, curl): every
 * block is overwritten when it is freed. Any thread. */
#ifndef MSA_BASE_WIPE_ALLOC_H
#define MSA_BASE_WIPE_ALLOC_H

#include <stddef.h>

/* As malloc, calloc, realloc and free; a block of one family never goes to the other. */
void *wipe_malloc(size_t n);
void *wipe_calloc(size_t count, size_t n);
void *wipe_realloc(void *p, size_t n); /* moves always, so that the old bytes are wiped */
char *wipe_strdup(const char *s);
void wipe_free(void *p);

#endif
