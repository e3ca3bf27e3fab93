/* struct arena: memory that dies together (a transaction, a parsed configuration). Allocations are
 * zeroed and aligned for any type; nothing is freed singly. Bounded like a buf. */
#ifndef MSA_BASE_ARENA_H
#define MSA_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used_bytes; /* handed out so far, rounded up to the alignment */
    size_t max_bytes;
    bool is_secret; /* wiped when it is freed */
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_init_secret(struct arena *a, size_t max_bytes);
void arena_fini(struct arena *a);  /* frees everything; the arena may be used again */

/* All return NULL when memory or the maximum is exhausted. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strview(struct arena *a, struct view v);     /* copy with a NUL behind it */
struct view arena_copy(struct arena *a, struct view v); /* {NULL, 0} on failure or for an empty view */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
