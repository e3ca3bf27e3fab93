/* The catalogue of what a smarthost may do to us (security: downstream). */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "smarthost.h"

TestSuite(relay_client_faults, .timeout = 60);

/* ---- the catalogue: downstream (security.md H) ---- */

struct fault {
    const char *name;
    struct smarthost_rule rules[4];
    const char *codes;
    enum client_failure failure;
};

static void check_faults(const struct fault *faults, size_t count, const char *offers)
{
    for (size_t f = 0; f < count; f++) {
        EACH_PIECE(i) {
            struct smarthost_run run = {.offers = offers, .rules = faults[f].rules,
                                        .piece = smarthost_pieces[i], .settings.tls = CONFIG_RELAY_TLS_OFF};
            struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
            smarthost_expect_codes(m, faults[f].codes, smarthost_pieces[i]);
            cr_expect_eq(run.failure, faults[f].failure, "%s, pieces of %zu: %s", faults[f].name,
                         smarthost_pieces[i], client_failure_name(run.failure));
            cr_expect_eq(message_count(m, RCPT_DELIVERED), 0, "%s", faults[f].name);
            smarthost_done(&run, m);
        }
    }
}

Test(relay_client_faults, farewell_or_refusal_for_now_at_each_phase_keeps_the_message)
{
    static const struct fault faults[] = {
        {"421 banner", {{"", "421 4.3.2 no\r\n"}}, "0", CLIENT_FAIL_CLOSING},
        {"451 banner", {{"", "451 no\r\n"}}, "0", CLIENT_FAIL_GREETING},
        {"554 banner", {{"", "554 no\r\n"}}, "0", CLIENT_FAIL_GREETING},
        {"421 EHLO", {{"EHLO", "421 no\r\n"}}, "0", CLIENT_FAIL_CLOSING},
        {"502 EHLO", {{"EHLO", "502 no\r\n"}}, "0", CLIENT_FAIL_GREETING},
        {"421 MAIL", {{"MAIL", "421 4.3.2 no\r\n"}}, "421", CLIENT_FAIL_CLOSING},
        {"451 MAIL", {{"MAIL", "451 4.3.0 no\r\n"}}, "451", CLIENT_FAIL_NONE},
        {"421 RCPT", {{"RCPT", "421 4.3.2 no\r\n"}}, "421", CLIENT_FAIL_CLOSING},
        {"450 RCPT", {{"RCPT", "450 4.2.0 no\r\n"}}, "450", CLIENT_FAIL_NONE},
        {"451 DATA", {{"DATA", "451 4.3.0 no\r\n"}}, "451", CLIENT_FAIL_NONE},
        {"421 DATA", {{"DATA", "421 4.3.0 no\r\n"}}, "421", CLIENT_FAIL_CLOSING},
        {"451 dot", {{".", "451 4.3.0 no\r\n"}}, "451", CLIENT_FAIL_NONE},
        {"421 dot", {{".", "421 4.3.0 no\r\n"}}, "421", CLIENT_FAIL_CLOSING},
        {"drop banner", {{"", "!"}}, "0", CLIENT_FAIL_NONE},
        {"drop MAIL", {{"MAIL", "!"}}, "451", CLIENT_FAIL_NONE},
        {"drop RCPT", {{"RCPT", "!"}}, "451", CLIENT_FAIL_NONE},
        {"drop DATA", {{"DATA", "!"}}, "451", CLIENT_FAIL_NONE},
    };
    check_faults(faults, sizeof faults / sizeof faults[0], "PIPELINING");
    check_faults(faults, sizeof faults / sizeof faults[0], "8BITMIME");
}

Test(relay_client_faults, drop_behind_the_final_dot_may_have_been_sent_and_is_kept)
{
    static const struct smarthost_rule rules[] = {{".", "!"}, {"BDAT", "!"}, {NULL, NULL}};
    static const char *const offers[] = {"PIPELINING", "X", "CHUNKING PIPELINING"};
    for (size_t o = 0; o < 3; o++) {
        struct smarthost_run run = {.offers = offers[o], .rules = rules,
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "451", o);
        cr_expect(run.may_have_sent);
        cr_expect_eq(run.body_count, 1);
        cr_expect_eq(message_count(m, RCPT_PENDING), 1);
        smarthost_done(&run, m);
    }
}

