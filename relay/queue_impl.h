/* Within the index: what queue.c and queue_lane.c share. */
#ifndef RELAY_QUEUE_IMPL_H
#define RELAY_QUEUE_IMPL_H

#include "relay/queue_lane.h"

struct queue {
    struct table by_id;
    struct table accounts;
    struct table lanes; /* but the free ones */
    struct heap by_due; /* those that something happens to by time */
    struct queue_pool **pools; /* by number */
    size_t pool_count;
    struct queue_hooks hooks;
    char **names;
    size_t name_count;
    int64_t expiry_ms;
    int64_t notice_ms;
};

#endif
