/* struct relay: what the files of this folder share. One per process, made and freed by role.c. */
#ifndef RELAY_STATE_H
#define RELAY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/list.h"
#include "msa/config/config.h"
#include "msa/io/fetch.h"
#include "msa/io/loop.h"
#include "msa/io/threads.h"
#include "msa/ipc/chan.h"
#include "msa/ipc/news.h"
#include "msa/ipc/role.h"
#include "relay/committer.h"
#include "relay/dns.h"
#include "relay/health.h"
#include "relay/pools.h"
#include "relay/queue.h"
#include "relay/shape.h"
#include "relay/spool.h"

struct signing; /* signing.h */

struct relay {
    struct loop *loop;
    const char *state_dir;
    const struct config *config; /* in force; NULL before the first */
    struct spool *spool;
    struct committer *committer;
    struct queue *queue;
    struct shapes *shapes;
    struct healths *healths;
    struct timer fallback; /* looks for pools that are down */
    struct threads *syncers; /* sync large bodies, beside the committer */
    struct signing *signing; /* signs what is about to be sent */
    struct dns *dns;
    struct pools *pools;         /* of the configuration in force */
    struct pools *retired_pools; /* of those before: their links finish; or NULL */
    struct dns *retired_dns;
    struct chan *policy;         /* NULL while it is away */
    struct news_teller news;
    struct list handovers;       /* of struct handover: clients who wait for an answer */
    struct fetcher *fetcher;
    struct list calls;           /* of struct call: of webhooks, under way */
    unsigned call_count;
    struct list changes;         /* of struct change: under way to the disk */
    struct timer due;            /* the next thing that happens to a queued message by time */
    struct timer minute;

    int refusal;               /* bodies_refusal's, as of the last look */
    int64_t looked_at_ms;      /* 0: never */
    bool is_draining;
    bool is_closing; /* the pools go; what still comes back from the disk finds none */
    int64_t drain_left_ms;
    struct timer drain_timer;
    role_drained_fn *on_drained;
    void *drained_arg;

    uint64_t accepted_count; /* since the start, for status */
    uint64_t queued_count;
    uint64_t refused_count;
    uint64_t failed_count;
    uint64_t bounce_count;
};

#endif
