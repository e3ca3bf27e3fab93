#include <criterion/criterion.h>

#include "msa/ctl/sender_maps.h"

TestSuite(sender_maps, .timeout = 20);

static void add_pair(void *arg, struct view login, struct view sender)
{
    buf_addf(arg, "%.*s=%.*s\n", (int)login.n, login.p, (int)sender.n, sender.p);
}

Test(sender_maps, reads_what_postfix_reads)
{
    static const struct {
        const char *text, *pairs, *errors;
    } cases[] = {
        {"", "", ""},
        {"# c\n\n  # c\n", "", ""},
        {"info@Example.jp taro\n", "taro=info@example.jp\n", ""},
        {"info@example.jp\ttaro, hanako jiro\r\n", "taro=info@example.jp\nhanako=info@example.jp\njiro=info@example.jp\n", ""},
        {"@example.jp taro", "taro=@example.jp\n", ""},
        {"a@example.jp taro,\n# c\n\n  hanako\nb@example.jp jiro\n",
         "taro=a@example.jp\nhanako=a@example.jp\njiro=b@example.jp\n", ""},
        {"info taro\na@b.example x\n", "x=a@b.example\n",
         "f:1: the sender is no address: write local@domain or @domain\n"},
        {"a@b.example\nc@b.example ,,\n", "",
         "f:1: no login stands behind the sender\nf:2: no login stands behind the sender\n"},
        {" a@b.example x\n", "", "f:1: the line goes on with one that is not there\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf pairs, errors;
        buf_init(&pairs, 1000);
        buf_init(&errors, 1000);
        sender_maps_read(view_cstr(cases[i].text), "f", add_pair, &pairs, &errors);
        cr_expect(view_eq(buf_view(&pairs), view_cstr(cases[i].pairs)), "case %zu: pairs", i);
        cr_expect(view_eq(buf_view(&errors), view_cstr(cases[i].errors)), "case %zu: errors", i);
        buf_fini(&pairs);
        buf_fini(&errors);
    }
}
