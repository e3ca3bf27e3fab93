/* What time, policy and operators do to queued mail, with a clock that the test sets. */
#include <criterion/criterion.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "relay/hold.h"
#include "relay/schedule.h"
#include "relay_fixture.h"

static void tear_down(void)
{
    clock_use_real();
    rx_tear_down();
}

TestSuite(relay_schedule, .timeout = 60, .fini = tear_down);

#define HOUR_MS 3600000

static const struct rx_accept mail = {
    .id = 1, .account = 7, .sender = "t@example.jp", .recipients = "a@x.jp"};

static void set_up(const char *pool, const char *queue)
{
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up(pool, queue);
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        rx_turn();
}

/* Steps of a minute, so that every timer runs in its order. */
static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 60000) {
        clock_advance_for_test(ms < 60000 ? ms : 60000);
        rx_turn();
    }
    turns(20);
}

Test(relay_schedule, waits_follow_the_list_and_vary_by_a_tenth)
{
    static const int64_t waits[] = {1000, 20000};
    const struct config_durations retry = {waits, 2};
    rx_set_up("", "");
    for (uint32_t random = 0; random < 5000; random++) {
        int64_t first = schedule_wait_ms(&retry, 0, random * 2654435761u);
        int64_t last = schedule_wait_ms(&retry, 77, random * 2654435761u);
        cr_expect(first >= 900 && first <= 1100, "%ld", (long)first);
        cr_expect(last >= 18000 && last <= 22000, "%ld", (long)last);
    }
    cr_expect_neq(schedule_wait_ms(&retry, 1, 1), schedule_wait_ms(&retry, 1, 3999));
}

Test(relay_schedule, attempts_come_at_their_times_and_no_sooner)
{
    static const struct smarthost_rule rules[] = {
        {"RCPT", "450 4.2.1 later\r\n"}, {"RCPT", "450 4.2.1 later\r\n"}, {NULL, NULL}};
    set_up("", "retry 10m 1h;");
    rx_set_rules(rules);
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_QUEUED);
    pass(8 * 60000);
    cr_expect_eq(rx.mail_count, 0);
    pass(4 * 60000);
    cr_expect_eq(rx_queued(), 1, "the second attempt was put off, too");
    pass(HOUR_MS / 2);
    cr_expect_eq(rx.mail_count, 0);
    pass(HOUR_MS);
    cr_expect_eq(rx.mail_count, 1);
    cr_expect_eq(rx_queued(), 0);
}

Test(relay_schedule, delay_is_told_once_and_expiry_bounces)
{
    set_up("dead_host_pause 1m;", "expiry 2d; delay_notice_after 4h;");
    rx_stop_smarthost();
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_QUEUED);
    pass(5 * HOUR_MS);
    cr_expect(rx_wait(rx_queued() == 2), "the message and a delay notice");
    pass(20 * HOUR_MS);
    cr_expect_eq(rx_queued(), 2, "but no second notice");
    pass(24 * HOUR_MS);
    cr_expect(rx_wait(rx_queued() == 2), "the bounce instead of the message; %lu", (unsigned long)rx_queued());
    rx_start_smarthost();
    pass(2 * HOUR_MS);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_assert_eq(rx.mail_count, 2);
    const char *first = rx.mails[0].body, *second = rx.mails[1].body;
    const char *delay = strstr(first, "Action: delayed") ? first : second;
    const char *bounce = delay == first ? second : first;
    cr_expect_not_null(strstr(delay, "Action: delayed"));
    cr_expect_not_null(strstr(bounce, "Action: failed\r\nStatus: 4.4.7"));
    cr_expect_not_null(strstr(rx.mails[0].envelope, "MAIL FROM:<>"));
}

