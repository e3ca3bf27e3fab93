#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/exchange.h"
#include "auth_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

TestSuite(exchange, .timeout = 30);

#define PLAIN_GOOD  view_of("\0taro\0pencil", 12)
#define PLAIN_WRONG view_of("\0taro\0pencix", 12)
#define DONE_MAX    512

static struct auth_fixture f;
static struct loop *loop;
static struct threads *workers;
static struct exchanges *x;
static struct exchange_limits limits;
static char peer_a, peer_b;

static struct {
    size_t done_count, challenge_count, upgrade_count;
    struct {
        void *peer;
        uint64_t session;
        enum auth_result result;
        uint64_t account;
        char login[64];
        uint64_t wrong_password;
        int64_t created_ms;
        char final_challenge[64];
    } done[DONE_MAX];
    char challenge[1024];
    char upgraded[64];
} seen;

static void on_challenge(void *arg, void *peer, uint64_t session, struct view challenge)
{
    (void)arg, (void)peer, (void)session;
    seen.challenge_count++;
    cr_assert(view_to_cstr(challenge, seen.challenge, sizeof seen.challenge));
}

static void on_done(void *arg, void *peer, const struct msg_auth_done *m)
{
    (void)arg;
    cr_assert(seen.done_count < DONE_MAX);
    size_t i = seen.done_count++;
    seen.done[i].peer = peer;
    seen.done[i].session = m->session;
    seen.done[i].result = (enum auth_result)m->result;
    seen.done[i].account = m->account;
    seen.done[i].wrong_password = m->wrong_password;
    seen.done[i].created_ms = m->created_ms;
    view_to_cstr(m->login, seen.done[i].login, sizeof seen.done[i].login);
    view_to_cstr(m->final_challenge, seen.done[i].final_challenge, sizeof seen.done[i].final_challenge);
}

static void on_upgrade(void *arg, const char *login, const struct account *account)
{
    (void)arg;
    seen.upgrade_count++;
    snprintf(seen.upgraded, sizeof seen.upgraded, "%s", login);
    cr_assert(eq(int, (int)account->kind, (int)HASH_SCRAM_SHA_256));
}

static void configure(void)
{
    cr_assert(eq(int, exchanges_configure(x, &f.rules, &limits), MSA_OK));
}

static void setup(void)
{
    const struct exchange_owner owner = {on_challenge, on_done, on_upgrade, NULL, NULL};
    auth_fixture_open(&f);
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    loop = loop_new();
    workers = threads_new(loop, 2, 1000);
    x = exchanges_new(loop, workers, &f.env, &owner);
    limits = (struct exchange_limits){.exchange_count = 100,
                                      .step_count = 100,
                                      .step_per_source_count = 100,
                                      .deadline_ms = 60000};
    configure();
}

static void teardown(void)
{
    if (x)
        exchanges_drop_all(x);
    threads_free(&workers);
    exchanges_free(&x);
    loop_free(&loop);
    auth_fixture_close(&f);
}

static int start(void *peer, uint64_t session, const char *mechanism, struct view initial)
{
    struct msg_auth_start m = {
        .session = session,
        .mechanism = view_cstr(mechanism),
        .has_initial = initial.n > 0,
        .initial = initial,
        .is_tls = true,
    };
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    return exchanges_start(x, peer, &m);
}

static void must_start(void *peer, uint64_t session, const char *mechanism, struct view initial)
{
    cr_assert(eq(int, start(peer, session, mechanism, initial), MSA_OK));
}

static int step(void *peer, uint64_t session, const char *response)
{
    struct msg_auth_step m = {.session = session, .response = view_cstr(response)};
    return exchanges_step(x, peer, &m);
}

static void run_until(const size_t *count, size_t want)
{
    while (*count < want)
        loop_run_once(loop, true);
    cr_assert(eq(sz, *count, want));
}

