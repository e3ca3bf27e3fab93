/* struct store: where records live between events. Two operations, so that LMDB on one
 * machine and Redis for several are small files under the same engine.
 *
 * Keys are short bytes (STORE_KEY_MAX), the first saying the kind of subject. A swap
 * names the version that was read; if any of its records has another one by now, nothing
 * is written and the engine decides again. */
#ifndef POLICY_ENGINE_STORE_H
#define POLICY_ENGINE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define STORE_KEY_MAX  32
#define STORE_MANY_MAX 24

struct store_key {
    uint8_t length;
    char bytes[STORE_KEY_MAX];
};

struct store_record {
    struct store_key key;
    uint64_t version; /* 0: was not there */
    struct view
        bytes; /* read: valid until the next call on the store; swap: the caller's */
};

struct store {
    const struct store_ops *ops;
};

struct store_ops {
    /* 0, or MSA_EAGAIN. Fills version and bytes of each of `count` records. */
    int (*read_many)(struct store *s, struct store_record *records, unsigned count);
    /* 0; MSA_EEXIST: a version has moved on, nothing was written; MSA_EAGAIN. */
    int (*swap_many)(struct store *s, const struct store_record *records, unsigned count);
};

/* In memory, for replay and tests: unbounded, not shared. */
struct store *store_memory_new(void); /* NULL: out of memory */
void store_memory_free(struct store **s);

#endif
