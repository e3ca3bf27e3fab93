/* What the score process tells an operator: its counters, and what it says of a message that is shown to it. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/mail/base64.h"
#include "policy/score/state.h"

/* ---- status ---- */

static json_t *verdicts_json(const struct score_jobs_counts *n)
{
    return json_pack("{s:I, s:I, s:I}", "clean", (json_int_t)n->of_class[SCORE_CLEAN], "suspect",
                     (json_int_t)n->of_class[SCORE_SUSPECT], "spam", (json_int_t)n->of_class[SCORE_SPAM]);
}

static void op_status(void *state, const struct admin_call *call)
{
    const struct score *s = state;
    struct score_jobs_counts n = score_jobs_counts(s->jobs);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "asked",
                          (json_int_t)n.asked, "scored", (json_int_t)n.scored, "neutral",
                          (json_int_t)n.neutral, "late", (json_int_t)n.late, "failed",
                          (json_int_t)n.failed, "dropped", (json_int_t)n.dropped, "full",
                          (json_int_t)n.full, "open", (json_int_t)n.open, "bytes",
                          (json_int_t)n.bytes, "verdicts", verdicts_json(&n), "services", score_jobs_services(s->jobs),
                          "classifier", knowledge_status(s->knowledge)));
}

/* ---- check ---- */

#define CHECK_BYTES_MAX (512u << 10) /* as base64 it fits one message, and msactl cuts there */

static json_t *fingerprints_json(const struct fingerprints *f)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < f->count; i++) {
        char number[17];
        snprintf(number, sizeof number, "%016" PRIx64, f->numbers[i]);
        bool is_link = i < f->link_count;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s*}", "number", number, "of",
                                              is_link ? "link" : "body", "domain",
                                              is_link ? f->domains[i] : NULL));
    }
    return list;
}

static const char *const action_names[] = {
    [SCORE_ACTION_NONE] = "none",
    [SCORE_ACTION_HOLD] = "hold",
    [SCORE_ACTION_DEFER] = "defer",
    [SCORE_ACTION_REFUSE] = "refuse",
};

static void answer_check(void *arg, const void *peer, uint64_t question,
                         const struct score_verdict *v)
{
    (void)arg;
    admin_reply((struct chan *)peer, question, 200,
                json_pack("{s:f, s:b, s:b, s:b, s:s, s:o, s:o, s:I}", "score",
                          (double)v->score_milli / 1000.0, "scored", v->is_scored, "late",
                          v->is_late, "cut", v->is_cut, "action", action_names[v->action], "findings", findings_json(v->findings),
                          "fingerprints", fingerprints_json(v->fingerprints), "ms",
                          (json_int_t)v->took_ms));
}

/* The message in memory that has a descriptor, as one of a session has. -1: none. */
static int as_descriptor(struct view message)
{
    int fd = memfd_create("check", MFD_CLOEXEC);
    for (size_t at = 0; fd != -1 && at < message.n;) {
        ssize_t n = write(fd, message.p + at, message.n - at);
        if (n > 0) {
            at += (size_t)n;
        } else {
            close(fd);
            fd = -1;
        }
    }
    return fd;
}

static uint64_t header_bytes_of(struct view message)
{
    struct view rest = message;
    while (rest.n > 0) {
        struct view line = view_cut(&rest, '\n');
        if (line.n == 0 || view_eq(line, VIEW_LIT("\r")))
            return (uint64_t)(line.p - message.p);
    }
    return message.n;
}

static void start_check(struct score *s, const struct admin_call *call, struct view message)
{
    const struct msg_score_ask ask = {
        .login = admin_text(call->args, "login"),
        .sender = admin_text(call->args, "sender"),
        .header_bytes = header_bytes_of(message),
        .body_bytes = message.n,
        .recipient_count = (uint32_t)admin_number(call->args, "recipients", 1),
    };
    int fd = as_descriptor(message);
    if (fd == -1)
        admin_refuse(call->chan, call->id, 503, "no descriptor could be had for the message");
    else if (score_jobs_start(s->jobs, &ask, fd, answer_check, s, call->chan, call->id) < 0)
        admin_refuse(call->chan, call->id, 503, "too many messages are being scored: try again");
}

static void op_check(void *state, const struct admin_call *call)
{
    struct buf message;
    struct view encoded = admin_text(call->args, "message");
    buf_init(&message, CHECK_BYTES_MAX + 3);
    int err = base64_decode(encoded, &message);
    if (encoded.n == 0 || err == MSA_EINVAL)
        admin_refuse(call->chan, call->id, 400, "'message' is to be a message in base64");
    else if (err < 0 || buf_len(&message) > CHECK_BYTES_MAX)
        admin_refuse(call->chan, call->id, 413, "a message of at most %u bytes is looked at",
                     CHECK_BYTES_MAX);
    else
        start_check(state, call, buf_view(&message));
    buf_fini(&message);
}

static const struct admin_op ops[] = {
    {"score.status", op_status, false},
    {"score.check", op_check, false},
};

int score_on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    const struct admin_table tables[] = {
        {ops, sizeof ops / sizeof ops[0]},
        {score_learn_ops, score_learn_op_count},
    };
    return admin_dispatch_tables(tables, sizeof tables / sizeof tables[0], owner, c, m);
}
