#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/mail/base64.h"
#include "relay/bounce.h"
#include "smarthost.h"

TestSuite(relay_bounce, .timeout = 30);

static const struct bounce_settings settings = {
    .hostname = "mx.example.jp",
    .from = "MAILER-DAEMON@mx.example.jp",
    .postmaster = "postmaster@example.jp",
    .expires_at_ms = 1767225600000 + 86400000,
};

static struct message *failed_message(void)
{
    clock_set_for_test(1000, 1767225600000); /* 2026-01-01 */
    struct message *m = smarthost_message("taro@example.jp", "a@x.jp b@x.jp c@x.jp", SMARTHOST_CONTENT);
    m->arrival_ms = 1767225600000 - 60000;
    m->rcpts[0].state = RCPT_DELIVERED;
    m->rcpts[1].state = RCPT_FAILED;
    message_answer(m, &m->rcpts[1], 550, "5.1.1", VIEW_LIT("no such user"));
    message_answer(m, &m->rcpts[2], 450, "4.2.1", VIEW_LIT("try later"));
    return m;
}

/* The notice's text, ended by a NUL; the caller frees both. */
static char *make(const struct message *m, enum bounce_kind kind, const struct bounce_settings *s,
                  struct message **notice_out)
{
    cr_assert_eq(bounce_make(m, kind, s, notice_out), MSA_OK);
    size_t n = (size_t)content_bytes(&(*notice_out)->content);
    char *text = calloc(1, n + 1);
    cr_assert_eq(content_copy(&(*notice_out)->content, 0, text, n), MSA_OK);
    return text;
}

static void expect_line(const char *text, const char *line)
{
    cr_expect_not_null(strstr(text, line), "no \"%s\" in:\n%s", line, text);
}

static void expect_no_line(const char *text, const char *line)
{
    cr_expect_null(strstr(text, line), "\"%s\" in:\n%s", line, text);
}

/* Every line ends in CRLF, and no line is longer than 998: it passes our own client. */
static void expect_sendable(const char *text)
{
    size_t line = 0;
    for (const char *p = text; *p; p++) {
        line = *p == '\n' ? 0 : line + 1;
        cr_expect_leq(line, 999);
        if (*p == '\n')
            cr_expect(p > text && p[-1] == '\r', "a bare LF");
        if (*p == '\r')
            cr_expect_eq(p[1], '\n', "a bare CR");
    }
}

