/* What leaves the house, and to whom: line ends, capabilities, TLS, credentials. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "smarthost.h"

TestSuite(relay_client_rules, .timeout = 60);

/* ---- what is sent: CRLF only (security.md A) ---- */

Test(relay_client_rules, stray_cr_lf_or_nul_never_leaves_the_house)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {{"a\nb\r\n", 5}, {"a\rb\r\n", 5}, {"a\0b\r\n", 5},  {"a\r\n.\nb\r\n", 9},
               {"\n.\r\nMAIL FROM:<x>\r\n", 19}, {"a\r\n\r", 4}, {"a\r", 2}};
    static const char *const offers[] = {"X", "PIPELINING", "PIPELINING CHUNKING"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t o = 0; o < 3; o++) {
            struct smarthost_run run = {.offers = offers[o], .settings.tls = CONFIG_RELAY_TLS_OFF};
            struct message *m = smarthost_message("t@example.jp", "a@example.com", "");
            struct message *all[] = {m, NULL};
            m->content.memory = view_of(bad[i].bytes, bad[i].n);
            run.messages = all;
            smarthost_run(&run);
            smarthost_expect_codes(m, "554", i);
            cr_expect_eq(run.body_count, 0, "case %zu: no end mark was sent", i);
            cr_expect_eq(run.failure, CLIENT_FAIL_BODY);
            smarthost_done(&run, m);
        }
    }
}

