/* The token database: what was learnt from, as numbers, and the model that was made of it. One LMDB file, tokens.mdb,
 * in the state directory of the score processes. No text of any message is in it: an example is the hashes of its
 * features, known by a hash of its bytes, so that a message which is learnt twice counts once, and the last word on
 * it holds.
 *
 *      examples   16 bytes of SHA-256 of the message → u8 (bit 0: spam; above it FEATURE_VERSION), u32 count for each
 *                 family, u32 ids
 *      model      "model" → the bytes of model.h; "trained" → i64, when that was, in milliseconds since 1970
 *
 * An example of another FEATURE_VERSION is outdated: its numbers mean something else now. It stays until the message is
 * learnt anew, or all is forgotten, and is never trained with. (Version 0: from before the version was kept.)
 *
 * Any thread, one at a time for writing; a write blocks for a sync. Several processes may have it open. */
#ifndef POLICY_SCORE_CLASSIFY_TOKENS_H
#define POLICY_SCORE_CLASSIFY_TOKENS_H

#include "policy/score/classify/model.h"

#define TOKENS_EXAMPLES_MAX 100000u
#define TOKENS_ERROR_MAX    256

struct tokens;

/* NULL with a sentence in `error`. */
struct tokens *tokens_open(const char *state_dir, char error[static TOKENS_ERROR_MAX]);
void tokens_close(struct tokens **t); /* NULL inside is fine */

/* Messages to be remembered together: all of them, or none. */
struct tokens_batch;

struct tokens_batch *tokens_batch_new(void); /* NULL without memory */
void tokens_batch_free(struct tokens_batch **b);
/* `message`: the bytes that `f` was read from. MSA_OK or MSA_ENOMEM. */
int tokens_batch_add(struct tokens_batch *b, struct view message, const struct features *f, bool is_spam);

struct tokens_added {
    uint32_t added;   /* not known before, or outdated */
    uint32_t changed; /* known as the other kind */
};
/* Durable when it returns MSA_OK; MSA_EFULL beyond TOKENS_EXAMPLES_MAX or without room on the disk; or the store's error. */
int tokens_remember(struct tokens *t, const struct tokens_batch *b, struct tokens_added *out);
int tokens_forget_all(struct tokens *t); /* examples and model */

/* Adds all examples to `c` but the outdated ones, which it counts; in the order of their hashes, so that the same mail
 * gives the same model in whatever order it came. MSA_OK, MSA_ENOMEM, MSA_ECORRUPT, or the store's error. */
int tokens_read(struct tokens *t, struct corpus *c, uint32_t *outdated_out);

/* Durable when it returns MSA_OK. */
int tokens_put_model(struct tokens *t, const struct model *m, int64_t trained_ms);
/* MSA_OK; MSA_ENOENT: nothing was trained yet; else as model_decode, with a sentence in `*why_out`. */
int tokens_get_model(struct tokens *t, struct model **out, const char **why_out);

/* What the stored model is known by: its checksum, so that the same examples give the same number. MSA_OK, MSA_ENOENT, or
 * the store's error. Reads a few bytes. */
int tokens_model_generation(struct tokens *t, uint64_t *out);
/* When the stored model was trained; 0: there is none, or nobody knows. Reads a few bytes. It stands beside the model, whose
 * checksum hangs on what was learnt alone. */
int64_t tokens_trained_ms(struct tokens *t);
/* By timer: see db_check_readers. */
void tokens_check_readers(struct tokens *t);

#endif
