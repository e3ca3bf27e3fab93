/* struct table: hash table of intrusive entries, keyed by bytes under SipHash-1-3 with a random key, so that
 * nobody outside can choose keys that collide. Grows by doubling; iteration order is arbitrary.
 * Owns only its bucket array. Keys live in the caller's objects and must not change while in. */
#ifndef MSA_BASE_TABLE_H
#define MSA_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

struct table_entry {
    struct table_entry *next;
    uint64_t hash;
    struct view key;
};

struct table {
    struct table_entry **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
    uint8_t siphash_key[16];
};

void table_init(struct table *t);
void table_fini(struct table *t); /* entries are the caller's and stay as they are */

/* Inserts `e` under e->key, which the caller has set. MSA_OK, MSA_EEXIST, or MSA_ENOMEM. */
int table_insert(struct table *t, struct table_entry *e);
struct table_entry *table_find(const struct table *t, struct view key); /* NULL if absent */
void table_remove(struct table *t, struct table_entry *e);             /* must be in `t` */

/* Calls fn for each entry; fn may remove the entry that it is given and no other. */
typedef void table_each_fn(struct table_entry *e, void *arg);
void table_each(struct table *t, table_each_fn *fn, void *arg);

uint64_t siphash13(const uint8_t key[16], const void *p, size_t n);

#endif
