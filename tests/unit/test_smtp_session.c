#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/clock.h"
#include "smtp/deadlines.h"
#include "smtp/txn.h"
#include "smtp/worker.h"
#include "tests/common/smtp_fake.h"

/* Dialogs (tests/dialog) show what the engine says; here is what they cannot see. */
TestSuite(smtp_session, .timeout = 20);

static struct config *config;
static struct fake fake;

static void begin(unsigned flags)
{
    static const char settings[] = "hostname mx.example.jp;\n"
                                   "listener test { address 127.0.0.1:1587; }\n"
                                   "tls { certificate { cert_file /a.pem; key_file /a.key; } }\n"
                                   "pool main { smarthost 192.0.2.25:25; }\n";
    struct config_errors errors;
    config_errors_init(&errors);
    cr_assert_eq(config_parse_text(view_cstr(settings), "test", &config, &errors), 0);
    config_errors_fini(&errors);
    log_set_level(LOG_LEVEL_ERROR);
    clock_set_for_test(1000000, 1780000000000);
    fake_init(&fake, config);
    fake_start(&fake, flags, "192.0.2.7");
    fake_pump(&fake);
}

static void end(void)
{
    fake_fini(&fake);
    config_free(&config);
}

static void say(const char *line)
{
    fake_send(&fake, view_cstr(line));
    fake_pump(&fake);
}

static void sign_in(void)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO client.example\r\n");
    say("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n");
    cr_assert(fake.session.flags & SMTP_AUTHED);
    buf_reset(&fake.out);
}

/* House rule: an idle session costs less than 1 KiB of ours. The connection's own object (msa/io) comes
 * on top of it with about 300 bytes, so there is room for names of a usual length. */
Test(smtp_session, idle_session_is_small)
{
    cr_assert(sizeof(struct smtp_client) <= 512, "%zu bytes", sizeof(struct smtp_client));
    sign_in();
    cr_assert_null(fake.session.txn);
    cr_assert_null(fake.session.auth);
    cr_assert_null(fake.session.held);
    size_t names = strlen(fake.session.helo) + strlen(fake.session.login) + 2;
    cr_assert(sizeof(struct smtp_client) + names < 600);
    end();
}

Test(smtp_session, password_does_not_stay_in_the_input)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    fake_send(&fake, VIEW_LIT("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n"));
    cr_assert_eq(buf_len(&fake.in), 0);
    cr_assert_null(memmem(fake.in.data, fake.in.cap, "AHRhcm9A", 8));
    fake_pump(&fake);
    end();
}

Test(smtp_session, password_of_a_session_that_ends_is_wiped_too)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    fake.is_away[FAKE_AUTH] = true;
    for (int i = 0; i < 30 && !fake.is_closed; i++)
        say("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n");
    cr_assert_null(memmem(fake.in.data, fake.in.cap, "AHRhcm9A", 8));
    end();
}

/* There may be no room for one byte more: 'auth_line' at its greatest is all that a connection holds. */
Test(smtp_session, line_as_long_as_any_may_be_is_thrown_away_without_its_end)
{
    static char line[12288] = "AUTH PLAIN ";
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    memset(line + strlen(line), 'A', sizeof line - strlen(line));
    fake_send(&fake, view_of(line, sizeof line - 1));
    cr_assert_eq(buf_len(&fake.in), sizeof line - 1);
    fake_send(&fake, VIEW_LIT("A"));
    cr_assert_eq(buf_len(&fake.in), 0);
    end();
}

/* Whom policy's kill must find: also a session that is not yet signed in, but will be without another
 * question to policy. */
Test(smtp_session, account_is_known_from_the_right_password_on)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    say("AUTH SCRAM-SHA-256 biwsbj10YXJv\r\n");
    cr_assert(!smtp_session_is_of(&fake.session, 7));
    cr_assert(!smtp_session_is_of(&fake.session, 0));
    say("c2VjcmV0\r\n");
    cr_assert(!(fake.session.flags & SMTP_AUTHED));
    cr_assert(smtp_session_is_of(&fake.session, 7));
    say("*\r\n");
    cr_assert(!smtp_session_is_of(&fake.session, 7));
    say("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n");
    cr_assert(smtp_session_is_of(&fake.session, 7));
    cr_assert(!smtp_session_is_of(&fake.session, 8));
    end();
}

/* "App passwords only" takes back the main password alone. */
Test(smtp_session, one_by_token_or_certificate_outlives_the_main_password)
{
    const struct msg_auth_revoked by_main = {.account = 7, .credential = 0};
    const struct msg_auth_revoked all = {.account = 7, .is_all = true};
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    fake.credential = IPC_CREDENTIAL_ELSEWHERE;
    say("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n");
    cr_assert(fake.session.flags & SMTP_AUTHED);
    cr_assert(!smtp_session_has_credential(&fake.session, &by_main));
    cr_assert(smtp_session_has_credential(&fake.session, &all));
    end();
}

