/* Postfix's login maps: every sender that comes out is a pattern, every login a word. */
#include "msa/ctl/sender_maps.h"
#include "msa/mail/sender_pattern.h"
#include "tests/fuzz/fuzz.h"

static void check_pair(void *arg, struct view login, struct view sender)
{
    char again[SENDER_PATTERN_SIZE];
    ++*(uint32_t *)arg;
    must(login.n > 0 && view_find(login, ' ') == login.n && view_find(login, ',') == login.n);
    must(sender_pattern_parse(sender, again) == (int)sender.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf errors;
    uint32_t pairs = 0;
    buf_init(&errors, 65536);
    struct sender_maps_result r =
        sender_maps_read(fuzz_view(data, size), "f", check_pair, &pairs, &errors);
    must(r.pair_count == pairs);
    buf_fini(&errors);
    return 0;
}
