/* clamd: zINSTREAM, the message as one chunk (a length of four octets, big endian) from its descriptor, a chunk of
 * length zero; then one answer. It may come before all is sent: a message that is too long for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/services/clamd_answer.h"
#include "policy/score/services/service_private.h"

#define OUTPUT_MAX_BYTES (64u << 10)

struct clamd_job {
    struct conn *conn;
};

/* ---- the answer ---- */

static void found(struct job *j, struct view name)
{
    const struct config_clamd *set = &j->service->set.clamd;
    bool is_heuristic = view_has_prefix(name, VIEW_LIT("Heuristics."));
    char text[IPC_REPLY_MAX];
    snprintf(text, sizeof text, "message contains %s (%.*s)", is_heuristic ? "a threat" : "a virus",
             (int)(name.n < 100 ? name.n : 100), name.p);
    int64_t milli = judgement_act(&j->judgement, is_heuristic ? set->on_heuristic : set->on_virus,
                                set->common.weight_milli, view_cstr(text));
    judgement_find(&j->judgement, set->common.name, name, milli);
    job_answered(j);
}

static void too_big(struct job *j)
{
    const struct config_service *set = &j->service->set.common;
    int64_t milli = judgement_act(&j->judgement, set->on_too_big, set->weight_milli,
                                VIEW_LIT("message is too large to be examined"));
    judgement_find(&j->judgement, set->name, VIEW_LIT("TOO_BIG"), milli);
    j->service->too_big++;
    job_answered(j);
}

static void failed_by(struct job *j, struct view name)
{
    char why[128];
    snprintf(why, sizeof why, "it says: %.*s", (int)(name.n < 100 ? name.n : 100), name.p);
    job_failed(j, why);
}

static bool take_answer(struct job *j)
{
    struct clamd_job *c = j->impl;
    struct view name;
    enum clamd_result result = clamd_answer_parse(buf_view(conn_in(c->conn)), &name);
    switch (result) {
    case CLAMD_MORE: return false;
    case CLAMD_CLEAN: job_answered(j); break;
    case CLAMD_FOUND: found(j, name); break;
    case CLAMD_TOO_BIG: too_big(j); break;
    case CLAMD_ERROR: failed_by(j, name); break;
    case CLAMD_RUBBISH: job_failed(j, "its answer cannot be understood"); break;
    }
    return true;
}

/* ---- the connection ---- */

static void on_connected(void *owner)
{
    struct job *j = owner;
    struct clamd_job *c = j->impl;
    const struct service_request *r = &j->ask->request;
    uint32_t n = (uint32_t)r->body_bytes;
    const char head[] = {'z',  'I', 'N', 'S', 'T', 'R', 'E', 'A', 'M', '\0', (char)(n >> 24), (char)(n >> 16),
                         (char)(n >> 8), (char)n};
    static const char end[4];
    if (conn_write(c->conn, view_of(head, sizeof head)) < 0 ||
        conn_write_file(c->conn, r->fd, 0, r->body_bytes) < 0 ||
        conn_write(c->conn, view_of(end, sizeof end)) < 0)
        job_failed(j, "out of memory");
}

static void on_input(void *owner)
{
    (void)take_answer(owner);
}

static void on_closed(void *owner, enum conn_end end)
{
    struct job *j = owner;
    struct clamd_job *c = j->impl;
    char why[128];
    snprintf(why, sizeof why, "connection ended (%s) %s", conn_end_name(end), conn_error(c->conn));
    c->conn = NULL; /* it dies by itself */
    job_failed(j, why);
}

static const struct conn_events events = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_closed = on_closed,
};

static int clamd_start(struct job *j)
{
    static const struct conn_limits limits = {.input_max_bytes = CLAMD_ANSWER_MAX_BYTES,
                                              .output_max_bytes = OUTPUT_MAX_BYTES};
    struct clamd_job *c = calloc(1, sizeof *c);
    if (!c)
        return MSA_ENOMEM;
    c->conn = service_connect(j, &limits, &events);
    if (!c->conn) {
        free(c);
        return MSA_ENOMEM;
    }
    j->impl = c;
    return MSA_OK;
}

static void clamd_stop(struct job *j)
{
    struct clamd_job *c = j->impl;
    conn_abort(&c->conn);
    free(c);
    j->impl = NULL;
}

const struct service_kind service_clamd = {"clamd", clamd_start, clamd_stop};
