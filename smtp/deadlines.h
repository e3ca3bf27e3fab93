/* How long each step of a session may take. No clock starts anew because a byte arrived: a command line,
 * an AUTH exchange and a message have a total time or a mean rate, so that a trickle buys
 * nothing (slow loris). Answers of other roles have their deadlines in the channel. */
#ifndef SMTP_DEADLINES_H
#define SMTP_DEADLINES_H

#include <stdint.h>

#include "smtp/session.h"

#define SMTP_NEVER INT64_MAX

/* The step begins now: from the session's phase and wait. Called at every change of either and
 * behind every command. */
void smtp_deadline_step(struct smtp_session *s);

/* The present step ends in `after_ms` (a delay). */
void smtp_deadline_after(struct smtp_session *s, int64_t after_ms);

/* Message bytes have arrived. */
void smtp_deadline_body(struct smtp_session *s);

enum smtp_overdue {
    OVERDUE_NOTHING = 0,
    OVERDUE_STEP,
    OVERDUE_SESSION,
    OVERDUE_OUTPUT,
};

enum smtp_overdue smtp_deadline_overdue(const struct smtp_session *s);

#endif
