#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "policy/score/content/mime_params.h"

TestSuite(mime_params, .timeout = 20);

Test(mime_params, reads_the_word)
{
    static const struct {
        struct view value;
        struct view want;
    } cases[] = {
        {VIEW_LIT(" Text/Plain; charset=x"), VIEW_LIT("text/plain")},
        {VIEW_LIT("text/plain"), VIEW_LIT("text/plain")},
        {VIEW_LIT(" text / html ;"), VIEW_LIT("text/html")},
        {VIEW_LIT(" (why (not)) text/(;)html"), VIEW_LIT("text/html")},
        {VIEW_LIT("\r\n\ttext/plain\r\n ;x=y"), VIEW_LIT("text/plain")},
        {VIEW_LIT("application/pdf name=\"x\""), VIEW_LIT("application/pdf")},
        {VIEW_LIT("base64 (or so)"), VIEW_LIT("base64")},
        {VIEW_LIT(""), VIEW_LIT("")},
        {VIEW_LIT(";"), VIEW_LIT("")},
        {VIEW_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         VIEW_LIT("aaaaaaaaaaaaaaaaaaaa")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dst[20];
        struct view got = mime_word(cases[i].value, dst, sizeof dst);
        cr_expect(view_eq(got, cases[i].want), "case %zu: %.*s", i, (int)got.n, got.p);
    }
}

static const struct {
    struct view value;
    const char *name;
    const char *want; /* NULL: not there */
} cases[] = {
    {VIEW_LIT("text/plain; charset=utf-8"), "charset", "utf-8"},
    {VIEW_LIT("text/plain; CharSet = \"utf-8\" ; x=y"), "charset", "utf-8"},
    {VIEW_LIT("text/plain; charset=utf-8\r\n"), "charset", "utf-8"},
    {VIEW_LIT("text/plain; charset"), "charset", NULL},
    {VIEW_LIT("text/plain"), "charset", NULL},
    {VIEW_LIT("charset=utf-8"), "charset", NULL},
    {VIEW_LIT(""), "charset", NULL},
    {VIEW_LIT("m; a=1; a=2"), "a", "1"},
    {VIEW_LIT("m; ab=1; a=2"), "a", "2"},
    {VIEW_LIT("m; boundary=\"a\\\"b;c\"; x=1"), "boundary", "a\"b;c"},
    {VIEW_LIT("m; boundary=\"open"), "boundary", "open"},
    {VIEW_LIT("m; boundary=a=b"), "boundary", "a=b"},
    {VIEW_LIT("m;;; boundary=x"), "boundary", "x"},
    {VIEW_LIT("a; filename=two words.txt; x=1"), "filename", "two words.txt"},
    {VIEW_LIT("a; filename=(comment)name"), "filename", "name"},
    {VIEW_LIT("a; filename=\"=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?=.txt\""), "filename",
     "\xe5\xb1\xb1\xe7\x94\xb0.txt"},
    {VIEW_LIT("a; filename*=UTF-8'ja'%E5%B1%B1.txt"), "filename", "\xe5\xb1\xb1.txt"},
    {VIEW_LIT("a; filename*0*=iso-2022-jp''%1B$B%3B3; filename*1*=ED%1B(B.txt"),
     "filename", "\xe5\xb1\xb1\xe7\x94\xb0.txt"},
    {VIEW_LIT("a; filename*1=\"b.txt\"; filename*0=\"a-\"; filename=no"), "filename",
     "a-b.txt"},
    {VIEW_LIT("a; filename*0*=utf-8''%61; filename*1=%62; filename*2*=%63"), "filename",
     "a%62c"},
    {VIEW_LIT("a; filename*=%41%4"), "filename", "A%4"},
    {VIEW_LIT("a; filename*=x-no-such'en'\xe9"), "filename", "\xc3\xa9"},
    {VIEW_LIT("a; filename=\"\xe9.txt\""), "filename", "\xc3\xa9.txt"},
    {VIEW_LIT("a; filename=\"\xc3\xa9.txt\""), "filename", "\xc3\xa9.txt"},
    {VIEW_LIT("a; filename=\"a\r\n b\""), "filename", "a b"},
    {VIEW_LIT("a; filename=\"\""), "filename", ""},
};
#define CASES (sizeof cases / sizeof cases[0])

Test(mime_params, reads_parameters)
{
    struct charsets *cs = charsets_new();
    for (size_t i = 0; i < CASES; i++) {
        struct buf out;
        buf_init(&out, 1000);
        int found = mime_param_text(cs, cases[i].value, view_cstr(cases[i].name), &out);
        cr_expect_eq(found, cases[i].want ? MSA_FOUND : MSA_NOT_FOUND, "case %zu: %d", i,
                     found);
        cr_expect(view_eq(buf_view(&out), view_cstr(cases[i].want)), "case %zu: %.*s", i,
                  (int)buf_len(&out), buf_len(&out) ? out.data : "");
        buf_fini(&out);
    }
    charsets_free(cs);
}

/* Whatever the cut: no byte beyond it is read (ASan sees to that), nothing is made up. */
Test(mime_params, takes_fields_cut_anywhere)
{
    struct charsets *cs = charsets_new();
    for (size_t i = 0; i < CASES; i++)
        for (size_t n = 0; n < cases[i].value.n; n++) {
            struct buf out;
            char copy[200];
            buf_init(&out, 1000);
            memcpy(copy, cases[i].value.p, n);
            int found =
                mime_param_text(cs, view_of(copy, n), view_cstr(cases[i].name), &out);
            cr_expect(found == MSA_FOUND ||
                      (found == MSA_NOT_FOUND && buf_len(&out) == 0));
            buf_fini(&out);
        }
    charsets_free(cs);
}

Test(mime_params, is_bounded)
{
    struct buf value, out;
    buf_init(&value, 100000);
    buf_init(&out, 10);
    buf_add_cstr(&value, "a");
    for (int i = 0; i < 5000; i++)
        buf_addf(&value, "; x*%d=y", i);
    cr_expect_eq(mime_param(buf_view(&value), VIEW_LIT("x"), &out), MSA_ENOMEM,
                 "more than fits");
    cr_expect_eq(buf_len(&out), 10);
    buf_reset(&out);
    cr_expect_eq(mime_param(buf_view(&value), VIEW_LIT("z"), &out), MSA_NOT_FOUND);
    buf_fini(&value);
    buf_fini(&out);
}
