#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "smarthost.h"

TestSuite(relay_client, .timeout = 60);

/* ---- the plain way ---- */

Test(relay_client, without_pipelining_each_command_waits_for_its_reply)
{
    EACH_PIECE(i) {
        struct smarthost_run run = {.offers = "8BITMIME", .piece = smarthost_pieces[i],
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_send(&run, "a@example.com b@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "250 250", smarthost_pieces[i]);
        cr_expect_eq(message_count(m, RCPT_DELIVERED), 2);
        cr_expect_str_eq(smarthost_said(&run), "EHLO msad.example\r\nMAIL FROM:<taro@example.jp>\r\n"
                                     "RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
                                     "QUIT\r\n");
        cr_expect(view_eq(buf_view(&run.body), view_cstr(SMARTHOST_CONTENT)), "dots were stuffed");
        cr_expect(view_eq(m->rcpts[0].answer.text, VIEW_LIT("taken as X1")));
        cr_expect_str_eq(m->rcpts[0].answer.enhanced, "2.0.0");
        cr_expect_eq(run.failure, CLIENT_FAIL_NONE);
        smarthost_done(&run, m);
    }
}

Test(relay_client, pipelined_group_goes_out_whole_and_quit_is_not_in_it)
{
    struct client_settings settings = {.ehlo_name = "h", .tls = CONFIG_RELAY_TLS_OFF, .user = ""};
    struct client c;
    struct buf in;
    struct message *m = smarthost_message("t@example.jp", "a@example.com b@example.com", SMARTHOST_CONTENT);
    buf_init(&in, 4096);
    client_init(&c, &settings);
    buf_add_cstr(&in, "220 x\r\n");
    client_step(&c, &in, true);
    buf_add_cstr(&in, "250-x\r\n250-PIPELINING\r\n250 SIZE 0\r\n");
    cr_assert_eq(client_step(&c, &in, true), CLIENT_WANT_WORK);
    buf_reset(&c.out);
    cr_assert(client_begin(&c, m));
    cr_expect(view_eq(buf_view(&c.out),
                      VIEW_LIT("MAIL FROM:<t@example.jp> SIZE=33\r\nRCPT TO:<a@example.com>\r\n"
                               "RCPT TO:<b@example.com>\r\nDATA\r\n")),
              "%.*s", (int)buf_len(&c.out), buf_view(&c.out).p);
    buf_reset(&c.out);
    buf_add_cstr(&in, "250 x\r\n250 x\r\n250 x\r\n354 x\r\n");
    cr_assert_eq(client_step(&c, &in, true), CLIENT_WANT_BODY);
    cr_expect_eq(buf_len(&c.out), 0);
    struct view piece = m->content.memory, run;
    while (client_body(&c, &piece, &run) > 0)
        ;
    client_body_end(&c);
    cr_expect(client_may_have_sent(&c));
    cr_expect(view_eq(buf_view(&c.out), VIEW_LIT(".\r\n")), "nothing behind the final dot");
    cr_assert_eq(client_step(&c, &in, true), CLIENT_WANT_INPUT);
    buf_add_cstr(&in, "250 x\r\n");
    cr_assert_eq(client_step(&c, &in, true), CLIENT_WANT_WORK);
    client_fini(&c);
    buf_fini(&in);
    message_free(&m);
}

Test(relay_client, chunking_sends_envelope_and_body_in_one_flight)
{
    EACH_PIECE(i) {
        struct smarthost_run run = {.offers = "PIPELINING CHUNKING", .piece = smarthost_pieces[i],
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "250", smarthost_pieces[i]);
        cr_expect(strstr(smarthost_said(&run), "BDAT 33 LAST\r\n") && !strstr(smarthost_said(&run), "DATA\r\n"));
        cr_expect(view_eq(buf_view(&run.body), view_cstr(SMARTHOST_CONTENT)));
        smarthost_done(&run, m);
    }
}

Test(relay_client, large_chunk_waits_until_a_recipient_is_taken)
{
    static char big[100000];
    memset(big, 'a', sizeof big - 1);
    memcpy(big + sizeof big - 3, "\r\n", 2);
    static const struct smarthost_rule rules[] = {{"RCPT", "550 5.1.1 no\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "PIPELINING CHUNKING", .rules = rules,
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", big);
    smarthost_expect_codes(m, "550", 0);
    cr_expect_null(strstr(smarthost_said(&run), "BDAT"));
    cr_expect_eq(run.body_count, 0);
    smarthost_done(&run, m);
}

Test(relay_client, kept_session_carries_several_messages_and_resets_after_a_refusal)
{
    static const struct smarthost_rule rules[] = {{"RCPT", "550 5.1.1 no\r\n"}, {NULL, NULL}};
    EACH_PIECE(i) {
        struct message *a = smarthost_message("x@example.jp", "a@example.com", SMARTHOST_CONTENT);
        struct message *b = smarthost_message("y@example.jp", "b@example.com", SMARTHOST_CONTENT);
        struct message *all[] = {a, b, NULL};
        struct smarthost_run run = {.offers = "PIPELINING", .rules = rules, .piece = smarthost_pieces[i],
                                    .messages = all, .settings.tls = CONFIG_RELAY_TLS_OFF};
        smarthost_run(&run);
        smarthost_expect_codes(a, "550", smarthost_pieces[i]);
        smarthost_expect_codes(b, "250", smarthost_pieces[i]);
        cr_expect(strstr(smarthost_said(&run), "RSET\r\nMAIL FROM:<y@example.jp>"));
        cr_expect_eq(run.body_count, 2, "the 354 nobody should have given was ended by a dot");
        smarthost_done(&run, a);
        message_free(&b);
    }
}

Test(relay_client, mail_refused_for_a_reset_that_was_refused_is_kept)
{
    static const struct smarthost_rule rules[] = {{"RCPT", "550 5.1.1 no\r\n"},
                                                  {"RSET", "502 5.5.1 what is that\r\n"},
                                                  {"MAIL FROM:<y@", "503 5.5.1 sender already given\r\n"},
                                                  {NULL, NULL}};
    static const char *const offers[] = {"X", "PIPELINING", "PIPELINING CHUNKING"};
    for (size_t o = 0; o < 3; o++) {
        EACH_PIECE(i) {
            struct message *a = smarthost_message("x@example.jp", "a@example.com", SMARTHOST_CONTENT);
            struct message *b = smarthost_message("y@example.jp", "b@example.com", SMARTHOST_CONTENT);
            struct message *all[] = {a, b, NULL};
            struct smarthost_run run = {.offers = offers[o], .rules = rules, .piece = smarthost_pieces[i],
                                        .messages = all, .settings.tls = CONFIG_RELAY_TLS_OFF};
            smarthost_run(&run);
            smarthost_expect_codes(a, "550", smarthost_pieces[i]);
            smarthost_expect_codes(b, "451", smarthost_pieces[i]);
            cr_expect_eq(run.failure, CLIENT_FAIL_PROTOCOL);
            smarthost_done(&run, a);
            message_free(&b);
        }
    }
}

Test(relay_client, reset_that_was_refused_does_no_harm_where_mail_is_taken)
{
    static const struct smarthost_rule rules[] = {
        {"RCPT", "550 5.1.1 no\r\n"}, {"RSET", "502 5.5.1 what is that\r\n"}, {NULL, NULL}};
    struct message *a = smarthost_message("x@example.jp", "a@example.com", SMARTHOST_CONTENT);
    struct message *b = smarthost_message("y@example.jp", "b@example.com", SMARTHOST_CONTENT);
    struct message *all[] = {a, b, NULL};
    struct smarthost_run run = {.offers = "PIPELINING", .rules = rules, .messages = all,
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    smarthost_run(&run);
    smarthost_expect_codes(b, "250", 0);
    smarthost_done(&run, a);
    message_free(&b);
}

/* ---- each recipient its own answer ---- */

Test(relay_client, mixed_recipients_each_get_their_own_answer)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "450 4.2.1 later\r\n"},
                                                  {"RCPT TO:<c@", "550 5.1.1 never\r\n"},
                                                  {"RCPT TO:<d@", "452 4.5.3 too many\r\n"},
                                                  {NULL, NULL}};
    static const char *const offers[] = {"X", "PIPELINING", "PIPELINING CHUNKING", "CHUNKING"};
    for (size_t o = 0; o < 4; o++) {
        EACH_PIECE(i) {
            struct smarthost_run run = {.offers = offers[o], .rules = rules, .piece = smarthost_pieces[i],
                                        .settings.tls = CONFIG_RELAY_TLS_OFF};
            struct message *m = smarthost_send(&run, "a@x.jp b@x.jp c@x.jp d@x.jp", SMARTHOST_CONTENT);
            smarthost_expect_codes(m, "250 450 550 452", smarthost_pieces[i]);
            cr_expect_eq(m->rcpts[0].state, RCPT_DELIVERED);
            cr_expect_eq(m->rcpts[2].state, RCPT_FAILED);
            cr_expect_eq(message_count(m, RCPT_PENDING), 2);
            cr_expect_eq(run.body_count, 1);
            smarthost_done(&run, m);
        }
    }
}

Test(relay_client, refused_sender_is_the_answer_of_every_recipient)
{
    static const struct smarthost_rule rules[] = {{"MAIL", "550 5.7.1 not you\r\n"},
                                                  {"RCPT", "503 5.5.1 first MAIL\r\n"},
                                                  {"RCPT", "503 5.5.1 first MAIL\r\n"},
                                                  {"DATA", "503 5.5.1 first RCPT\r\n"},
                                                  {"BDAT", "503 5.5.1 first RCPT\r\n"},
                                                  {NULL, NULL}};
    static const char *const offers[] = {"X", "PIPELINING", "PIPELINING CHUNKING"};
    for (size_t o = 0; o < 3; o++) {
        struct smarthost_run run = {.offers = offers[o], .rules = rules,
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_send(&run, "a@x.jp b@x.jp", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "550 550", o);
        cr_expect(view_eq(m->rcpts[1].answer.text, VIEW_LIT("not you")));
        cr_expect_eq(run.sent_count, 1);
        smarthost_done(&run, m);
    }
}

Test(relay_client, many_recipients_go_out_in_windows)
{
    char list[32 * 500] = "";
    size_t n = 0;
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, i ? " r%d@example.com" : "r%d@example.com", i);
    struct smarthost_run run = {.offers = "PIPELINING", .piece = 1000,
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, list, SMARTHOST_CONTENT);
    cr_expect_eq(message_count(m, RCPT_DELIVERED), 500);
    smarthost_done(&run, m);
}

Test(relay_client, recipients_beyond_the_servers_limit_are_for_later)
{
    struct smarthost_run run = {.offers = "PIPELINING LIMITS=RCPTMAX=2",
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    static const struct smarthost_rule rules[] = {
        {"EHLO", "250-h\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=2\r\n"}, {NULL, NULL}};
    run.rules = rules;
    struct message *m = smarthost_send(&run, "a@x.jp b@x.jp c@x.jp", SMARTHOST_CONTENT);
    smarthost_expect_codes(m, "250 250 452", 0);
    smarthost_done(&run, m);
}

