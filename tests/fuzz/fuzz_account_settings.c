/* Settings of an account from damaged bytes: refused, or within all bounds and the same again. */
#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/account.h"
#include "policy/senders.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view record = fuzz_view(data, size);
    struct account a;
    struct buf again;
    if (account_unpack(record, &a) < 0) {
        must(a.home_count == 0 && a.override_count == 0 && a.senders.n == 0);
        return 0;
    }
    must(a.home_count <= ACCOUNT_HOMES_MAX && a.exception_count <= ACCOUNT_EXCEPTIONS_MAX);
    must(a.override_count <= ACCOUNT_OVERRIDES_MAX && a.note.n <= ACCOUNT_NOTE_MAX);
    must(utf8_is_valid(a.login) && utf8_is_valid(a.note) && senders_are_sound(a.senders));
    buf_init(&again, size);
    must(account_pack(&a, &again) == MSA_OK);
    must(view_eq(buf_view(&again), record));
    buf_fini(&again);
    return 0;
}
