/* Delivery status notifications: what comes out is bounded and of its form. */
#include <string.h>

#include "msa/mail/dsn.h"
#include "tests/fuzz/fuzz.h"

static bool check(void *arg, const struct dsn_recipient *r)
{
    ++*(int *)arg;
    must(strlen(r->address) <= DSN_ADDRESS_MAX);
    must(r->status[0] == '\0' || dsn_is_status(view_cstr(r->status)));
    must(r->code == 0 || (r->code >= 200 && r->code < 600));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char to[DSN_ADDRESS_MAX + 1];
    int count = 0;
    int n = dsn_read(fuzz_view(data, size), to, check, &count);
    must(n < 0 ? count == 0 : n == count && n <= DSN_RECIPIENTS_MAX);
    must(strlen(to) <= DSN_ADDRESS_MAX);
    return 0;
}
