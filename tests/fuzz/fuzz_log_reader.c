/* Lines of mail logs, several to an input, so that what joins them is exercised, too. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/ctl/log_reader.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_reader r;
    struct view rest = fuzz_view(data, size);
    if (size > 16384 || log_reader_init(&r, 2026) < 0)
        return 0;
    r.clock.has_zone = true;
    while (rest.n > 0) {
        struct trace_event t;
        int err = log_reader_line(&r, view_cut(&rest, '\n'), &t);
        must(err == MSA_OK || err == MSA_ENOENT || err == MSA_EINVAL);
        if (err != MSA_OK)
            continue;
        must(t.at_ms > 0);
        must(!ipaddr_is_none(&t.ip) || t.kind <= TRACE_MAILBOX);
        must(memchr(t.account, '\0', sizeof t.account) != NULL);
        must(t.kind == TRACE_LOGIN_FAILED || t.account[0] != '\0');
        must(t.attempts >= 1 && t.attempts <= TRACE_ATTEMPTS_MAX);
    }
    log_reader_fini(&r);
    return 0;
}