Test(relay_schedule, what_expires_and_cannot_be_read_just_now_is_looked_at_once_a_minute)
{
    char path[128], id[MSGID_TEXT_MAX];
    set_up("dead_host_pause 1m;", "expiry 2d; delay_notice_after off;");
    rx_stop_smarthost();
    struct rx_accept large = mail;
    large.large_bytes = 1u << 20;
    cr_expect_eq(rx_accept(&large).a.result, RELAY_QUEUED);
    msgid_format(large.id, id);
    snprintf(path, sizeof path, "%s/bodies/%s", rx.dir, id);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("elsewhere", path), 0); /* which is not opened, and no damage either */
    clock_advance_for_test(49 * HOUR_MS);
    turns(20);
    cr_assert_not_null(queue_find(rx.relay->queue, large.id));
    cr_expect_gt(queue_wait_ms(rx.relay->queue, clock_mono_ms()), 50000);
    cr_assert_eq(unlink(path), 0); /* now it is damage */
    pass(2 * 60000);
    cr_expect(rx_wait(rx_queued() == 0));
}

Test(relay_schedule, step_of_the_wall_clock_neither_expires_nor_delays)
{
    static const struct smarthost_rule rules[] = {{"RCPT", "450 4.2.1 later\r\n"}, {NULL, NULL}};
    set_up("", "retry 10m; expiry 1d;");
    rx_set_rules(rules);
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_QUEUED);
    clock_set_for_test(clock_mono_ms() + 1000, clock_wall_ms() + 3 * 24 * HOUR_MS);
    turns(20);
    cr_expect_eq(rx_queued(), 1, "three days in a second");
    clock_set_for_test(clock_mono_ms(), clock_wall_ms() - 30 * (int64_t)24 * HOUR_MS);
    pass(12 * 60000);
    cr_expect_eq(rx.mail_count, 1, "and a month back again");
}

Test(relay_schedule, clock_that_was_set_back_before_a_start_delays_no_attempt_for_long)
{
    static const struct smarthost_rule rules[] = {{"RCPT", "450 4.2.1 later\r\n"}, {NULL, NULL}};
    set_up("", "retry 10m;");
    rx_set_rules(rules);
    cr_expect_eq(rx_accept(&mail).a.result, RELAY_QUEUED);
    clock_set_for_test(clock_mono_ms(), clock_wall_ms() - 24 * HOUR_MS);
    rx_restart();
    pass(21 * 60000);
    cr_expect_eq(rx.mail_count, 1);
}

Test(relay_schedule, accounts_take_turns_when_the_queue_drains)
{
    set_up("connections 1; dead_host_pause 1m;", "");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 40; each.id++)
        rx_accept(&each);
    each.id = 100;
    each.account = 8;
    each.sender = "other@example.jp";
    rx_accept(&each);
    rx_start_smarthost();
    pass(2 * 60000);
    cr_assert(rx_wait(rx_queued() == 0));
    cr_expect(strstr(rx.mails[0].envelope, "other@") || strstr(rx.mails[1].envelope, "other@") ||
                  strstr(rx.mails[2].envelope, "other@"),
              "forty messages of one account do not stand before another's one");
}

Test(relay_schedule, hold_of_an_account_takes_effect_on_all_it_has)
{
    set_up("dead_host_pause 1m;", "");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 3; each.id++)
        rx_accept(&each);
    each.account = 8;
    rx_accept(&each);
    const struct msg_relay_hold_ask hold = {
        .account = 7, .is_held = true, .held_for = HELD_FOR_ACCOUNT};
    CHAN_SEND(rx.policy, relay_hold_ask, 9, &hold);
    cr_expect(rx_wait(rx_in_state(QUEUE_HELD) == 3));
    cr_expect(rx_wait(committer_waiting(rx.relay->committer) == 0));
    rx_restart();
    rx_start_smarthost();
    pass(5 * 60000);
    cr_expect(rx_wait(rx.mail_count == 1));
    cr_expect_eq(rx_in_state(QUEUE_HELD), 3, "held over the restart, too");
}

