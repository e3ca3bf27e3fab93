/* What policy tells those who watch console's live list (msa/ipc/news.h): restrictions as they begin and end, rules that
 * acted or on trial would have, how many sign-ins were refused. */
#ifndef POLICY_WATCHED_H
#define POLICY_WATCHED_H

#include "policy/restriction.h"
#include "policy/state.h"

/* It began, or it was released. */
void watched_restriction(struct policy *p, uint64_t id, const struct restriction *r);

/* A lock that still stands is no news. */
void watched_rule(struct policy *p, const struct event *e, const struct reason *reason, struct view login);

/* To be called about once a second: what was refused since the last time, each few seconds, where there was any. */
void watched_sign_ins(struct policy *p);

#endif
