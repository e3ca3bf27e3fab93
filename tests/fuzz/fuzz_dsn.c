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
    struct dsn_about about;
    uint64_t id;
    int count = 0;
    int n = dsn_read(fuzz_view(data, size), &about, check, &count);
    must(n < 0 ? count == 0 : n == count && n <= DSN_RECIPIENTS_MAX);
    must(strlen(about.to) <= DSN_ADDRESS_MAX && strlen(about.message_id) <= DSN_MESSAGE_ID_MAX);
    must(about.queue_id[0] == '\0' || msgid_parse(view_cstr(about.queue_id), &id));
    return 0;
}