Test(exchange, one_message_good_and_wrong, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 7, "PLAIN", PLAIN_GOOD);
    must_start(&peer_b, 7, "PLAIN", PLAIN_WRONG); /* sessions of two peers are two */
    cr_assert(eq(sz, exchanges_running(x), 2));
    run_until(&seen.done_count, 2);
    cr_assert(eq(sz, exchanges_running(x), 0));
    for (size_t i = 0; i < 2; i++) {
        bool is_good = seen.done[i].peer == &peer_a;
        cr_assert(eq(u64, seen.done[i].session, 7));
        cr_assert(eq(str, seen.done[i].login, "taro@example.jp"));
        cr_assert(eq(int, (int)seen.done[i].result, (int)(is_good ? AUTH_OK : AUTH_BAD_CREDENTIALS)));
        cr_assert(eq(u64, seen.done[i].account, 1));
        cr_assert(eq(i64, seen.done[i].created_ms, 1000));
        cr_assert(eq(int, seen.done[i].wrong_password != 0, !is_good));
    }
}

Test(exchange, several_messages, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 1, "LOGIN", VIEW_EMPTY);
    run_until(&seen.challenge_count, 1);
    cr_assert(eq(str, seen.challenge, "Username:"));
    cr_assert(eq(int, step(&peer_a, 1, "taro"), MSA_OK));
    run_until(&seen.challenge_count, 2);
    cr_assert(eq(str, seen.challenge, "Password:"));
    cr_assert(eq(int, step(&peer_a, 1, "pencil"), MSA_OK));
    run_until(&seen.done_count, 1);
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_OK));
}

Test(exchange, scram_through_the_workers, .init = setup, .fini = teardown)
{
    struct scram_client c;
    scram_client_first(&c, "n,,", "taro");
    must_start(&peer_a, 1, "SCRAM-SHA-256", view_cstr(c.message));
    run_until(&seen.challenge_count, 1);
    scram_client_final(&c, view_cstr(seen.challenge), "pencil", VIEW_EMPTY);
    cr_assert(eq(int, step(&peer_a, 1, c.message), MSA_OK));
    run_until(&seen.done_count, 1);
    cr_assert(eq(sz, seen.challenge_count, 1)); /* v= is not for the client before policy was asked */
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_OK));
    cr_assert(scram_client_trusts(&c, view_cstr(seen.done[0].final_challenge)));
    cr_assert(eq(u64, seen.done[0].wrong_password, 0));
}

Test(exchange, unknown_mechanism_is_answered_at_once, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 1, "GSSAPI", VIEW_EMPTY);
    cr_assert(eq(sz, seen.done_count, 1));
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_NO_MECHANISM));
    cr_assert(eq(sz, exchanges_running(x), 0));
}

Test(exchange, a_session_has_one_exchange_and_one_step, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 1, "LOGIN", VIEW_EMPTY);
    cr_assert(eq(int, start(&peer_a, 1, "LOGIN", VIEW_EMPTY), MSA_EPROTO));
    cr_assert(eq(int, step(&peer_a, 1, "taro"), MSA_EPROTO)); /* the first has not been answered */
    run_until(&seen.challenge_count, 1);
    cr_assert(eq(int, start(&peer_a, 1, "PLAIN", PLAIN_GOOD), MSA_EPROTO));
    cr_assert(eq(int, step(&peer_a, 1, "taro"), MSA_OK));
    run_until(&seen.challenge_count, 2);
    cr_assert(eq(int, step(&peer_b, 1, "pencil"), MSA_OK)); /* another's: nothing happens */
    cr_assert(eq(int, step(&peer_a, 2, "pencil"), MSA_OK));
    loop_run_once(loop, false);
    cr_assert(eq(sz, seen.done_count, 0));
}

Test(exchange, an_aborted_session_may_start_again_while_its_job_runs, .init = setup, .fini = teardown)
{
    for (uint64_t i = 0; i < 20; i++) {
        must_start(&peer_a, 1, "PLAIN", PLAIN_WRONG);
        exchanges_abort(x, &peer_a, 1);
        cr_assert(eq(sz, exchanges_running(x), 0));
    }
    exchanges_abort(x, &peer_a, 99);
    must_start(&peer_a, 1, "PLAIN", PLAIN_GOOD);
    run_until(&seen.done_count, 1);
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_OK));
    cr_assert(eq(sz, seen.challenge_count, 0));
}

