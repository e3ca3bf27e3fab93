#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "auth/account.h"
#include "msa/base/err.h"

TestSuite(account, .timeout = 20);

static struct account sample(bool has_cram)
{
    struct account a = {
        .id = 0x0102030405060708u,
        .created_ms = 1700000000000,
        .changed_ms = -5,
        .generation = 7,
        .is_disabled = has_cram,
        .kind = HASH_YESCRYPT,
        .secret = "$y$j75$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6",
        .has_cram = has_cram,
    };
    if (has_cram)
        for (size_t i = 0; i < sizeof a.cram; i++)
            a.cram[i] = (uint8_t)(i * 9);
    return a;
}

static void assert_same(const struct account *a, const struct account *b)
{
    cr_assert(eq(u64, a->id, b->id));
    cr_assert(eq(i64, a->created_ms, b->created_ms));
    cr_assert(eq(i64, a->changed_ms, b->changed_ms));
    cr_assert(eq(uint, a->generation, b->generation));
    cr_assert(eq(int, a->is_disabled, b->is_disabled));
    cr_assert(eq(int, (int)a->kind, (int)b->kind));
    cr_assert(eq(str, (char *)a->secret, (char *)b->secret));
    cr_assert(eq(int, a->has_cram, b->has_cram));
    cr_assert(memcmp(a->cram, b->cram, sizeof a->cram) == 0);
}

Test(account, record_round_trip)
{
    for (int has_cram = 0; has_cram < 2; has_cram++) {
        struct account a = sample(has_cram), b;
        struct buf record;
        buf_init_secret(&record, ACCOUNT_RECORD_MAX);
        account_encode(&a, &record);
        cr_assert(not(buf_failed(&record)));
        cr_assert(eq(int, account_decode(buf_view(&record), &b), MSA_OK));
        assert_same(&a, &b);
        buf_fini(&record);
    }
}

/* The layout that the head of account.h draws, byte by byte: records of today are read tomorrow. */
Test(account, record_layout)
{
    static const uint8_t want[] = {1, 1, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0,
                                   0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 2, 0, 0, 0, 'a', 'b'};
    struct account a = {.id = 0x0102030405060708u,
                        .created_ms = 1,
                        .changed_ms = 2,
                        .generation = 3,
                        .is_disabled = true,
                        .kind = HASH_BCRYPT,
                        .secret = "ab"};
    struct buf record;
    buf_init(&record, ACCOUNT_RECORD_MAX);
    account_encode(&a, &record);
    cr_assert(eq(sz, buf_len(&record), sizeof want + 8));
    cr_assert(memcmp(buf_view(&record).p, want, sizeof want) == 0);
    buf_fini(&record);
}

Test(account, every_damage_is_noticed)
{
    struct account a = sample(true), out, zero = {0};
    struct buf record;
    buf_init(&record, ACCOUNT_RECORD_MAX);
    account_encode(&a, &record);
    struct view whole = buf_view(&record);
    char damaged[ACCOUNT_RECORD_MAX];
    for (size_t i = 0; i < whole.n * 8; i++) {
        memcpy(damaged, whole.p, whole.n);
        damaged[i / 8] = (char)(damaged[i / 8] ^ (1 << i % 8));
        cr_assert(eq(int, account_decode(view_of(damaged, whole.n), &out), MSA_ECORRUPT));
        cr_assert(memcmp(&out, &zero, sizeof out) == 0);
    }
    for (size_t n = 0; n < whole.n; n++)
        cr_assert(eq(int, account_decode(view_of(whole.p, n), &out), MSA_ECORRUPT));
    memset(damaged, 0, sizeof damaged);
    memcpy(damaged, whole.p, whole.n);
    cr_assert(eq(int, account_decode(view_of(damaged, whole.n + 1), &out), MSA_ECORRUPT));
    buf_fini(&record);
}

/* What sums up right but no release of ours would have written. */
Test(account, refuses_records_without_sense)
{
    struct account rows[3] = {sample(false), sample(false), sample(false)};
    rows[0].id = 0;
    rows[1].kind = HASH_NONE;
    rows[2].kind = (enum hash_kind)HASH_KIND_COUNT;
    for (size_t i = 0; i < 3; i++) {
        struct account out;
        struct buf record;
        buf_init(&record, ACCOUNT_RECORD_MAX);
        account_encode(&rows[i], &record);
        cr_assert(eq(int, account_decode(buf_view(&record), &out), MSA_ECORRUPT));
        buf_fini(&record);
    }
}

Test(account, wipe_leaves_nothing)
{
    struct account a = sample(true), zero = {0};
    account_wipe(&a);
    cr_assert(memcmp(&a, &zero, sizeof a) == 0);
}
