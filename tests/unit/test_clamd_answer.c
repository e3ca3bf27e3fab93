/* clamd's answers. */
#include <criterion/criterion.h>

#include <string.h>

#include "policy/score/services/clamd_answer.h"

TestSuite(clamd_answer, .timeout = 20);

#define V(text) {text, sizeof(text) - 1}

static const struct {
    struct {
        const char *p;
        size_t n;
    } in;
    enum clamd_result want;
    const char *name;
} vectors[] = {
    {V("stream: OK\0"), CLAMD_CLEAN, ""},
    {V("stream: Eicar-Test-Signature FOUND\0"), CLAMD_FOUND, "Eicar-Test-Signature"},
    {V("stream: a b(c) FOUND\0"), CLAMD_FOUND, "a b(c)"},
    {V("stream: Heuristics.Encrypted.Zip FOUND\0"), CLAMD_FOUND, "Heuristics.Encrypted.Zip"},
    {V("INSTREAM size limit exceeded. ERROR\0"), CLAMD_TOO_BIG, "INSTREAM size limit exceeded."},
    {V("stream: Can't allocate memory ERROR\0"), CLAMD_ERROR, "stream: Can't allocate memory"},
    {V("UNKNOWN COMMAND\0"), CLAMD_RUBBISH, ""},
    {V("stream:  FOUND\0"), CLAMD_RUBBISH, ""},
    {V("stream: FOUND\0"), CLAMD_RUBBISH, ""},
    {V("stream: OK FOUND OK\0"), CLAMD_RUBBISH, ""},
    {V("stream: OK\n\0"), CLAMD_RUBBISH, ""},
    {V("\0"), CLAMD_RUBBISH, ""},
    {V("HTTP/1.1 400 Bad Request\r\n\r\n\0"), CLAMD_RUBBISH, ""},
};

/* Any part of it asks for more; the whole is what it is. */
Test(clamd_answer, vectors_whole_and_in_parts)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct view name;
        for (size_t n = 0; n < vectors[i].in.n; n++)
            cr_assert_eq(clamd_answer_parse(view_of(vectors[i].in.p, n), &name), CLAMD_MORE, "%s",
                         vectors[i].in.p);
        cr_assert_eq(clamd_answer_parse(view_of(vectors[i].in.p, vectors[i].in.n), &name),
                     vectors[i].want, "%s", vectors[i].in.p);
        cr_assert(view_eq(name, view_cstr(vectors[i].name)), "%s", vectors[i].in.p);
    }
}

Test(clamd_answer, more_than_one_answer_is_none)
{
    struct view name;
    cr_assert_eq(clamd_answer_parse(view_of("stream: OK\0stream: OK\0", 22), &name), CLAMD_RUBBISH);
}

Test(clamd_answer, an_endless_one_ends)
{
    char text[CLAMD_ANSWER_MAX_BYTES];
    struct view name;
    memset(text, 'x', sizeof text);
    cr_assert_eq(clamd_answer_parse(view_of(text, sizeof text - 1), &name), CLAMD_MORE);
    cr_assert_eq(clamd_answer_parse(view_of(text, sizeof text), &name), CLAMD_RUBBISH);
}
