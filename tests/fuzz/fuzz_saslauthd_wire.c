/* What comes from saslauthd's socket, and what is written there. An answer that is whole stays what it is; nothing
 * shorter said otherwise before; a question can be read back field by field. */
#include <string.h>

#include "auth/saslauthd_wire.h"
#include "msa/base/err.h"
#include "tests/fuzz/fuzz.h"

static void check_answer(struct view in)
{
    enum saslauthd_answer whole = saslauthd_answer_read(in);
    for (size_t n = 0; n < in.n && n <= SASLAUTHD_ANSWER_MAX; n++) {
        enum saslauthd_answer before = saslauthd_answer_read(view_slice(in, 0, n));
        must(whole == SASLAUTHD_RUBBISH || before == SASLAUTHD_MORE);
    }
    must(whole == SASLAUTHD_MORE || whole == SASLAUTHD_RUBBISH || in.n <= SASLAUTHD_ANSWER_MAX);
}

static struct view cut_field(struct view *rest)
{
    const unsigned char *p = (const unsigned char *)rest->p;
    must(rest->n >= 2);
    size_t n = (size_t)p[0] << 8 | p[1];
    must(rest->n >= 2 + n);
    struct view field = view_slice(*rest, 2, 2 + n);
    *rest = view_slice(*rest, 2 + n, rest->n);
    return field;
}

static void check_ask(struct view in)
{
    struct buf b;
    struct view login = view_cut(&in, '\n');
    const struct saslauthd_ask q = {login, in, VIEW_LIT("smtp"), VIEW_LIT("r")};
    buf_init_secret(&b, SASLAUTHD_ASK_MAX);
    int err = saslauthd_ask_write(&q, &b);
    must((err == MSA_OK) == saslauthd_may_carry(q.login, q.password));
    if (err == MSA_OK) {
        struct view rest = buf_view(&b);
        must(view_eq(cut_field(&rest), q.login) && view_eq(cut_field(&rest), q.password));
        must(view_eq(cut_field(&rest), q.service) && view_eq(cut_field(&rest), q.realm) && rest.n == 0);
    }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    check_answer(in);
    check_ask(in);
    return 0;
}
