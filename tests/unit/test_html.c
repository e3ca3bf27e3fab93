#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/document.h"
#include "policy/score/content/html_entity.h"
#include "policy/score/content/html_style.h"

TestSuite(html, .timeout = 30);

static const struct document *read_html(struct document_reader *r, struct view html)
{
    const struct document *d;
    static char message[400000];
    static const char head[] = "Content-Type: text/html; charset=utf-8\n\n";
    cr_assert(html.n + sizeof head <= sizeof message);
    memcpy(message, head, sizeof head - 1);
    if (html.n > 0)
        memcpy(message + sizeof head - 1, html.p, html.n);
    cr_assert_eq(document_read(r, view_of(message, sizeof head - 1 + html.n), &d),
                 MSA_OK);
    return d;
}

/* What is shown, and what is not; a LF ends what is not empty. */
static const struct {
    const char *html;
    const char *text;
    const char *hidden;
} cases[] = {
    {"", "", ""},
    {"plain", "plain\n", ""},
    {"a  b\r\n\t c&nbsp;d", "a b c d\n", ""},
    {"a<br>b<p>c</p>d<div>e</div>", "a\nb\nc\nd\ne\n", ""},
    {"<b>V</b>ia<i>gra</i>", "Viagra\n", ""},
    {"V<!-- x -->ia<foo>gra</foo>", "Viagra\n", ""},
    {"a<!-- <b> -- > -->b<!-->c<!--->d<!x>e<?php 1>f</ >g", "abcdefg\n", ""},
    {"a<!-- never closed", "a\n", ""},
    {"<td>a</td><td>b<tr><td>c", "a b\nc\n", ""},
    {"<ul><li>a<li>b</ul>c", "a\nb\nc\n", ""},
    {"1 < 2 & 3 <4 </5", "1 < 2 & 3 <4\n", ""},
    {"a<", "a<\n", ""},
    {"a</", "a</\n", ""},
    {"a<b", "a\n", ""},
    {"a<b href='x>y'>c", "ac\n", ""},
    {"<script>if (a<b) x('</b>');</script >a<style>p{}</style>b<title>t</title>c",
     "abc\n", ""},
    {"<script>never closed", "", ""},
    {"<img alt='a &amp; b' src=x>c", "a & b c\n", ""},
    {"&lt;b&gt; &amp;amp; &copy; &#65;&#x42; &eacute &euro; &#128; &nosuch; &",
     "<b> &amp; \xc2\xa9 AB \xc3\xa9 \xe2\x82\xac \xe2\x82\xac &nosuch; &\n", ""},
    {"<p style='display:none'>x</p>y", "y\n", "x\n"},
    {"<span style=\"Display : NONE !important\">x</span>y", "y\n", "x"},
    {"<p style='display:none'>x<p>y", "y\n", "x\n"},
    {"<div style='display:none'>x<p>y</p><div>z</div></div>v", "v\n", "x\ny\nz\n"},
    {"<font style='font-size:0px'>x</font>y<span style='font-size:1pt'>z</span>", "y\n",
     "xz"},
    {"<td style='font-size:0'>x<span style='font-size:14px'>y</span></td>", "y\n", "x"},
    {"<span style='font-size:.05em'>x</span><span style='font-size:1em'>y</span>", "y\n",
     "x"},
    {"<font color=white>x</font>y", "y\n", "x"},
    {"<font color=#FEFEFE>x</font>y", "y\n", "x"},
    {"<body bgcolor=black text=#fff>y<font color='#010101'>x</font>", "y\n", "x"},
    {"<table bgcolor='#ff0000'><td><font color=red>x</font>y", "y\n", "x"},
    {"<div style='background:url(x.png)'><font color=white>y</font></div>", "y\n", ""},
    {"<div style='background:#000 url(x)'><font color=black>y</font></div>", "y\n", ""},
    {"<div style='color:rgb(255, 255,100%)'>x</div>y", "y\n", "x\n"},
    {"<div style='max-height:0;overflow:hidden'>x</div>y", "y\n", "x\n"},
    {"<div style='height:0'>y</div>", "y\n", ""},
    {"<div style='visibility:hidden'>x</div><div style='opacity:0'>x</div>y", "y\n",
     "x\nx\n"},
    {"<div style='text-indent:-9999px'>x</div><div hidden>x</div>y", "y\n", "x\nx\n"},
    {"</div></p>a</b>", "a\n", ""},
    {"<div style='display:none'><td></div>x", "", "x"},
    {"<a name=x>a</a><o:p>b</o:p>", "ab\n", ""},
    {"\xe5\xb1\xb1\xe7\x94\xb0", "\xe5\xb1\xb1\xe7\x94\xb0\n", ""},
};
#define CASES (sizeof cases / sizeof cases[0])

