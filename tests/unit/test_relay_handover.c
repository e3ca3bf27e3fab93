/* The whole role against a smarthost on loopback: what a client is told, and what is kept. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "relay/hold.h"
#include "relay_fixture.h"

TestSuite(relay_handover, .timeout = 60, .fini = rx_tear_down);

static const struct rx_accept mail = {
    .id = 1, .account = 7, .sender = "t@example.jp", .recipients = "a@x.jp b@x.jp"};

static void expect(const struct rx_answer *answer, enum relay_result result, unsigned code)
{
    cr_expect_eq(answer->a.result, result, "result %u: %u %s", answer->a.result, answer->a.code,
                 answer->text);
    cr_expect_eq(answer->a.code, code, "%u %s", answer->a.code, answer->text);
}

Test(relay_handover, delivered_at_once_with_the_smarthosts_own_words)
{
    rx_set_up("", "");
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_DELIVERED, 250);
    cr_expect_str_eq(answer.text, "taken as X1");
    cr_expect_str_eq(answer.enhanced, "2.0.0");
    cr_assert_eq(rx.mail_count, 1);
    cr_expect_str_eq(rx.mails[0].body, "Received: by mx\r\nSubject: small\r\n\r\nbody\r\n");
    cr_expect_str_eq(rx.mails[0].envelope, "MAIL FROM:<t@example.jp>\r\nRCPT TO:<a@x.jp>\r\n"
                                           "RCPT TO:<b@x.jp>\r\nDATA\r\n");
    cr_expect_eq(rx_queued(), 0);
    cr_expect(rx_wait(rx.outcomes[0] != '\0'));
    cr_expect_str_eq(rx.outcomes, "1:250,250, ");
}

Test(relay_handover, small_body_in_a_memory_file_is_the_same_mail)
{
    rx_set_up("dead_host_pause 100ms;", "");
    struct rx_accept each = mail;
    each.is_in_file = true;
    rx_accept(&each);
    rx_stop_smarthost();
    each.id++;
    struct rx_answer answer = rx_accept(&each);
    expect(&answer, RELAY_QUEUED, 250);
    rx_restart();
    rx_start_smarthost();
    cr_assert(rx_wait(rx.mail_count == 2));
    cr_expect_str_eq(rx.mails[0].body, "Received: by mx\r\nSubject: small\r\n\r\nbody\r\n");
    cr_expect_str_eq(rx.mails[1].body, rx.mails[0].body);
}

Test(relay_handover, the_link_is_kept_and_used_again)
{
    rx_set_up("", "");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 50; each.id++) {
        struct rx_answer answer = rx_accept(&each);
        expect(&answer, RELAY_DELIVERED, 250);
    }
    cr_expect_eq(rx.mail_count, 50);
    cr_expect_eq(rx.connection_count, 1);
}

Test(relay_handover, refusal_of_all_is_the_clients_answer_and_nothing_is_kept)
{
    static const struct smarthost_rule rules[] = {{".", "554 5.7.1 spam\r\n"}, {NULL, NULL}};
    rx_set_up("", "");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_REFUSED, 554);
    cr_expect_str_eq(answer.text, "spam");
    cr_expect_eq(rx_queued(), 0);
}

Test(relay_handover, not_now_is_queued_and_delivered_once_later)
{
    static const struct smarthost_rule rules[] = {{".", "451 4.3.0 later\r\n"}, {NULL, NULL}};
    rx_set_up("", "retry 1s;");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect_eq(rx_queued(), 1);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 2, "one of them was refused");
    cr_expect_str_eq(rx.mails[1].body, rx.mails[0].body);
}

Test(relay_handover, each_recipient_gets_it_once_and_only_the_failed_one_is_bounced)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "450 4.2.1 later\r\n"},
                                                  {"RCPT TO:<c@", "550 5.1.1 never\r\n"},
                                                  {NULL, NULL}};
    rx_set_up("", "retry 1s;");
    rx_set_rules(rules);
    struct rx_accept mixed = mail;
    mixed.recipients = "a@x.jp b@x.jp c@x.jp";
    struct rx_answer answer = rx_accept(&mixed);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect(rx_wait(rx.mail_count == 3 && rx_queued() == 0));
    cr_expect_not_null(strstr(rx.mails[0].envelope, "RCPT TO:<a@"));
    const char *bounce = strstr(rx.mails[1].envelope, "MAIL FROM:<>") ? rx.mails[1].body : rx.mails[2].body;
    const char *rest = bounce == rx.mails[1].body ? rx.mails[2].envelope : rx.mails[1].envelope;
    cr_expect_not_null(strstr(rest, "RCPT TO:<b@x.jp>"), "%s", rest);
    cr_expect_null(strstr(rest, "RCPT TO:<a@x.jp>"));
    cr_expect_null(strstr(rest, "RCPT TO:<c@x.jp>"));
    cr_expect_not_null(strstr(bounce, "Final-Recipient: rfc822; c@x.jp\r\nAction: failed"));
    cr_expect_null(strstr(bounce, "b@x.jp"));
}

Test(relay_handover, too_many_recipients_is_no_failure_and_goes_on_at_once)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "452 4.5.3 too many\r\n"}, {NULL, NULL}};
    rx_set_up("", "retry 1h;");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect(rx_wait(rx.mail_count == 2 && rx_queued() == 0));
}

Test(relay_handover, too_many_recipients_do_not_wait_for_one_who_is_deferred)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "450 4.2.1 later\r\n"},
                                                  {"RCPT TO:<c@", "452 4.5.3 too many\r\n"},
                                                  {NULL, NULL}};
    rx_set_up("", "retry 1h;");
    rx_set_rules(rules);
    struct rx_accept mixed = mail;
    mixed.recipients = "a@x.jp b@x.jp c@x.jp";
    struct rx_answer answer = rx_accept(&mixed);
    expect(&answer, RELAY_QUEUED, 250);
    cr_assert(rx_wait(rx.mail_count == 2 && rx_queued() == 0));
    cr_expect_not_null(strstr(rx.mails[1].envelope, "RCPT TO:<c@x.jp>\r\nRCPT TO:<b@x.jp>\r\n"), "%s",
                       rx.mails[1].envelope);
}

Test(relay_handover, mailbox_that_is_full_is_not_too_many_recipients)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "452 4.2.2 full\r\n"}, {NULL, NULL}};
    rx_set_up("", "retry 1h;");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    for (int64_t until_ms = rx_now_ms() + 200; rx_now_ms() < until_ms;)
        rx_turn();
    cr_expect_eq(rx.mail_count, 1);
    cr_expect_eq(rx_queued(), 1);
}

Test(relay_handover, null_sender_is_never_bounced)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "550 5.1.1 never\r\n"}, {NULL, NULL}};
    rx_set_up("", "");
    rx_set_rules(rules);
    struct rx_accept null_sender = mail;
    null_sender.sender = "";
    struct rx_answer answer = rx_accept(&null_sender);
    expect(&answer, RELAY_DELIVERED, 250);
    cr_expect_eq(rx_queued(), 0);
    cr_expect_eq(rx.mail_count, 1);
}

Test(relay_handover, smarthost_that_is_down_means_queued_at_once)
{
    rx_set_up("dead_host_pause 200ms;", "");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 20; each.id++) {
        struct rx_answer answer = rx_accept(&each);
        expect(&answer, RELAY_QUEUED, 250);
    }
    cr_expect_eq(rx_queued(), 20);
    rx_start_smarthost();
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 20);
}

Test(relay_handover, drop_behind_the_final_dot_loses_nothing)
{
    static const struct smarthost_rule rules[] = {{".", "!"}, {NULL, NULL}};
    rx_set_up("dead_host_pause 100ms;", "retry 1s;");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 2, "the second is the duplicate that RFC 1047 accepts");
}

Test(relay_handover, banner_that_refuses_for_good_does_not_bounce)
{
    static const struct smarthost_rule rules[] = {{"", "554 5.3.2 not today\r\n"}, {NULL, NULL}};
    rx_set_up("dead_host_pause 100ms;", "");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 1);
    cr_expect_not_null(strstr(rx.mails[0].envelope, "a@x.jp"));
}

Test(relay_handover, silent_smarthost_means_queued_after_the_deadline_and_no_duplicate)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}};
    rx_set_up("handover_deadline 200ms;", "");
    rx_set_rules(rules);
    int64_t start_ms = rx_now_ms();
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect_geq(rx_now_ms() - start_ms, 200);
    cr_expect_eq(rx_in_state(QUEUE_ACTIVE), 1, "it is still under way");
    for (int i = 0; i < 100; i++)
        rx_turn();
    cr_expect_eq(rx.mail_count, 1, "and is not sent a second time meanwhile");
}

Test(relay_handover, late_answer_ends_the_queued_message)
{
    rx_set_up("handover_deadline 200ms; deadlines { greeting 20s; }", "");
    rx.is_smarthost_mute = true;
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect_eq(rx_in_state(QUEUE_READY), 1, "no link had it yet");
}

Test(relay_handover, kept_link_that_was_closed_meanwhile_is_no_failure)
{
    static const struct smarthost_rule rules[] = {{"MAIL FROM:<second", "!"}, {NULL, NULL}};
    rx_set_up("", "");
    rx_set_rules(rules);
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_DELIVERED, 250);
    struct rx_accept second = mail;
    second.id = 2;
    second.sender = "second@example.jp";
    answer = rx_accept(&second);
    expect(&answer, RELAY_DELIVERED, 250);
    cr_expect_eq(rx.connection_count, 2);
}

Test(relay_handover, queue_mode_commits_first)
{
    rx_set_up("handover queue;", "");
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    cr_expect(view_has_prefix(view_cstr(answer.text), VIEW_LIT("queued as 0")));
    cr_expect(rx_wait(rx.mail_count == 1 && rx_queued() == 0));
}

Test(relay_handover, large_body_goes_from_its_file)
{
    rx_set_up("", "");
    struct rx_accept large = mail;
    large.large_bytes = 5u << 20;
    struct rx_answer answer = rx_accept(&large);
    expect(&answer, RELAY_DELIVERED, 250);
    cr_expect_eq(rx.mails[0].body_bytes, (5u << 20) + 17);
}

Test(relay_handover, large_body_is_queued_and_its_file_goes_afterwards)
{
    rx_set_up("handover queue; dead_host_pause 100ms;", "");
    rx_stop_smarthost();
    struct rx_accept large = mail;
    large.large_bytes = 1u << 20;
    struct rx_answer answer = rx_accept(&large);
    expect(&answer, RELAY_QUEUED, 250);
    rx_restart();
    cr_expect_eq(rx_queued(), 1);
    rx_start_smarthost();
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mails[0].body_bytes, (1u << 20) + 17);
    rx_restart();
    cr_expect_eq(rx_queued(), 0);
}

Test(relay_handover, queued_mail_outlives_the_process)
{
    rx_set_up("dead_host_pause 100ms;", "");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 10; each.id++)
        rx_accept(&each);
    rx_restart();
    cr_expect_eq(rx_queued(), 10);
    rx_start_smarthost();
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 10);
}

Test(relay_handover, an_end_before_a_commit_was_heard_of_does_no_harm)
{
    rx_set_up("handover queue;", "");
    struct buf list;
    const struct msg_recipient to = {.path = VIEW_LIT("a@x.jp")};
    buf_init(&list, IPC_ITEMS_MAX);
    items_add_recipient(&list, &to);
    const struct msg_relay_notice_ask notice = {
        .recipients = buf_view(&list), .text = VIEW_LIT("Subject: hello\r\n\r\nbody\r\n")};
    CHAN_SEND(rx.policy, relay_notice_ask, 9, &notice);
    buf_fini(&list);
    cr_assert(rx_wait(committer_waiting(rx.relay->committer) > 0));
    rx_restart();
    cr_expect(rx_wait(rx.mail_count == 1 && rx_queued() == 0));
}

Test(relay_handover, held_mail_stays_until_it_is_released)
{
    rx_set_up("", "");
    struct rx_accept held = mail;
    held.held_for = HELD_FOR_RULE;
    struct rx_answer answer = rx_accept(&held);
    expect(&answer, RELAY_QUEUED, 250);
    rx_restart();
    for (int i = 0; i < 50; i++)
        rx_turn();
    cr_expect_eq(rx.mail_count, 0);
    cr_expect_eq(rx_in_state(QUEUE_HELD), 1);
    cr_expect_eq(hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, false), 0);
    cr_expect_eq(rx_in_state(QUEUE_HELD), 1, "the account's release lets go only what was held for it");
    const struct msg_relay_hold_ask release = {.account = 7, .held_for = HELD_FOR_RULE};
    CHAN_SEND(rx.policy, relay_hold_ask, 9, &release);
    cr_expect(rx_wait(rx.mail_count == 1 && rx_queued() == 0));
}

Test(relay_handover, hold_reaches_what_is_on_its_way_to_the_disk)
{
    rx_set_up("handover queue;", "");
    struct rx_answer answer;
    rx_accept_async(&mail, &answer);
    cr_assert(rx_wait(committer_waiting(rx.relay->committer) > 0));
    cr_expect_eq(hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, true), 1);
    cr_assert(rx_wait(answer.is_here));
    cr_expect_eq(rx_in_state(QUEUE_HELD), 1);
    cr_assert(rx_wait(committer_waiting(rx.relay->committer) == 0));
    rx_restart();
    cr_expect_eq(rx_in_state(QUEUE_HELD), 1);
    cr_expect_eq(rx.mail_count, 0);
}

Test(relay_handover, release_reaches_what_is_on_its_way_to_the_disk)
{
    rx_set_up("", "");
    struct rx_accept held = mail;
    struct rx_answer answer;
    held.held_for = HELD_FOR_ACCOUNT;
    rx_accept_async(&held, &answer);
    cr_assert(rx_wait(committer_waiting(rx.relay->committer) > 0));
    cr_expect_eq(hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, false), 1);
    cr_expect(rx_wait(answer.is_here && rx.mail_count == 1 && rx_queued() == 0));
}

Test(relay_handover, success_is_told_by_us_where_the_smarthost_does_not_speak_dsn)
{
    rx_set_up("", "");
    struct rx_accept wishes = mail;
    wishes.recipients = "+a@x.jp b@x.jp";
    struct rx_answer answer = rx_accept(&wishes);
    expect(&answer, RELAY_DELIVERED, 250);
    cr_expect(rx_wait(rx.mail_count == 2));
    cr_expect_not_null(strstr(rx.mails[1].body, "Final-Recipient: rfc822; a@x.jp\r\nAction: relayed"));
    cr_expect_null(strstr(rx.mails[1].body, "b@x.jp"));
}

Test(relay_handover, stray_line_end_is_refused_and_not_sent)
{
    rx_set_up("", "");
    struct rx_accept stray = mail;
    stray.content = "Subject: a\r\n\r\nsmuggled\n.\r\nMAIL FROM:<x@y>\r\n";
    struct rx_answer answer = rx_accept(&stray);
    expect(&answer, RELAY_REFUSED, 554);
    cr_expect_eq(rx.mail_count, 0);
}

Test(relay_handover, same_id_twice_is_not_believed)
{
    rx_set_up("handover queue;", "");
    rx_stop_smarthost();
    struct rx_answer answer = rx_accept(&mail);
    expect(&answer, RELAY_QUEUED, 250);
    answer = rx_accept(&mail);
    expect(&answer, RELAY_FAILED, 451);
}

Test(relay_handover, full_queue_is_452)
{
    rx_set_up("handover queue;", "max_messages 100;");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 100; each.id++)
        rx_accept(&each);
    rx.relay->looked_at_ms = 0;
    struct rx_answer answer = rx_accept(&each);
    expect(&answer, RELAY_FAILED, 452);
}

Test(relay_handover, a_reload_promises_no_more_room_than_the_open_queue_has)
{
    static char body[50001];
    rx_set_up("handover queue;", "max_bytes 1M;");
    rx_reload("handover queue;", "max_bytes 1G;");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    memset(body, 'x', sizeof body - 1);
    each.content = body;
    for (each.id = 1; each.id <= 30; each.id++)
        rx_accept(&each);
    rx.relay->looked_at_ms = 0;
    struct rx_answer answer = rx_accept(&each);
    expect(&answer, RELAY_FAILED, 452);
}

Test(relay_handover, many_at_once_all_get_their_answer)
{
    enum { N = 200 };
    static struct rx_answer answers[N];
    unsigned here = 0;
    rx_set_up("", "");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= N; each.id++)
        rx_accept_async(&each, &answers[each.id - 1]);
    for (int64_t until = rx_now_ms() + 20000; here < N && rx_now_ms() < until;) {
        rx_turn();
        here = 0;
        for (int i = 0; i < N; i++)
            here += answers[i].is_here;
    }
    cr_expect_eq(here, N);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, N);
    cr_expect_leq(rx.connection_count, 8);
}
