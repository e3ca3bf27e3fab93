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

static chan_handlers relay_handlers = {[IPC_relay_notice_ask] = on_notice};
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

static void tell(struct matter m)
{
    notices_tell(notices, &m, VIEW_LIT("taro@example.jp"), NOTICE_JAPANESE);
}

Test(notices, tells_the_customer_and_the_desk_once)
{
    notices_peer_up(notices, peer.policy);
    for (int i = 0; i < 5; i++) {
        tell(matter_of(MATTER_SUSPENDED, 7, 99));
        fx_turns(6);
    }
    cr_assert_eq(peer.count, 2);
    cr_assert_str_eq(peer.rcpts[0], "taro@example.jp");
    cr_assert_str_eq(peer.rcpts[1], "desk@example.jp");
    cr_assert_not_null(strstr(peer.texts[0], "\r\nAuto-Submitted: auto-generated\r\n"));
    tell(matter_of(MATTER_RELEASED, 7, 99));
    fx_turns(6);
    cr_assert_eq(peer.count, 4);
}

Test(notices, tells_of_blocks_from_overseas_once_a_day_and_country)
{
    struct matter m = matter_of(MATTER_OVERSEAS, 7, 1);
    notices_peer_up(notices, peer.policy);
    tell(m);
    m.restriction = 2;
    tell(m);
    fx_turns(6);
    cr_assert_eq(peer.count, 2);
    m.country = VIEW_LIT("VN");
    tell(m);
    fx_turns(6);
    cr_assert_eq(peer.count, 4);
    m.at_ms += 86400000;
    tell(m);
    fx_turns(6);
    cr_assert_eq(peer.count, 6);
}

Test(notices, gives_the_desk_a_digest_of_what_was_too_much)
{
    notices_peer_up(notices, peer.policy);
    for (uint64_t account = 1; account <= 10; account++)
        tell(matter_of(MATTER_SUSPENDED, account, account));
    fx_turns(10);
    cr_assert_eq(peer.count, 10 + 3);
    clock_advance_for_test(3600000);
    fx_turns(10);
    cr_assert_eq(peer.count, 10 + 3 + 1);
    cr_assert_str_eq(peer.rcpts[13], "desk@example.jp");
}

Test(notices, keeps_what_relay_did_not_take_and_sends_it_after_a_restart)
{
    char id[128];
    peer.is_willing = false;
    notices_peer_up(notices, peer.policy);
    tell(matter_of(MATTER_HELD, 7, 5));
    fx_turns(6);
    cr_assert_eq(peer.count, 2);
    const char *at = strstr(peer.texts[0], "Message-ID: ");
    cr_assert_not_null(at);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\r"), at);
    close_all();
    open_all();
    peer.is_willing = true;
    notices_peer_up(notices, peer.policy);
    fx_turns(6);
    cr_assert_eq(peer.count, 4);
    cr_assert_not_null(strstr(peer.texts[2], id));
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
    fx_turns(6);
    cr_assert_eq(peer.count, 0);
}
