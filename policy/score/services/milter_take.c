/* What a milter answers, and what becomes of it. A message that has been accepted from its client can be held, refused
 * or deferred as a whole and can get fields; what else a milter may want is noted for the log. */
#include "policy/score/services/milter_private.h"

#include "msa/base/err.h"

#define REPLIES_MAX 20000 /* of one session: progress, and pieces of a new body */
#define ADDED_MAX   64

/* ---- decisions ---- */

static enum milter_taken decide(struct milter_job *m, enum config_service_act act, struct view text,
                                struct view finding)
{
    struct job *j = m->job;
    const struct config_service *set = &j->service->set.common;
    int64_t milli = judgement_act(&j->judgement, act, set->weight_milli, text);
    judgement_find(&j->judgement, set->name, finding, milli);
    return MILTER_TAKEN_OVER;
}

static enum milter_taken reject(struct milter_job *m, struct view text)
{
    return decide(m, m->job->service->set.milter.on_reject,
                  text.n > 0 ? text : VIEW_LIT("message refused"), VIEW_LIT("REJECT"));
}

static enum milter_taken tempfail(struct milter_job *m, struct view text)
{
    return decide(m, m->job->service->set.milter.on_tempfail,
                  text.n > 0 ? text : VIEW_LIT("try again later"), VIEW_LIT("TEMPFAIL"));
}

/* ---- changes ---- */

static enum milter_taken add_field(struct milter_job *m, const struct milter_reply *r, bool at_top)
{
    struct job *j = m->job;
    struct buf value;
    int err = MSA_ETOOBIG;
    if (!j->service->set.milter.add_headers)
        return MILTER_TAKEN_WAIT;
    buf_init(&value, JUDGEMENT_HEADER_MAX);
    if (!(m->protocol & MILTER_LEADING_SPACE))
        buf_add_char(&value, ' ');
    buf_add(&value, r->value);
    if (!buf_failed(&value) && m->added_count++ < ADDED_MAX)
        err = judgement_add_field(&j->judgement, r->name, buf_view(&value), at_top);
    buf_fini(&value);
    if (err < 0)
        m->ignored |= MILTER_IGNORED_ADDED;
    return MILTER_TAKEN_WAIT;
}

/* A change of a field that is not there adds it; to take out what is not there is nothing. */
static enum milter_taken change_field(struct milter_job *m, const struct milter_reply *r)
{
    if (header_count(&m->header, r->name) >= (r->index > 0 ? r->index : 1)) {
        m->ignored |= MILTER_IGNORED_FIELD;
        return MILTER_TAKEN_WAIT;
    }
    return r->value.n > 0 ? add_field(m, r, false) : MILTER_TAKEN_WAIT;
}

static enum milter_taken ignore(struct milter_job *m, enum milter_ignored what)
{
    m->ignored |= what;
    return MILTER_TAKEN_WAIT;
}

/* Only between the end of the message and the last word on it. */
static enum milter_taken take_change(struct milter_job *m, const struct milter_reply *r)
{
    if (m->step != MILTER_STEP_END)
        return MILTER_TAKEN_BROKEN;
    switch (r->command) {
    case MILTER_ADDHEADER: return add_field(m, r, false);
    case MILTER_INSHEADER: return add_field(m, r, true);
    case MILTER_CHGHEADER: return change_field(m, r);
    case MILTER_REPLBODY: return ignore(m, MILTER_IGNORED_BODY);
    case MILTER_CHGFROM: return ignore(m, MILTER_IGNORED_SENDER);
    case MILTER_ADDRCPT:
    case MILTER_ADDRCPT_PAR:
    case MILTER_DELRCPT: return ignore(m, MILTER_IGNORED_RECIPIENT);
    case MILTER_QUARANTINE:
        (void)decide(m, m->job->service->set.milter.on_quarantine,
                     VIEW_LIT("message refused"), VIEW_LIT("QUARANTINE"));
        return MILTER_TAKEN_WAIT;
    default: return MILTER_TAKEN_BROKEN;
    }
}

/* ---- the course ---- */

static enum milter_taken take_options(struct milter_job *m, const struct milter_reply *r)
{
    if (m->step != MILTER_STEP_OPTIONS || r->version < 2 || r->version > MILTER_VERSION ||
        (r->protocol & ~MILTER_ALL_PROTOCOL) || (r->actions & ~MILTER_ALL_ACTIONS))
        return MILTER_TAKEN_BROKEN;
    m->version = r->version;
    m->protocol = r->protocol;
    return MILTER_TAKEN_NEXT;
}

static enum milter_taken take_skip(const struct milter_job *m)
{
    return m->step == MILTER_STEP_BODY && (m->protocol & MILTER_MAY_SKIP) ? MILTER_TAKEN_BODY_OVER
                                                                          : MILTER_TAKEN_BROKEN;
}

static enum milter_taken take_word(struct milter_job *m, const struct milter_reply *r)
{
    switch (r->command) {
    case MILTER_CONTINUE: return m->step == MILTER_STEP_END ? MILTER_TAKEN_OVER : MILTER_TAKEN_NEXT;
    case MILTER_ACCEPT: return MILTER_TAKEN_OVER;
    case MILTER_SKIP: return take_skip(m);
    case MILTER_REJECT: return reject(m, VIEW_EMPTY);
    case MILTER_TEMPFAIL:
    case MILTER_SHUTDOWN: return tempfail(m, VIEW_EMPTY);
    case MILTER_REPLYCODE: return r->code >= 500 ? reject(m, r->text) : tempfail(m, r->text);
    case MILTER_DISCARD:
        return decide(m, m->job->service->set.milter.on_discard, VIEW_LIT("message refused"),
                      VIEW_LIT("DISCARD"));
    case MILTER_CONN_FAIL: return MILTER_TAKEN_BROKEN;
    default: return take_change(m, r);
    }
}

enum milter_taken milter_take(struct milter_job *m, const struct milter_reply *r)
{
    if (++m->reply_count > REPLIES_MAX)
        return MILTER_TAKEN_BROKEN;
    if (r->command == MILTER_PROGRESS && m->step != MILTER_STEP_OPTIONS)
        return MILTER_TAKEN_WAIT;
    if (!m->is_waiting) /* out of turn */
        return MILTER_TAKEN_BROKEN;
    if (r->command == MILTER_OPTIONS || m->step == MILTER_STEP_OPTIONS)
        return r->command == MILTER_OPTIONS ? take_options(m, r) : MILTER_TAKEN_BROKEN;
    return take_word(m, r);
}
