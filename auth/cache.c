#include "auth/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keyed.h"
#include "msa/base/secret.h"

#define WAYS 4

struct entry {
    uint8_t digest[CACHE_DIGEST_BYTES];
    uint64_t account; /* 0: empty */
    int64_t put_ms;
    uint32_t generation;
};

struct cache {
    pthread_mutex_t mutex; /* over everything but `key`, for a few hundred nanoseconds */
    uint8_t key[KEYED_BYTES];
    size_t entry_count;
    uint64_t hits, misses;
    struct entry entries[];
};

struct cache *cache_new(size_t entry_count)
{
    size_t count = WAYS;
    while (count < entry_count)
        count *= 2;
    struct cache *c = calloc(1, sizeof *c + count * sizeof(struct entry));
    if (!c)
        return NULL;
    c->entry_count = count;
    secret_random(c->key, sizeof c->key);
    pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void cache_free(struct cache **c)
{
    if (!*c)
        return;
    pthread_mutex_destroy(&(*c)->mutex);
    secret_wipe(*c, sizeof **c + (*c)->entry_count * sizeof(struct entry));
    free(*c);
    *c = NULL;
}

void cache_digest(const struct cache *c, struct view login, struct view password,
                  uint8_t out[CACHE_DIGEST_BYTES])
{
    keyed_hash(c->key, "verified credential", login, password, out);
}

/* The digest is uniform, so its first bytes choose the bucket. */
static struct entry *bucket_of(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES])
{
    uint64_t n;
    memcpy(&n, digest, sizeof n);
    return &c->entries[(n & (c->entry_count / WAYS - 1)) * WAYS];
}

static struct entry *find(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES])
{
    struct entry *bucket = bucket_of(c, digest);
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].account != 0 &&
            secret_eq(view_of((const char *)bucket[i].digest, CACHE_DIGEST_BYTES),
                      view_of((const char *)digest, CACHE_DIGEST_BYTES)))
            return &bucket[i];
    return NULL;
}

bool cache_has(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t account,
               uint32_t generation, int64_t now_ms, int64_t life_ms)
{
    pthread_mutex_lock(&c->mutex);
    const struct entry *e = find(c, digest);
    bool is_hit = e && e->account == account && e->generation == generation &&
                  now_ms - e->put_ms < life_ms;
    if (is_hit)
        c->hits++;
    else
        c->misses++;
    pthread_mutex_unlock(&c->mutex);
    return is_hit;
}

/* Empty, or the oldest. */
static struct entry *victim_of(struct entry *bucket)
{
    struct entry *oldest = &bucket[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].account == 0)
            return &bucket[i];
        if (bucket[i].put_ms < oldest->put_ms)
            oldest = &bucket[i];
    }
    return oldest;
}

void cache_put(struct cache *c, const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t account,
               uint32_t generation, int64_t now_ms)
{
    pthread_mutex_lock(&c->mutex);
    struct entry *e = find(c, digest);
    if (!e)
        e = victim_of(bucket_of(c, digest));
    memcpy(e->digest, digest, sizeof e->digest);
    e->account = account;
    e->generation = generation;
    e->put_ms = now_ms;
    pthread_mutex_unlock(&c->mutex);
}

void cache_counts(struct cache *c, uint64_t *hits_out, uint64_t *misses_out)
{
    pthread_mutex_lock(&c->mutex);
    *hits_out = c->hits;
    *misses_out = c->misses;
    pthread_mutex_unlock(&c->mutex);
}
