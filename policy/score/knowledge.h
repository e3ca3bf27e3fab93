/* struct knowledge: the token database of this process, and the model in force. The model is loaded before the process
 * serves, and again when another one has been stored, by whichever process: what is stored is looked at by timer.
 *
 * Without a database, or with a model that cannot be used, messages are scored without one: that is in the log once
 * (model-unusable) and in the status. The loop's thread, but for the loading. */
#ifndef POLICY_SCORE_KNOWLEDGE_H
#define POLICY_SCORE_KNOWLEDGE_H

#include <jansson.h>

#include "msa/io/loop.h"
#include "policy/score/classify/tokens.h"
#include "policy/score/shared_model.h"

#define KNOWLEDGE_LOOK_MS 5000

struct knowledge;

/* The model for messages from now on, whose reference it takes over; NULL: none. */
typedef void knowledge_use_fn(void *arg, struct shared_model *model);

/* Opens files: before the sandbox closes. `state_dir` NULL: there is no database. Calls `use` if there is a model. NULL: out
 * of memory. */
struct knowledge *knowledge_new(struct loop *loop, const char *state_dir, knowledge_use_fn *use, void *arg);
int knowledge_serve(struct knowledge *k); /* starts a thread */
void knowledge_free(struct knowledge **k);

/* NULL, with a sentence in `*why_out`: there is none. Lives as long as `k`. */
struct tokens *knowledge_tokens(const struct knowledge *k, const char **why_out);

/* That one was stored just now, and is in force from here on; takes `model` over. NULL: all was forgotten. */
void knowledge_take(struct knowledge *k, struct model *model, uint64_t generation);

/* {"state": "ready" | "untrained" | "unusable", "generation", "ham", "spam", "ham_wrong", "spam_caught", "trained_ms",
 * "detail"}: a new reference, or NULL. */
json_t *knowledge_status(const struct knowledge *k);

/* What is said of a model: the figures of the above. */
json_t *knowledge_model_json(const struct model *m, uint64_t generation);

#endif
