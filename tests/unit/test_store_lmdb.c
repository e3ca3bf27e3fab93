#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "policy/engine/store_lmdb.h"
#include "tests/unit/engine_fixture.h"

static char dir[] = "/tmp/test-store-XXXXXX", path[64];
static struct store_lmdb *lmdb;
static bool (*is_kept)(uint64_t account, void *arg);

static void open_store(size_t map_bytes)
{
    char error[256];
    struct store_lmdb_settings settings = {
        .path = path, .map_bytes = map_bytes, .is_kept = is_kept};
    lmdb = store_lmdb_open(&settings, error, sizeof error);
    cr_assert(lmdb != NULL, "%s", error);
    store = store_lmdb_store(lmdb);
}

static void begin(void)
{
    cr_assert(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/counters.mdb", dir);
}

static void end(void)
{
    char command[128];
    store_lmdb_close(&lmdb);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert(eq(int, system(command), 0));
}

TestSuite(store_lmdb, .timeout = 60, .init = begin, .fini = end);

static struct rule volume = {.name = VIEW_LIT("volume"),
                             .count = COUNT_MESSAGES,
                             .per = PER_ACCOUNT,
                             .within_ms = HOUR_MS,
                             .limit = 3,
                             .actions = THEN_DEFER};
static struct rule guess = {.name = VIEW_LIT("guess"),
                            .count = COUNT_FAILURES,
                            .per = PER_ADDRESS,
                            .within_ms = HOUR_MS,
                            .limit = 2,
                            .actions = THEN_LOCK,
                            .lock_ms = 2 * (int64_t)DAY_MS,
                            .lock_max_ms = 2 * (int64_t)DAY_MS};

static unsigned passes(const struct rule_set *set, unsigned tries)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tries; i++) {
        struct event e = event_of(EVENT_MESSAGE, T0);
        struct verdict v = decide(set, &e);
        n += verdict_is_pass(&v);
    }
    return n;
}

Test(store_lmdb, counts_outlive_the_process)
{
    struct rule_set set = set_of(&volume, 1);
    open_store(16u << 20);
    cr_assert(eq(uint, passes(&set, 2), 2));
    store_lmdb_flush(lmdb);
    cr_assert(eq(uint, passes(&set, 0), 0));
    store_lmdb_close(&lmdb);
    open_store(16u << 20);
    cr_assert(eq(uint, passes(&set, 5), 1));
    struct store_lmdb_usage u = store_lmdb_usage(lmdb);
    cr_assert(eq(u64, u.account_count, 1));
    cr_assert(gt(u64, u.used_bytes, 0));
}

/* Sources lie under a hash whose key is the file's own. */
Test(store_lmdb, a_locked_source_is_found_again)
{
    struct rule_set set = set_of(&guess, 1);
    open_store(16u << 20);
    struct event e = event_of(EVENT_LOGIN_FAILED, T0);
    decide(&set, &e);
    struct verdict v = decide(&set, &e);
    cr_assert(not(verdict_is_pass(&v)));
    store_lmdb_close(&lmdb);
    open_store(16u << 20);
    e.at_ms = T0 + DAY_MS;
    v = decide(&set, &e);
    cr_assert(not(verdict_is_pass(&v)));
}

static struct ipaddr nth_address(uint32_t n)
{
    struct ipaddr a = {{0x20, 0x01, 0x0d, 0xb8}};
    for (int i = 0; i < 4; i++)
        a.bytes[4 + i] = (uint8_t)(n >> (24 - 8 * i));
    return a;
}

Test(store_lmdb, decides_as_the_store_in_memory_does)
{
    struct rule rules[] = {volume,
                           guess,
                           {.name = VIEW_LIT("places"),
                            .count = COUNT_NETWORKS,
                            .per = PER_ACCOUNT,
                            .within_ms = HOUR_MS,
                            .limit = 4,
                            .actions = THEN_SUSPEND},
                           {.name = VIEW_LIT("near"),
                            .count = COUNT_RECIPIENTS,
                            .per = PER_ACCOUNT_NETWORK,
                            .within_ms = DAY_MS,
                            .limit = 30,
                            .actions = THEN_REFUSE}};
    struct rule_set set = set_of(rules, 4);
    struct store *memory = store_memory_new();
    uint64_t random = 7;
    open_store(32u << 20);
    for (int n = 0; n < 20000; n++) {
        static const enum event_kind kinds[] = {EVENT_LOGIN, EVENT_LOGIN_FAILED,
                                                EVENT_MESSAGE};
        struct verdict a, b;
        random = random * 6364136223846793005u + 1442695040888963407u;
        struct event e = event_of(kinds[(random >> 33) % 3], T0 + n * 2000);
        e.account = 1 + (random >> 36) % 50;
        e.ip = nth_address((uint32_t)(random >> 42) % 60);
        e.recipients = 1 + (random >> 50) % 5;
        cr_assert(eq(int, engine_decide(&set, store, &e, &a), MSA_OK));
        cr_assert(eq(int, engine_decide(&set, memory, &e, &b), MSA_OK));
        cr_assert(eq(uint, a.actions, b.actions), "event %d", n);
        cr_assert(eq(uint, a.reason_count, b.reason_count), "event %d", n);
        if (a.reason_count > 0)
            cr_assert(eq(u32, a.reasons[0].value, b.reasons[0].value), "event %d", n);
        if (n % 700 == 0)
            store_lmdb_flush(lmdb);
    }
    store_memory_free(&memory);
}

