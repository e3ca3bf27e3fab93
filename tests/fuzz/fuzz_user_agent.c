/* A browser's name: short, one line of text with an end, and without a word of its own for what claims to be none. */
#include <string.h>

#include "msa/console/user_agent.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[USER_AGENT_SHORT_MAX], again[USER_AGENT_SHORT_MAX];
    struct view text = fuzz_view(data, size);
    memset(out, 'x', sizeof out);
    user_agent_short(text, out);
    must(memchr(out, '\0', sizeof out) != NULL);
    struct view found = view_cstr(out);
    if (view_has_prefix(text, VIEW_LIT("Mozilla/")))
        return 0;
    must(found.n <= text.n && view_eq(found, view_slice(text, 0, found.n)));
    must(view_find(found, ' ') == found.n);
    user_agent_short(found, again);
    must(strcmp(again, out) == 0);
    return 0;
}
