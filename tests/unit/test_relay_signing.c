/* The whole role with a key for DKIM: what is sent is signed, whichever way it goes, and nothing else changes. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "relay/hold.h"
#include "relay/signing.h"
#include "relay_fixture.h"

static void tear_down(void)
{
    clock_use_real();
    rx_tear_down();
}

TestSuite(relay_signing, .timeout = 60, .fini = tear_down);

/* Stands behind the settings of the queue, whose block it closes. */
#define KEY(selector)                                                                              \
    "} dkim example.jp { selector " selector " { key_pem \"-----BEGIN PRIVATE KEY-----\\x0a"         \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\\x0a"                          \
    "-----END PRIVATE KEY-----\\x0a\"; }"

#define CONTENT "From: t@example.jp\r\nSubject: a\r\n\r\nbody\r\n"

static const struct rx_accept mail = {
    .id = 1, .account = 7, .sender = "t@example.jp", .recipients = "a@x.jp", .content = CONTENT};

static void expect_signed(const char *body, const char *selector)
{
    char want[128];
    snprintf(want, sizeof want,
             "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\td=example.jp; s=%s;\r\n\t", selector);
    cr_expect(view_has_prefix(view_cstr(body), view_cstr(want)), "%s", body);
    cr_expect_not_null(strstr(body, "\r\nReceived: by mx\r\n" CONTENT), "%s", body);
    cr_expect_null(strstr(body + 1, "DKIM-Signature"), "signed twice: %s", body);
}

static struct signing_counts counts(void)
{
    struct signing_counts c;
    signing_get_counts(rx.relay->signing, &c);
    return c;
}

/* All are there before the first one goes. */
static void queue_at_once(unsigned count)
{
    struct rx_accept each = mail;
    each.held_for = HELD_FOR_ACCOUNT;
    for (each.id = 1; each.id <= count; each.id++)
        cr_assert_eq(rx_accept(&each).a.result, RELAY_QUEUED);
    hold_account(rx.relay, mail.account, HELD_FOR_ALL, false);
}

Test(relay_signing, handed_over_at_once)
{
    rx_set_up("", KEY("s1"));
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_DELIVERED);
    cr_assert_eq(rx.mail_count, 1);
    expect_signed(rx.mails[0].body, "s1");
    cr_expect_eq(counts().signed_count, 1);
}

Test(relay_signing, by_bdat_with_the_right_size)
{
    rx_set_up("", KEY("s1"));
    rx.offers = "PIPELINING 8BITMIME CHUNKING SIZE=100000";
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_DELIVERED);
    cr_assert_eq(rx.mail_count, 1);
    expect_signed(rx.mails[0].body, "s1");
    char size[32];
    snprintf(size, sizeof size, " SIZE=%zu\r\n", strlen(rx.mails[0].body));
    cr_expect_not_null(strstr(rx.mails[0].envelope, size), "%s", rx.mails[0].envelope);
}

Test(relay_signing, for_other_domains_nothing_is_added)
{
    rx_set_up("", KEY("s1"));
    struct rx_accept other = mail;
    other.content = NULL;
    cr_expect_eq(rx_accept(&other).a.result, RELAY_DELIVERED);
    cr_assert_eq(rx.mail_count, 1);
    cr_expect_str_eq(rx.mails[0].body, "Received: by mx\r\nSubject: small\r\n\r\nbody\r\n");
    cr_expect_eq(counts().unsigned_count, 1);
}

Test(relay_signing, queued_mail_is_signed_as_it_leaves_and_each_goes_once)
{
    rx_set_up("handover queue;", KEY("s1"));
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 200; each.id++)
        cr_assert_eq(rx_accept(&each).a.result, RELAY_QUEUED);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_assert_eq(rx.mail_count, 200);
    for (unsigned i = 0; i < rx.mail_count; i++)
        expect_signed(rx.mails[i].body, "s1");
    cr_expect_eq(counts().signed_count, 200);
}

Test(relay_signing, what_comes_back_is_stored_without_and_signed_anew)
{
    static const struct smarthost_rule rules[] = {{".", "451 4.3.0 later\r\n"}, {NULL, NULL}};
    rx_set_up("", "retry 1s; " KEY("s1"));
    rx_set_rules(rules);
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_QUEUED);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_assert_eq(rx.mail_count, 2);
    expect_signed(rx.mails[0].body, "s1");
    expect_signed(rx.mails[1].body, "s1");
    cr_expect_eq(counts().signed_count, 2);
}

Test(relay_signing, bounces_are_signed_with_the_hosts_key)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<b@", "550 5.1.1 never\r\n"}, {NULL, NULL}};
    rx_set_up("", "bounce_from mailer-daemon@mx.example.jp; " KEY("s1") " subdomains yes;");
    rx_set_rules(rules);
    struct rx_accept mixed = mail;
    mixed.recipients = "a@x.jp b@x.jp";
    rx_accept(&mixed);
    cr_expect(rx_wait(rx.mail_count == 2 && rx_queued() == 0));
    cr_expect_not_null(strstr(rx.mails[1].envelope, "MAIL FROM:<>"));
    cr_expect_not_null(strstr(rx.mails[1].body, "s=s1;\r\n\ti=@mx.example.jp; t="), "%s", rx.mails[1].body);
}

