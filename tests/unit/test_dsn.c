#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/mail/dsn.h"

TestSuite(dsn, .timeout = 20);

static bool note(void *arg, const struct dsn_recipient *r)
{
    buf_addf(arg, "%s %s %u %s\n", r->address[0] ? r->address : "-", r->status[0] ? r->status : "-",
             r->code, r->is_failed ? "failed" : "-");
    return true;
}

static int read_text(const char *text, size_t n, struct dsn_about *about, char out[2000])
{
    struct buf b;
    buf_init(&b, 100000);
    char *copy = malloc(n ? n : 1); /* so that ASan sees a byte too far */
    memcpy(copy, text, n);
    int count = dsn_read(view_of(copy, n), about, note, &b);
    free(copy);
    snprintf(out, 2000, "%.*s", (int)buf_len(&b), buf_len(&b) ? buf_view(&b).p : "");
    buf_fini(&b);
    return count;
}

#define HEAD                                                                                       \
    "From: MAILER-DAEMON@mx.example\r\nTo: \"T, <x@y>\" <taro@example.jp>\r\n"                     \
    "Content-Type: multipart/report;\r\n report-type=delivery-status; boundary=\"b\"\r\n\r\n"      \
    "--b\r\nContent-Type: text/plain\r\n\r\nHello\r\nFinal-Recipient: rfc822; no@x\r\n\r\n"
#define REPORT                                                                                     \
    "--b\r\nContent-Description: report\r\nContent-type: Message/Delivery-Status; x=y\r\n\r\n"     \
    "Reporting-MTA: dns; mx.example\r\n\r\n"                                                       \
    "Final-Recipient: rfc822; a@x.jp\r\nAction: failed\r\nStatus: 5.1.1\r\n"                       \
    "Diagnostic-Code: smtp; 550 5.1.1 <a@x.jp>: no\r\n    such user\r\n\r\n"                       \
    "Final-Recipient: rfc822;b@y.jp\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n"
#define TAIL "--b\r\nContent-Type: message/rfc822\r\n\r\nFinal-Recipient: rfc822; evil@z\r\n--b--\r\n"

static const struct {
    const char *text;
    int count;
    const char *to;
    const char *recipients;
} cases[] = {
    {HEAD REPORT TAIL, 2, "taro@example.jp", "a@x.jp 5.1.1 550 failed\nb@y.jp 4.4.1 0 -\n"},
    {HEAD TAIL, MSA_ENOENT, "taro@example.jp", ""},
    {"", MSA_ENOENT, "", ""},
    {"Subject: hi\r\n\r\nReporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@x\r\n", MSA_ENOENT, "", ""},
    {"Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; <c@z.jp>\nAction: Failed\n"
     "Status: 5.7.1 (spam)\nDiagnostic-Code: smtp; 554-refused\n", 1, "", "c@z.jp 5.7.1 554 failed\n"},
    {"Reporting-MTA: dns; a\n\nStatus: 5.7.1\n\n\n\nFinal-Recipient: c@z.jp\nStatus: 5.7\n"
     "Diagnostic-Code: x-unix; 5500 what\n", 1, "", "- - 0 -\n"},
    {"Reporting-MTA: dns; a\n\nFinal-Recipient: utf-8; \xe5\xa4\xaa@z.jp\nStatus: 9.1.1\n"
     "Diagnostic-Code: smtp; 999 x\n", 1, "", "\xe5\xa4\xaa@z.jp - 0 -\n"},
    {"To: taro@example.jp, hana@example.jp\n\n" REPORT, 2, "taro@example.jp",
     "a@x.jp 5.1.1 550 failed\nb@y.jp 4.4.1 0 -\n"},
};

Test(dsn, tells_of_each_recipient_of_the_report_part)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dsn_about about;
        char out[2000];
        cr_expect_eq(read_text(cases[i].text, strlen(cases[i].text), &about, out), cases[i].count, "case %zu", i);
        cr_expect_str_eq(about.to, cases[i].to, "case %zu", i);
        cr_expect_str_eq(out, cases[i].recipients, "case %zu", i);
    }
}

