/* News: what happened, told to console for its live list (GET /api/v1/events).
 *
 * Telling never waits and nothing depends on it: without console, or beyond NEWS_PER_SECOND, an event is counted
 * instead, and the next one that is told carries the count. What must not be lost is in the log and in the databases.
 * Neither passwords nor anything of a mail's content is told. */
#ifndef MSA_IPC_NEWS_H
#define MSA_IPC_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "msa/ipc/chan.h"

#define NEWS_PER_SECOND 20

/* name, its word, who tells it. Words are part of the API. */
#define NEWS_KINDS(X)                                                                             \
    X(RESTRICTED, "restriction.begun", ROLE_POLICY)                                                \
    X(RELEASED, "restriction.released", ROLE_POLICY)                                               \
    X(RULE, "rule.applied", ROLE_POLICY)                                                           \
    X(SIGN_INS, "sign-ins.refused", ROLE_POLICY)                                                   \
    X(POOL_DOWN, "pool.down", ROLE_RELAY)                                                          \
    X(POOL_UP, "pool.up", ROLE_RELAY)                                                              \
    X(REFUSES, "destination.refuses", ROLE_RELAY)                                                  \
    X(RECOVERED, "destination.recovered", ROLE_RELAY)                                              \
    X(QUEUE_FULL, "queue.refusing", ROLE_RELAY)                                                    \
    X(QUEUE_OPEN, "queue.open", ROLE_RELAY)                                                        \
    X(SERVICE_DOWN, "service.down", ROLE_SCORE)                                                    \
    X(SERVICE_UP, "service.up", ROLE_SCORE)                                                        \
    X(CONFIG_TAKEN, "configuration.taken", ROLE_SUPERVISOR)                                        \
    X(CONFIG_REFUSED, "configuration.refused", ROLE_SUPERVISOR)                                    \
    X(PROCESS_UP, "process.up", ROLE_SUPERVISOR)                                                   \
    X(PROCESS_DOWN, "process.down", ROLE_SUPERVISOR)                                               \
    X(CHANGE, "change", ROLE_CONSOLE)

enum news_kind {
#define X(name, word, teller) NEWS_##name,
    NEWS_KINDS(X)
#undef X
    NEWS_KIND_COUNT
};

const char *news_kind_name(enum news_kind kind);
enum role news_kind_teller(enum news_kind kind);

/* A role's end of it; all zero is one without console. */
struct news_teller {
    struct chan *console; /* NULL: away */
    int64_t second;       /* monotonic, in seconds: the one that `in_second` counts */
    uint32_t in_second;
    uint32_t untold;
};

/* To be called with each peer of the role. */
void news_peer_up(struct news_teller *t, struct chan *peer);
void news_peer_down(struct news_teller *t, const struct chan *peer);

/* Before `o` is built, where much may happen at once: false if it could not be told now, and it is counted. */
bool news_is_worth_it(struct news_teller *t);

/* `o` is taken over; NULL (out of memory while it was built) counts as untold. */
void news_tell(struct news_teller *t, enum news_kind kind, json_t *o);

#endif
