/* struct trainer: takes sorted messages into the token database, and makes a model of all that is in it. One score
 * process has one, the first; the others see what it stores (knowledge.h).
 *
 *     trainer_learn   messages ── document ── features ──→ examples, durable      (a thread of its own)
 *     trainer_train   examples, prior.h ──→ model, durable ──→ in force          (another)
 *
 * A message is not kept: its examples are numbers. The loop's thread, but for the work itself. */
#ifndef POLICY_SCORE_TRAINER_H
#define POLICY_SCORE_TRAINER_H

#include <jansson.h>

#include "msa/io/loop.h"
#include "policy/score/knowledge.h"

#define TRAINER_BATCH_BYTES    (512u << 10)
#define TRAINER_BATCH_MESSAGES 1000u

struct trainer;

/* Loads charset converters: before the sandbox closes. `k` outlives it, and has a database. NULL: out of memory. */
struct trainer *trainer_new(struct loop *loop, struct knowledge *k);
int trainer_serve(struct trainer *t); /* starts two threads */
void trainer_free(struct trainer **t); /* ends a training before its end; answers nobody any more */

struct trainer_learnt {
    int err; /* MSA_OK: durable; MSA_EFULL: there are too many, or no room on the disk */
    uint32_t count;
    struct tokens_added added;
};

/* Once, from the loop, never from inside the call. */
typedef void trainer_learnt_fn(void *peer, uint64_t id, const struct trainer_learnt *learnt);

/* `messages`: put_bytes of each, one behind the other, with LF or CRLF; taken over by the call. MSA_OK; MSA_EFULL (try
 * again) or MSA_ENOMEM: nothing was started. */
int trainer_learn(struct trainer *t, struct buf *messages, bool is_spam, trainer_learnt_fn *fn, void *peer,
                  uint64_t id);
/* Forgets all: examples and model. */
int trainer_forget(struct trainer *t, trainer_learnt_fn *fn, void *peer, uint64_t id);
/* Answers to that peer are no more wanted. */
void trainer_drop_peer(struct trainer *t, const void *peer);

/* MSA_OK with the training's number; MSA_EEXIST: one is under way; MSA_EFULL. */
int trainer_train(struct trainer *t, uint64_t *number_out);
/* {"training", "number", "percent", "last": {"number", "ok", "ms", "outdated" (examples that another version left, and that
 * did not count), and as knowledge_model_json, or "detail"}}; a new reference, or NULL. */
json_t *trainer_status(const struct trainer *t);

#endif
