/* The built-in part of a score: what the message itself says, without any service. Runs in worker threads.
 *
 *     message ── document ──┬── score_rule blocks ──→ findings
 *                           ├── what was learnt ────→ finding BAYES (classify/)
 *                           └── text, links ────────→ fingerprints                                             */
#ifndef POLICY_SCORE_SCAN_H
#define POLICY_SCORE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/score/findings.h"
#include "policy/score/fingerprint.h"
#include "policy/score/rules.h"
#include "policy/score/shared_model.h"

struct scanner; /* a reader for each thread */

/* Loads charset converters: before the sandbox closes. NULL: out of memory. */
struct scanner *scanner_new(unsigned thread_count);
void scanner_free(struct scanner **s); /* no scan may be under way; NULL is fine */

/* For scans from now on; takes over the reference. NULL: nothing was learnt. Any thread. */
void scanner_set_model(struct scanner *s, struct shared_model *model);

struct scan_request {
    int fd; /* read by offset; the caller's */
    uint64_t message_bytes;
    struct view sender;
    uint32_t recipient_count;
    bool is_explained; /* the finding BAYES says what it is made of */
};

struct scan_result {
    struct findings findings;
    struct fingerprints fingerprints;
    bool is_cut; /* some text, some parts or some links were too much to be looked at */
};

void scan_result_init(struct scan_result *r);
void scan_result_fini(struct scan_result *r);

/* Any thread, as many at once as scanner_new was told. Blocks for reading a local file. MSA_OK; MSA_EIO or
 * MSA_ENOMEM: nothing in `out` counts. */
int scanner_run(struct scanner *s, const struct score_rules *rules,
                const struct scan_request *request, struct scan_result *out);

#endif
