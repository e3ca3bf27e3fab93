#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "auth/saslauthd_wire.h"
#include "msa/base/err.h"

TestSuite(saslauthd_wire, .timeout = 20);

#define LIT(text) {(text), sizeof(text) - 1}

struct vector {
    struct {
        const char *p;
        size_t n;
    } bytes;
    enum saslauthd_answer want;
};

static const struct vector vectors[] = {
    {LIT("\0\2OK"), SASLAUTHD_OK},
    {LIT("\0\2NO"), SASLAUTHD_NO},
    {LIT("\0\4NO\0x"), SASLAUTHD_NO},
    {LIT("\0\3OK\0"), SASLAUTHD_OK},
    {LIT("\0\10OK hello"), SASLAUTHD_OK},
    {LIT("\0\10OK hello!"), SASLAUTHD_RUBBISH}, /* one byte too many */
    {LIT("\0\12NO \"bad\" x"), SASLAUTHD_NO},
    {LIT("\0\0"), SASLAUTHD_RUBBISH},
    {LIT("\0\1O"), SASLAUTHD_RUBBISH},
    {LIT("\0\2ok"), SASLAUTHD_RUBBISH},
    {LIT("\0\2ON"), SASLAUTHD_RUBBISH},
    {LIT("\0\3OKA"), SASLAUTHD_RUBBISH},
    {LIT("\0\3NOT"), SASLAUTHD_RUBBISH},
    {LIT("\0\2OKx"), SASLAUTHD_RUBBISH},
    {LIT("\0\2OK\0\2NO"), SASLAUTHD_RUBBISH},
    {LIT("\377\377OK"), SASLAUTHD_RUBBISH},
    {LIT("\4\0OK"), SASLAUTHD_RUBBISH},
    {LIT("HTTP/1.1 400 Bad Request"), SASLAUTHD_RUBBISH},
    {LIT(""), SASLAUTHD_MORE},
    {LIT("\0"), SASLAUTHD_MORE},
    {LIT("\0\2"), SASLAUTHD_MORE},
    {LIT("\0\2O"), SASLAUTHD_MORE},
    {LIT("\0\5NO x"), SASLAUTHD_MORE},
};

/* As a connection brings it: all that came so far, in a block of exactly that size, until it says something. */
static enum saslauthd_answer read_by(const char *p, size_t n, size_t step)
{
    enum saslauthd_answer got = SASLAUTHD_MORE;
    for (size_t at = step < n ? step : n;; at = at + step < n ? at + step : n) {
        char *exact = malloc(at ? at : 1);
        memcpy(exact, p, at);
        got = saslauthd_answer_read(view_of(exact, at));
        free(exact);
        if (got != SASLAUTHD_MORE || at == n)
            return got;
    }
}

Test(saslauthd_wire, answers_whole)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        cr_assert(eq(int, (int)read_by(vectors[i].bytes.p, vectors[i].bytes.n, SIZE_MAX / 2), (int)vectors[i].want),
                  "vector %zu", i);
}

/* What came first may already be all: "OK" with something behind it that has not come yet is OK. */
static bool is_fair(const struct vector *v, enum saslauthd_answer got)
{
    size_t length = v->bytes.n < 2 ? 0 : (size_t)(unsigned char)v->bytes.p[0] << 8 | (unsigned char)v->bytes.p[1];
    bool is_longer = v->bytes.n > 2 + length;
    return got == v->want || (is_longer && (got == SASLAUTHD_OK || got == SASLAUTHD_NO));
}

Test(saslauthd_wire, answers_in_pieces_of_any_size)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        for (size_t step = 1; step <= vectors[i].bytes.n; step++)
            cr_assert(is_fair(&vectors[i], read_by(vectors[i].bytes.p, vectors[i].bytes.n, step)), "vector %zu by %zu",
                      i, step);
}

Test(saslauthd_wire, a_long_answer_is_bounded)
{
    char text[SASLAUTHD_ANSWER_MAX + 8];
    memset(text, ' ', sizeof text);
    memcpy(text + 2, "OK", 2);
    size_t most = SASLAUTHD_ANSWER_MAX - 2;
    text[0] = (char)(most >> 8);
    text[1] = (char)(most & 0xff);
    cr_assert(eq(int, (int)saslauthd_answer_read(view_of(text, SASLAUTHD_ANSWER_MAX)), SASLAUTHD_OK));
    cr_assert(eq(int, (int)saslauthd_answer_read(view_of(text, SASLAUTHD_ANSWER_MAX - 1)), SASLAUTHD_MORE));
    cr_assert(eq(int, (int)saslauthd_answer_read(view_of(text, SASLAUTHD_ANSWER_MAX + 1)), SASLAUTHD_RUBBISH));
    text[1] = (char)((most + 1) & 0xff);
    cr_assert(eq(int, (int)saslauthd_answer_read(view_of(text, 4)), SASLAUTHD_RUBBISH));
}

Test(saslauthd_wire, a_question)
{
    static const char want[] = "\0\4taro\0\6pencil\0\4smtp\0\12example.jp";
    const struct saslauthd_ask q = {VIEW_LIT("taro"), VIEW_LIT("pencil"), VIEW_LIT("smtp"), VIEW_LIT("example.jp")};
    struct buf b;
    buf_init_secret(&b, SASLAUTHD_ASK_MAX);
    cr_assert(eq(int, saslauthd_ask_write(&q, &b), MSA_OK));
    cr_assert(view_eq(buf_view(&b), view_of(want, sizeof want - 1)));
    buf_fini(&b);
}

/* An empty password is an anonymous bind, good, to many directories. */
Test(saslauthd_wire, what_is_never_asked)
{
    char big[SASLAUTHD_FIELD_MAX + 1];
    memset(big, 'x', sizeof big);
    const struct view taro = VIEW_LIT("taro"), pencil = VIEW_LIT("pencil");
    cr_assert(saslauthd_may_carry(taro, pencil));
    cr_assert(saslauthd_may_carry(taro, view_of(big, SASLAUTHD_FIELD_MAX)));
    cr_assert(not(saslauthd_may_carry(taro, VIEW_EMPTY)));
    cr_assert(not(saslauthd_may_carry(VIEW_EMPTY, pencil)));
    cr_assert(not(saslauthd_may_carry(taro, view_of("a\0b", 3))));
    cr_assert(not(saslauthd_may_carry(view_of("a\0b", 3), pencil)));
    cr_assert(not(saslauthd_may_carry(taro, view_of(big, sizeof big))));
    cr_assert(not(saslauthd_may_carry(view_of(big, sizeof big), pencil)));
}