Test(relay_signing, a_reload_changes_the_selector_and_loses_nothing)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}}; /* the first is not answered */
    rx_set_up("handover queue; connections 1; deadlines { final_dot 1s; }", "retry 1s; " KEY("s1"));
    rx_set_rules(rules);
    queue_at_once(10);
    cr_assert(rx_wait(counts().signed_count == 3), "one sent, two ahead");
    rx_reload("handover queue; connections 1;", "retry 1s; " KEY("s2"));
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 11);
    expect_signed(rx.mails[0].body, "s1");
    for (unsigned i = 1; i < rx.mail_count; i++)
        expect_signed(rx.mails[i].body, "s2");
}

Test(relay_signing, a_reload_without_keys_ends_it)
{
    rx_set_up("handover queue;", KEY("s1"));
    rx_reload("", "");
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_DELIVERED);
    cr_expect_str_eq(rx.mails[0].body, "Received: by mx\r\n" CONTENT);
}

Test(relay_signing, hold_reaches_what_was_fetched_ahead)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}};
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up("handover queue; connections 1; deadlines { final_dot 1m; }", "retry 1s; " KEY("s1"));
    rx_set_rules(rules);
    queue_at_once(5);
    cr_assert(rx_wait(counts().signed_count == 3 && rx.mail_count == 1));
    hold_account(rx.relay, mail.account, HELD_FOR_ACCOUNT, true);
    cr_expect_eq(rx_in_state(QUEUE_HELD), 2, "and three are under way");
    clock_advance_for_test(59000); /* just before what is ready for long goes back anyway */
    for (int i = 0; i < 10; i++)
        rx_turn();
    cr_expect_eq(rx_in_state(QUEUE_HELD), 2);
    clock_advance_for_test(1000); /* the link times out */
    cr_expect(rx_wait(rx_in_state(QUEUE_HELD) == 5));
    cr_expect_eq(rx.mail_count, 1);
}

Test(relay_signing, what_waits_too_long_for_a_link_goes_back)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}};
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up("handover queue; connections 1;", KEY("s1"));
    rx_set_rules(rules);
    queue_at_once(5);
    cr_assert(rx_wait(rx_in_state(QUEUE_ACTIVE) == 3 && counts().signed_count == 3));
    clock_advance_for_test(59000);
    rx_turn();
    clock_advance_for_test(61000); /* two looks at the minute */
    cr_expect(rx_wait(rx_in_state(QUEUE_ACTIVE) == 1 && rx_in_state(QUEUE_READY) == 4));
}

/* Its file is shorter than was said. */
Test(relay_signing, what_cannot_be_signed_is_not_sent)
{
    rx_set_up("", KEY("s1"));
    struct rx_accept broken = mail;
    broken.missing_bytes = 100;
    struct rx_answer answer = rx_accept(&broken);
    cr_expect_eq(answer.a.code, 451, "%u %s", answer.a.code, answer.text);
    cr_expect_eq(rx.mail_count, 0);
    cr_expect_eq(counts().failed_count, 1);
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_DELIVERED);
}

Test(relay_signing, a_deadline_that_passes_meanwhile_does_no_harm)
{
    static struct rx_answer answer;
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up("handover_deadline 1s;", KEY("s1"));
    struct rx_accept large = mail;
    large.large_bytes = 8u << 20;
    rx_accept_async(&large, &answer);
    for (int i = 0; i < 3; i++)
        rx_turn();
    clock_advance_for_test(2000);
    cr_expect(rx_wait(answer.is_here && rx_queued() == 0 && rx.mail_count == 1));
    cr_expect_eq(answer.a.code, 250);
}

Test(relay_signing, an_end_in_the_middle_loses_nothing)
{
    rx_set_up("handover queue; connections 2;", "retry 1s; " KEY("s1"));
    struct rx_accept each = mail;
    char body[64];
    each.content = body;
    for (each.id = 1; each.id <= 40; each.id++) {
        snprintf(body, sizeof body, "From: t@example.jp\r\nSubject: no %u.\r\n\r\n", (unsigned)each.id);
        cr_assert_eq(rx_accept(&each).a.result, RELAY_QUEUED);
    }
    rx_restart();
    cr_expect(rx_wait(rx_queued() == 0));
    for (unsigned id = 1; id <= 40; id++) {
        unsigned found = 0;
        snprintf(body, sizeof body, "Subject: no %u.", id);
        for (unsigned i = 0; i < rx.mail_count; i++)
            found += strstr(rx.mails[i].body, body) && strncmp(rx.mails[i].body, "DKIM-", 5) == 0;
        cr_expect_geq(found, 1, "%s", body);
    }
}