Test(html, gives_what_is_seen)
{
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < CASES; i++) {
        const struct document *d = read_html(r, view_cstr(cases[i].html));
        cr_expect(view_eq(d->text, view_cstr(cases[i].text)), "%s: <%.*s>", cases[i].html,
                  (int)d->text.n, d->text.p);
        cr_expect(view_eq(d->hidden_text, view_cstr(cases[i].hidden)),
                  "%s: hidden <%.*s>", cases[i].html, (int)d->hidden_text.n,
                  d->hidden_text.p);
    }
    document_reader_free(r);
}

/* A page that is cut anywhere shows nothing that the whole does not hold as letters. */
Test(html, takes_pages_cut_anywhere)
{
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < CASES; i++)
        for (size_t n = 0; n <= strlen(cases[i].html); n++) {
            const struct document *d = read_html(r, view_of(cases[i].html, n));
            cr_expect(utf8_is_valid(d->text) && utf8_is_valid(d->hidden_text));
            cr_expect_leq(d->text.n + d->hidden_text.n, 3 * n + 2, "case %zu cut at %zu",
                          i, n);
        }
    document_reader_free(r);
}

Test(html, finds_links)
{
    static const struct {
        const char *html;
        const char *url;
        const char *host;
        const char *shown;
        const char *shown_host;
        enum document_link_source source;
        unsigned flags;
    } links[] = {
        {"<a href='http://x.example/?a=1&amp;b=2'>Click\n <b>here</b></a>",
         "http://x.example/?a=1&b=2", "x.example", "Click here", "", DOCUMENT_LINK_HREF,
         0},
        {"<A HREF=http://x.example>www.bank.example</A>", "http://x.example", "x.example",
         "www.bank.example", "www.bank.example", DOCUMENT_LINK_HREF,
         DOCUMENT_LINK_HOST_DIFFERS},
        {"<a href=https://click.bank.example/1>https://bank.example/</a>",
         "https://click.bank.example/1", "click.bank.example", "https://bank.example/",
         "bank.example", DOCUMENT_LINK_HREF, DOCUMENT_LINK_HTTPS},
        {"<a href=https://notbank.example/>bank.example</a>", "https://notbank.example/",
         "notbank.example", "bank.example", "bank.example", DOCUMENT_LINK_HREF,
         DOCUMENT_LINK_HTTPS | DOCUMENT_LINK_HOST_DIFFERS},
        {"<a href='ht\ntp://x.exa mple/'>a<a name=y>b", "http://x.example/", "x.example",
         "a", "", DOCUMENT_LINK_HREF, 0},
        {"<a href='http://x.example/'><img alt='Buy'></a>", "http://x.example/",
         "x.example", "Buy", "", DOCUMENT_LINK_HREF, 0},
        {"<div style='display:none'><a href=http://x.example>y</a>", "http://x.example",
         "x.example", "", "", DOCUMENT_LINK_HREF, DOCUMENT_LINK_HIDDEN},
        {"<form action=http://x.example>", "http://x.example", "x.example", "", "",
         DOCUMENT_LINK_FORM, 0},
        {"<img src=\"cid:1\">", "cid:1", "", "", "", DOCUMENT_LINK_IMAGE,
         DOCUMENT_LINK_RELATIVE},
        {"<td background=http://x.example/y.gif>", "http://x.example/y.gif", "x.example",
         "", "", DOCUMENT_LINK_IMAGE, 0},
        {"<meta http-equiv=Refresh content='0; url=http://x.example/'>",
         "http://x.example/", "x.example", "", "", DOCUMENT_LINK_HREF, 0},
        {"go to http://x.example/.", "http://x.example/", "x.example", "", "",
         DOCUMENT_LINK_TEXT, 0},
        {"<a href='mailto:a@x.example'>b.example</a>", "mailto:a@x.example", "x.example",
         "b.example", "b.example", DOCUMENT_LINK_HREF, DOCUMENT_LINK_MAILTO},
        {"<a href='&#106;avascript:x()'>y</a>", "javascript:x()", "", "y", "",
         DOCUMENT_LINK_HREF, DOCUMENT_LINK_OTHER_SCHEME | DOCUMENT_LINK_DATA_OR_SCRIPT},
    };
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        const struct document *d = read_html(r, view_cstr(links[i].html));
        cr_assert_eq(d->link_count, 1, "%s: %zu links", links[i].html, d->link_count);
        const struct document_link *l = &d->links[0];
        cr_expect(view_eq(l->url, view_cstr(links[i].url)), "%s: %.*s", links[i].html,
                  (int)l->url.n, l->url.p);
        cr_expect(view_eq(l->host, view_cstr(links[i].host)), "%s", links[i].html);
        cr_expect(view_eq(l->shown, view_cstr(links[i].shown)), "%s: %.*s", links[i].html,
                  (int)l->shown.n, l->shown.p);
        cr_expect(view_eq(l->shown_host, view_cstr(links[i].shown_host)), "%s",
                  links[i].html);
        cr_expect_eq(l->source, links[i].source, "%s", links[i].html);
        cr_expect_eq(l->flags, links[i].flags, "%s: %x", links[i].html, l->flags);
    }
    document_reader_free(r);
}

