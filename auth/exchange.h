/* The AUTH exchanges under way: at most one for each session of each peer, bounded in number, each
 * step a job of the worker threads. A step that needs somebody else's word (authority.h) is two jobs with a question
 * between them, and counts as one until its end.
 *
 * All calls from the loop's thread. An answer is given from a job's completion or from within the
 * call (a refusal that needs no work); each exchange is ended by exactly one `done`, unless the
 * peer aborted it or is gone: then nobody is told. */
#ifndef AUTH_EXCHANGE_H
#define AUTH_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "auth/authority.h"
#include "auth/verify.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"
#include "msa/io/threads.h"
#include "msa/ipc/messages.h"

struct exchanges;

/* Where answers go. `peer` is what exchanges_start was given. */
struct exchange_owner {
    void (*challenge)(void *arg, void *peer, uint64_t session, struct view challenge);
    void (*done)(void *arg, void *peer, const struct msg_auth_done *m);
    /* `account` as it should be stored from now on; copied by the callee. */
    void (*upgrade)(void *arg, const char *login, const struct account *account);
    void *arg;
    /* v->app_id was right, from `country` ("" if unknown), and its record is to say so; NULL: it is not kept. */
    void (*used)(void *arg, const struct verify *v, const char *country);
};

struct exchange_limits {
    size_t exchange_count;       /* under way in all */
    size_t step_count;           /* in the workers' queue or hands, in all */
    size_t step_per_source_count; /* the same of one address (IPv6: one /64) */
    int64_t deadline_ms;         /* of a whole exchange: behind the session's own, against leaks */
};

struct exchange_counts {
    size_t running;
    size_t steps;      /* in the workers' queue or hands, or waiting for an authority */
    uint64_t started;
    uint64_t succeeded;
    uint64_t failed;
    uint64_t turned_away; /* over a limit */
};

/* NULL: no memory. `workers` and `env` outlive it. */
struct exchanges *exchanges_new(struct loop *loop, struct threads *workers,
                                const struct verify_env *env, const struct exchange_owner *owner);
/* After threads_free(workers). Nobody is told. */
void exchanges_free(struct exchanges **x);

/* For exchanges that start from now on; copied. MSA_OK or MSA_ENOMEM with the old ones in force. */
int exchanges_configure(struct exchanges *x, const struct verify_rules *rules,
                        const struct exchange_limits *limits);

/* Whom to ask; without one such sign-ins are unavailable. `a` is copied and outlives the exchanges. */
void exchanges_set_authority(struct exchanges *x, enum authority_kind kind, const struct authority *a);

/* MSA_OK, or MSA_EPROTO: the session has an exchange already, or a step under way. */
int exchanges_start(struct exchanges *x, void *peer, const struct msg_auth_start *m);
int exchanges_step(struct exchanges *x, void *peer, const struct msg_auth_step *m);
void exchanges_abort(struct exchanges *x, void *peer, uint64_t session);
void exchanges_drop_peer(struct exchanges *x, const void *peer);
void exchanges_drop_all(struct exchanges *x);

void exchanges_refuse_new(struct exchanges *x); /* drain: AUTH_UNAVAILABLE for what starts now */
size_t exchanges_running(const struct exchanges *x);
void exchanges_counts(const struct exchanges *x, struct exchange_counts *out);

#endif
