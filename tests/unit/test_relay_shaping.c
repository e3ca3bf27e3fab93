/* Limits towards destinations in the whole role, up to what a smarthost sees. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "relay/schedule.h"
#include "relay_fixture.h"

static void tear_down(void)
{
    rx_tear_down();
    clock_use_real();
}

TestSuite(relay_shaping, .timeout = 60, .fini = tear_down);

static const struct rx_accept mail = {
    .id = 1, .account = 7, .sender = "t@example.jp", .recipients = "a@docomo.test"};

/* `destinations` are whole blocks; the fixture puts them inside of "queue { … }", so they close it, and its
 * brace closes another. */
static void set_up(const char *pool, const char *destinations)
{
    char queue[1024];
    snprintf(queue, sizeof queue, "} %s destination last { domains last.invalid;", destinations);
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up(pool, queue);
}

#define CARRIERS "destination carriers { domains docomo.test ezweb.test; "

static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        clock_advance_for_test(ms < 1000 ? ms : 1000);
        rx_turn();
    }
    for (int i = 0; i < 20; i++)
        rx_turn();
}

Test(relay_shaping, client_without_room_is_queued_at_once_and_goes_when_there_is)
{
    set_up("", CARRIERS "messages_per_minute 1; }");
    struct rx_accept each = mail;
    cr_expect_eq(rx_accept(&each).a.result, RELAY_DELIVERED);
    each.id = 2;
    cr_expect_eq(rx_accept(&each).a.result, RELAY_QUEUED);
    each.id = 3;
    each.recipients = "a@x.test";
    cr_expect_eq(rx_accept(&each).a.result, RELAY_DELIVERED, "others are not concerned");
    pass(59000);
    cr_expect_eq(rx.mail_count, 2);
    pass(2000);
    cr_expect(rx_wait(rx.mail_count == 3));
    cr_expect(rx_wait(rx_queued() == 0));
}

Test(relay_shaping, one_transaction_for_all_with_room_and_no_failed_attempt_for_the_rest)
{
    set_up("handover queue;", CARRIERS "messages_per_minute 1; }");
    struct rx_accept each = mail;
    rx_accept(&each);
    cr_expect(rx_wait(rx.mail_count == 1));
    each.id = 2;
    each.recipients = "a@x.test b@ezweb.test c@y.test";
    rx_accept(&each);
    cr_assert(rx_wait(rx.mail_count == 2));
    cr_expect(strstr(rx.mails[1].envelope, "a@x.test") && strstr(rx.mails[1].envelope, "c@y.test"));
    cr_expect_null(strstr(rx.mails[1].envelope, "b@ezweb.test"));
    cr_assert(rx_wait(rx_in_state(QUEUE_READY) == 1));
    cr_expect_eq(queue_find(rx.relay->queue, 2)->attempt_count, 0);
    pass(61000);
    cr_assert(rx_wait(rx.mail_count == 3));
    cr_expect(strstr(rx.mails[2].envelope, "b@ezweb.test"));
    cr_expect_null(strstr(rx.mails[2].envelope, "a@x.test"));
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_not(strstr(rx.outcomes, "2:250,250,250"), "each is told of once: %s", rx.outcomes);
}

Test(relay_shaping, who_was_deferred_waits_for_his_time_while_the_rest_waits_for_room)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<a@x.test>", "451 4.3.0 later\r\n"}, {0}};
    set_up("handover queue;", CARRIERS "messages_per_minute 1; }");
    struct rx_accept each = mail;
    rx_accept(&each);
    cr_expect(rx_wait(rx.mail_count == 1));
    rx_set_rules(rules);
    each.id = 2;
    each.recipients = "a@x.test b@ezweb.test c@y.test";
    rx_accept(&each);
    cr_assert(rx_wait(rx.mail_count == 2));
    cr_assert(rx_wait(rx_in_state(QUEUE_READY) == 1));
    cr_expect_eq(queue_find(rx.relay->queue, 2)->attempt_count, 1);
    pass(20000);
    cr_expect_eq(rx.mail_count, 2, "neither is its time here nor is there room");
    pass(15000);
    cr_assert(rx_wait(rx.mail_count == 3));
    cr_expect(strstr(rx.mails[2].envelope, "a@x.test") != NULL);
    pass(30000);
    cr_assert(rx_wait(rx.mail_count == 4));
    cr_expect(strstr(rx.mails[3].envelope, "b@ezweb.test") != NULL);
    cr_expect(rx_wait(rx_queued() == 0));
}

Test(relay_shaping, a_connection_carries_only_so_many_to_a_destination)
{
    set_up("handover queue; connections 1;", CARRIERS "messages_per_connection 3; }");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 10; each.id++)
        rx_accept(&each);
    cr_assert(rx_wait(rx.mail_count == 10));
    cr_expect_eq(rx.connection_count, 4);
}

Test(relay_shaping, only_so_many_at_once_and_others_pass_by)
{
    static const struct smarthost_rule hang[] = {{".", ""}, {".", ""}, {0}};
    set_up("handover queue; connections 8;", CARRIERS "connections 2; }");
    rx_set_rules(hang);
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 6; each.id++)
        rx_accept(&each);
    pass(1000);
    cr_expect_eq(rx.mail_count, 2, "two are under way without an answer");
    for (each.recipients = "x@x.test"; each.id <= 10; each.id++)
        rx_accept(&each);
    cr_assert(rx_wait(rx.mail_count == 6));
    cr_expect(rx_wait(rx_in_state(QUEUE_ACTIVE) == 2));
    cr_expect_eq(rx_in_state(QUEUE_READY), 4);
}

Test(relay_shaping, a_restart_finds_out_again_what_waits_for_room)
{
    set_up("handover queue;", CARRIERS "messages_per_minute 1; }");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 200; each.id++)
        rx_accept(&each);
    each.account = 8;
    each.recipients = "b@x.test";
    rx_stop_smarthost();
    rx_accept(&each);
    pass(1000);
    rx.mail_count = 0;
    rx_restart();
    rx_start_smarthost();
    pass(40000);
    cr_expect(rx_wait(rx.mail_count >= 2));
    unsigned to_carrier = 0;
    for (unsigned i = 0; i < rx.mail_count; i++)
        to_carrier += strstr(rx.mails[i].envelope, "docomo") != NULL;
    cr_expect_eq(to_carrier, 1);
    cr_expect_eq(rx.mail_count, 2);
}

Test(relay_shaping, a_reload_that_takes_the_limits_away_lets_all_go)
{
    set_up("handover queue;", CARRIERS "messages_per_minute 1; }");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 50; each.id++)
        rx_accept(&each);
    cr_expect(rx_wait(rx.mail_count == 1));
    rx_reload("handover queue;", "");
    pass(1000);
    cr_expect(rx_wait(rx.mail_count == 50));
    cr_expect(rx_wait(rx_queued() == 0));
}

Test(relay_shaping, the_pools_rate_holds_for_clients_and_queue)
{
    set_up("messages_per_minute 20;", "");
    struct rx_accept each = mail;
    unsigned at_once = 0;
    for (each.id = 1; each.id <= 30; each.id++)
        at_once += rx_accept(&each).a.result == RELAY_DELIVERED;
    cr_expect_eq(at_once, 2);
    pass(58000);
    cr_expect_leq(rx.mail_count, 20);
    cr_expect_geq(rx.mail_count, 19);
    pass(60000);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 30);
}
