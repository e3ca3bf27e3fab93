#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "relay/queue.h"

TestSuite(relay_queue, .timeout = 60);

static struct queue_entry *add(struct queue *q, uint64_t id, uint64_t account, uint16_t pool)
{
    const struct queue_facts facts = {
        .id = id, .account = account, .bytes = 100, .pool = pool, .state = QUEUE_READY};
    struct queue_entry *e = queue_add(q, &facts);
    cr_assert_not_null(e);
    return e;
}

static struct queue_entry *add_waiting(struct queue *q, uint64_t id, int64_t since_ms, int64_t next_ms)
{
    const struct queue_facts facts = {
        .id = id, .account = 1, .since_ms = since_ms, .next_ms = next_ms, .state = QUEUE_WAITING};
    struct queue_entry *e = queue_add(q, &facts);
    cr_assert_not_null(e);
    return e;
}

static struct queue_entry *take(struct queue *q, uint16_t pool)
{
    struct queue_wait *granted;
    struct queue_entry *e = queue_take(q, pool, &granted);
    cr_expect_null(granted);
    return e;
}

Test(relay_queue, takes_turns_between_accounts)
{
    struct queue *q = queue_new();
    for (uint64_t i = 0; i < 1000; i++)
        add(q, 1 + i, 7, 0);
    add(q, 5001, 8, 0);
    add(q, 5002, 9, 0);
    add(q, 5003, 8, 0);
    static const uint64_t want[] = {1, 5001, 5002, 2, 5003, 3, 4};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        cr_expect_eq(take(q, 0)->id, want[i], "place %zu", i);
    queue_free(&q);
}

Test(relay_queue, a_pool_gives_only_its_own)
{
    struct queue *q = queue_new();
    add(q, 1, 1, 3);
    cr_expect_null(take(q, 0));
    cr_expect_null(take(q, 999));
    cr_expect_eq(queue_takeable_count(q, 0), 0);
    cr_expect_eq(queue_takeable_count(q, 3), 1);
    cr_expect_eq(take(q, 3)->id, 1);
    cr_expect_null(take(q, 3));
    queue_free(&q);
}

Test(relay_queue, same_id_twice_is_refused)
{
    struct queue *q = queue_new();
    struct queue_facts facts = {.id = 5, .account = 1};
    cr_assert_not_null(queue_add(q, &facts));
    facts.account = 2;
    cr_expect_null(queue_add(q, &facts));
    cr_expect_eq(queue_find(q, 5)->account, 1);
    queue_free(&q);
}

Test(relay_queue, attempts_become_due_in_order)
{
    struct queue *q = queue_new();
    struct queue_entry *e;
    queue_set_ages(q, 1000000, 0);
    for (uint64_t i = 0; i < 500; i++)
        add_waiting(q, i + 1, 0, (int64_t)((i * 7919) % 500));
    cr_expect_eq(queue_wait_ms(q, 0), 0);
    int64_t last = -1;
    for (int64_t now = 0; now < 500; now++) {
        while (queue_next_due(q, now, &e) == QUEUE_DUE_ATTEMPT) {
            cr_expect_geq(e->next_ms, last);
            cr_expect_leq(e->next_ms, now);
            cr_expect_eq(e->state, QUEUE_READY);
            last = e->next_ms;
        }
    }
    struct queue_counts counts;
    queue_count_all(q, &counts);
    cr_expect_eq(counts.by_state[QUEUE_READY], 500);
    queue_free(&q);
}

Test(relay_queue, notice_and_expiry_come_once_whether_waiting_or_ready)
{
    struct queue *q = queue_new();
    struct queue_entry *e;
    queue_set_ages(q, 1000, 300);
    add_waiting(q, 1, 0, 5000);
    struct queue_entry *ready = add_waiting(q, 2, 0, 0);
    queue_set_ready(q, ready);
    cr_expect_eq(queue_next_due(q, 299, &e), QUEUE_DUE_NOTHING);
    cr_expect_eq(queue_wait_ms(q, 299), 1);
    cr_expect_eq(queue_next_due(q, 300, &e), QUEUE_DUE_NOTICE);
    cr_expect_eq(queue_next_due(q, 300, &e), QUEUE_DUE_NOTICE);
    cr_expect_eq(queue_next_due(q, 300, &e), QUEUE_DUE_NOTHING);
    cr_expect_eq(queue_next_due(q, 1000, &e), QUEUE_DUE_EXPIRY);
    cr_expect_eq(e->state, QUEUE_ACTIVE);
    cr_expect_eq(queue_next_due(q, 1000, &e), QUEUE_DUE_EXPIRY);
    cr_expect_eq(queue_next_due(q, 1000, &e), QUEUE_DUE_NOTHING);
    cr_expect_eq(queue_wait_ms(q, 1000), -1);
    queue_free(&q);
}

