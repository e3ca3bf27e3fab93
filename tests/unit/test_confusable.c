#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "policy/confusable.h"
#include "policy/confusable_table.h"

TestSuite(confusable, .timeout = 20);

Test(confusable, sees_what_looks_alike)
{
    static const struct {
        const char *a, *b;
        bool want;
    } cases[] = {
        {"tanaka@example.jp", "t\xd0\xb0naka@example.jp", true}, /* Cyrillic a */
        {"tanaka@example.jp", "tan\xce\xb1ka@example.jp", true}, /* Greek alpha */
        {"tanaka@example.jp", "\xef\xbd\x94\xef\xbd\x81naka@example.jp", true}, /* wide */
        {"tanaka@example.jp", "tana\xe2\x80\x8bka@example.jp",
         true}, /* zero width space */
        {"tanaka@example.jp",
         "\xf0\x9d\x93\xbd"
         "anaka@example.jp",
         true}, /* mathematical t */
        {"tanaka@example.jp",
         "\xe2\x93\xa3"
         "anaka@example.jp",
         true}, /* circled t */
        {"modem@example.jp", "rnodern@example.jp", true},
        {"wada@example.jp", "vvada@example.jp", true},
        {"kilo@example.jp", "kil0@example.jp", true},
        {"user10@example.jp", "userlO@example.jp", true},
        {"paypal@example.jp", "paypaI@example.jp", true},
        {"paypal@example.jp", "paypa1@example.jp", true},
        {"taro@example.jp", "taro@examp1e.jp", true},
        {"taro@example.jp", "taro@xn--exmple-4nf.jp", true}, /* Cyrillic a */
        {"a-b@example.jp",
         "a\xe2\x80\x90"
         "b@example.jp",
         true},
        {"\xe3\x82\xab\xe3\x83\x8b@example.jp", "\xe5\x8a\x9b\xe4\xba\x8c@example.jp",
         true}, /* kanji */
        {"tanaka@example.jp", "tanaka@example.jp", false},
        {"tanaka@example.jp", "Tanaka@example.jp", false},
        {"tanaka@example.jp", "tamaka@example.jp", false},
        {"tanaka@example.jp", "tanaka@example.com", false},
        {"tanaka@example.jp", "t\xc3\xa1naka@example.jp",
         false}, /* an accent can be seen */
        {"taro@example.jp", "taro.@example.jp", false},
        {"", "", false},
        {"taro", "tar0", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view a = view_cstr(cases[i].a), b = view_cstr(cases[i].b);
        cr_expect_eq(confusable_addresses(a, b), cases[i].want, "%s %s", cases[i].a,
                     cases[i].b);
        cr_expect_eq(confusable_addresses(b, a), cases[i].want, "%s %s", cases[i].b,
                     cases[i].a);
    }
}

Test(confusable, refuses_what_is_no_mailbox)
{
    char out[CONFUSABLE_SIZE];
    cr_expect_eq(confusable_skeleton(VIEW_LIT("taro"), out), MSA_EINVAL);
    cr_expect_eq(confusable_skeleton(VIEW_LIT("\xff@example.jp"), out), MSA_EINVAL);
    cr_expect_eq(confusable_skeleton(VIEW_LIT("Mia@example.jp"), out), 16);
    cr_expect_str_eq(out, "rnia@exarnple.jp");
}

Test(confusable, has_a_sorted_table_of_final_forms)
{
    for (size_t i = 0; i < sizeof confusables / sizeof confusables[0]; i++) {
        if (i > 0)
            cr_expect_lt(confusables[i - 1].code, confusables[i].code);
        const char *p = confusables[i].plain;
        cr_expect(strpbrk(p, "0OI1|mwMW") == NULL, "%x: a skeleton holds no such letter",
                  confusables[i].code);
    }
}
