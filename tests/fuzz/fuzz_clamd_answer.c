/* clamd's answers: the same in pieces as in one, and a name is a part of it. First byte: size of the pieces. */
#include "policy/score/services/clamd_answer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size), name;
    size_t piece = fuzz_take_piece(&in), n = 0;
    enum clamd_result result = CLAMD_MORE;
    while (result == CLAMD_MORE && n < in.n) {
        n = n + piece < in.n ? n + piece : in.n;
        result = clamd_answer_parse(view_slice(in, 0, n), &name);
        must(result != CLAMD_MORE || n < CLAMD_ANSWER_MAX_BYTES);
        must(result != CLAMD_FOUND || name.n > 0);
        must(name.n == 0 || (name.p >= in.p && name.p + name.n <= in.p + n));
    }
    return 0;
}
