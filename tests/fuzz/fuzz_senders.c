/* Patterns of senders, two lines: what was parsed once parses to itself; a list takes
 * what parses and stays sound; an address pattern matches itself. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/sender_pattern.h"
#include "policy/senders.h"
#include "tests/fuzz/fuzz.h"

static void check_pattern(struct view pattern)
{
    char again[SENDER_PATTERN_SIZE];
    must(sender_pattern_parse(pattern, again) == (int)pattern.n);
    must(view_eq(view_cstr(again), pattern) && view_find(pattern, '\n') == pattern.n);
    if (!sender_pattern_is_delegated(pattern) && pattern.p[0] != '@' &&
        pattern.p[0] != '.')
        must(sender_pattern_matches(pattern, pattern, VIEW_EMPTY));
    must(!sender_pattern_matches(pattern, VIEW_EMPTY, VIEW_LIT("+")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = fuzz_view(data, size), all = rest, one;
    struct buf list;
    buf_init(&list, SENDERS_BYTES_MAX);
    while (rest.n > 0) {
        char out[SENDER_PATTERN_SIZE];
        one = view_cut(&rest, '\n');
        int n = sender_pattern_parse(one, out);
        must((n > 0) == (out[0] != '\0'));
        if (n > 0)
            check_pattern(view_of(out, (size_t)n));
        must(senders_add(&list, one) == (n > 0 ? MSA_OK : MSA_EINVAL) ||
             buf_len(&list) > 0);
    }
    must(senders_are_sound(buf_view(&list)));
    for (struct view left = buf_view(&list); senders_next(&left, &one);)
        senders_claim(buf_view(&list), one, VIEW_LIT("+-"));
    if (buf_len(&list) > 0) {
        struct view first = buf_view(&list);
        char pattern[SENDER_PATTERN_SIZE];
        must(view_to_cstr(view_cut(&first, '\n'), pattern, sizeof pattern));
        must(senders_remove(&list, view_cstr(pattern)) == MSA_OK);
        must(senders_are_sound(buf_view(&list)));
    }
    senders_are_sound(all);
    buf_fini(&list);
    return 0;
}
