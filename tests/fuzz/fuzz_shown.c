/* What a person sees in From: canonical mailboxes, no more than the maximum; and their
 * skeletons hold no letter that looks like another. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/path.h"
#include "msa/mail/shown.h"
#include "policy/confusable.h"
#include "tests/fuzz/fuzz.h"

static void check_address(struct view address)
{
    struct path path;
    char again[PATH_CANONICAL_SIZE], skeleton[CONFUSABLE_SIZE];
    must(path_parse_address(address, &path) == MSA_OK);
    must(path_canonical(&path, again) == (int)address.n &&
         view_eq(view_cstr(again), address));
    int n = confusable_skeleton(address, skeleton);
    must(n > 0 && strlen(skeleton) == (size_t)n &&
         strpbrk(skeleton, "0OI1|mwMW") == NULL);
    must(!confusable_addresses(address, address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    char skeleton[CONFUSABLE_SIZE];
    buf_init(&out, 65536);
    int n = shown_addresses(fuzz_view(data, size), &out);
    struct view lines = buf_view(&out);
    while (n >= 0 && lines.n > 0) {
        check_address(view_cut(&lines, '\n'));
        n--;
    }
    must(n <= 0);
    n = confusable_skeleton(fuzz_view(data, size), skeleton);
    must((n > 0) == (skeleton[0] != '\0'));
    buf_fini(&out);
    return 0;
}
