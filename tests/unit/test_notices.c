#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chan_fixture.h"
#include "msa/base/clock.h"
#include "msa/ipc/messages.h"
#include "policy/notices.h"

/* A relay at the other end of a real channel, that says yes when it is told to. */
static struct {
    struct chan *policy, *relay;
    int count;
    bool is_willing;
    char rcpts[64][64];
    char texts[64][4096];
    struct {
        int count;
        bool is_willing;
        uint64_t delivery;
        char body[1024];
    } hook;
} peer;

static char dir[64];
static struct ledger *ledger;
static struct notices *notices;

static int on_notice(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner;
    struct msg_relay_notice_ask q;
    struct msg_recipient r;
    struct view item;
    cr_assert_eq(msg_relay_notice_ask_decode(m->payload, &q), MSA_OK);
    cr_assert(items_next(&q.recipients, &item));
    cr_assert_eq(msg_recipient_decode(item, &r), MSA_OK);
    cr_assert(view_eq(q.sender, VIEW_LIT("abuse@example.jp")));
    cr_assert_lt(peer.count, 64);
    cr_assert(view_to_cstr(r.path, peer.rcpts[peer.count], 64));
    cr_assert(view_to_cstr(q.text, peer.texts[peer.count], 4096));
    peer.count++;
    const struct msg_relay_notice_answer answer = {.is_queued = peer.is_willing};
    (void)CHAN_SEND(c, relay_notice_answer, m->id, &answer);
    return MSA_OK;
}

static int on_call(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner;
    struct msg_relay_webhook_ask q;
    cr_assert_eq(msg_relay_webhook_ask_decode(m->payload, &q), MSA_OK);
    cr_assert(view_eq(q.webhook, VIEW_LIT("crm")));
    cr_assert(view_eq(q.event, VIEW_LIT("suspended")));
    cr_assert(peer.hook.count == 0 || peer.hook.delivery == q.delivery, "another id for the same");
    peer.hook.delivery = q.delivery;
    cr_assert(view_to_cstr(q.body, peer.hook.body, sizeof peer.hook.body));
    peer.hook.count++;
    const struct msg_relay_webhook_answer answer = {.status = peer.hook.is_willing ? 200 : 500,
                                                    .is_delivered = peer.hook.is_willing};
    (void)CHAN_SEND(c, relay_webhook_answer, m->id, &answer);
    return MSA_OK;
}

static chan_handlers relay_handlers = {[IPC_relay_notice_ask] = on_notice,
                                       [IPC_relay_webhook_ask] = on_call};
static chan_handlers policy_handlers = {0};

static const struct notices_config config = {
    .from = "abuse@example.jp",
    .desk = "desk@example.jp",
    .desk_language = NOTICE_JAPANESE,
    .events = (1u << MATTER_KIND_COUNT) - 1,
    .is_to_customer = true,
    .desk_per_hour = 3,
    .offset_min = 540,
};

static void open_all(void)
{
    char path[96], error[256] = "";
    snprintf(path, sizeof path, "%s/policy.mdb", dir);
    ledger = ledger_open(fx.loop, path, 16u << 20, error, sizeof error);
    cr_assert_not_null(ledger, "%s", error);
    cr_assert_eq(ledger_start(ledger), MSA_OK);
    notices = notices_new(fx.loop, ledger);
    cr_assert_not_null(notices);
    notices_take_config(notices, &config);
}

static void close_all(void)
{
    notices_free(&notices);
    ledger_close(&ledger);
}