Test(exchange, a_lost_peer_hears_nothing_and_leaves_nothing, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    must_start(&peer_a, 1, "LOGIN", VIEW_EMPTY);
    run_until(&seen.challenge_count, 1);
    must_start(&peer_a, 2, "PLAIN", PLAIN_GOOD);
    must_start(&peer_b, 3, "PLAIN", PLAIN_GOOD);
    exchanges_drop_peer(x, &peer_a);
    cr_assert(eq(sz, exchanges_running(x), 1));
    run_until(&seen.done_count, 1);
    cr_assert(seen.done[0].peer == &peer_b);
    do {
        loop_run_once(loop, false);
        exchanges_counts(x, &counts);
    } while (counts.steps > 0);
    cr_assert(eq(sz, seen.done_count, 1));
}

Test(exchange, beyond_a_limit_sign_in_is_unavailable, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    limits.step_per_source_count = 2;
    configure();
    for (uint64_t i = 0; i < 5; i++)
        must_start(&peer_a, i, "PLAIN", PLAIN_WRONG);
    cr_assert(eq(sz, seen.done_count, 3));
    for (size_t i = 0; i < 3; i++)
        cr_assert(eq(int, (int)seen.done[i].result, (int)AUTH_UNAVAILABLE));
    run_until(&seen.done_count, 5);
    must_start(&peer_a, 9, "PLAIN", PLAIN_GOOD); /* there is room again */
    run_until(&seen.done_count, 6);
    cr_assert(eq(int, (int)seen.done[5].result, (int)AUTH_OK));
    exchanges_counts(x, &counts);
    cr_assert(eq(u64, counts.turned_away, 3));
    cr_assert(eq(u64, counts.started, 6));
    cr_assert(eq(u64, counts.succeeded, 1));
    cr_assert(eq(u64, counts.failed, 5));
    cr_assert(eq(sz, counts.steps, 0));

    limits = (struct exchange_limits){100, 3, 100, 60000};
    configure();
    for (uint64_t i = 0; i < 5; i++)
        must_start(&peer_a, i, "PLAIN", PLAIN_WRONG);
    cr_assert(eq(sz, seen.done_count, 6 + 2));
    run_until(&seen.done_count, 6 + 5);

    limits = (struct exchange_limits){2, 100, 100, 60000};
    configure();
    for (uint64_t i = 0; i < 5; i++)
        must_start(&peer_a, i, "LOGIN", VIEW_EMPTY);
    cr_assert(eq(sz, seen.done_count, 11 + 3));
    cr_assert(eq(sz, exchanges_running(x), 2));
}

/* Many addresses share no limit; the addresses of one IPv6 /64 do. */
Test(exchange, limits_are_per_network, .init = setup, .fini = teardown)
{
    static const char *const ips[] = {"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"};
    limits.step_per_source_count = 1;
    configure();
    for (uint64_t i = 0; i < 5; i++) {
        struct msg_auth_start m = {.session = i,
                                   .mechanism = VIEW_LIT("PLAIN"),
                                   .has_initial = true,
                                   .initial = PLAIN_WRONG};
        cr_assert(ipaddr_parse(view_cstr(ips[i]), &m.client_ip));
        cr_assert(eq(int, exchanges_start(x, &peer_a, &m), MSA_OK));
    }
    cr_assert(eq(sz, seen.done_count, 1));
    cr_assert(eq(u64, seen.done[0].session, 1));
    run_until(&seen.done_count, 5);
}

Test(exchange, a_forgotten_exchange_ends_at_its_deadline, .init = setup, .fini = teardown)
{
    clock_set_for_test(1000, 0);
    limits.deadline_ms = 5000;
    configure();
    must_start(&peer_a, 1, "LOGIN", VIEW_EMPTY);
    run_until(&seen.challenge_count, 1);
    clock_advance_for_test(4999);
    loop_run_once(loop, false);
    cr_assert(eq(sz, exchanges_running(x), 1));
    clock_advance_for_test(1);
    loop_run_once(loop, false);
    cr_assert(eq(sz, seen.done_count, 1));
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_UNAVAILABLE));
    cr_assert(eq(int, step(&peer_a, 1, "taro"), MSA_OK)); /* it crossed with our answer */
    cr_assert(eq(sz, seen.done_count, 1));
}

