/* struct score_jobs: the messages that are being scored. A job asks all parts at once, waits for them until its deadline, and
 * gives one verdict of what has answered by then:
 *
 *     score_jobs_start ──┬── scan (a worker thread) ───────┐
 *                        ├── services (services.h) ────────┼──→ verdict, once, from the loop
 *                        └── deadline (a timer) ───────────┘
 *
 * What has not answered is left out and named as a finding of no points ("late:scan", "missing:services"). A job whose asker is gone gives
 * no verdict. Bounded by the number of jobs; each holds a descriptor. Everything but scans runs in the loop's
 * thread. */
#ifndef POLICY_SCORE_JOBS_H
#define POLICY_SCORE_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "msa/io/loop.h"
#include "msa/ipc/news.h"
#include "msa/ipc/messages.h"
#include "policy/score/findings.h"
#include "policy/score/fingerprint.h"
#include "policy/score/rules.h"
#include "policy/score/shared_model.h"

struct score_jobs;

struct score_verdict {
    uint64_t message;
    bool is_scored; /* false: nothing has answered */
    bool is_late;   /* something has not */
    bool is_cut;    /* see scan.h */
    int64_t score_milli;
    const struct findings *findings;         /* the weightiest first */
    const struct fingerprints *fingerprints; /* none where the scan has not answered */
    enum score_action action;                /* of a service */
    struct view text;                        /* to the client, for that */
    struct view added_header;
    int64_t took_ms;
};

/* Once, from the loop, never from inside score_jobs_start. What `v` points to is valid in it. */
typedef void score_verdict_fn(void *arg, const void *peer, uint64_t question,
                              const struct score_verdict *v);

/* What a score means with the rules that come with msad, for counting: what becomes of a message, routes say. */
enum score_class { SCORE_CLEAN, SCORE_SUSPECT, SCORE_SPAM, SCORE_CLASSES };
#define SCORE_SUSPECT_MILLI 5000
#define SCORE_SPAM_MILLI    10000

struct score_jobs_counts {
    uint64_t asked;
    uint64_t scored;
    uint64_t neutral; /* nothing had answered, or there was no room */
    uint64_t late;    /* verdicts from which something was missing */
    uint64_t failed;  /* scans that ended with an error */
    uint64_t dropped; /* the asker was gone */
    uint64_t full;    /* no room */
    uint64_t bytes;
    uint64_t of_class[SCORE_CLASSES]; /* scored mail, checks left out */
    unsigned open;
};

/* Opens what the sandbox will not let be opened; starts no thread: score_jobs_serve does, behind the sandbox's door. NULL: out of memory. */
struct score_jobs *score_jobs_new(struct loop *loop, const struct config *config);
/* Whom to tell of services that are down; outlives the jobs. */
void score_jobs_set_teller(struct score_jobs *j, struct news_teller *news);
int score_jobs_serve(struct score_jobs *j);
void score_jobs_free(struct score_jobs **j); /* waits for scans; gives no more verdicts; NULL is fine */

/* For jobs from now on. MSA_OK, or MSA_ENOMEM with the old settings in force. */
int score_jobs_configure(struct score_jobs *j, const struct config *config);

/* The question `question` of `peer`. `fd` is the job's from here on. MSA_OK; MSA_EFULL or MSA_ENOMEM: no verdict will come,
 * and fd is closed. */
int score_jobs_start(struct score_jobs *j, const struct msg_score_ask *ask, int fd,
                     score_verdict_fn *fn, void *arg, const void *peer, uint64_t question);

/* Nobody waits for that one any more; for none of that peer's. Unknown ones are fine. */
void score_jobs_drop(struct score_jobs *j, const void *peer, uint64_t question);
void score_jobs_drop_peer(struct score_jobs *j, const void *peer);

/* services_status: a new reference, or NULL. */
json_t *score_jobs_services(const struct score_jobs *j);

/* See scanner_set_model. */
void score_jobs_set_model(struct score_jobs *j, struct shared_model *model);

struct score_jobs_counts score_jobs_counts(const struct score_jobs *j);

/* `fn` from the loop when none is open. */
typedef void score_jobs_idle_fn(void *arg);
void score_jobs_when_idle(struct score_jobs *j, score_jobs_idle_fn *fn, void *arg);

#endif