Test(relay_schedule, mail_released_after_a_long_hold_has_all_its_time)
{
    set_up("dead_host_pause 1m;", "retry 10m; expiry 2d; delay_notice_after 4h;");
    rx_stop_smarthost();
    struct rx_accept held = mail;
    held.held_for = HELD_FOR_ACCOUNT;
    rx_accept(&held);
    clock_advance_for_test(72 * HOUR_MS);
    turns(20);
    cr_expect_eq(hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, false), 1);
    pass(HOUR_MS);
    cr_expect_not_null(queue_find(rx.relay->queue, mail.id), "no bounce in the place of a first attempt");
    cr_expect_eq(rx_queued(), 1, "nor is the delay told that was ours");
    cr_assert(rx_wait(committer_waiting(rx.relay->committer) == 0));
    rx_restart();
    pass(HOUR_MS);
    cr_expect_eq(rx_queued(), 1, "the same after a restart");
    rx_start_smarthost();
    pass(HOUR_MS);
    cr_expect(rx_wait(rx_queued() == 0));
    cr_assert_eq(rx.mail_count, 1);
    cr_expect_not_null(strstr(rx.mails[0].envelope, "MAIL FROM:<t@example.jp>"));
}

Test(relay_schedule, neither_release_nor_flush_of_all_sends_mail_before_the_time_its_sender_wants)
{
    set_up("", "");
    struct rx_accept later = mail;
    later.held_for = HELD_FOR_ACCOUNT;
    later.hold_until_ms = clock_wall_ms() + 6 * HOUR_MS;
    rx_accept(&later);
    cr_expect_eq(hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, false), 1);
    cr_expect_eq(hold_flush_all(rx.relay), 0);
    pass(5 * HOUR_MS);
    cr_expect_eq(rx.mail_count, 0);
    pass(2 * HOUR_MS);
    cr_expect(rx_wait(rx.mail_count == 1 && rx_queued() == 0));
}

Test(relay_schedule, hold_while_it_is_delivered_holds_what_comes_back)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}};
    set_up("handover queue; deadlines { final_dot 10m; }", "retry 1m;");
    rx_set_rules(rules);
    rx_accept(&mail);
    cr_assert(rx_wait(rx_in_state(QUEUE_ACTIVE) == 1 && rx.mail_count == 1));
    const struct msg_relay_hold_ask hold = {
        .account = 7, .is_held = true, .held_for = HELD_FOR_ACCOUNT};
    CHAN_SEND(rx.policy, relay_hold_ask, 9, &hold);
    turns(20);
    pass(11 * 60000); /* the link times out */
    cr_expect(rx_wait(rx_in_state(QUEUE_HELD) == 1));
    pass(HOUR_MS);
    cr_expect_eq(rx.mail_count, 1);
}

Test(relay_schedule, reload_moves_what_waits_and_finishes_what_is_under_way)
{
    set_up("dead_host_pause 1m;", "");
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 5; each.id++)
        rx_accept(&each);
    uint16_t old_port = rx.port;
    rx.port = 0;
    rx_start_smarthost(); /* at another port */
    cr_assert_neq(rx.port, old_port);
    rx_reload("dead_host_pause 1m;", "");
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 5);
    rx_reload("dead_host_pause 2m;", "");
    rx_reload("dead_host_pause 3m;", "");
    each.id = 50;
    cr_expect_eq(rx_accept(&each).a.result, RELAY_DELIVERED);
}

Test(relay_schedule, any_number_of_reloads_lets_what_is_under_way_finish)
{
    static const struct smarthost_rule rules[] = {{".", ""}, {NULL, NULL}};
    set_up("handover queue; deadlines { final_dot 10m; }", "retry 1m;");
    rx_set_rules(rules);
    rx_accept(&mail);
    cr_assert(rx_wait(rx_in_state(QUEUE_ACTIVE) == 1 && rx.mail_count == 1));
    for (int i = 0; i < 3; i++)
        rx_reload("handover queue; deadlines { final_dot 20m; }", "retry 1m;");
    pass(5 * 60000);
    cr_expect_eq(rx_in_state(QUEUE_ACTIVE), 1, "the smarthost still has its time");
    cr_expect_eq(rx.mail_count, 1, "and it is not sent again meanwhile");
    pass(8 * 60000); /* the link times out */
    cr_expect(rx_wait(rx_queued() == 0));
    cr_expect_eq(rx.mail_count, 2);
    cr_expect_null(rx.relay->retired_pools);
}

