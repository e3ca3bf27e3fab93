/* Templates of notices: one that passes the check can be filled, whatever the values; the subject stays one line, and
 * no line end in the body is a value's. First byte: how much of the input is the value. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/notice/template.h"
#include "tests/fuzz/fuzz.h"

static size_t count(struct view v, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++)
        n += v.p[i] == c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t value_bytes = fuzz_take_piece(&in);
    struct view value = view_slice(in, 0, value_bytes), text = view_slice(in, value_bytes, in.n);
    const struct matter m = {.login = value, .grounds = value, .at_ms = 1780272000000};
    struct template_error error;
    struct buf subject, body;
    buf_init(&subject, 1u << 22);
    buf_init(&body, 1u << 22);
    if (template_check(text, &error) < 0) {
        must(error.line > 0 && error.what);
        must(template_fill(text, &m, 540, &subject, &body) == MSA_EINVAL);
    } else if (template_fill(text, &m, 540, &subject, &body) == MSA_OK) {
        must(count(buf_view(&subject), '\n') == 0 && count(buf_view(&subject), '\r') == 0);
        must(count(buf_view(&body), '\n') == count(buf_view(&body), '\r'));
        must(count(buf_view(&body), '\n') <= count(text, '\n'));
        must(utf8_is_valid(buf_view(&subject)) && utf8_is_valid(buf_view(&body)));
    }
    buf_fini(&subject);
    buf_fini(&body);
    return 0;
}
