/* Within policy/score/services: what services.c does with a service. */
#ifndef POLICY_SCORE_SERVICES_SERVICE_H
#define POLICY_SCORE_SERVICES_SERVICE_H

#include "policy/score/services/service_private.h"

/* `settings` is the config struct of that kind; copied with its strings. NULL: out of memory. */
struct service *service_new(struct services *owner, const struct service_kind *kind,
                            const void *settings, size_t settings_bytes);
void service_free(struct service **s); /* without jobs */
bool service_is_same(const struct service *a, const struct service *b);

/* Begins a job, or ends it. `j->service`, `ask` and an initialised judgement are set. */
void service_take(struct service *s, struct job *j);
/* A cancelled one: nothing is reported. Fine for one that has ended. */
void service_drop(struct job *j);

/* ---- services.c ---- */

void ask_close_if_over(struct service_ask *ask);
void ask_report(struct service_ask *ask); /* frees it */

#endif
