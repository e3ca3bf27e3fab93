#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/cache.h"

TestSuite(cache, .timeout = 20);

#define LIFE_MS 1000

static struct cache *cache;
static uint8_t digest[CACHE_DIGEST_BYTES];

static void setup(void)
{
    cache = cache_new(64);
    cr_assert(cache != NULL);
    cache_digest(cache, VIEW_LIT("taro@example.jp"), VIEW_LIT("pencil"), digest);
}

static void teardown(void)
{
    cache_free(&cache);
    cr_assert(cache == NULL);
}

Test(cache, knows_what_was_put_for_its_life, .init = setup, .fini = teardown)
{
    cr_assert(not(cache_has(cache, digest, 5, 1, 0, LIFE_MS)));
    cache_put(cache, digest, 5, 1, 100);
    cr_assert(cache_has(cache, digest, 5, 1, 100, LIFE_MS));
    cr_assert(cache_has(cache, digest, 5, 1, 1099, LIFE_MS));
    cr_assert(not(cache_has(cache, digest, 5, 1, 1100, LIFE_MS)));
}

Test(cache, a_hit_does_not_lengthen_the_life, .init = setup, .fini = teardown)
{
    cache_put(cache, digest, 5, 1, 0);
    for (int64_t now = 0; now < LIFE_MS; now += 100)
        cr_assert(cache_has(cache, digest, 5, 1, now, LIFE_MS));
    cr_assert(not(cache_has(cache, digest, 5, 1, LIFE_MS, LIFE_MS)));
}

Test(cache, another_account_generation_or_password_is_a_miss, .init = setup, .fini = teardown)
{
    uint8_t other[CACHE_DIGEST_BYTES];
    cache_put(cache, digest, 5, 1, 0);
    cr_assert(not(cache_has(cache, digest, 6, 1, 0, LIFE_MS)));
    cr_assert(not(cache_has(cache, digest, 5, 2, 0, LIFE_MS)));
    cache_digest(cache, VIEW_LIT("taro@example.jp"), VIEW_LIT("pencil2"), other);
    cr_assert(not(cache_has(cache, other, 5, 1, 0, LIFE_MS)));
    cache_digest(cache, VIEW_LIT("jiro@example.jp"), VIEW_LIT("pencil"), other);
    cr_assert(not(cache_has(cache, other, 5, 1, 0, LIFE_MS)));
}

Test(cache, a_new_generation_takes_the_old_ones_place, .init = setup, .fini = teardown)
{
    cache_put(cache, digest, 5, 1, 0);
    cache_put(cache, digest, 5, 2, 10);
    cr_assert(cache_has(cache, digest, 5, 2, 10, LIFE_MS));
    cr_assert(not(cache_has(cache, digest, 5, 1, 10, LIFE_MS)));
}

Test(cache, digests_of_two_processes_differ, .init = setup, .fini = teardown)
{
    uint8_t other[CACHE_DIGEST_BYTES];
    struct cache *second = cache_new(64);
    cache_digest(second, VIEW_LIT("taro@example.jp"), VIEW_LIT("pencil"), other);
    cr_assert(memcmp(digest, other, sizeof other) != 0);
    cache_free(&second);
}

/* Many more than fit: the newest of all is always known, and memory stays what it was. */
Test(cache, forgets_the_oldest_when_it_is_full, .init = setup, .fini = teardown)
{
    uint64_t hits, misses;
    size_t known = 0;
    for (int i = 0; i < 1000; i++) {
        char password[16];
        snprintf(password, sizeof password, "p%d", i);
        cache_digest(cache, VIEW_LIT("x"), view_cstr(password), digest);
        cache_put(cache, digest, 1, 1, i);
        cr_assert(cache_has(cache, digest, 1, 1, i, LIFE_MS));
    }
    for (int i = 0; i < 1000; i++) {
        char password[16];
        snprintf(password, sizeof password, "p%d", i);
        cache_digest(cache, VIEW_LIT("x"), view_cstr(password), digest);
        known += cache_has(cache, digest, 1, 1, 1000, 2000);
    }
    cr_assert(known > 32 && known <= 64);
    cache_counts(cache, &hits, &misses);
    cr_assert(eq(u64, hits, 1000 + known));
    cr_assert(eq(u64, misses, 1000 - known));
}
