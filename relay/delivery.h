/* struct delivery: one attempt to hand one message to a smarthost. Its owner submits it to a pool
 * (pool.h), which gives it to a link; `done` says how it went. */
#ifndef RELAY_DELIVERY_H
#define RELAY_DELIVERY_H

#include <stdbool.h>

#include "msa/base/list.h"
#include "relay/message.h"
#include "relay/shape.h"

enum delivery_end {
    DELIVERY_ANSWERED = 0, /* every pending recipient has the smarthost's answer, or ours for it */
    DELIVERY_LOST,         /* the link failed on the way: open ones were answered with a 4xx of ours */
    DELIVERY_NOT_TRIED,    /* there was no link to be had; no answers */
};

struct delivery;
typedef void delivery_done_fn(struct delivery *d, enum delivery_end end);

struct delivery {
    struct list link; /* the pool's while it waits */
    struct message *m;
    struct shape_passes passes; /* what it may use; released by its owner when it is done */
    delivery_done_fn *done; /* in the loop, once, never inside the call that submitted it */
    void *arg;
    int64_t signed_ms;   /* clock_mono_ms when its signature was there */
    int64_t sent_ms;     /* clock_mono_ms when a link got it */
    bool is_sent;        /* a link has it */
    bool is_second_try;  /* a kept link had died on it before a reply */
    bool was_dsn_spoken; /* the smarthost offered DSN: success notices are its duty now */
    char pool[IPC_NAME_MAX + 1]; /* that sent it; "": none did */
    char host[64];       /* that answered, for the log: address and port */
};

#endif
