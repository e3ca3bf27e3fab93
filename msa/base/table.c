#include "msa/base/table.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define BUCKETS_FIRST 16

/* ---- SipHash-1-3: Aumasson and Bernstein's construction, one round per block, three at the end ---- */

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t siphash13(const uint8_t key[16], const void *p, size_t n)
{
    uint64_t k0, k1;
    memcpy(&k0, key, 8);
    memcpy(&k1, key + 8, 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
                     k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
    const uint8_t *at = p;
    uint64_t tail = (uint64_t)n << 56;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t m;
        memcpy(&m, at, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    for (size_t i = 0; i < n; i++)
        tail |= (uint64_t)at[i] << (8 * i);
    v[3] ^= tail;
    sip_round(v);
    v[0] ^= tail;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

void table_init(struct table *t)
{
    *t = (struct table){0};
    secret_random(t->siphash_key, sizeof t->siphash_key);
}

void table_fini(struct table *t)
{
    free(t->buckets);
    t->buckets = NULL;
    t->bucket_count = t->count = 0;
}

static struct table_entry **bucket_of(const struct table *t, uint64_t hash)
{
    return &t->buckets[hash & (t->bucket_count - 1)];
}

static int grow(struct table *t)
{
    size_t old_count = t->bucket_count;
    struct table_entry **old = t->buckets;
    size_t count = old_count ? old_count * 2 : BUCKETS_FIRST;
    struct table_entry **buckets = calloc(count, sizeof(struct table_entry *));
    if (!buckets)
        return old_count ? MSA_OK : MSA_ENOMEM; /* a full table is slow, not wrong */
    t->buckets = buckets;
    t->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct table_entry *e = old[i];
            old[i] = e->next;
            struct table_entry **head = bucket_of(t, e->hash);
            e->next = *head;
            *head = e;
        }
    }
    free(old);
    return MSA_OK;
}

static struct table_entry *find_hashed(const struct table *t, struct view key, uint64_t hash)
{
    if (t->bucket_count == 0)
        return NULL;
    struct table_entry *e = *bucket_of(t, hash);
    while (e && !(e->hash == hash && view_eq(e->key, key)))
        e = e->next;
    return e;
}

struct table_entry *table_find(const struct table *t, struct view key)
{
    return find_hashed(t, key, siphash13(t->siphash_key, key.p, key.n));
}

int table_insert(struct table *t, struct table_entry *e)
{
    e->hash = siphash13(t->siphash_key, e->key.p, e->key.n);
    if (find_hashed(t, e->key, e->hash))
        return MSA_EEXIST;
    if (t->count >= t->bucket_count) {
        int err = grow(t);
        if (err < 0)
            return err;
    }
    struct table_entry **head = bucket_of(t, e->hash);
    e->next = *head;
    *head = e;
    t->count++;
    return MSA_OK;
}

void table_remove(struct table *t, struct table_entry *e)
{
    MSA_ASSERT(t->bucket_count > 0);
    struct table_entry **at = bucket_of(t, e->hash);
    while (*at && *at != e)
        at = &(*at)->next;
    MSA_ASSERT(*at == e);
    *at = e->next;
    e->next = NULL;
    t->count--;
}

void table_each(struct table *t, table_each_fn *fn, void *arg)
{
    for (size_t i = 0; i < t->bucket_count; i++) {
        struct table_entry *e = t->buckets[i];
        while (e) {
            struct table_entry *next = e->next;
            fn(e, arg);
            e = next;
        }
    }
}
