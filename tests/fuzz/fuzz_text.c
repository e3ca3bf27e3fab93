/* The small codecs: base64, xtext, dates, domains. What decodes is written back to the same
 * bytes, and a canonical form has itself for its own. */
#include <string.h>

#include "msa/mail/base64.h"
#include "msa/mail/date.h"
#include "msa/mail/domain.h"
#include "msa/mail/xtext.h"
#include "tests/fuzz/fuzz.h"

static void try_base64(struct view in)
{
    struct buf plain, text;
    buf_init(&plain, in.n);
    buf_init(&text, 2 * in.n + 4);
    if (base64_decode(in, &plain) == 0) {
        must(base64_encode(buf_view(&plain), &text) == 0);
        must(view_eq(buf_view(&text), in));
    }
    buf_reset(&plain);
    buf_reset(&text);
    must(base64_encode(in, &text) == 0);
    must(base64_decode(buf_view(&text), &plain) == 0);
    must(view_eq(buf_view(&plain), in));
    buf_fini(&plain);
    buf_fini(&text);
}

static void try_xtext(struct view in)
{
    struct buf plain, text, again;
    buf_init(&plain, in.n);
    buf_init(&text, 3 * in.n);
    buf_init(&again, in.n);
    if (xtext_decode(in, &plain) == 0) {
        must(xtext_encode(buf_view(&plain), &text) == 0);
        must(xtext_decode(buf_view(&text), &again) == 0);
        must(view_eq(buf_view(&again), buf_view(&plain)));
    }
    buf_fini(&plain);
    buf_fini(&text);
    buf_fini(&again);
}

static void try_domain(struct view in)
{
    char out[DOMAIN_SIZE], again[DOMAIN_SIZE];
    int n = domain_canonical(in, out);
    if (n < 0)
        return;
    must((size_t)n == strlen(out) && n <= DOMAIN_MAX);
    must(domain_canonical(view_cstr(out), again) == n && strcmp(out, again) == 0);
}

static void try_date(struct view in)
{
    int64_t unix_s;
    char out[DATE_SIZE];
    if (!date_parse_iso8601(in, &unix_s))
        return;
    must(unix_s >= -86400);
    must(date_format(unix_s, (int)(in.n % 1440), out) == 31);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    try_base64(in);
    try_xtext(in);
    try_domain(in);
    try_date(in);
    return 0;
}