Test(html, finds_text_links_once)
{
    struct document_reader *r = document_reader_new();
    const struct document *d = read_html(
        r, VIEW_LIT("http://a.example <a href=http://b.example>http://b.example</a> "
                    "http://c.example"));
    cr_assert_eq(d->link_count, 3);
    cr_expect(view_eq(d->links[0].host, VIEW_LIT("a.example")));
    cr_expect(view_eq(d->links[1].host, VIEW_LIT("b.example")));
    cr_expect(view_eq(d->links[2].host, VIEW_LIT("c.example")));
    document_reader_free(r);
}

Test(html, counts_tricks)
{
    struct document_reader *r = document_reader_new();
    const struct document *d =
        read_html(r, VIEW_LIT("V<!--x-->i<qzx>a</qzx>gra &#86;&#105;a <!-- y --> "
                              "pi\xe2\x80\x8bll <img src=x><form><script></script>"
                              "<a href=http://x.example></a><u>z</u>"));
    cr_expect_eq(d->html.split_word_count, 3);
    cr_expect_eq(d->html.numeric_letter_count, 2);
    cr_expect_eq(d->html.comment_count, 2);
    cr_expect_eq(d->html.unknown_tag_count, 1);
    cr_expect_eq(d->html.zero_width_count, 1);
    cr_expect_eq(d->html.image_count, 1);
    cr_expect_eq(d->html.form_count, 1);
    cr_expect_eq(d->html.script_count, 1);
    cr_expect_eq(d->html.link_count, 1);
    cr_expect_eq(d->html.tag_count, 6);
    cr_expect_eq(d->facts &
                     (DOCUMENT_HAS_FORM | DOCUMENT_HAS_SCRIPT | DOCUMENT_HTML_ONLY),
                 DOCUMENT_HAS_FORM | DOCUMENT_HAS_SCRIPT | DOCUMENT_HTML_ONLY);
    document_reader_free(r);
}

