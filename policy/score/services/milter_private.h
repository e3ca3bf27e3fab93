/* Within policy/score/services: a milter's session, for milter.c (its course), milter_send.c (what it is told) and
 * milter_take.c (what it answers). */
#ifndef POLICY_SCORE_SERVICES_MILTER_PRIVATE_H
#define POLICY_SCORE_SERVICES_MILTER_PRIVATE_H

#include "msa/mail/header.h"
#include "policy/score/services/milter_frame.h"
#include "policy/score/services/service_private.h"

/* In the order in which they are told. */
enum milter_step {
    MILTER_STEP_OPTIONS = 0,
    MILTER_STEP_CONNECT,
    MILTER_STEP_HELO,
    MILTER_STEP_MAIL,
    MILTER_STEP_RCPT,   /* for each recipient */
    MILTER_STEP_DATA,
    MILTER_STEP_HEADER, /* for each field */
    MILTER_STEP_EOH,
    MILTER_STEP_BODY,   /* for each piece */
    MILTER_STEP_END,
    MILTER_STEP_COUNT,
};

struct milter_job {
    struct job *job;
    struct conn *conn;
    struct header header;
    enum milter_step step;
    bool is_waiting;  /* for the reply to what was sent last */
    bool is_over;     /* it knows that this is the end */
    uint32_t version; /* 0 before the options are agreed on */
    uint32_t protocol;
    struct view recipients_left;
    size_t field_at;  /* next one to be sent */
    uint64_t body_at;
    unsigned reply_count;
    unsigned added_count;
    unsigned ignored; /* bits of enum milter_ignored */
};

enum milter_ignored {
    MILTER_IGNORED_FIELD = 1 << 0,     /* a field changed or taken out */
    MILTER_IGNORED_BODY = 1 << 1,
    MILTER_IGNORED_SENDER = 1 << 2,
    MILTER_IGNORED_RECIPIENT = 1 << 3,
    MILTER_IGNORED_ADDED = 1 << 4,     /* a field that is none, or does not fit */
    MILTER_IGNORED_CUT = 1 << 5,       /* a field longer than a frame: it saw only its beginning */
};

/* ---- milter_send.c ---- */

/* The next thing of this step, with its macros. 1: sent; 0: there is none any more; or negative. */
int milter_send_next(struct milter_job *m);
bool milter_step_is_wanted(const struct milter_job *m);
bool milter_step_is_replied(const struct milter_job *m);
void milter_send_quit(struct milter_job *m);

/* ---- milter_take.c ---- */

enum milter_taken {
    MILTER_TAKEN_WAIT = 0, /* more is to come for this step */
    MILTER_TAKEN_NEXT,     /* go on */
    MILTER_TAKEN_BODY_OVER, /* go on behind the body */
    MILTER_TAKEN_OVER,     /* it has decided; the judgement is filled */
    MILTER_TAKEN_BROKEN,   /* against the protocol, or it gives up */
};

enum milter_taken milter_take(struct milter_job *m, const struct milter_reply *r);

#endif
