#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/secret.h"

TestSuite(secret, .timeout = 20);

Test(secret, wipe_clears_exactly_its_bytes)
{
    char text[8] = "1234567";
    secret_wipe(text + 1, 3);
    cr_assert(memcmp(text, "1\0\0\0" "567", 8) == 0);
    secret_wipe(text, 0);
    secret_wipe(NULL, 0);
    cr_assert(text[0] == '1');
}

Test(secret, equality_looks_at_every_byte)
{
    char a[40], b[40];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    cr_assert(secret_eq(view_of(a, 40), view_of(b, 40)));
    cr_assert(secret_eq(VIEW_EMPTY, VIEW_EMPTY));
    cr_assert(not(secret_eq(view_of(a, 40), view_of(b, 39))));
    for (size_t i = 0; i < 40; i++)
        for (int bit = 0; bit < 8; bit++) {
            b[i] = (char)(b[i] ^ (1 << bit));
            cr_assert(not(secret_eq(view_of(a, 40), view_of(b, 40))));
            b[i] = 'x';
        }
}

Test(secret, random_fills_the_whole_of_it)
{
    static unsigned char block[10000], zero[sizeof block];
    unsigned seen[256] = {0};
    secret_random(block, 0);
    cr_assert(memcmp(block, zero, sizeof block) == 0);
    secret_random(block, sizeof block);
    for (size_t i = 0; i < sizeof block; i++)
        seen[block[i]]++;
    for (int n = 0; n < 256; n++) /* 39 expected of each; none, or 200, will not be seen by chance */
        cr_assert(seen[n] > 0 && seen[n] < 200, "%d: %u", n, seen[n]);
}