Test(relay_schedule, notice_of_policy_is_queued_and_delivered)
{
    struct buf list;
    set_up("", "");
    buf_init(&list, 4096);
    const struct msg_recipient to = {.path = VIEW_LIT("desk@example.jp")};
    items_add_recipient(&list, &to);
    const struct msg_relay_notice_ask q = {
        .sender = VIEW_LIT("msad@example.jp"),
        .recipients = buf_view(&list),
        .text = VIEW_LIT("Subject: restricted\r\n\r\nwhy\r\n"),
    };
    CHAN_SEND(rx.policy, relay_notice_ask, 4, &q);
    cr_expect(rx_wait(rx.mail_count == 1));
    cr_expect_not_null(strstr(rx.mails[0].envelope, "RCPT TO:<desk@example.jp>"));
    cr_expect_str_eq(rx.mails[0].body, "Subject: restricted\r\n\r\nwhy\r\n");
    buf_fini(&list);
}

/* ---- operators ---- */

static json_t *result;
static unsigned status;

static void on_admin(void *arg, struct chan_message *m, int err)
{
    (void)arg;
    struct msg_admin_answer a;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_admin_answer_decode(m->payload, &a), MSA_OK);
    status = a.status;
    result = json_loadb(a.json.p, a.json.n, 0, NULL);
    cr_assert_not_null(result);
}

/* The result is freed with the next call. */
static json_t *admin(const char *op, const char *args)
{
    const struct msg_admin_ask q = {
        .op = view_cstr(op), .actor = VIEW_LIT("test"), .json = view_cstr(args)};
    if (result)
        json_decref(result);
    result = NULL;
    cr_assert_eq(CHAN_ASK(rx.console, admin_ask, &q, 60000, on_admin, NULL, NULL), MSA_OK);
    cr_assert(rx_wait(result != NULL));
    return result;
}

static const char *text_at(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t number_at(json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void queue_three(void)
{
    rx_stop_smarthost();
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 3; each.id++) {
        each.sender = each.id == 2 ? "second@example.jp" : "t@example.jp";
        rx_accept(&each);
    }
}

Test(relay_schedule, list_pages_and_filters)
{
    set_up("", "");
    queue_three();
    json_t *r = admin("queue.list", "{}");
    cr_expect_eq(status, 200);
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 3);
    cr_expect(json_is_null(json_object_get(r, "next")));
    json_t *first = json_array_get(json_object_get(r, "messages"), 0);
    cr_expect_str_eq(text_at(first, "id"), "0000000000001");
    cr_expect_str_eq(text_at(first, "state"), "ready");
    cr_expect_str_eq(text_at(first, "user"), "taro@example.jp");
    cr_expect_eq(number_at(first, "recipient_count"), 1);
    r = admin("queue.list", "{\"limit\": 2}");
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 2);
    cr_expect_str_eq(text_at(r, "next"), "0000000000002");
    r = admin("queue.list", "{\"after\": \"0000000000002\"}");
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 1);
    r = admin("queue.list", "{\"sender\": \"second@example.jp\", \"state\": \"ready\"}");
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 1);
    r = admin("queue.list", "{\"state\": \"held\"}");
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 0);
    admin("queue.list", "{\"after\": \"what\"}");
    cr_expect_eq(status, 400);
    json_decref(result);
}

Test(relay_schedule, show_and_cat_give_one_message)
{
    set_up("", "");
    queue_three();
    json_t *r = admin("queue.show", "{\"id\": \"0000000000002\"}");
    cr_expect_eq(status, 200);
    cr_expect_str_eq(text_at(r, "sender"), "second@example.jp");
    cr_expect_str_eq(text_at(json_array_get(json_object_get(r, "recipients"), 0), "address"), "a@x.jp");
    r = admin("queue.cat", "{\"id\": \"0000000000002\"}");
    cr_expect_str_eq(text_at(r, "content"), "Received: by mx\r\nSubject: small\r\n\r\nbody\r\n");
    admin("queue.show", "{\"id\": \"0000000000009\"}");
    cr_expect_eq(status, 404);
    admin("queue.show", "{\"id\": \"../../etc\"}");
    cr_expect_eq(status, 400);
    json_decref(result);
}

