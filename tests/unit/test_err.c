#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

TestSuite(err, .timeout = 20);

Test(err, every_code_has_a_text_of_its_own)
{
    const char *unknown = msa_strerror(-9999);
    for (int a = MSA_ECORRUPT; a <= MSA_OK; a++) {
        cr_assert(strlen(msa_strerror(a)) > 0);
        cr_assert(strcmp(msa_strerror(a), unknown) != 0, "code %d", a);
        for (int b = a + 1; b <= MSA_OK; b++)
            cr_assert(strcmp(msa_strerror(a), msa_strerror(b)) != 0, "codes %d and %d", a, b);
    }
    cr_assert(eq(str, (char *)msa_strerror(1), (char *)unknown));
}

Test(err, an_assertion_that_holds_evaluates_once)
{
    int n = 0;
    MSA_ASSERT(++n == 1);
    cr_assert(eq(int, n, 1));
}

Test(err, an_assertion_that_fails_aborts, .signal = SIGABRT)
{
    MSA_ASSERT(1 + 1 == 3);
}