Test(relay_queue, held_mail_neither_leaves_nor_expires)
{
    struct queue *q = queue_new();
    struct queue_entry *e;
    queue_set_ages(q, 1000, 0);
    struct queue_entry *held = add(q, 1, 1, 0);
    queue_set_held(q, held);
    cr_expect_null(take(q, 0));
    cr_expect_eq(queue_next_due(q, 100000, &e), QUEUE_DUE_NOTHING);
    queue_set_ready(q, held);
    cr_expect_eq(take(q, 0), held);
    queue_free(&q);
}

Test(relay_queue, moving_to_another_pool_keeps_the_state)
{
    struct queue *q = queue_new();
    struct queue_counts counts;
    struct queue_entry *e = add(q, 1, 1, 0);
    cr_assert_eq(queue_set_pool(q, e, 20), MSA_OK);
    cr_expect_eq(queue_takeable_count(q, 0), 0);
    cr_expect_eq(take(q, 20), e);
    queue_count_pool(q, 0, &counts);
    cr_expect_eq(counts.bytes + counts.by_state[QUEUE_ACTIVE], 0);
    queue_count_pool(q, 20, &counts);
    cr_expect_eq(counts.bytes, 100);
    cr_expect_eq(counts.by_state[QUEUE_ACTIVE], 1);
    queue_free(&q);
}

static void remove_each(struct queue_entry *e, void *arg)
{
    queue_remove(arg, e);
}

Test(relay_queue, all_of_an_account_can_be_removed_while_walked)
{
    struct queue *q = queue_new();
    for (uint64_t i = 0; i < 100; i++)
        add(q, i + 1, i % 3, (uint16_t)(i % 4));
    queue_each_of(q, 1, remove_each, q);
    struct queue_counts counts;
    queue_count_all(q, &counts);
    cr_expect_eq(counts.by_state[QUEUE_READY], 67);
    queue_each_of(q, 99, remove_each, q);
    queue_free(&q);
}

Test(relay_queue, names_of_pools_are_kept_once)
{
    struct queue *q = queue_new();
    uint16_t main = queue_name_of(q, VIEW_LIT("main"));
    uint16_t other = queue_name_of(q, VIEW_LIT("other"));
    cr_expect_neq(main, other);
    cr_expect_eq(queue_name_of(q, VIEW_LIT("main")), main);
    cr_expect(view_eq(queue_pool_name(q, other), VIEW_LIT("other")));
    cr_expect_eq(queue_pool_name(q, 4000).n, 0);
    queue_free(&q);
}

/* Random walk over all changes of state; counts must agree with a plain recount at the end. */
static void recount(struct queue_entry *e, void *arg)
{
    ((struct queue_counts *)arg)->by_state[e->state]++;
}

static void change_one(struct queue *q, struct queue_entry *e, unsigned what)
{
    switch (what % 6) {
    case 0: queue_set_ready(q, e); break;
    case 1: queue_set_waiting(q, e, (int64_t)(what % 1000)); break;
    case 2: queue_set_held(q, e); break;
    case 3: queue_set_active(q, e); break;
    case 4: (void)queue_set_pool(q, e, (uint16_t)(what % 5)); break;
    default: queue_remove(q, e); break;
    }
}

Test(relay_queue, counts_stay_true_over_any_changes)
{
    struct queue *q = queue_new();
    unsigned state = 12345;
    queue_set_ages(q, 1 << 30, 1 << 20);
    for (int i = 0; i < 200000; i++) {
        state = state * 1103515245u + 12345u;
        unsigned what = state >> 8;
        struct queue_entry *e = queue_find(q, 1 + what % 997);
        if (e)
            change_one(q, e, what / 997);
        else
            add(q, 1 + what % 997, what % 13, (uint16_t)(what % 5));
    }
    struct queue_counts have, want = {0};
    queue_count_all(q, &have);
    queue_each(q, recount, &want);
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        cr_expect_eq(have.by_state[i], want.by_state[i]);
    for (uint16_t pool = 0; pool < 5; pool++) {
        while (take(q, pool))
            ;
    }
    queue_count_all(q, &have);
    cr_expect_eq(have.by_state[QUEUE_READY], 0);
    queue_free(&q);
}

Test(relay_queue, an_entry_is_small)
{
    /* With malloc's 16 bytes and its place in the heap and the table: 200 bytes in all. */
    cr_expect_leq(sizeof(struct queue_entry), 168);
}
