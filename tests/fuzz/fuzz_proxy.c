/* PROXY headers: a good one needs each of its bytes, and none behind it changes it. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/io/proxy.h"
#include "tests/fuzz/fuzz.h"

#define LENGTH_MAX 1024

static void check_good(struct view in, enum proxy_versions allowed, const struct proxy_header *h)
{
    struct proxy_header again;
    must(h->length > 0 && h->length <= in.n && h->length <= LENGTH_MAX);
    must(proxy_parse(view_slice(in, 0, h->length), allowed, &again) == MSA_OK);
    must(memcmp(&again, h, sizeof again) == 0);
    for (size_t n = 0; n < h->length; n++)
        must(proxy_parse(view_slice(in, 0, n), allowed, &again) == MSA_EAGAIN);
    if (h->is_local)
        must(ipaddr_is_none(&h->source) && ipaddr_is_none(&h->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    for (int allowed = PROXY_V1; allowed <= PROXY_ANY; allowed++) {
        struct proxy_header h;
        memset(&h, 0, sizeof h); /* padding is compared, too */
        int err = proxy_parse(in, (enum proxy_versions)allowed, &h);
        must(err == MSA_OK || err == MSA_EAGAIN || err == MSA_EPROTO);
        if (err == MSA_OK)
            check_good(in, (enum proxy_versions)allowed, &h);
        if (err == MSA_EAGAIN)
            must(in.n < LENGTH_MAX);
    }
    return 0;
}
