/* Pools that are slowed down, that fall back, and what is told of them. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/ipc/admin.h"
#include "relay/schedule.h"
#include "relay_fixture.h"

static void tear_down(void)
{
    rx_tear_down();
    clock_use_real();
}

TestSuite(relay_pools, .timeout = 60, .fini = tear_down);

static const struct rx_accept mail = {
    .id = 1, .account = 7, .sender = "t@example.jp", .recipients = "a@x.test"};

/* `more` is at the top level: see test_relay_shaping.c. */
static void set_up(const char *pool, const char *more)
{
    char queue[1024];
    snprintf(queue, sizeof queue, "} %s destination last { domains last.invalid;", more);
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up(pool, queue);
}

static void pass(int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        clock_advance_for_test(ms < 1000 ? ms : 1000);
        rx_turn();
    }
    for (int i = 0; i < 20; i++)
        rx_turn();
}

static struct pool *first_pool(void)
{
    return pools_at(rx.relay->pools, 0);
}

static struct pool_target_status target(void)
{
    struct pool_target_status t;
    cr_assert(pool_get_target(first_pool(), 0, &t));
    return t;
}

static void open_eight(void)
{
    static const struct smarthost_rule hang[] = {
        {".", ""}, {".", ""}, {".", ""}, {".", ""}, {".", ""}, {".", ""}, {".", ""}, {".", ""}, {0}};
    rx_set_rules(hang);
    struct rx_accept each = mail;
    for (each.id = 101; each.id <= 108; each.id++)
        rx_accept(&each);
    cr_assert(rx_wait(target().link_count == 8));
}

Test(relay_pools, a_smarthost_that_defers_whole_messages_gets_half_and_recovers_step_by_step)
{
    static const struct smarthost_rule busy[] = {{"MAIL", "451 4.3.2 too much just now\r\n"}, {0}};
    set_up("handover queue; connections 8;", "");
    open_eight();
    rx_stop_smarthost(); /* all eight are cut: what they had is deferred */
    rx_set_rules(NULL);
    rx_start_smarthost();
    pass(240000);
    cr_assert(rx_wait(rx_queued() == 0));
    rx_set_rules(busy);
    struct rx_accept each = mail;
    rx_accept(&each);
    cr_assert(rx_wait(target().slow_limit > 0));
    uint32_t limit = target().slow_limit;
    cr_expect_leq(limit, 4);
    cr_expect(rx_wait(target().link_count <= (limit > 1 ? limit : 1)) || limit == 1);
    rx_set_rules(NULL);
    for (each.id = 2; each.id <= 41 && target().slow_limit > 0; each.id++) {
        pass(5000);
        uint32_t before = target().slow_limit;
        rx_accept(&each);
        pass(1000);
        cr_expect_leq(target().slow_limit, before + 1, "additively");
    }
    cr_expect_eq(target().slow_limit, 0);
}

Test(relay_pools, a_mailbox_that_is_full_says_nothing_of_the_smarthost)
{
    static const struct smarthost_rule full[] = {{"RCPT", "452 4.2.2 mailbox full\r\n"}, {0}};
    set_up("handover queue;", "");
    rx_set_rules(full);
    rx_accept(&mail);
    cr_assert(rx_wait(rx_in_state(QUEUE_WAITING) == 1));
    cr_expect_eq(target().slow_limit, 0);
}

Test(relay_pools, a_421_while_other_connections_stand_does_not_make_the_smarthost_dead)
{
    static const struct smarthost_rule one[] = {{"MAIL", "421 4.7.0 too many connections\r\n"}, {0}};
    set_up("handover queue; connections 8;", "");
    open_eight();
    cr_expect_eq(target().dead_ms, 0);
    rx_stop_smarthost();
    rx_set_rules(NULL);
    rx_start_smarthost();
    pass(240000);
    cr_assert(rx_wait(rx_queued() == 0));
    struct rx_accept each = mail;
    static const struct smarthost_rule hang[] = {{".", ""}, {0}};
    rx_set_rules(hang);
    unsigned before = rx.mail_count;
    rx_accept(&each); /* keeps one connection */
    cr_assert(rx_wait(rx.mail_count == before + 1));
    rx_set_rules(one);
    each.id = 2;
    rx_accept(&each);
    cr_assert(rx_wait(rx_in_state(QUEUE_WAITING) == 1));
    cr_expect_eq(target().dead_ms, 0);
    cr_expect_gt(target().slow_limit, 0);
}

Test(relay_pools, a_farewell_that_is_not_answered_keeps_nobody_waiting)
{
    static const struct smarthost_rule mute[] = {{"QUIT", ""}, {0}};
    set_up("connections 1; deadlines { idle 30s; command 5m; }", "");
    rx_set_rules(mute);
    cr_assert_eq(rx_accept(&mail).a.result, RELAY_DELIVERED);
    pass(31000);
    struct rx_accept second = mail;
    struct rx_answer answer;
    second.id = 2;
    rx_accept_async(&second, &answer);
    pass(15000);
    cr_expect(rx_wait(answer.is_here && rx.mail_count == 2));
    cr_expect_eq(answer.a.result, RELAY_DELIVERED);
}