Test(relay_client_faults, drop_before_the_final_dot_has_not_been_sent)
{
    static const struct smarthost_rule rules[] = {{"DATA", "!"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "X", .rules = rules, .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    cr_expect_not(run.may_have_sent);
    smarthost_done(&run, m);
}

Test(relay_client_faults, refusal_for_good_fails_the_recipient)
{
    static const struct smarthost_rule rules[] = {{".", "554 5.7.1 spam\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "PIPELINING", .rules = rules,
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com b@example.com", SMARTHOST_CONTENT);
    smarthost_expect_codes(m, "554 554", 0);
    cr_expect_eq(message_count(m, RCPT_FAILED), 2);
    smarthost_done(&run, m);
}

Test(relay_client_faults, garbage_ends_the_session_and_keeps_the_message)
{
    static const struct fault faults[] = {
        {"garbage at MAIL", {{"MAIL", "hello there\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"garbage at dot", {{".", "\x01\x02\xff\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"code out of range", {{".", "999 what\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"codes disagree", {{".", "250-ok\r\n550 no\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"354 at RCPT", {{"RCPT", "354 go\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"354 at dot", {{".", "354 go\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"250 at DATA", {{"DATA", "250 ok\r\n"}}, "451", CLIENT_FAIL_PROTOCOL},
        {"bare LF", {{".", "250 ok\n"}}, "451", CLIENT_FAIL_PROTOCOL},
    };
    check_faults(faults, sizeof faults / sizeof faults[0], "X");
}

Test(relay_client_faults, garbage_behind_data_is_not_the_answer_to_the_final_dot)
{
    /* The story of Postfix's smtp_chat.c: an answer too many, then the one to QUIT was believed. */
    static const struct smarthost_rule rules[] = {{"DATA", "354 go\r\n250 already\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "X", .rules = rules, .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    smarthost_expect_codes(m, "451", 0);
    cr_expect_eq(run.failure, CLIENT_FAIL_PROTOCOL);
    cr_expect_null(strstr(smarthost_said(&run), "QUIT"));
    smarthost_done(&run, m);
}

Test(relay_client_faults, reply_before_its_command_is_a_protocol_error)
{
    static const struct smarthost_rule rules[] = {{"EHLO", "250-h\r\n250 X\r\n250 early\r\n"},
                                                  {NULL, NULL}};
    struct smarthost_run run = {.offers = "", .rules = rules, .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    cr_expect_eq(run.failure, CLIENT_FAIL_PROTOCOL);
    cr_expect_eq(run.body_count, 0);
    smarthost_done(&run, m);
}

Test(relay_client_faults, reply_while_the_body_is_not_yet_flushed_is_early)
{
    struct client_settings settings = {.ehlo_name = "h", .tls = CONFIG_RELAY_TLS_OFF, .user = ""};
    struct client c;
    struct buf in;
    struct message *m = smarthost_message("t@example.jp", "a@example.com", SMARTHOST_CONTENT);
    buf_init(&in, 4096);
    client_init(&c, &settings);
    buf_add_cstr(&in, "220 x\r\n");
    client_step(&c, &in, true);
    buf_add_cstr(&in, "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    client_step(&c, &in, true);
    client_begin(&c, m);
    struct view piece = m->content.memory, run;
    cr_assert_eq(client_step(&c, &in, false), CLIENT_WANT_BODY);
    while (client_body(&c, &piece, &run) > 0)
        ;
    client_body_end(&c);
    buf_add_cstr(&in, "250 x\r\n250 x\r\n250 taken before it was sent\r\n");
    cr_expect_eq(client_step(&c, &in, false), CLIENT_WANT_CLOSE);
    cr_expect_eq(c.failure, CLIENT_FAIL_PROTOCOL);
    client_lose(&c, VIEW_LIT("lost"));
    smarthost_expect_codes(m, "451", 0);
    client_fini(&c);
    buf_fini(&in);
    message_free(&m);
}

static void check_flood(const char *reply)
{
    EACH_PIECE(i) {
        const struct smarthost_rule rules[] = {{".", reply}, {NULL, NULL}};
        struct smarthost_run run = {.offers = "PIPELINING", .rules = rules, .piece = smarthost_pieces[i] * 100,
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "451", smarthost_pieces[i]);
        cr_expect_eq(run.failure, CLIENT_FAIL_PROTOCOL);
        smarthost_done(&run, m);
    }
}

Test(relay_client_faults, endless_line_is_bounded_and_kept)
{
    static char line[6000];
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "250 ", 4);
    memcpy(line + sizeof line - 3, "\r\n", 2);
    check_flood(line);
}

Test(relay_client_faults, flood_of_lines_is_bounded_and_kept)
{
    static char lines[300 * 8 + 1];
    for (int i = 0; i < 300; i++)
        memcpy(lines + i * 8, "250-ab\r\n", 8);
    check_flood(lines);
}

Test(relay_client_faults, control_bytes_of_a_reply_reach_neither_log_nor_bounce)
{
    static const struct smarthost_rule rules[] = {{".", "550 5.1.1 a\x1b[31mb\x07\xff\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "X", .rules = rules, .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    struct view text = m->rcpts[0].answer.text;
    cr_assert(text.n > 0);
    for (size_t i = 0; i < text.n; i++)
        cr_expect(text.p[i] >= 0x20 && text.p[i] < 0x7f);
    smarthost_done(&run, m);
}

Test(relay_client_faults, farewell_to_an_idle_session_is_no_nonsense)
{
    struct client_settings settings = {.ehlo_name = "h", .tls = CONFIG_RELAY_TLS_OFF, .user = ""};
    struct client c;
    struct buf in;
    buf_init(&in, 4096);
    client_init(&c, &settings);
    buf_add_cstr(&in, "220 x\r\n");
    client_step(&c, &in, true);
    buf_add_cstr(&in, "250 x\r\n");
    cr_assert_eq(client_step(&c, &in, true), CLIENT_WANT_WORK);
    buf_add_cstr(&in, "421 idle too long\r\n");
    cr_expect_eq(client_step(&c, &in, true), CLIENT_WANT_CLOSE);
    cr_expect_eq(c.failure, CLIENT_FAIL_CLOSING);
    client_fini(&c);
    buf_fini(&in);
}

