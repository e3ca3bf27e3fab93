/* The session's log lines: one event, one line; conf/EVENTS.md explains them. What the client chose stands
 * in them as values only, never a password, never content. */
#ifndef SMTP_EVENTS_H
#define SMTP_EVENTS_H

#include "msa/base/view.h"
#include "smtp/replies.h"
#include "smtp/session.h"

void event_connect(const struct smtp_session *s);
void event_tls(const struct smtp_session *s);
void event_auth_ok(const struct smtp_session *s, const char *mechanism);

struct auth_failure {
    const char *login; /* "": not understood */
    const char *mechanism, *why;
    uint64_t wrong_password; /* keyed hash, 0: not known */
};
void event_auth_failed(const struct smtp_session *s, const struct auth_failure *failure);

void event_sender_refused(const struct smtp_session *s, enum policy_verdict verdict,
                          struct view text);
void event_mail_accepted(const struct smtp_session *s, enum smtp_reply reply);
void event_mail_refused(const struct smtp_session *s, enum smtp_reply why, struct view text);
void event_score_missing(const struct smtp_session *s);
void event_disconnect(const struct smtp_session *s);

#endif
