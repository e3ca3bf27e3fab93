/* The services that are asked about a message: rspamd, clamd and milters.
 *
 * All of them are asked at once. Each has a deadline, a bound on how many messages it has at a time and how many
 * wait for it, and a circuit breaker; one that fails, is slow, or talks rubbish counts as not asked, and the log
 * and the status say so. Nothing here blocks, and no more of a message than its header is in memory.
 *
 * One thread: the loop's. Names are not looked up: services stand at addresses. */
#ifndef POLICY_SCORE_SERVICES_SERVICES_H
#define POLICY_SCORE_SERVICES_SERVICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/config/config.h"
#include "msa/io/loop.h"
#include "msa/ipc/news.h"
#include "policy/score/services/judgement.h"

struct services;
struct service_ask;

/* NULL: out of memory. Before the sandbox closes (curl). Nothing of `config` is kept. */
struct services *services_new(struct loop *loop, const struct config *config);
void services_free(struct services **s); /* cancels what is under way; not from a service_done_fn */

/* From now on these. A service that is as before keeps its breaker and its counts; questions under way end with
 * the settings that they began with. MSA_OK, or MSA_ENOMEM with the old ones in force. */
int services_reconfigure(struct services *s, const struct config *config);
/* Whom to tell that one is down or up again; it outlives the services. NULL: nobody. */
void services_set_teller(struct services *s, struct news_teller *news);
size_t services_count(const struct services *s);

struct service_request {
    uint64_t message; /* its queue id */
    struct view login;
    struct ipaddr client_ip;
    struct view helo;
    struct view sender;     /* without brackets; "" is the null sender */
    struct view recipients; /* items: recipient (messages.def) */
    int fd; /* read by offset; the caller's, open until the answer or the cancel */
    uint64_t header_bytes; /* fields, from the first byte on, without the empty line */
    uint64_t body_bytes;   /* all of it: fields, empty line, body */
    int64_t within_ms;     /* for all services together; 0: their own deadlines are enough */
};

#define SERVICE_RESULT_FINDINGS_MAX 64

struct service_result {
    uint32_t asked_count;    /* 0: there is none */
    uint32_t answered_count; /* the others counted as not asked */
    bool is_scored; /* `score_milli` counts: rspamd has answered, or an act `score` applied */
    int64_t score_milli;
    enum score_action action; /* the strictest */
    const char *text;         /* to the client, for that action; "" */
    const struct service_finding *findings; /* the weightiest first */
    size_t finding_count;
    struct view added_header; /* whole fields, CRLF behind each; at most JUDGEMENT_HEADER_MAX */
};

/* Once, from the loop; what `result` points to is valid in it. */
typedef void service_done_fn(void *arg, const struct service_result *result);

/* Copies what it needs of `request`. MSA_OK and a handle, or MSA_ENOMEM; `fn` is never called from inside. */
int services_ask(struct services *s, const struct service_request *request, service_done_fn *fn,
                 void *arg, struct service_ask **ask_out);
/* `fn` is not called any more. NULL is fine. Not from a service_done_fn, where it is over. */
void services_cancel(struct service_ask **ask);

/* An array, a new reference, or NULL: out of memory. Of each service: kind, name, socket, state (of its breaker),
 * asked, answered, failed, skipped (for the breaker, a full queue, or a wait in vain), too_big, running, waiting, mean_ms,
 * last_error. */
json_t *services_status(const struct services *s);

#endif