static void setup(void)
{
    int fds[2];
    fx_set_up();
    snprintf(dir, sizeof dir, "/tmp/msad-notices-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    peer.policy = fx_end_new(fds[0], ROLE_POLICY, ROLE_RELAY, policy_handlers);
    peer.relay = fx_end_new(fds[1], ROLE_RELAY, ROLE_POLICY, relay_handlers);
    peer.is_willing = true;
    open_all();
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(name);
}

static void teardown(void)
{
    close_all();
    chan_free(&peer.policy);
    chan_free(&peer.relay);
    fx_tear_down();
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(notices, .timeout = 60, .init = setup, .fini = teardown);

static struct matter matter_of(enum matter_kind kind, uint64_t account, uint64_t restriction)
{
    return (struct matter){.kind = kind,
                           .account = account,
                           .restriction = restriction,
                           .at_ms = clock_wall_ms(),
                           .login = VIEW_LIT("taro@example.jp"),
                           .rule = VIEW_LIT("four-countries"),
                           .country = VIEW_LIT("BR")};
}

/* Until relay has heard of so many, and then no more come. */
static void wait_for(int count)
{
    for (int i = 0; i < 2000 && peer.count < count; i++)
        loop_run_once(fx.loop, true);
    fx_turns(20);
    cr_assert_eq(peer.count, count, "%d notices", peer.count);
}

static void tell(struct matter m)
{
    notices_tell(notices, &m, VIEW_LIT("taro@example.jp"), NOTICE_JAPANESE);
}

Test(notices, tells_the_customer_and_the_desk_once)
{
    notices_peer_up(notices, peer.policy);
    for (int i = 0; i < 5; i++) {
        tell(matter_of(MATTER_SUSPENDED, 7, 99));
        wait_for(2);
    }
    cr_assert_str_eq(peer.rcpts[0], "taro@example.jp");
    cr_assert_str_eq(peer.rcpts[1], "desk@example.jp");
    cr_assert_not_null(strstr(peer.texts[0], "\r\nAuto-Submitted: auto-generated\r\n"));
    tell(matter_of(MATTER_RELEASED, 7, 99));
    wait_for(4);
}

Test(notices, tells_of_blocks_from_overseas_once_a_day)
{
    struct matter m = matter_of(MATTER_OVERSEAS, 7, 1);
    notices_peer_up(notices, peer.policy);
    tell(m);
    wait_for(2);
    for (uint64_t id = 2; id < 100; id++) {
        m.restriction = id;
        m.country = id % 2 ? VIEW_LIT("VN") : VIEW_LIT("BR");
        tell(m);
    }
    wait_for(2);
    m.at_ms += 86400000;
    tell(m);
    wait_for(4);
}

Test(notices, gives_the_desk_a_digest_of_what_was_too_much)
{
    notices_peer_up(notices, peer.policy);
    for (uint64_t account = 1; account <= 10; account++)
        tell(matter_of(MATTER_SUSPENDED, account, account));
    wait_for(10 + 3);
    clock_advance_for_test(3600000);
    wait_for(10 + 3 + 1);
    cr_assert_str_eq(peer.rcpts[13], "desk@example.jp");
}

Test(notices, keeps_what_relay_did_not_take_and_sends_it_after_a_restart)
{
    char id[128];
    peer.is_willing = false;
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_HELD, 7, 5));
    wait_for(2);
    const char *at = strstr(peer.texts[0], "Message-ID: ");
    cr_assert_not_null(at);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\r"), at);
    close_all();
    open_all();
    peer.is_willing = true;
    notices_peer_up(notices, peer.policy);
    fx_turns(20);
    cr_assert_eq(peer.count, 2, "it waits after a refusal");
    clock_advance_for_test(60000);
    wait_for(4);
    cr_assert(strstr(peer.texts[2], id) || strstr(peer.texts[3], id));
    tell(matter_of(MATTER_HELD, 7, 5));
    clock_advance_for_test(60000);
    fx_turns(6);
    cr_assert_eq(peer.count, 4, "told or sent again");
}

Test(notices, keeps_silent_about_kinds_that_are_not_wanted)
{
    struct notices_config c = config;
    c.events = 1u << MATTER_SUSPENDED;
    notices_take_config(notices, &c);
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_WARNED, 7, 0));
    wait_for(0);
}

Test(notices, gives_relay_nothing_that_is_not_on_the_disk)
{
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_SUSPENDED, 7, 99));
    notices_peer_down(notices);
    notices_peer_up(notices, peer.policy);
    cr_assert_eq(peer.count, 0);
    for (int i = 0; i < 100; i++) /* the channel's turn, but not the loop's: no commit is reported */
        notices_peer_up(notices, peer.policy);
    json_t *o = notices_status(notices);
    json_t *outbox = json_object_get(o, "outbox");
    cr_assert_eq(json_integer_value(json_object_get(outbox, "under_way")), 0);
    json_decref(o);
    wait_for(2);
}