Test(relay_client_rules, binary_mime_goes_by_bdat_as_it_is)
{
    struct smarthost_run run = {.offers = "PIPELINING CHUNKING BINARYMIME 8BITMIME",
                                .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_message("t@example.jp", "a@example.com", "");
    struct message *all[] = {m, NULL};
    static const char bytes[] = "S: a\r\n\r\n\n.\n\0\r.\r\n";
    m->content.memory = view_of(bytes, sizeof bytes - 1);
    m->body_type = BODY_BINARYMIME;
    run.messages = all;
    smarthost_run(&run);
    smarthost_expect_codes(m, "250", 0);
    cr_expect(strstr(smarthost_said(&run), "BODY=BINARYMIME"));
    cr_expect(view_eq(buf_view(&run.body), m->content.memory));
    smarthost_done(&run, m);
}

Test(relay_client_rules, body_without_a_last_crlf_gets_one)
{
    struct smarthost_run run = {.offers = "X", .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_send(&run, "a@example.com", "S: a\r\n\r\nend");
    smarthost_expect_codes(m, "250", 0);
    cr_expect(view_eq(buf_view(&run.body), VIEW_LIT("S: a\r\n\r\nend\r\n")));
    smarthost_done(&run, m);
}

/* ---- capabilities ---- */

Test(relay_client_rules, mismatch_is_told_with_its_own_code_and_nothing_is_sent)
{
    static const struct {
        const char *name, *offers;
        uint8_t body_type;
        uint16_t flags;
        const char *recipient, *codes, *enhanced;
    } cases[] = {
        {"8bit", "PIPELINING", BODY_8BITMIME, 0, "a@x.jp", "554", "5.6.3"},
        {"binary without BINARYMIME", "8BITMIME CHUNKING", BODY_BINARYMIME, 0, "a@x.jp", "554", "5.6.3"},
        {"binary without CHUNKING", "BINARYMIME", BODY_BINARYMIME, 0, "a@x.jp", "554", "5.6.3"},
        {"utf8 recipient", "8BITMIME", 0, MESSAGE_SMTPUTF8, "\xe5\xa4\xaa@x.jp", "553", "5.6.7"},
        {"size", "SIZE=10", 0, 0, "a@x.jp", "552", "5.3.4"},
        {"requiretls in clear", "REQUIRETLS", 0, MESSAGE_REQUIRETLS, "a@x.jp", "550", "5.7.30"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message *m = smarthost_message("t@example.jp", cases[i].recipient, SMARTHOST_CONTENT);
        struct message *all[] = {m, NULL};
        struct smarthost_run run = {.offers = cases[i].offers, .messages = all,
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        m->body_type = cases[i].body_type;
        m->flags = cases[i].flags;
        smarthost_run(&run);
        cr_expect(run.was_refused_here, "%s", cases[i].name);
        smarthost_expect_codes(m, cases[i].codes, i);
        cr_expect_str_eq(m->rcpts[0].answer.enhanced, cases[i].enhanced, "%s", cases[i].name);
        cr_expect_null(strstr(smarthost_said(&run), "MAIL"), "%s", cases[i].name);
        smarthost_done(&run, m);
    }
}

Test(relay_client_rules, smtputf8_mail_that_is_all_ascii_goes_to_any_server)
{
    struct smarthost_run run = {.offers = "8BITMIME", .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_message("t@example.jp", "a@example.com", SMARTHOST_CONTENT);
    struct message *all[] = {m, NULL};
    m->flags = MESSAGE_SMTPUTF8;
    run.messages = all;
    smarthost_run(&run);
    smarthost_expect_codes(m, "250", 0);
    cr_expect_null(strstr(smarthost_said(&run), "SMTPUTF8"));
    smarthost_done(&run, m);
}

Test(relay_client_rules, smtputf8_header_needs_the_extension)
{
    struct smarthost_run run = {.offers = "8BITMIME", .settings.tls = CONFIG_RELAY_TLS_OFF};
    struct message *m = smarthost_message("t@example.jp", "a@example.com",
                                          "Subject: \xe5\xa4\xaa\r\n\r\nbody\r\n");
    struct message *all[] = {m, NULL};
    m->flags = MESSAGE_SMTPUTF8;
    run.messages = all;
    smarthost_run(&run);
    smarthost_expect_codes(m, "553", 0);
    smarthost_done(&run, m);
}

Test(relay_client_rules, dsn_parameters_are_passed_on_where_they_are_understood)
{
    for (int has_dsn = 0; has_dsn < 2; has_dsn++) {
        struct smarthost_run run = {.offers = has_dsn ? "DSN" : "X",
                                    .settings.tls = CONFIG_RELAY_TLS_OFF};
        struct message *m = smarthost_message("t@example.jp", "a@example.com", SMARTHOST_CONTENT);
        struct message *all[] = {m, NULL};
        m->dsn_ret = RET_HDRS;
        m->envid = VIEW_LIT("a+2Bb");
        m->rcpts[0].notify = NOTIFY_SUCCESS | NOTIFY_FAILURE;
        m->rcpts[0].orcpt = VIEW_LIT("rfc822;a@example.com");
        run.messages = all;
        smarthost_run(&run);
        smarthost_expect_codes(m, "250", 0);
        cr_expect_eq(strstr(smarthost_said(&run), "MAIL FROM:<t@example.jp> RET=HDRS ENVID=a+2Bb\r\n") != NULL, has_dsn);
        cr_expect_eq(strstr(smarthost_said(&run), " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@example.com\r\n") != NULL,
                     has_dsn);
        smarthost_done(&run, m);
    }
}

/* ---- TLS and AUTH (security.md B) ---- */

Test(relay_client_rules, starttls_then_everything_is_learnt_anew)
{
    static const struct smarthost_rule rules[] = {
        {"EHLO", "250-h\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 SIZE 5\r\n"},
        {"EHLO", "250-h\r\n250 8BITMIME\r\n"},
        {NULL, NULL}};
    EACH_PIECE(i) {
        struct smarthost_run run = {.offers = "", .rules = rules, .piece = smarthost_pieces[i],
                                    .settings.tls = CONFIG_RELAY_TLS_REQUIRED};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "250", smarthost_pieces[i]);
        cr_expect(strstr(smarthost_said(&run), "STARTTLS\r\nEHLO msad.example\r\nMAIL FROM:<taro@example.jp>\r\n"),
                  "%s", smarthost_said(&run));
        smarthost_done(&run, m);
    }
}

Test(relay_client_rules, bytes_behind_the_reply_to_starttls_end_the_session)
{
    static const struct smarthost_rule rules[] = {{"STARTTLS", "220 go\r\n250 injected\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "STARTTLS", .rules = rules,
                                .settings.tls = CONFIG_RELAY_TLS_REQUIRED};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    cr_expect_eq(run.failure, CLIENT_FAIL_PROTOCOL);
    smarthost_done(&run, m);
}

Test(relay_client_rules, required_tls_that_is_not_to_be_had_never_goes_in_clear)
{
    static const struct {
        const char *offers;
        struct smarthost_rule rules[2];
    } cases[] = {{"PIPELINING", {{NULL, NULL}}},
                 {"STARTTLS", {{"STARTTLS", "454 not now\r\n"}}},
                 {"STARTTLS", {{"STARTTLS", "502 never\r\n"}}},
                 {"STARTTLS", {{"STARTTLS", "554 no\r\n"}}}};
    for (size_t i = 0; i < 4; i++) {
        struct smarthost_run run = {.offers = cases[i].offers, .rules = cases[i].rules,
                                    .settings.tls = CONFIG_RELAY_TLS_REQUIRED};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        cr_expect_eq(run.failure, CLIENT_FAIL_TLS, "case %zu", i);
        cr_expect_null(strstr(smarthost_said(&run), "MAIL"));
        cr_expect_eq(message_count(m, RCPT_PENDING), 1, "a policy failure is never final");
        smarthost_done(&run, m);
    }
}

Test(relay_client_rules, opportunistic_tls_goes_in_clear_when_refused)
{
    static const struct smarthost_rule rules[] = {{"STARTTLS", "454 not now\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {.offers = "STARTTLS", .rules = rules,
                                .settings.tls = CONFIG_RELAY_TLS_OPPORTUNISTIC};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    smarthost_expect_codes(m, "250", 0);
    smarthost_done(&run, m);
}

Test(relay_client_rules, requiretls_needs_a_checked_certificate_and_the_offer)
{
    for (int is_bad = 0; is_bad < 2; is_bad++) {
        struct smarthost_run run = {.offers = "STARTTLS REQUIRETLS", .has_bad_certificate = is_bad,
                                    .settings.tls = CONFIG_RELAY_TLS_REQUIRED};
        struct message *m = smarthost_message("t@example.jp", "a@example.com", SMARTHOST_CONTENT);
        struct message *all[] = {m, NULL};
        m->flags = MESSAGE_REQUIRETLS;
        run.messages = all;
        smarthost_run(&run);
        smarthost_expect_codes(m, is_bad ? "550" : "250", 0);
        cr_expect_eq(strstr(smarthost_said(&run), " REQUIRETLS\r\n") == NULL, is_bad);
        smarthost_done(&run, m);
    }
}

Test(relay_client_rules, credentials_are_sent_inside_tls_only)
{
    struct smarthost_run run = {.offers = "AUTH=PLAIN",
                                .settings = {.tls = CONFIG_RELAY_TLS_OFF, .user = "u", .password = "p"}};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    cr_expect_eq(run.failure, CLIENT_FAIL_AUTH);
    cr_expect_null(strstr(smarthost_said(&run), "AUTH"));
    smarthost_done(&run, m);
}

Test(relay_client_rules, auth_plain_and_login)
{
    static const struct smarthost_rule login[] = {
        {"AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"}, {"dXNlcg==", "334 UGFzc3dvcmQ6\r\n"},
        {"cGFzcw==", "235 ok\r\n"}, {NULL, NULL}};
    static const struct {
        const char *offers;
        const struct smarthost_rule *rules;
        enum config_relay_mechanism mechanism;
        const char *want;
    } cases[] = {
        {"AUTH=PLAIN=LOGIN", NULL, CONFIG_RELAY_AUTH_AUTO, "AUTH PLAIN AHVzZXIAcGFzcw==\r\n"},
        {"AUTH=LOGIN", login, CONFIG_RELAY_AUTH_AUTO, "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n"},
        {"AUTH=PLAIN=LOGIN", login, CONFIG_RELAY_AUTH_LOGIN, "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct smarthost_run run = {
            .offers = cases[i].offers, .rules = cases[i].rules,
            .settings = {.tls = CONFIG_RELAY_TLS_REQUIRED, .is_tls_implicit = true, .user = "user",
                         .password = "pass", .mechanism = cases[i].mechanism}};
        struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
        smarthost_expect_codes(m, "250", i);
        cr_expect(strstr(smarthost_said(&run), cases[i].want), "%s", smarthost_said(&run));
        smarthost_done(&run, m);
    }
}

Test(relay_client_rules, refused_credentials_keep_the_message)
{
    static const struct smarthost_rule rules[] = {{"AUTH", "535 5.7.8 no\r\n"}, {NULL, NULL}};
    struct smarthost_run run = {
        .offers = "AUTH=PLAIN", .rules = rules,
        .settings = {.tls = CONFIG_RELAY_TLS_REQUIRED, .is_tls_implicit = true, .user = "u", .password = "p"}};
    struct message *m = smarthost_send(&run, "a@example.com", SMARTHOST_CONTENT);
    cr_expect_eq(run.failure, CLIENT_FAIL_AUTH);
    cr_expect_eq(message_count(m, RCPT_PENDING), 1);
    smarthost_done(&run, m);
}