/* The first pool has a source address from which its smarthost cannot be reached. */
static void set_up_fallback(const char *pool)
{
    char more[256], settings[256];
    clock_set_for_test(1000000, 1767225600000);
    rx_set_up("", "");
    snprintf(more, sizeof more,
             "} pool other { smarthost 127.0.0.1:%u; tls off; ehlo_name other.example.jp; } "
             "destination last { domains last.invalid;", rx.port);
    snprintf(settings, sizeof settings, "source ::1; handover queue; %s", pool);
    rx_reload(settings, more);
}

Test(relay_pools, mail_of_a_pool_that_is_down_goes_to_its_fallback_after_its_time)
{
    set_up_fallback("fallback other; fallback_after 5m;");
    struct rx_accept each = mail;
    for (each.id = 1; each.id <= 20; each.id++)
        cr_assert_eq(rx_accept(&each).a.result, RELAY_QUEUED);
    pass(290000);
    cr_expect_eq(rx.mail_count, 0, "not before");
    cr_expect_not(pool_marks(first_pool())->is_given_up);
    pass(15000);
    cr_expect(pool_marks(first_pool())->is_given_up);
    cr_assert(rx_wait(rx.mail_count == 20));
    each.id = 30;
    rx_accept(&each);
    pass(3000);
    cr_expect(rx_wait(rx.mail_count == 21), "what comes later goes there, too");
    cr_expect(rx_wait(rx_queued() == 0));
}

Test(relay_pools, mail_is_not_given_to_a_fallback_that_is_down_itself)
{
    set_up_fallback("fallback other; fallback_after 5m;");
    rx_stop_smarthost();
    struct rx_accept to_other = mail;
    rx_accept(&mail);
    pass(310000);
    cr_assert(pool_marks(first_pool())->is_given_up);
    cr_assert(rx_wait(pool_down_ms(pools_at(rx.relay->pools, 1)) > 0), "the first one went there and told");
    to_other.id = 2;
    rx_accept(&to_other);
    pass(60000);
    cr_expect_eq(queue_find(rx.relay->queue, 2)->pool, 0);
    rx_start_smarthost();
    pass(60000);
    cr_expect(rx_wait(rx.mail_count == 2 && rx_queued() == 0));
}

Test(relay_pools, without_a_fallback_mail_waits)
{
    set_up_fallback("");
    rx_accept(&mail);
    pass(3600000);
    cr_expect_eq(rx.mail_count, 0);
    cr_expect_eq(rx_in_state(QUEUE_READY), 1);
}

/* ---- what is told ---- */

static json_t *result;
static unsigned status;

static void on_admin(void *arg, struct chan_message *m, int err)
{
    (void)arg;
    struct msg_admin_answer a;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_admin_answer_decode(m->payload, &a), MSA_OK);
    status = a.status;
    result = a.json.n > 0 ? json_loadb(a.json.p, a.json.n, 0, NULL) : NULL;
}

static json_t *admin(const char *op, const char *args)
{
    const struct msg_admin_ask q = {.op = view_cstr(op), .json = view_cstr(args), .actor = VIEW_LIT("test")};
    json_decref(result);
    result = NULL;
    status = 0;
    cr_assert_eq(CHAN_ASK(rx.console, admin_ask, &q, 10000, on_admin, NULL, NULL), MSA_OK);
    cr_assert(rx_wait(status != 0));
    return result;
}

static int64_t number_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const json_t *destination(const json_t *pool, const char *name)
{
    size_t i;
    const json_t *d;
    json_array_foreach(json_object_get(pool, "destinations"), i, d) {
        if (strcmp(json_string_value(json_object_get(d, "destination")), name) == 0)
            return d;
    }
    return NULL;
}

Test(relay_pools, health_and_room_of_each_destination_are_told)
{
    static const struct smarthost_rule rules[] = {{"RCPT TO:<no@y.test>", "550 5.1.1 nobody\r\n"}, {0}};
    set_up("", "destination carriers { domains docomo.test; messages_per_minute 1; }");
    rx_set_rules(rules);
    struct rx_accept each = mail;
    each.recipients = "a@docomo.test b@docomo.test";
    rx_accept(&each);
    each.id = 2;
    rx_accept(&each);
    each.id = 3;
    each.recipients = "no@y.test";
    rx_accept(&each);
    const json_t *shown = admin("pool.show", "{\"id\": \"main\"}");
    cr_assert_eq(status, 200);
    const json_t *carriers = destination(shown, "carriers"), *y = destination(shown, "y.test");
    cr_assert(carriers && y);
    cr_expect_eq(number_at(carriers, "delivered"), 2);
    cr_expect_eq(number_at(carriers, "waiting_count"), 1);
    cr_expect_eq(number_at(json_object_get(carriers, "limits"), "messages_per_minute"), 1);
    cr_expect_eq(number_at(y, "refused"), 1);
    cr_expect_eq(number_at(shown, "refused"), 1);
    cr_expect_eq(json_array_size(json_object_get(json_array_get(json_object_get(shown, "sources"), 0), "hosts")), 1);
    admin("pool.show", "{\"id\": \"none\"}");
    cr_expect_eq(status, 404);
    const json_t *listed = admin("pool.list", "{}");
    cr_expect_eq(json_array_size(json_object_get(listed, "pools")), 1);
    const json_t *health = json_array_get(json_object_get(listed, "health"), 0);
    cr_expect(destination(health, "carriers") && !destination(health, "y.test"),
              "figures are of configured destinations only");
    json_decref(result);
    result = NULL;
}