Test(notices, gives_up_after_three_days)
{
    peer.is_willing = false;
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_SUSPENDED, 7, 99));
    wait_for(2);
    for (int hour = 0; hour < 80; hour++) {
        peer.count = 0;
        clock_advance_for_test(3600000);
        fx_turns(20);
    }
    cr_assert_eq(peer.count, 0);
    peer.is_willing = true;
    clock_advance_for_test(86400000);
    fx_turns(20);
    cr_assert_eq(peer.count, 0);
    json_t *o = notices_status(notices);
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(o, "outbox"), "given_up")), 2);
    json_decref(o);
}

Test(notices, refused_ones_do_not_stand_in_the_way)
{
    peer.is_willing = false;
    notices_peer_up(notices, peer.policy);
    for (uint64_t account = 1; account <= 20; account++)
        tell(matter_of(MATTER_SUSPENDED, account, account));
    wait_for(20 + 3);
    peer.is_willing = true;
    tell(matter_of(MATTER_SUSPENDED, 99, 99));
    wait_for(20 + 3 + 1);
}

Test(notices, an_account_whose_login_is_no_address_has_no_mail_and_no_error)
{
    struct matter m = matter_of(MATTER_SUSPENDED, 7, 99);
    notices_peer_up(notices, peer.policy);
    notices_tell(notices, &m, VIEW_LIT("taro"), NOTICE_JAPANESE);
    notices_tell(notices, &m, VIEW_LIT("taro"), NOTICE_JAPANESE);
    wait_for(1);
    cr_assert_str_eq(peer.rcpts[0], "desk@example.jp");
}

static void call_only(void)
{
    struct notices_config c = {.hooks = {{.name = "crm", .events = 1u << MATTER_SUSPENDED}},
                               .hook_count = 1};
    peer.hook.count = 0;
    notices_take_config(notices, &c);
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_SUSPENDED, 7, 99));
    tell(matter_of(MATTER_HELD, 7, 99));
    for (int i = 0; i < 2000 && peer.hook.count == 0; i++)
        loop_run_once(fx.loop, true);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, 1);
}

Test(notices, calls_a_webhook_until_it_takes_the_event)
{
    peer.hook.is_willing = false;
    call_only();
    cr_assert_not_null(strstr(peer.hook.body, "\"country\":\"BR\"}"));
    cr_assert_not_null(strstr(peer.hook.body, "{\"event\":\"suspended\",\"id\":\""));
    clock_advance_for_test(1000);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, 1, "too early");
    for (int i = 0; i < 5; i++) {
        clock_advance_for_test(3000);
        fx_turns(20);
    }
    cr_assert_eq(peer.hook.count, 3, "%d calls: at 2 and 6 s, or a little later", peer.hook.count);
    peer.hook.is_willing = true;
    clock_advance_for_test(20000);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, 4);
    clock_advance_for_test(86400000);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, 4);
    cr_assert_eq(peer.count, 0, "no mail is configured");
}

Test(notices, gives_a_webhook_up_after_a_day)
{
    peer.hook.is_willing = false;
    call_only();
    for (int i = 0; i < 60; i++) {
        clock_advance_for_test(1800000);
        fx_turns(20);
    }
    int count = peer.hook.count;
    cr_assert_geq(count, 15);
    clock_advance_for_test(86400000);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, count);
}

Test(notices, a_clock_that_ran_ahead_delays_nothing_for_long)
{
    clock_advance_for_test(INT64_C(365) * 86400000);
    peer.hook.is_willing = false;
    call_only();
    clock_set_for_test(clock_mono_ms(), clock_wall_ms() - INT64_C(365) * 86400000);
    peer.hook.is_willing = true;
    clock_advance_for_test(20000);
    fx_turns(20);
    cr_assert_eq(peer.hook.count, 2);
}