/* Each is found only if the tables are in order, which a search by halves needs. */
Test(html, knows_its_elements_and_entities)
{
    static const char *const names[] = {
        "a",    "abbr",  "br",    "blockquote", "body",     "div",    "h1",
        "h6",   "hr",    "li",    "marquee",    "noscript", "p",      "script",
        "span", "style", "table", "tbody",      "td",       "th",     "title",
        "tr",   "tt",    "u",     "wbr",        "xmp",      "center", "font"};
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char html[40];
        snprintf(html, sizeof html, "<%s>", names[i]);
        cr_expect_eq(read_html(r, view_cstr(html))->html.unknown_tag_count, 0, "%s",
                     names[i]);
    }
    document_reader_free(r);

    static const struct {
        const char *text;
        size_t n;
        uint32_t code;
    } entities[] = {
        {"&nbsp;", 6, 0xa0},
        {"&yuml;", 6, 0xff},
        {"&Alpha;", 7, 0x391},
        {"&zwnj;", 6, 0x200c},
        {"&quot", 5, 34},
        {"&zwj;", 5, 0x200d},
        {"&AMP;", 5, 38},
        {"&hearts;", 8, 0x2665},
        {"&#0;", 4, 0xfffd},
        {"&#x110000;", 10, 0xfffd},
        {"&#xd800;", 8, 0xfffd},
        {"&#99999999999;", 12, 0xfffd},
        {"&alpha", 0, 0},
        {"&;", 0, 0},
        {"&#;", 0, 0},
        {"&#x;", 0, 0},
        {"&thetasymthetasym;", 0, 0},
        {"&lsqb;", 6, 91},
        {"&rarr;", 6, 0x2192},
    };
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        uint32_t code = 0;
        size_t n = html_entity(view_cstr(entities[i].text), &code);
        cr_expect_eq(n, entities[i].n, "%s: %zu", entities[i].text, n);
        cr_expect(n == 0 || code == entities[i].code, "%s: %x", entities[i].text, code);
    }
}

/* Pages made to be looked at again and again take linear time; the time limit of the
 * suite would tell. */
Test(html, takes_linear_time)
{
    static const char *const pieces[] = {"<",
                                         "<!--",
                                         "<a href=x>",
                                         "<div>",
                                         "</div>",
                                         "<script>",
                                         "&",
                                         "&#",
                                         "<p>",
                                         "<a ",
                                         "<a '",
                                         "</title",
                                         "<title></title",
                                         "<td><table>",
                                         "<li>",
                                         "<a href=\""};
    static char html[250000];
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t n = 0, step = strlen(pieces[i]);
        for (; n + step <= sizeof html; n += step)
            memcpy(html + n, pieces[i], step);
        read_html(r, view_of(html, n));
    }
    document_reader_free(r);
}

Test(html, reads_colours)
{
    static const struct {
        const char *text;
        int32_t colour;
    } colours[] = {
        {"#fff", 0xffffff},
        {"#A0b1C2", 0xa0b1c2},
        {"ffffff", 0xffffff},
        {" White ", 0xffffff},
        {"rgb(1,2,3)", 0x010203},
        {"rgb( 100%, 0%,300 )", 0xff00ff},
        {"rgba(0,0,0,0)", HTML_COLOUR_UNKNOWN},
        {"#ggg", HTML_COLOUR_UNKNOWN},
        {"#ffff", HTML_COLOUR_UNKNOWN},
        {"", HTML_COLOUR_UNKNOWN},
        {"rgb(", HTML_COLOUR_UNKNOWN},
        {"inherit", HTML_COLOUR_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++)
        cr_expect_eq(html_colour(view_cstr(colours[i].text)), colours[i].colour, "%s",
                     colours[i].text);
}
