/* struct quota: how many messages and recipients an account has had in the present window.
 *
 * Taking reserves before the body comes; settling keeps the reservation or gives it back. Memory
 * is bounded: of accounts and reservations the least recently used go first, which can only forget a count or keep
 * what might have been given back. Nothing here is durable. */
#ifndef POLICY_QUOTA_H
#define POLICY_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/config/config.h"

struct quota;

struct quota *quota_new(size_t account_max, size_t reservation_max); /* NULL: out of memory */
void quota_free(struct quota **q);

struct quota_ask {
    uint64_t account;
    uint32_t recipient_count;
    int64_t now_ms;
};

struct quota_answer {
    bool is_allowed;
    bool is_by_recipients; /* which of the two limits said no */
    uint64_t reservation;  /* 0: nothing to settle */
    int64_t wait_ms;       /* until the window ends that is full */
};

/* One message of `ask`. Out of memory allows: a lost count is better than lost mail. */
struct quota_answer quota_take(struct quota *q, const struct config_rate *messages,
                               const struct config_rate *recipients, const struct quota_ask *ask);

/* Unknown ids (0, settled, forgotten) are fine. */
void quota_settle(struct quota *q, uint64_t reservation, bool is_kept);

size_t quota_account_count(const struct quota *q);

#endif
