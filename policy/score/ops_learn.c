/* The operations by which msad learns from sorted mail. Only the first score process does, and all see the result:
 *
 *     score.learn          {"kind": "ham" | "spam", "messages": [base64, …]}: remembered, durable, not yet in force
 *     score.train          begins to make a model of all that is remembered
 *     score.train-status   how far that is, and how the last one ended
 *     score.forget         everything                                                                        */
#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/mail/base64.h"
#include "policy/score/state.h"

/* NULL after a refusal. */
static struct trainer *trainer_of(struct score *s, const struct admin_call *call)
{
    const char *why = "";
    if (s->trainer)
        return s->trainer;
    if (s->index > 0)
        admin_refuse(call->chan, call->id, 503, "the score process that learns is away: try again");
    else if (s->knowledge && !knowledge_tokens(s->knowledge, &why))
        admin_refuse(call->chan, call->id, 503, "the token database cannot be used: %s", why);
    else
        admin_refuse(call->chan, call->id, 503, "out of memory");
    return NULL;
}

static void refuse_for(struct chan *c, uint64_t id, int err)
{
    if (err == MSA_EFULL)
        admin_refuse(c, id, 507, "there is no room for more examples: %u are the most", TOKENS_EXAMPLES_MAX);
    else
        admin_refuse(c, id, err == MSA_EINVAL ? 422 : 503, "%s", msa_strerror(err));
}

static void answer_learnt(void *peer, uint64_t id, const struct trainer_learnt *learnt)
{
    if (learnt->err < 0)
        refuse_for(peer, id, learnt->err);
    else
        admin_reply(peer, id, 200,
                    json_pack("{s:I, s:I, s:I}", "messages", (json_int_t)learnt->count, "added",
                              (json_int_t)learnt->added.added, "changed", (json_int_t)learnt->added.changed));
}

/* ---- score.learn ---- */

/* MSA_EINVAL: one is none; MSA_ETOOBIG: they are too many bytes. */
static int decode_messages(const json_t *list, struct buf *out)
{
    size_t i;
    const json_t *one;
    struct buf message;
    int err = MSA_OK;
    buf_init(&message, TRAINER_BATCH_BYTES + 3);
    json_array_foreach(list, i, one) {
        struct view encoded = json_is_string(one) ? view_of(json_string_value(one), json_string_length(one)) : VIEW_EMPTY;
        buf_reset(&message);
        err = encoded.n > 0 ? base64_decode(encoded, &message) : MSA_EINVAL;
        if (err == MSA_OK && buf_len(&message) > TRAINER_BATCH_BYTES)
            err = MSA_ETOOBIG;
        if (err == MSA_OK)
            put_bytes(out, buf_view(&message));
        if (err == MSA_OK && buf_failed(out))
            err = MSA_ETOOBIG;
        if (err < 0)
            break;
    }
    buf_fini(&message);
    return err;
}

static void start_learning(struct trainer *t, const struct admin_call *call, const json_t *list, bool is_spam)
{
    struct buf messages;
    buf_init(&messages, TRAINER_BATCH_BYTES + 8 * TRAINER_BATCH_MESSAGES);
    int err = decode_messages(list, &messages);
    if (err == MSA_OK) {
        err = trainer_learn(t, &messages, is_spam, answer_learnt, call->chan, call->id);
        if (err < 0)
            admin_refuse(call->chan, call->id, 503, "too much is being learnt: try again");
        return;
    }
    buf_fini(&messages);
    if (err == MSA_EINVAL)
        admin_refuse(call->chan, call->id, 422, "'messages' are to be messages in base64");
    else
        admin_refuse(call->chan, call->id, 413, "messages of %u bytes together are learnt at once", TRAINER_BATCH_BYTES);
}

static void op_learn(void *state, const struct admin_call *call)
{
    struct trainer *t = trainer_of(state, call);
    struct view kind = admin_text(call->args, "kind");
    const json_t *list = json_object_get(call->args, "messages");
    bool is_spam = view_eq(kind, VIEW_LIT("spam"));
    if (!t)
        return;
    if (!is_spam && !view_eq(kind, VIEW_LIT("ham")))
        admin_refuse(call->chan, call->id, 422, "'kind' is ham or spam");
    else if (json_array_size(list) == 0 || json_array_size(list) > TRAINER_BATCH_MESSAGES)
        admin_refuse(call->chan, call->id, 422, "'messages' are 1 to %u", TRAINER_BATCH_MESSAGES);
    else
        start_learning(t, call, list, is_spam);
}

/* ---- the others ---- */

static void op_train(void *state, const struct admin_call *call)
{
    uint64_t number;
    struct trainer *t = trainer_of(state, call);
    if (!t)
        return;
    int err = trainer_train(t, &number);
    if (err == MSA_EEXIST)
        admin_refuse(call->chan, call->id, 409, "a training is under way");
    else if (err < 0)
        admin_refuse(call->chan, call->id, 503, "%s", msa_strerror(err));
    else
        admin_reply(call->chan, call->id, 202, json_pack("{s:I}", "number", (json_int_t)number));
}

static void op_train_status(void *state, const struct admin_call *call)
{
    struct trainer *t = trainer_of(state, call);
    if (t)
        admin_reply(call->chan, call->id, 200, trainer_status(t));
}

static void op_forget(void *state, const struct admin_call *call)
{
    struct trainer *t = trainer_of(state, call);
    if (t && trainer_forget(t, answer_learnt, call->chan, call->id) < 0)
        admin_refuse(call->chan, call->id, 503, "too much is being learnt: try again");
}

const struct admin_op score_learn_ops[] = {
    {"score.learn", op_learn, true},
    {"score.train", op_train, true},
    {"score.train-status", op_train_status, false},
    {"score.forget", op_forget, true},
};

const size_t score_learn_op_count = sizeof score_learn_ops / sizeof score_learn_ops[0];
