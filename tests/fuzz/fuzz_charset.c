/* Charsets: the first byte chooses one; whatever the rest is, it becomes UTF-8, the same
 * each time, and as much as fits where the buffer is small. */
#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/charset.h"
#include "tests/fuzz/fuzz.h"

static const char *const labels[] = {
    "us-ascii",  "utf-8",      "iso-2022-jp",  "iso-2022-jp-3", "euc-jp",
    "shift_jis", "iso-8859-1", "iso-8859-2",   "iso-8859-15",   "iso-2022-kr",
    "euc-kr",    "gb18030",    "big5",         "big5-hkscs",    "koi8-r",
    "utf-16",    "utf-16be",   "windows-1251", "windows-1255",  "windows-1258",
    "tis-620",
};
#define LABELS (sizeof labels / sizeof labels[0])

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    struct buf whole, again, small;
    if (!charsets)
        charsets = charsets_new();
    must(charsets != NULL);
    if (size == 0)
        return 0;
    struct view label = view_cstr(labels[data[0] % LABELS]);
    struct view text = fuzz_view(data + 1, size - 1);
    buf_init(&whole, CHARSET_GROWTH * size + 16);
    buf_init(&again, CHARSET_GROWTH * size + 16);
    buf_init(&small, size / 3);
    must(charset_to_utf8(charsets, label, text, &whole) == MSA_OK);
    must(utf8_is_valid(buf_view(&whole)));
    int err = charset_to_utf8(charsets, label, text, &small);
    must(err == MSA_OK || err == MSA_ETOOBIG);
    must(view_has_prefix(buf_view(&whole), buf_view(&small)));
    must(charset_to_utf8(charsets, label, text, &again) ==
         MSA_OK); /* nothing is left of the text before */
    must(view_eq(buf_view(&whole), buf_view(&again)));
    must(charset_to_utf8(NULL, label, text, &again) == MSA_OK || buf_failed(&again));
    buf_fini(&whole);
    buf_fini(&again);
    buf_fini(&small);
    return 0;
}
