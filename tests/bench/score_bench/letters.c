#include "tests/bench/score_bench/letters.h"

#include "policy/score/classify/prior.h"

#define HEAD                                                                                       \
    "From: Taro Tanaka <taro@example.jp>\r\nTo: Hana <hana@example.com>, b@example.org\r\n"        \
    "Subject: =?UTF-8?B?5Lya6K2w44Gu6LOH5paZ?= for tomorrow\r\nDate: Mon, 1 Jun 2026 10:00:00 +0900\r\n" \
    "Message-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\nUser-Agent: Mail 1.0\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n\r\n"
#define HTML  "Content-Type: text/html; charset=utf-8\r\n\r\n"

/* Lines of words of all texts, one text behind the other from number `*next` on, as many bytes as that. */
static void add_text(struct buf *out, unsigned *next, size_t bytes, const char *line_end)
{
    size_t end = buf_len(out) + bytes, line = 0;
    while (buf_len(out) < end) {
        const char *text = prior_texts[(*next)++ % prior_text_count].text;
        for (; *text && buf_len(out) < end; text++) {
            buf_add_char(out, *text);
            line = line > 65 && *text == ' ' ? 0 : line + 1;
            if (line == 0)
                buf_add_cstr(out, line_end);
        }
        while (((unsigned char)*text & 0xc0) == 0x80) /* no half characters */
            buf_add_char(out, *text++);
        buf_add_cstr(out, " ");
    }
    buf_add_cstr(out, line_end);
}

void letter_text(struct buf *out)
{
    unsigned next = 0;
    buf_add_cstr(out, HEAD PLAIN);
    add_text(out, &next, LETTER_SMALL - buf_len(out) - 46, "\r\n");
    buf_add_cstr(out, "http://www.example.co.jp/agenda?id=7\r\n");
}

void letter_html(struct buf *out)
{
    unsigned next = 0, next_html = 0;
    buf_add_cstr(out, HEAD "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" PLAIN);
    add_text(out, &next, 1450, "\r\n");
    buf_add_cstr(out, "http://www.example.co.jp/agenda?id=7\r\n--b\r\n" HTML "<html><body>\r\n");
    for (int i = 0; i < 5; i++) {
        buf_add_cstr(out, "<p style=\"color:#333\">");
        add_text(out, &next_html, 275, "<br>\r\n");
        buf_add_cstr(out, "<a href=\"http://www.example.co.jp/agenda?id=7\">agenda</a></p>\r\n");
    }
    buf_add_cstr(out, "</body></html>\r\n--b--\r\n");
}

void letter_attached(struct buf *out)
{
    unsigned next = 0;
    buf_add_cstr(out, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" PLAIN);
    add_text(out, &next, 2000, "\r\n");
    buf_add_cstr(out, "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
                      "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n");
    while (buf_len(out) < LETTER_LARGE)
        buf_add_cstr(out, "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n");
    buf_add_cstr(out, "--b--\r\n");
}

void letter_text_large(struct buf *out)
{
    unsigned next = 0;
    buf_add_cstr(out, HEAD HTML);
    while (buf_len(out) < LETTER_LARGE) {
        add_text(out, &next, 200, "<br>\r\n");
        buf_addf(out, "<a href=\"http://h%zu.example/\">x</a>\r\n", buf_len(out));
    }
}

void letter_example(struct buf *out, bool is_spam, unsigned number)
{
    const struct prior_text *p = &prior_texts[number % prior_text_count];
    while (p->is_spam != is_spam)
        p = &prior_texts[++number % prior_text_count];
    buf_addf(out, "From: %s\r\nTo: hana@example.com\r\nSubject: %s\r\n" PLAIN "%s\r\n%u\r\n",
             is_spam ? "kx83723@hotmail.example" : "Taro <taro@example.jp>", p->subject, p->text, number);
}
