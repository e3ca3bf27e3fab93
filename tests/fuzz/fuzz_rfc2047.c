/* Encoded words: whatever is decoded is clean UTF-8, and encoding it comes back. */
#include "msa/base/utf8.h"
#include "msa/mail/rfc2047.h"
#include "tests/fuzz/fuzz.h"

static void must_be_clean(struct view v)
{
    struct buf again;
    buf_init(&again, v.n);
    must(utf8_add_clean(&again, v) == 0);
    must(view_eq(buf_view(&again), v));
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    struct buf out, encoded, back;
    if (!charsets)
        charsets = charsets_new();
    must(charsets != NULL);
    buf_init(&out, 4 * size + 16);
    buf_init(&encoded, 40 * size + 1000);
    buf_init(&back, 40 * size + 1000);
    must(rfc2047_decode(charsets, fuzz_view(data, size), &out) == 0);
    must_be_clean(buf_view(&out));
    must(rfc2047_encode(buf_view(&out), size % 100, &encoded) == 0);
    must(rfc2047_decode(charsets, buf_view(&encoded), &back) == 0);
    must(view_eq(view_trim(buf_view(&back)), view_trim(buf_view(&out))));
    buf_fini(&out);
    buf_fini(&encoded);
    buf_fini(&back);
    return 0;
}