/* Policy knows nothing of a password that is taken back, so a session that waits for its word is found, too. */
Test(smtp_session, a_session_knows_by_which_password_it_came)
{
    const struct msg_auth_revoked by_main = {.account = 7, .credential = 0};
    const struct msg_auth_revoked by_app = {.account = 7, .credential = 42};
    const struct msg_auth_revoked all = {.account = 7, .is_all = true};
    const struct msg_auth_revoked others = {.account = 8, .is_all = true};
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\n");
    cr_assert(!smtp_session_has_credential(&fake.session, &all));
    fake.is_held[FAKE_LOGIN] = true;
    fake.credential = 42;
    say("AUTH PLAIN AHRhcm9AZXhhbXBsZS5qcABzZWNyZXQ=\r\n");
    for (int i = 0; i < 2; i++) {
        cr_assert_eq((fake.session.flags & SMTP_AUTHED) != 0, i == 1);
        cr_assert(smtp_session_has_credential(&fake.session, &by_app));
        cr_assert(smtp_session_has_credential(&fake.session, &all));
        cr_assert(!smtp_session_has_credential(&fake.session, &by_main));
        cr_assert(!smtp_session_has_credential(&fake.session, &others));
        if (i == 0)
            fake_answer_open(&fake);
    }
    buf_reset(&fake.out);
    smtp_session_revoke(&fake.session);
    fake_pump(&fake);
    cr_assert(view_has_prefix(buf_view(&fake.out), VIEW_LIT("421 4.7.0 ")));
    end();
}

Test(smtp_session, late_answers_are_counted_and_dropped)
{
    const struct msg_policy_mail_answer mail = {.verdict = VERDICT_REFUSE};
    const struct msg_relay_accept_answer accept = {.result = RELAY_DELIVERED};
    const struct msg_auth_done done = {.result = AUTH_OK};
    sign_in();
    smtp_session_on_mail(&fake.session, &mail);
    smtp_session_on_accept(&fake.session, &accept);
    smtp_session_on_auth_done(&fake.session, &done);
    smtp_session_on_body(&fake.session, -1);
    cr_assert_eq(fake.site.late_answers, 4);
    cr_assert_eq(buf_len(&fake.out), 0);
    end();
}

Test(smtp_session, answer_to_another_question_is_dropped)
{
    const struct msg_policy_quota_answer quota = {.verdict = VERDICT_ALLOW, .reservation = 99};
    sign_in();
    fake.is_held[FAKE_MAIL] = true;
    say("MAIL FROM:<taro@example.jp>\r\n");
    smtp_session_on_quota(&fake.session, &quota);
    cr_assert_eq(fake.site.late_answers, 1);
    cr_assert_eq(fake.session.wait, WAIT_MAIL);
    cr_assert_eq(fake.session.txn->reservation, 0);
    end();
}

/* Of a small number of segments none may make the engine look at all bytes again (quadratic work). */
Test(smtp_session, long_line_byte_by_byte_is_linear)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\nAUTH LOGIN\r\n");
    for (int i = 0; i < 12000; i++) {
        fake_send(&fake, VIEW_LIT("A"));
        cr_assert_eq(fake.session.scanned_bytes, (uint32_t)i + 1);
    }
    end();
}

Test(smtp_session, over_long_line_is_not_kept)
{
    static char many[100000];
    memset(many, 'x', sizeof many);
    begin(0);
    for (int i = 0; i < 50; i++) {
        fake_send(&fake, view_of(many, sizeof many));
        cr_assert_eq(buf_len(&fake.in), 0);
    }
    end();
}

Test(smtp_session, end_is_told_once)
{
    sign_in();
    fake_eof(&fake);
    cr_assert(fake.is_over);
    cr_assert_eq(fake.disconnects, 1);
    smtp_session_on_gone(&fake.session, "again");
    smtp_session_kill(&fake.session, VIEW_EMPTY);
    smtp_session_drain(&fake.session, true);
    cr_assert_eq(fake.disconnects, 1);
    end();
}

Test(smtp_session, open_exchange_is_aborted_at_the_end)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO x\r\nAUTH LOGIN\r\n");
    cr_assert_eq(fake.session.phase, PHASE_AUTH);
    fake_eof(&fake);
    cr_assert_eq(fake.auth_aborts, 1);
    end();
}

/* The window between the smarthost's 250 and ours: what relay has taken is said and counted. */
Test(smtp_session, kill_does_not_undo_what_relay_has_taken)
{
    sign_in();
    say("MAIL FROM:<taro@example.jp>\r\nRCPT TO:<a@example.com>\r\n");
    say("DATA\r\n");
    fake.is_held[FAKE_ACCEPT] = true;
    say(".\r\n");
    smtp_session_kill(&fake.session, VIEW_EMPTY);
    cr_assert_not(fake.is_over);
    cr_assert_eq(fake.session.phase, PHASE_CLOSING);
    fake_answer_open(&fake);
    cr_assert(fake.is_over);
    cr_assert_eq(fake.kept, 1);
    end();
}

Test(smtp_session, message_id_is_new_for_each_message)
{
    uint64_t ids[3];
    sign_in();
    for (int i = 0; i < 3; i++) {
        say("MAIL FROM:<taro@example.jp>\r\n");
        ids[i] = fake.session.txn->message;
        say("RSET\r\n");
    }
    cr_assert(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    end();
}

/* The auth role takes a second exchange of a session for a broken channel. */
Test(smtp_session, exchange_whose_step_could_not_be_sent_is_ended_there_too)
{
    begin(SMTP_AUTH_IN_CLEAR);
    say("EHLO client.example\r\n");
    say("AUTH LOGIN\r\n");
    fake.is_away[FAKE_AUTH] = true;
    say("dGFybw==\r\n");
    cr_expect_eq(fake.auth_aborts, 1);
    end();
}

/* What waits when TLS begins leaves before the handshake, which tells nobody. */
Test(smtp_session, reply_to_starttls_does_not_count_as_waiting_output_for_ever)
{
    begin(0);
    say("EHLO client.example\r\n");
    fake.output_len = 1;
    say("STARTTLS\r\n");
    cr_assert_neq(fake.session.output_since_ms, SMTP_NEVER);
    fake.output_len = 0;
    fake_finish_tls(&fake);
    cr_expect_eq(fake.session.output_since_ms, SMTP_NEVER);
    end();
}
