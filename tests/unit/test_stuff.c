#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/eod.h"
#include "msa/mail/stuff.h"

TestSuite(stuff, .timeout = 20);

/* Sends `body` in two pieces into `out`; what stuff said last. */
static int stuff_split(struct view body, size_t cut, char *out, size_t *n_out)
{
    struct stuff s;
    struct view pieces[2] = {view_slice(body, 0, cut), view_slice(body, cut, body.n)}, run;
    int more = 0;
    *n_out = 0;
    stuff_init(&s);
    for (int i = 0; i < 2 && more == 0; i++)
        while ((more = stuff_next(&s, &pieces[i], &run)) == 1) {
            memcpy(out + *n_out, run.p, run.n);
            *n_out += run.n;
        }
    if (more < 0 || stuff_end(&s, &run) < 0)
        return MSA_EINVAL;
    memcpy(out + *n_out, run.p, run.n);
    *n_out += run.n;
    return MSA_OK;
}

Test(stuff, doubles_dots_and_writes_the_end)
{
    static const struct {
        struct view body, want;
    } cases[] = {
        {VIEW_LIT(""), VIEW_LIT(".\r\n")},
        {VIEW_LIT("a\r\n"), VIEW_LIT("a\r\n.\r\n")},
        {VIEW_LIT("a"), VIEW_LIT("a\r\n.\r\n")},
        {VIEW_LIT("."), VIEW_LIT("..\r\n.\r\n")},
        {VIEW_LIT(".\r\n.\r\n..a\r\n"), VIEW_LIT("..\r\n..\r\n...a\r\n.\r\n")},
        {VIEW_LIT("a.b.\r\nc"), VIEW_LIT("a.b.\r\nc\r\n.\r\n")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t cut = 0; cut <= cases[i].body.n; cut++) {
            char out[64];
            size_t n;
            cr_assert_eq(stuff_split(cases[i].body, cut, out, &n), MSA_OK);
            cr_assert(view_eq(view_of(out, n), cases[i].want), "case %zu cut %zu", i, cut);
        }
}

Test(stuff, lets_nothing_out_but_crlf)
{
    static const struct view bad[] = {
        VIEW_LIT("a\rb\r\n"),       VIEW_LIT("a\nb\r\n"),   VIEW_LIT("\n"),
        VIEW_LIT("a\0b"),           VIEW_LIT("a\r"),        VIEW_LIT("a\r\r\n"),
        VIEW_LIT("a\r\n\n.\r\nx"),  VIEW_LIT("a\n.\nRSET"), VIEW_LIT("x\r.\r"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (size_t cut = 0; cut <= bad[i].n; cut++) {
            char out[64];
            size_t n;
            cr_assert_eq(stuff_split(bad[i], cut, out, &n), MSA_EINVAL, "case %zu", i);
            cr_assert(memmem(out, n, "\n", 1) == NULL || memmem(out, n, "\r\n", 2) != NULL);
        }
}

Test(stuff, stays_broken)
{
    struct stuff s;
    struct view bad = VIEW_LIT("a\nb"), good = VIEW_LIT("c\r\n"), run;
    stuff_init(&s);
    cr_assert_eq(stuff_next(&s, &bad, &run), MSA_EINVAL);
    cr_assert_eq(stuff_next(&s, &good, &run), MSA_EINVAL);
    cr_assert_eq(stuff_end(&s, &run), MSA_EINVAL);
}

/* What goes out comes back the same through the machine of the next hop. */
Test(stuff, is_undone_by_eod)
{
    static const char alphabet[4] = {'.', 'a', '\r', '\n'};
    for (unsigned number = 0; number < 65536; number++) {
        char body[8], out[32], back[32];
        size_t n, back_n = 0;
        for (unsigned i = 0, rest = number; i < 8; i++, rest /= 4)
            body[i] = alphabet[rest % 4];
        if (stuff_split(view_of(body, 8), 4, out, &n) < 0)
            continue;
        struct eod e;
        struct view in = view_of(out, n), run;
        enum eod_step step;
        eod_init(&e, EOD_DATA, false);
        while ((step = eod_next(&e, &in, &run)) == EOD_RUN) {
            memcpy(back + back_n, run.p, run.n);
            back_n += run.n;
        }
        cr_assert(step == EOD_END && in.n == 0 && eod_facts(&e) == 0);
        cr_assert(back_n == 8 || back_n == 10); /* a last line without CRLF got one */
        cr_assert_eq(memcmp(back, body, 8), 0);
    }
}