Test(relay_bounce, failure_names_the_failed_recipient_and_no_other)
{
    struct message *m = failed_message(), *notice;
    m->envid = VIEW_LIT("QQ+2B1");
    m->rcpts[1].orcpt = VIEW_LIT("rfc822;B+2Bx@x.jp");
    char *text = make(m, BOUNCE_FAILED, &settings, &notice);
    expect_sendable(text);
    expect_line(text, "From: Mail Delivery System <MAILER-DAEMON@mx.example.jp>\r\n");
    expect_line(text, "To: <taro@example.jp>\r\n");
    expect_line(text, "Auto-Submitted: auto-replied\r\n");
    expect_line(text, "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    expect_line(text, "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.jp\r\n"
                      "Original-Envelope-Id: QQ+1\r\nArrival-Date: Wed, 31 Dec 2025 23:59:00 +0000\r\n\r\n"
                      "Original-Recipient: rfc822;B+x@x.jp\r\n"
                      "Final-Recipient: rfc822; b@x.jp\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                      "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n");
    expect_line(text, "Content-Type: message/rfc822\r\n\r\n" SMARTHOST_CONTENT);
    expect_no_line(text, "a@x.jp");
    expect_no_line(text, "c@x.jp");
    cr_expect_eq(notice->sender.n, 0);
    cr_expect_eq(notice->rcpt_count, 1);
    cr_expect(view_eq(notice->rcpts[0].path, VIEW_LIT("taro@example.jp")));
    cr_expect_eq(notice->rcpts[0].notify, NOTIFY_NEVER);
    cr_expect(view_eq(notice->pool, m->pool));
    cr_expect_eq(notice->body_type, BODY_7BIT);
    cr_expect_eq(memcmp(text + notice->header_bytes, "\r\n--=_", 6), 0);
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, text_for_people_is_english_and_japanese)
{
    struct message *m = failed_message(), *notice;
    struct buf plain;
    char *text = make(m, BOUNCE_FAILED, &settings, &notice);
    char *start = strstr(text, "Content-Transfer-Encoding: base64\r\n\r\n");
    cr_assert_not_null(start);
    start = strstr(start, "\r\n\r\n") + 4;
    char *end = strstr(start, "\r\n--=_"), *to = start;
    for (char *p = start; p < end; p++) {
        if (*p != '\r' && *p != '\n')
            *to++ = *p;
    }
    buf_init(&plain, 8192);
    cr_assert_eq(base64_decode(view_of(start, (size_t)(to - start)), &plain), MSA_OK);
    buf_add_char(&plain, '\0');
    expect_line(plain.data, "could not be delivered to these recipients");
    expect_line(plain.data, "配送できませんでした");
    expect_line(plain.data, "<postmaster@example.jp>");
    expect_line(plain.data, "<b@x.jp>\r\n    550 5.1.1 no such user\r\n");
    buf_fini(&plain);
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, null_sender_and_notify_never_hear_nothing)
{
    struct message *m = failed_message();
    cr_expect(bounce_is_due(m, BOUNCE_FAILED));
    cr_expect(bounce_is_due(m, BOUNCE_DELAYED));
    cr_expect_not(bounce_is_due(m, BOUNCE_RELAYED), "success is told on request only");
    m->rcpts[1].notify = NOTIFY_NEVER;
    cr_expect_not(bounce_is_due(m, BOUNCE_FAILED));
    m->rcpts[1].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
    cr_expect_not(bounce_is_due(m, BOUNCE_FAILED));
    m->rcpts[1].notify = NOTIFY_FAILURE;
    cr_expect(bounce_is_due(m, BOUNCE_FAILED));
    m->rcpts[0].notify = NOTIFY_SUCCESS;
    cr_expect(bounce_is_due(m, BOUNCE_RELAYED));
    m->sender = VIEW_EMPTY;
    for (int kind = 0; kind < BOUNCE_KIND_COUNT; kind++)
        cr_expect_not(bounce_is_due(m, (enum bounce_kind)kind));
    message_free(&m);
}

Test(relay_bounce, delay_says_until_when_and_returns_the_header_only)
{
    struct message *m = failed_message(), *notice;
    char *text = make(m, BOUNCE_DELAYED, &settings, &notice);
    expect_sendable(text);
    expect_line(text, "Final-Recipient: rfc822; c@x.jp\r\nAction: delayed\r\nStatus: 4.2.1\r\n"
                      "Diagnostic-Code: smtp; 450 4.2.1 try later\r\n");
    expect_line(text, "Will-Retry-Until: Fri, 02 Jan 2026 00:00:00 +0000\r\n");
    expect_line(text, "Content-Type: text/rfc822-headers\r\n\r\nSubject: a\r\n\r\n--=_");
    expect_no_line(text, "b@x.jp");
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, relayed_is_no_failure)
{
    struct message *m = failed_message(), *notice;
    m->rcpts[0].notify = NOTIFY_SUCCESS;
    message_answer(m, &m->rcpts[0], 250, "2.0.0", VIEW_LIT("ok"));
    char *text = make(m, BOUNCE_RELAYED, &settings, &notice);
    expect_line(text, "Final-Recipient: rfc822; a@x.jp\r\nAction: relayed\r\nStatus: 2.0.0\r\n");
    expect_no_line(text, "Diagnostic-Code");
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, ret_hdrs_and_size_return_the_header_only)
{
    struct message *m = failed_message(), *notice;
    m->dsn_ret = RET_HDRS;
    char *text = make(m, BOUNCE_FAILED, &settings, &notice);
    expect_line(text, "Content-Type: text/rfc822-headers\r\n\r\nSubject: a\r\n");
    expect_no_line(text, "first\r\n");
    free(text);
    message_free(&notice);
    m->dsn_ret = RET_FULL;
    static char big[80000];
    memset(big, 'a', sizeof big - 1);
    memcpy(big, "Subject: b\r\n\r\n", 14);
    m->content.memory = view_of(big, sizeof big - 1);
    m->header_bytes = 12;
    text = make(m, BOUNCE_FAILED, &settings, &notice);
    expect_line(text, "Content-Type: text/rfc822-headers\r\n\r\nSubject: b\r\n\r\n--=_");
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, expiry_has_its_own_status_beside_the_last_answer)
{
    struct message *m = failed_message(), *notice;
    struct bounce_settings expired = settings;
    expired.status = "4.4.7";
    expired.why = "too late";
    m->rcpts[2].state = RCPT_FAILED;
    m->rcpts[1].state = RCPT_DELIVERED;
    char *text = make(m, BOUNCE_FAILED, &expired, &notice);
    expect_line(text, "Status: 4.4.7\r\nDiagnostic-Code: smtp; 450 4.2.1 try later\r\n");
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, internationalized_addresses_make_an_internationalized_report)
{
    struct message *m = failed_message(), *notice;
    m->sender = VIEW_LIT("太郎@example.jp");
    m->rcpts[1].path = VIEW_LIT("花子@x.jp");
    m->rcpts[1].orcpt = VIEW_LIT("utf-8;花子@x.jp");
    m->flags |= MESSAGE_SMTPUTF8;
    m->content.memory = VIEW_LIT("Subject: 件名\r\n\r\nbody\r\n");
    m->header_bytes = 17;
    char *text = make(m, BOUNCE_FAILED, &settings, &notice);
    expect_line(text, "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n");
    expect_line(text, "Original-Recipient: utf-8;花子@x.jp\r\nFinal-Recipient: utf-8; 花子@x.jp\r\n");
    expect_line(text, "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n");
    cr_expect(message_has(notice, MESSAGE_SMTPUTF8));
    cr_expect_eq(notice->body_type, BODY_8BITMIME);
    free(text);
    message_free(&notice);
    message_free(&m);
}

Test(relay_bounce, hostile_answer_forges_no_field)
{
    struct message *m = failed_message(), *notice;
    message_answer(m, &m->rcpts[1], 550, "5.1.1",
                   VIEW_LIT("no\r\nAction: delivered\nFinal-Recipient: rfc822; x@y\x1b[2J"));
    char *text = make(m, BOUNCE_FAILED, &settings, &notice);
    expect_sendable(text);
    expect_no_line(text, "\nAction: delivered");
    expect_no_line(text, "\nFinal-Recipient: rfc822; x@y");
    expect_no_line(text, "\x1b");
    free(text);
    message_free(&notice);
    message_free(&m);
}
