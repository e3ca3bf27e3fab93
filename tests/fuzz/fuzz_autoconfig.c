/* What Outlook may send: an address that is found is bounded and no markup once it is written. */
#include <string.h>

#include "msa/console/autoconfig.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    char address[AUTOCONFIG_ADDRESS_MAX + 1];
    struct view in = fuzz_view(data, size);
    if (autoconfig_find_address(in, address))
        must(address[0] && strlen(address) <= AUTOCONFIG_ADDRESS_MAX && strlen(address) <= in.n);
    buf_init(&out, 8 * (size + 1));
    autoconfig_add_escaped(&out, in);
    must(!buf_failed(&out));
    must(view_find(buf_view(&out), '<') == buf_len(&out) && view_find(buf_view(&out), '"') == buf_len(&out));
    buf_fini(&out);
    return 0;
}
