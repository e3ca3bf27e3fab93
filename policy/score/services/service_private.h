/* Within policy/score/services: a service, and a question to it.
 *
 * A question (job) waits, runs, ends. While it runs its kind owns `impl`: start() makes it, stop() frees it and is
 * called exactly once for each start() that went well. The kind says job_answered or job_failed, once, never from
 * within start() or stop(). */
#ifndef POLICY_SCORE_SERVICES_SERVICE_PRIVATE_H
#define POLICY_SCORE_SERVICES_SERVICE_PRIVATE_H

#include "msa/base/arena.h"
#include "msa/base/breaker.h"
#include "msa/base/list.h"
#include "msa/io/conn.h"
#include "msa/io/fetch.h"
#include "policy/score/services/services.h"

struct job;

struct service_kind {
    const char *name;
    int (*start)(struct job *j); /* MSA_OK, or negative and nothing begun */
    void (*stop)(struct job *j);
};

extern const struct service_kind service_rspamd;
extern const struct service_kind service_clamd;
extern const struct service_kind service_milter;

struct service {
    struct list link; /* of services.active or .retired */
    struct services *owner;
    const struct service_kind *kind;
    union { /* its strings stand in `arena` */
        struct config_service common;
        struct config_rspamd rspamd;
        struct config_clamd clamd;
        struct config_milter milter;
    } set;
    struct config_service_address at;
    struct arena arena;
    struct breaker breaker;
    struct list waiting; /* of jobs, the oldest first */
    struct list running;
    uint32_t waiting_count;
    uint32_t running_count;
    uint64_t asked, answered, failed, skipped, too_big, answer_ms;
    char last_error[128];
};

enum job_state { JOB_IDLE = 0, JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
    struct list link; /* of its service's waiting or running */
    struct service *service;
    struct service_ask *ask;
    struct timer deadline;
    enum job_state state;
    bool is_probe;
    bool is_answered;
    int64_t started_ms;
    void *impl;
    struct judgement judgement;
};

struct service_ask {
    struct list link;
    struct services *owner;
    struct arena arena;
    struct service_request request; /* views into `arena` */
    uint32_t recipient_count;
    service_done_fn *fn;
    void *arg;
    struct loop_hook hook; /* WORK: all have ended */
    uint32_t open_count;
    uint32_t job_count;
    struct job *jobs;
};

struct services {
    struct loop *loop;
    struct news_teller *news; /* NULL: nobody watches */
    struct fetcher *fetcher;
    char hostname[256];
    struct list active;
    struct list retired; /* not configured any more, and not idle yet */
    uint32_t active_count;
    struct list asks;
};

/* `judgement` is filled. */
void job_answered(struct job *j);
/* It counts as not asked, and as a failure of the service. `why` is for people, of no length in particular. */
void job_failed(struct job *j, const char *why);

/* A connection to the service. NULL: out of memory or descriptors. */
struct conn *service_connect(struct job *j, const struct conn_limits *limits,
                             const struct conn_events *events);

#endif
