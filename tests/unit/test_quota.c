#include <criterion/criterion.h>

#include "policy/quota.h"

TestSuite(quota, .timeout = 20);

#define HOUR_MS 3600000

static const struct config_rate off;
static const struct config_rate three_an_hour = {.limit = 3, .window_ms = HOUR_MS};

static struct quota_answer take(struct quota *q, const struct config_rate *messages,
                                const struct config_rate *recipients, uint32_t n, int64_t now_ms)
{
    struct quota_ask ask = {.account = 7, .recipient_count = n, .now_ms = now_ms};
    return quota_take(q, messages, recipients, &ask);
}

Test(quota, without_limits_everything_passes_and_nothing_is_remembered)
{
    struct quota *q = quota_new(10, 10);
    for (int i = 0; i < 100; i++)
        cr_assert(take(q, &off, &off, 1000, i).is_allowed);
    cr_assert_eq(quota_account_count(q), 0);
    quota_free(&q);
}

Test(quota, refuses_the_message_beyond_the_limit_until_the_window_ends)
{
    struct quota *q = quota_new(10, 10);
    for (int i = 0; i < 3; i++)
        cr_assert(take(q, &three_an_hour, &off, 1, 1000 + i).is_allowed);
    struct quota_answer a = take(q, &three_an_hour, &off, 1, 2000);
    cr_assert_not(a.is_allowed);
    cr_assert_not(a.is_by_recipients);
    cr_assert_eq(a.wait_ms, HOUR_MS - 1000);
    cr_assert_not(take(q, &three_an_hour, &off, 1, 1000 + HOUR_MS - 1).is_allowed);
    cr_assert(take(q, &three_an_hour, &off, 1, 1000 + HOUR_MS).is_allowed);
    quota_free(&q);
}

Test(quota, counts_recipients_apart_and_takes_nothing_when_it_refuses)
{
    struct quota *q = quota_new(10, 10);
    cr_assert(take(q, &off, &three_an_hour, 2, 0).is_allowed);
    struct quota_answer a = take(q, &off, &three_an_hour, 2, 0);
    cr_assert_not(a.is_allowed);
    cr_assert(a.is_by_recipients);
    cr_assert(take(q, &off, &three_an_hour, 1, 0).is_allowed, "the refused two were not counted");
    cr_assert_not(take(q, &off, &three_an_hour, UINT32_MAX, 0).is_allowed, "no wrap around");
    quota_free(&q);
}

Test(quota, gives_back_what_was_not_kept)
{
    struct quota *q = quota_new(10, 10);
    uint64_t ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = take(q, &three_an_hour, &off, 1, 0).reservation;
    quota_settle(q, ids[0], true);
    cr_assert_not(take(q, &three_an_hour, &off, 1, 0).is_allowed);
    quota_settle(q, ids[1], false);
    quota_settle(q, ids[1], false); /* once only */
    cr_assert(take(q, &three_an_hour, &off, 1, 0).is_allowed);
    cr_assert_not(take(q, &three_an_hour, &off, 1, 0).is_allowed);
    quota_settle(q, 0, false);
    quota_settle(q, 999999, false);
    quota_free(&q);
}

Test(quota, gives_nothing_back_into_a_later_window)
{
    struct quota *q = quota_new(10, 10);
    uint64_t old = take(q, &three_an_hour, &off, 1, 0).reservation;
    for (int i = 0; i < 3; i++)
        cr_assert(take(q, &three_an_hour, &off, 1, HOUR_MS).is_allowed);
    quota_settle(q, old, false);
    cr_assert_not(take(q, &three_an_hour, &off, 1, HOUR_MS + 1).is_allowed);
    quota_free(&q);
}

Test(quota, forgets_the_coldest_account_when_it_is_full)
{
    struct quota *q = quota_new(2, 2);
    static const uint64_t order[] = {1, 2, 1, 3}; /* 2 is the coldest when 3 comes */
    for (size_t i = 0; i < 4; i++) {
        struct quota_ask ask = {.account = order[i], .recipient_count = 1};
        cr_assert(quota_take(q, &three_an_hour, &off, &ask).is_allowed);
    }
    cr_assert_eq(quota_account_count(q), 2);
    struct quota_ask one = {.account = 1, .recipient_count = 1};
    cr_assert(quota_take(q, &three_an_hour, &off, &one).is_allowed);
    cr_assert_not(quota_take(q, &three_an_hour, &off, &one).is_allowed, "1 was remembered");
    struct quota_ask two = {.account = 2, .recipient_count = 1};
    for (int i = 0; i < 3; i++)
        cr_assert(quota_take(q, &three_an_hour, &off, &two).is_allowed, "2 was forgotten");
    quota_free(&q);
}