Test(dsn, cut_anywhere_it_says_no_more_than_the_whole)
{
    static const char whole[] = HEAD REPORT TAIL;
    for (size_t n = 0; n < sizeof whole; n++) {
        struct dsn_about about;
        char out[2000];
        int count = read_text(whole, n, &about, out);
        cr_expect(count == MSA_ENOENT || count <= 2, "cut at %zu", n);
        cr_expect_null(strstr(out, "evil"), "cut at %zu", n);
    }
}

Test(dsn, what_is_too_long_is_cut_and_what_is_too_many_is_left)
{
    struct buf b;
    struct dsn_about about;
    char out[2000];
    buf_init(&b, 1u << 20);
    buf_add_cstr(&b, "Reporting-MTA: dns; a\n\nStatus: 5.1.1\nFinal-Recipient: rfc822; ");
    for (unsigned i = 0; i < 5000; i++)
        buf_add_char(&b, 'x');
    cr_expect_eq(read_text(buf_view(&b).p, buf_len(&b), &about, out), 1);
    cr_expect_str_eq(out, "- 5.1.1 0 -\n");
    buf_reset(&b);
    buf_add_cstr(&b, "Reporting-MTA: dns; a\n\n");
    for (unsigned i = 0; i < 3000; i++)
        buf_add_cstr(&b, "Final-Recipient: rfc822; a@x\n\n");
    cr_expect_eq(read_text(buf_view(&b).p, buf_len(&b), &about, out), DSN_RECIPIENTS_MAX);
    buf_fini(&b);
}

#define OURS(id) "Received: from [10.0.0.1] ([192.0.2.1])\r\n\tby submit.example.jp (msad) with ESMTPSA\r\n" \
                 "\t(TLSv1.3 TLS_AES_256_GCM_SHA384 256 bits)\r\n\tid " id "\r\n\tfor <a@x.jp>;\r\n\tMon, 1 Jun 2026 09:00:00 +0900\r\n"
#define MX       "Received: from submit.example.jp (submit.example.jp [192.0.2.9])\r\n\tby mx.example (Postfix) with ESMTPS id 4A5F6\r\n"

Test(dsn, the_header_that_came_back_tells_which_message_it_was)
{
    static const struct {
        const char *type, *header, *queue_id, *message_id;
    } rows[] = {
        {"message/rfc822", MX OURS("0qh3qd0000000") "Message-ID: <a.b@c>\r\n\r\nMessage-ID: <body@x>\r\n", "0qh3qd0000000", "a.b@c"},
        {"Text/RFC822-Headers; charset=us-ascii", OURS("0qh3qd0000000") "message-id:\r\n <a.b@c> (x)\r\n", "0qh3qd0000000", "a.b@c"},
        {"message/global-headers", "Message-ID: no brackets\r\n", "", "no brackets"},
        {"message/rfc822", OURS("0qh3qd0000000") OURS("0qh3qd0000001"), "0qh3qd0000000", ""},
        {"message/rfc822", MX "Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n", "", "1@x"},
        {"message/rfc822", OURS("no-id-of-ours"), "", ""},
        {"message/rfc822", "Received: by x (msad) with \r\n", "", ""},
        {"message/rfc822", "Received: by x (msad) with ESMTPSA id\r\n", "", ""},
        {"text/plain", OURS("0qh3qd0000000"), "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dsn_about about;
        char text[4000], out[2000];
        snprintf(text, sizeof text, "%s%s--b\r\nContent-Type: %s\r\n\r\n%s\r\n--b--\r\n", HEAD, REPORT, rows[i].type,
                 rows[i].header);
        cr_expect_eq(read_text(text, strlen(text), &about, out), 2, "row %zu", i);
        cr_expect_str_eq(about.queue_id, rows[i].queue_id, "row %zu", i);
        cr_expect_str_eq(about.message_id, rows[i].message_id, "row %zu", i);
        cr_expect_str_eq(about.to, "taro@example.jp");
    }
}

Test(dsn, status_has_three_parts)
{
    static const char *const good[] = {"5.7.1", "2.0.0", "4.12.345", "5.999.999"};
    static const char *const bad[] = {"", "5", "5.7", "5.7.", "5..1", "3.1.1", "55.1.1", "5.1234.1", "5.1.1x", "5.7.1 "};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(dsn_is_status(view_cstr(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(dsn_is_status(view_cstr(bad[i])), "%s", bad[i]);
}
