/* Login names: the canonical form of a canonical form is itself, and it holds nothing that
 * hurts a log. */
#include <string.h>

#include "msa/base/utf8.h"
#include "msa/mail/login.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    char out[LOGIN_SIZE], again[LOGIN_SIZE], clean[LOGIN_SIZE];
    struct buf password, text;
    int n = login_canonical(in, VIEW_LIT("example.jp"), out);
    must((n > 0) == (out[0] != '\0'));
    if (n > 0) {
        must((size_t)n == strlen(out) && strchr(out, '@') == strrchr(out, '@'));
        int second = login_canonical(view_cstr(out), VIEW_EMPTY, again);
        must(second == n || n > LOGIN_TYPED_MAX);
        must(second < 0 || strcmp(out, again) == 0);
        buf_init(&text, sizeof clean);
        must(utf8_add_clean(&text, view_cstr(out)) == 0);
        must(view_eq(buf_view(&text), view_cstr(out)));
        buf_fini(&text);
    }
    buf_init_secret(&password, 12 * LOGIN_PASSWORD_MAX);
    if (login_prepare_password(in, &password) == 0)
        must(buf_len(&password) > 0);
    buf_fini(&password);
    return 0;
}