Test(relay_schedule, operators_hold_release_flush_and_delete)
{
    static const struct smarthost_rule rules[] = {{"RCPT", "450 4.2.1 later\r\n"}, {NULL, NULL}};
    set_up("dead_host_pause 1m;", "retry 1h;");
    queue_three();
    admin("queue.hold", "{\"id\": \"0000000000001\"}");
    cr_expect_eq(rx_in_state(QUEUE_HELD), 1);
    admin("queue.delete", "{\"id\": \"0000000000002\"}");
    cr_expect(rx_wait(rx_queued() == 2), "gone without a word");
    admin("queue.return", "{\"id\": \"0000000000003\", \"text\": \"not\\nso\"}");
    cr_expect_eq(status, 400, "one line");
    admin("queue.return", "{\"id\": \"0000000000003\", \"text\": \"It looks like a phish.\"}");
    cr_expect(rx_wait(!queue_find(rx.relay->queue, 3)));
    cr_expect_eq(rx_queued(), 2, "its bounce in its place");
    rx_set_rules(rules);
    rx_start_smarthost();
    pass(5 * 60000);
    cr_expect_eq(rx_in_state(QUEUE_WAITING), 1, "the bounce was put off");
    json_t *r = admin("queue.flush", "{\"all\": true}");
    cr_expect_eq(number_at(r, "message_count"), 1);
    cr_expect(rx_wait(rx.mail_count == 1));
    cr_expect_not_null(strstr(rx.mails[0].body, "Status: 5.7.1"));
    admin("queue.release", "{\"account\": 7}");
    cr_expect(rx_wait(rx.mail_count == 2 && rx_queued() == 0));
    json_decref(result);
}

/* The words of what a message is held for, as queue.show gives them. */
static const char *held_for(const char *id)
{
    static char words[64];
    char ask[64];
    size_t i, n = 0;
    const json_t *word;
    snprintf(ask, sizeof ask, "{\"id\": \"%s\"}", id);
    json_t *r = admin("queue.show", ask);
    words[0] = '\0';
    json_array_foreach(json_object_get(r, "held_for"), i, word)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s ", json_string_value(word));
    return words;
}

Test(relay_schedule, a_message_goes_when_the_last_reason_to_hold_it_is_gone)
{
    set_up("", "");
    struct rx_accept held = mail;
    held.held_for = HELD_FOR_RULE | HELD_FOR_ROUTE;
    rx_accept(&held);
    hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, true);
    cr_expect_str_eq(held_for("0000000000001"), "account rule route ");
    rx_restart();
    cr_expect_str_eq(held_for("0000000000001"), "account rule route ", "kept on disk");
    hold_account(rx.relay, 7, HELD_FOR_ACCOUNT, false);
    cr_expect_str_eq(held_for("0000000000001"), "rule route ");
    hold_account(rx.relay, 7, HELD_FOR_RULE, false);
    cr_expect_str_eq(held_for("0000000000001"), "route ");
    json_t *r = admin("queue.list", "{\"held\": true}");
    cr_expect_eq(json_array_size(json_object_get(r, "messages")), 1);
    cr_expect_eq(rx.mail_count, 0);
    admin("queue.release", "{\"id\": \"0000000000001\"}");
    cr_expect(rx_wait(rx.mail_count == 1 && rx_queued() == 0));
    json_decref(result);
}

Test(relay_schedule, status_tells_depth_links_and_room)
{
    set_up("", "");
    queue_three();
    json_t *r = admin("relay.status", "{}");
    cr_expect_eq(status, 200);
    cr_expect_eq(number_at(json_object_get(r, "queue"), "ready"), 3);
    cr_expect_eq(number_at(r, "queued_count"), 3);
    cr_expect_eq(number_at(r, "oldest_arrived_ms"), 1767225600000);
    json_t *pool = json_array_get(json_object_get(r, "pools"), 0);
    cr_expect_str_eq(text_at(pool, "pool"), "main");
    cr_expect_eq(number_at(pool, "dead_host_count"), 1);
    cr_expect(json_is_false(json_object_get(pool, "is_open")));
    json_decref(result);
}
