#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "policy/score/content/document.h"
#include "policy/score/content/url_scan.h"

TestSuite(url, .timeout = 20);

Test(url, says_what_is_in_it)
{
    static const struct {
        const char *url;
        const char *host;
        unsigned flags;
    } cases[] = {
        {"http://Example.JP/path", "example.jp", 0},
        {"https://example.jp", "example.jp", DOCUMENT_LINK_HTTPS},
        {"HTTPS:\\\\example.jp\\x", "example.jp", DOCUMENT_LINK_HTTPS},
        {"http:example.jp", "example.jp", 0},
        {"//example.jp/", "example.jp", DOCUMENT_LINK_NO_SCHEME},
        {"http://example.jp.:8080/", "example.jp", DOCUMENT_LINK_PORT},
        {"http://bank.example@evil.example/", "evil.example", DOCUMENT_LINK_USERINFO},
        {"http://a:b@c@evil.example:1?x@y", "evil.example",
         DOCUMENT_LINK_USERINFO | DOCUMENT_LINK_PORT},
        {"http://192.0.2.1/", "192.0.2.1", DOCUMENT_LINK_IP_LITERAL},
        {"http://[2001:db8::1]:80/", "[2001:db8::1]",
         DOCUMENT_LINK_IP_LITERAL | DOCUMENT_LINK_PORT},
        {"http://[2001:db8::1", "[2001:db8::1", DOCUMENT_LINK_IP_LITERAL},
        {"http://3232235777/", "3232235777", DOCUMENT_LINK_NUMBER_HOST},
        {"http://0xC0.0xa8.1.1/", "0xc0.0xa8.1.1", DOCUMENT_LINK_NUMBER_HOST},
        {"http://0300.0250.1.1/", "0300.0250.1.1", DOCUMENT_LINK_NUMBER_HOST},
        {"http://ex%61mple.jp/", "example.jp", DOCUMENT_LINK_ESCAPED_HOST},
        {"http://xn--r8jz45g.jp/", "xn--r8jz45g.jp", DOCUMENT_LINK_PUNYCODE},
        {"http://\xe4\xbe\x8b.jp/", "\xe4\xbe\x8b.jp", DOCUMENT_LINK_8BIT_HOST},
        {"mailto:a@Example.jp,b@x.example?subject=c@d", "example.jp",
         DOCUMENT_LINK_MAILTO},
        {"mailto:?subject=x", "", DOCUMENT_LINK_MAILTO},
        {"tel:+81312345678", "", DOCUMENT_LINK_OTHER_SCHEME},
        {"ftp://ftp.example.jp/x", "ftp.example.jp", DOCUMENT_LINK_OTHER_SCHEME},
        {"javascript://example.jp/%0aalert(1)", "",
         DOCUMENT_LINK_OTHER_SCHEME | DOCUMENT_LINK_DATA_OR_SCRIPT},
        {"data:text/html;base64,PGI+", "",
         DOCUMENT_LINK_OTHER_SCHEME | DOCUMENT_LINK_DATA_OR_SCRIPT},
        {"cid:part1", "", DOCUMENT_LINK_RELATIVE},
        {"/path", "", DOCUMENT_LINK_RELATIVE},
        {"#top", "", DOCUMENT_LINK_RELATIVE},
        {"index.html", "", DOCUMENT_LINK_RELATIVE},
        {"", "", DOCUMENT_LINK_RELATIVE},
        {"http://", "", 0},
        {"http:///example.jp", "example.jp", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url_facts f;
        url_look(view_cstr(cases[i].url), &f);
        cr_expect_str_eq(f.host, cases[i].host, "%s: %s", cases[i].url, f.host);
        cr_expect_eq(f.flags, cases[i].flags, "%s: %x", cases[i].url, f.flags);
    }
}

Test(url, knows_a_host_that_is_shown)
{
    static const struct {
        const char *text;
        const char *host;
    } cases[] = {
        {"https://www.Bank.example/login", "www.bank.example"},
        {"www.bank.example", "www.bank.example"},
        {"bank.example/login", "bank.example"},
        {" bank.example now", "bank.example"},
        {"Click here", ""},
        {"e.g. this", ""},
        {"version 1.2.3", ""},
        {"1.2.3", ""},
        {"U.S.", ""},
        {"...", ""},
        {"taro@example.jp", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url_facts f;
        url_look_shown(view_cstr(cases[i].text), &f);
        cr_expect_str_eq(f.host, cases[i].host, "%s: %s", cases[i].text, f.host);
    }
}

/* Plain text, and the URLs in it with a LF behind each. */
static const struct {
    struct view text;
    const char *want;
} texts[] = {
    {VIEW_LIT("see http://example.jp/a."), "http://example.jp/a\n"},
    {VIEW_LIT("(http://example.jp/a_(b)) <https://x.example>"),
     "http://example.jp/a_(b)\nhttps://x.example\n"},
    {VIEW_LIT("\"http://example.jp/?q=1&r=2\","), "http://example.jp/?q=1&r=2\n"},
    {VIEW_LIT("xhttp://example.jp"), "http://example.jp\n"},
    {VIEW_LIT("ftp://example.jp/x news://example.jp"), "ftp://example.jp/x\n"},
    {VIEW_LIT("www.example.jp/x, awww.no.example"), "www.example.jp/x\n"},
    {VIEW_LIT("http://www.example.jp"), "http://www.example.jp\n"},
    {VIEW_LIT("write to taro.yamada@example.jp."), "mailto:taro.yamada@example.jp\n"},
    {VIEW_LIT("mailto:taro@example.jp?x"), "mailto:taro@example.jp\n"},
    {VIEW_LIT("a@b @c.example d@ e@f..g"), "mailto:e@f..g\n"},
    {VIEW_LIT("http://u@example.jp/"), "http://u@example.jp/\n"},
    {VIEW_LIT("http:// http://"), ""},
    /* Japanese right behind: "wo" and a full stop */
    {VIEW_LIT("http://example.jp/\xe3\x82\x92"), "http://example.jp/\n"},
    {VIEW_LIT("http://example.jp\xe3\x82\x92"), "http://example.jp\n"},
    {VIEW_LIT("http://www.\xe4\xbe\x8b.jp/x\xe3\x80\x82"),
     "http://www.\xe4\xbe\x8b.jp/x\n"},
    {VIEW_LIT("http://m\xc3\xbcnchen.example/"), "http://m\xc3\xbcnchen.example/\n"},
    {VIEW_LIT("http://example.jp\xef\xbc\x8fx"), "http://example.jp\n"},
};

static void expect_links(struct document_reader *r, size_t i)
{
    const struct document *d;
    struct buf message, got;
    buf_init(&message, 10000);
    buf_init(&got, 10000);
    buf_add_cstr(&message, "Content-Type: text/plain; charset=utf-8\n\n");
    buf_add(&message, texts[i].text);
    cr_assert_eq(document_read(r, buf_view(&message), &d), MSA_OK);
    for (size_t k = 0; k < d->link_count; k++) {
        cr_expect_eq(d->links[k].source, DOCUMENT_LINK_TEXT);
        buf_add(&got, d->links[k].url);
        buf_add_char(&got, '\n');
    }
    cr_expect(view_eq(buf_view(&got), view_cstr(texts[i].want)), "case %zu: %.*s", i,
              (int)buf_len(&got), buf_len(&got) ? got.data : "");
    buf_fini(&message);
    buf_fini(&got);
}

Test(url, is_found_in_text)
{
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_links(r, i);
    document_reader_free(r);
}

/* Text made to be looked at again and again takes linear time; the time limit of the
 * suite would tell. */
Test(url, is_found_in_linear_time)
{
    static const char *const pieces[] = {"www.", "a@",        "://",   "http://",
                                         "@",    "http://a@", "www.a", "("};
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const struct document *d;
        struct buf message;
        buf_init(&message, 300000);
        buf_add_cstr(&message, "\n");
        while (buf_len(&message) < 250000)
            buf_add_cstr(&message, pieces[i]);
        cr_assert_eq(document_read(r, buf_view(&message), &d), MSA_OK);
        cr_expect(d->link_count <= DOCUMENT_LINKS_MAX);
        buf_fini(&message);
    }
    document_reader_free(r);
}
