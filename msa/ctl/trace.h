/* Old logs, one line at a time, as events for replay.
 *
 * JSON lines: t (seconds since 1970), ev (auth-ok, auth-fail, submit, mra-ok), acct, ip,
 * and where known cc (country), sess, mfrom, hfrom, rcpts, size. Unknown keys are passed
 * over. */
#ifndef MSA_CTL_TRACE_H
#define MSA_CTL_TRACE_H

#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

enum trace_kind { TRACE_LOGIN = 0, TRACE_LOGIN_FAILED, TRACE_SUBMIT, TRACE_MAILBOX };

#define TRACE_TEXT_MAX 320

struct trace_event {
    int64_t at_ms;
    enum trace_kind kind;
    char account[TRACE_TEXT_MAX];
    struct ipaddr ip;
    char country[4];         /* "" if the log does not say */
    uint64_t wrong_password; /* a hash, 0 if the log does not say */
    uint32_t recipients;
    uint64_t bytes;
};

/* 0, or MSA_EINVAL: the line is none of ours. */
int trace_parse_json(struct view line, struct trace_event *out);

#endif