Test(store_lmdb, what_has_run_out_is_forgotten)
{
    struct rule_set set = set_of(&guess, 1);
    open_store(16u << 20);
    for (uint32_t n = 0; n < 3000; n++) {
        struct event e = event_of(EVENT_LOGIN_FAILED, T0);
        e.account = 0;
        e.ip = nth_address(n);
        decide(&set, &e);
        if (n % 100 == 0)
            decide(&set, &e); /* is locked */
    }
    for (int i = 0; i < 4; i++)
        store_lmdb_care(lmdb, T0 + HOUR_MS / 2);
    cr_assert(eq(u64, store_lmdb_usage(lmdb).source_count, 3000));
    for (int i = 0; i < 4; i++)
        store_lmdb_care(lmdb, T0 + 3 * HOUR_MS);
    cr_assert(eq(u64, store_lmdb_usage(lmdb).source_count, 30), "the locks hold on");
    for (int i = 0; i < 4; i++)
        store_lmdb_care(lmdb, T0 + 10ll * DAY_MS);
    cr_assert(eq(u64, store_lmdb_usage(lmdb).source_count, 0));
    cr_assert(eq(u64, store_lmdb_usage(lmdb).expired_count, 3000));
}

static bool is_small_number(uint64_t account, void *arg)
{
    (void)arg;
    return account <= 500;
}

/* A botnet of new addresses against a small file: it stays bounded, accounts stay, and
 * most locks, too. */
Test(store_lmdb, a_flood_of_addresses_pushes_out_addresses_only)
{
    struct rule rules[] = {volume, guess};
    struct rule_set set = set_of(rules, 2);
    uint32_t locked = 0;
    is_kept = is_small_number;
    open_store(STORE_LMDB_BYTES_MIN);
    for (uint64_t account = 1; account <= 500; account++) {
        struct event e = event_of(EVENT_MESSAGE, T0);
        e.account = account;
        for (int i = 0; i < 4; i++)
            decide(&set, &e);
    }
    for (uint32_t n = 0; n < 50; n++) {
        struct event e = event_of(EVENT_LOGIN_FAILED, T0);
        e.account = 0;
        e.ip = nth_address(n);
        decide(&set, &e);
        decide(&set, &e);
    }
    for (uint32_t n = 1000; n < 151000; n++) {
        struct event e = event_of(EVENT_LOGIN_FAILED, T0 + MINUTE_MS);
        struct verdict v;
        e.account = 0;
        e.ip = nth_address(n);
        cr_assert(eq(int, engine_decide(&set, store, &e, &v), MSA_OK), "address %u", n);
    }
    struct store_lmdb_usage u = store_lmdb_usage(lmdb);
    cr_assert(lt(u64, u.used_bytes, u.max_bytes), "and it never was full");
    cr_assert(gt(u64, u.evicted_count, 10000));
    cr_assert(eq(u64, u.account_count, 500));
    for (uint64_t account = 1; account <= 500; account++) {
        struct event e = event_of(EVENT_MESSAGE, T0 + 2 * MINUTE_MS);
        e.account = account;
        struct verdict v = decide(&set, &e);
        cr_assert(not(verdict_is_pass(&v)), "account %llu", (unsigned long long)account);
    }
    for (uint32_t n = 0; n < 50; n++) {
        struct event e = event_of(EVENT_LOGIN, T0 + 2 * MINUTE_MS);
        e.account = 0;
        e.ip = nth_address(n);
        struct verdict v = decide(&set, &e);
        locked += !verdict_is_pass(&v);
    }
    cr_assert(ge(u32, locked, 45));
}

/* More accounts than the file holds: those under restriction stay. */
Test(store_lmdb, too_many_accounts_push_out_each_other_but_none_that_is_kept)
{
    struct rule_set set = set_of(&volume, 1);
    is_kept = is_small_number;
    static uint32_t recipients[50];
    for (uint32_t i = 0; i < 50; i++)
        recipients[i] = i;
    open_store(STORE_LMDB_BYTES_MIN);
    for (uint64_t account = 1; account <= 60000; account++) {
        struct event e = event_of(EVENT_MESSAGE, T0 + (int64_t)account);
        struct verdict v;
        e.account = account;
        e.recipients = 50;
        e.recipient_hashes = recipients;
        for (int i = 0; i < (account <= 500 ? 4 : 1); i++)
            cr_assert(eq(int, engine_decide(&set, store, &e, &v), MSA_OK));
    }
    struct store_lmdb_usage u = store_lmdb_usage(lmdb);
    cr_assert(lt(u64, u.account_count, 50000));
    for (uint64_t account = 1; account <= 500; account++) {
        struct event e = event_of(EVENT_MESSAGE, T0 + 2 * MINUTE_MS);
        e.account = account;
        struct verdict v = decide(&set, &e);
        cr_assert(not(verdict_is_pass(&v)), "account %llu", (unsigned long long)account);
    }
}

Test(store_lmdb, a_file_of_rubbish_is_begun_anew)
{
    char boot[96];
    struct rule_set set = set_of(&volume, 1);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 4096; i++)
        cr_assert(eq(int, (int)write(fd, "rubbish ", 8), 8));
    close(fd);
    snprintf(boot, sizeof boot, "%s-boot", path);
    fd = open(boot, O_WRONLY | O_CREAT, 0600);
    cr_assert(eq(int, (int)write(fd, "closed\n", 7), 7));
    close(fd);
    open_store(16u << 20);
    cr_assert(eq(uint, passes(&set, 5), 3));
}