Test(exchange, new_rules_are_for_new_exchanges, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 1, "LOGIN", VIEW_EMPTY);
    run_until(&seen.challenge_count, 1);
    f.rules.mechanisms = CONFIG_MECH_PLAIN;
    configure();
    must_start(&peer_a, 2, "LOGIN", VIEW_EMPTY);
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_NO_MECHANISM));
    step(&peer_a, 1, "taro");
    run_until(&seen.challenge_count, 2);
    step(&peer_a, 1, "pencil");
    run_until(&seen.done_count, 2);
    cr_assert(eq(int, (int)seen.done[1].result, (int)AUTH_OK));
}

Test(exchange, a_good_sign_in_with_an_old_hash_asks_for_its_upgrade, .init = setup, .fini = teardown)
{
    auth_fixture_add_hash(&f, "old@example.jp",
                          "$2b$05$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C");
    must_start(&peer_a, 1, "PLAIN", view_of("\0old\0wrong", 10));
    run_until(&seen.done_count, 1);
    cr_assert(eq(sz, seen.upgrade_count, 0));
    must_start(&peer_a, 1, "PLAIN", view_of("\0old\0pencil", 11));
    run_until(&seen.done_count, 2);
    cr_assert(eq(int, (int)seen.done[1].result, (int)AUTH_OK));
    cr_assert(eq(sz, seen.upgrade_count, 1));
    cr_assert(eq(str, seen.upgraded, "old@example.jp"));
}

Test(exchange, draining_takes_no_new_ones_and_ends_the_others, .init = setup, .fini = teardown)
{
    must_start(&peer_a, 1, "PLAIN", PLAIN_GOOD);
    exchanges_refuse_new(x);
    must_start(&peer_a, 2, "PLAIN", PLAIN_GOOD);
    cr_assert(eq(int, (int)seen.done[0].result, (int)AUTH_UNAVAILABLE));
    run_until(&seen.done_count, 2);
    cr_assert(eq(int, (int)seen.done[1].result, (int)AUTH_OK));
}

Test(exchange, closing_with_work_in_the_queue, .init = setup, .fini = teardown)
{
    for (uint64_t i = 0; i < 50; i++)
        must_start(&peer_a, i, "PLAIN", PLAIN_WRONG);
    exchanges_drop_all(x);
    threads_free(&workers);
    exchanges_free(&x);
    cr_assert(eq(sz, seen.done_count, 0));
}

/* Two workers, every mechanism, aborts in between: for ThreadSanitizer. */
Test(exchange, many_at_once, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    size_t want = 0;
    limits = (struct exchange_limits){1000, 1000, 1000, 60000};
    configure();
    for (uint64_t i = 0; i < 200; i++) {
        switch (i % 5) {
        case 0: must_start(&peer_a, i, "PLAIN", PLAIN_GOOD); break;
        case 1: must_start(&peer_b, i, "PLAIN", i % 10 == 1 ? PLAIN_WRONG : PLAIN_GOOD); break;
        case 2: must_start(&peer_a, i, "SCRAM-SHA-256", VIEW_LIT("n,,n=taro,r=abcdefghij")); break;
        case 3: must_start(&peer_b, i, "CRAM-MD5", VIEW_EMPTY); break;
        default: must_start(&peer_a, i, "LOGIN", VIEW_LIT("nobody")); break;
        }
        want += i % 5 < 2;
        if (i % 7 == 0) {
            exchanges_abort(x, i % 5 == 1 || i % 5 == 3 ? &peer_b : &peer_a, i);
            want -= i % 5 < 2;
        }
        if (i % 11 == 0)
            loop_run_once(loop, false);
    }
    do {
        loop_run_once(loop, true);
        exchanges_counts(x, &counts);
    } while (counts.steps > 0);
    cr_assert(eq(sz, seen.done_count, want));
}
