/* What old logs say, as events for replay. */
#ifndef MSA_CTL_TRACE_H
#define MSA_CTL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

enum trace_kind { TRACE_LOGIN = 0, TRACE_LOGIN_FAILED, TRACE_SUBMIT, TRACE_MAILBOX };

#define TRACE_TEXT_MAX     320
#define TRACE_ATTEMPTS_MAX 20

struct trace_event {
    int64_t at_ms;
    enum trace_kind kind;
    char account[TRACE_TEXT_MAX]; /* "": a failed sign-in whose name the log does not say
                                   */
    struct ipaddr ip;
    char country[4];         /* "" if the log does not say */
    uint64_t wrong_password; /* a hash, 0 if the log does not say */
    uint64_t sender_hash; /* of a message's envelope sender, 0 if the log does not say */
    uint32_t recipients;
    uint64_t bytes;
    uint32_t attempts; /* of a failed sign-in: how many the line speaks of */
    bool signs_in;     /* a message whose log has no line for the sign-in before it */
};

/* One recipient, one attempt, all else empty. */
void trace_event_init(struct trace_event *t);

/* A login name in lower case. False, and an empty one, if it is empty, too long, or not
 * printable. */
bool trace_account(struct view name, char out[TRACE_TEXT_MAX]);

/* A hash of an envelope sender, whatever its case; 0 if it is empty or too long. */
uint64_t trace_sender(struct view address);

/* A line of JSON: t (seconds since 1970), ev (auth-ok, auth-fail, submit, mra-ok), acct,
 * ip, and where known cc (country), sess, mfrom, hfrom, rcpts, size. Unknown keys are
 * passed over. 0, or MSA_EINVAL: the line is none of ours. */
int trace_parse_json(struct view line, struct trace_event *out);

#endif
