/* Records in a hash table: what replay and the tests run on. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/table.h"
#include "policy/engine/store.h"

struct item {
    struct table_entry entry;
    struct store_key key;
    uint64_t version;
    char *bytes;
    size_t length;
};

struct store_memory {
    struct store base;
    struct table items;
};

static struct item *find(struct store_memory *m, const struct store_key *key)
{
    struct table_entry *e = table_find(&m->items, view_of(key->bytes, key->length));
    return e ? CONTAINER_OF(e, struct item, entry) : NULL;
}

static int read_many(struct store *s, struct store_record *records, unsigned count)
{
    struct store_memory *m = (struct store_memory *)s;
    for (unsigned i = 0; i < count; i++) {
        const struct item *item = find(m, &records[i].key);
        records[i].version = item ? item->version : 0;
        records[i].bytes = item ? view_of(item->bytes, item->length) : VIEW_EMPTY;
    }
    return MSA_OK;
}

static struct item *add(struct store_memory *m, const struct store_key *key)
{
    struct item *item = calloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->key = *key;
    item->entry.key = view_of(item->key.bytes, item->key.length);
    if (table_insert(&m->items, &item->entry) < 0) {
        free(item);
        return NULL;
    }
    return item;
}

static int write_one(struct store_memory *m, const struct store_record *r)
{
    struct item *item = find(m, &r->key);
    if (!item)
        item = add(m, &r->key);
    char *bytes = item ? malloc(r->bytes.n ? r->bytes.n : 1) : NULL;
    if (!bytes)
        return MSA_EAGAIN;
    memcpy(bytes, r->bytes.p, r->bytes.n);
    free(item->bytes);
    item->bytes = bytes;
    item->length = r->bytes.n;
    item->version++;
    return MSA_OK;
}

static int swap_many(struct store *s, const struct store_record *records, unsigned count)
{
    struct store_memory *m = (struct store_memory *)s;
    for (unsigned i = 0; i < count; i++) {
        const struct item *item = find(m, &records[i].key);
        if ((item ? item->version : 0) != records[i].version)
            return MSA_EEXIST;
    }
    for (unsigned i = 0; i < count; i++) {
        int err = write_one(m, &records[i]);
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

static const struct store_ops memory_ops = {.read_many = read_many,
                                            .swap_many = swap_many};

struct store *store_memory_new(void)
{
    struct store_memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->base.ops = &memory_ops;
    table_init(&m->items);
    return &m->base;
}

static void free_item(struct table_entry *e, void *arg)
{
    struct table *items = arg;
    struct item *item = CONTAINER_OF(e, struct item, entry);
    table_remove(items, e);
    free(item->bytes);
    free(item);
}

void store_memory_free(struct store **s)
{
    if (!*s)
        return;
    struct store_memory *m = (struct store_memory *)*s;
    table_each(&m->items, free_item, &m->items);
    table_fini(&m->items);
    free(m);
    *s = NULL;
}
