/* Sign-in by token: the client's message, an authority that answers when the test says so, the account. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/exchange.h"
#include "auth/factors.h"
#include "auth_fixture.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

TestSuite(exchange_token, .timeout = 30);

#define REFUSAL "{\"status\":\"invalid_token\"}"

static struct auth_fixture f;
static struct loop *loop;
static struct threads *workers;
static struct exchanges *x;
static char peer;

static struct {
    size_t done_count, challenge_count;
    enum auth_result result;
    uint64_t account, wrong_password;
    char login[64], refusal[64];
} seen;

static struct {
    bool is_prompt; /* answers from inside */
    struct finding finding;
    size_t asked, cancelled;
    char secret[64];
    finding_fn *fn;
    void *arg;
} oracle;

static void oracle_ask(void *self, const struct question *q, finding_fn *fn, void *arg, uint64_t *id_out)
{
    (void)self;
    oracle.asked++;
    cr_assert(view_to_cstr(q->secret, oracle.secret, sizeof oracle.secret));
    *id_out = oracle.is_prompt ? 0 : 77;
    oracle.fn = fn;
    oracle.arg = arg;
    if (oracle.is_prompt)
        fn(arg, &oracle.finding);
}

static void oracle_cancel(void *self, uint64_t id)
{
    (void)self;
    cr_assert(eq(u64, id, 77));
    oracle.cancelled++;
}

static void on_challenge(void *arg, void *p, uint64_t session, struct view challenge)
{
    (void)arg, (void)p, (void)session, (void)challenge;
    seen.challenge_count++;
}

static void on_done(void *arg, void *p, const struct msg_auth_done *m)
{
    (void)arg, (void)p;
    seen.done_count++;
    seen.result = (enum auth_result)m->result;
    seen.account = m->account;
    seen.wrong_password = m->wrong_password;
    view_to_cstr(m->login, seen.login, sizeof seen.login);
    view_to_cstr(m->refusal_challenge, seen.refusal, sizeof seen.refusal);
    cr_assert(eq(sz, m->final_challenge.n, 0));
}

static void on_upgrade(void *arg, const char *login, const struct account *account)
{
    (void)arg, (void)login, (void)account;
    cr_assert(false, "a token is no password");
}

static void setup(void)
{
    const struct exchange_owner owner = {on_challenge, on_done, on_upgrade, NULL, NULL};
    const struct exchange_limits limits = {100, 100, 3, 60000};
    const struct authority authority = {oracle_ask, oracle_cancel, NULL};
    auth_fixture_open(&f);
    f.rules.mechanisms |= CONFIG_MECH_OAUTHBEARER | CONFIG_MECH_XOAUTH2;
    snprintf(f.rules.refusals[BEARER_OAUTH], BEARER_REFUSAL_MAX, "%s", REFUSAL);
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    auth_fixture_add(&f, "off@example.jp", "pencil");
    auth_fixture_disable(&f, "off@example.jp");
    loop = loop_new();
    workers = threads_new(loop, 2, 1000);
    x = exchanges_new(loop, workers, &f.env, &owner);
    exchanges_set_authority(x, AUTHORITY_PROVIDER, &authority);
    cr_assert(eq(int, exchanges_configure(x, &f.rules, &limits), MSA_OK));
    oracle.is_prompt = true;
}

static void teardown(void)
{
    exchanges_drop_all(x);
    threads_free(&workers);
    exchanges_free(&x);
    loop_free(&loop);
    auth_fixture_close(&f);
}

static void start(uint64_t session, const char *mechanism, const char *message)
{
    struct msg_auth_start m = {
        .session = session,
        .mechanism = view_cstr(mechanism),
        .has_initial = message != NULL,
        .initial = view_cstr(message),
        .is_tls = true,
    };
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    cr_assert(eq(int, exchanges_start(x, &peer, &m), MSA_OK));
}

static void run_until(const size_t *count, size_t want)
{
    while (*count < want)
        loop_run_once(loop, true);
    cr_assert(eq(sz, *count, want));
}

/* The provider finds `kind` and, for a good one, whose it is. */
static enum auth_result sign_in(const char *message, enum finding_kind kind, const char *owner)
{
    size_t before = seen.done_count;
    oracle.finding = (struct finding){.kind = kind};
    snprintf(oracle.finding.login, sizeof oracle.finding.login, "%s", owner);
    start(1, "OAUTHBEARER", message);
    run_until(&seen.done_count, before + 1);
    return seen.result;
}

#define TARO "n,a=taro@example.jp,\x01" "auth=Bearer abc\x01\x01"

static void expect(enum auth_result is, enum auth_result want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

Test(exchange_token, good_bad_and_nobody_to_ask, .init = setup, .fini = teardown)
{
    expect(sign_in(TARO, FINDING_GOOD, "taro@example.jp"), AUTH_OK);
    cr_assert(eq(str, oracle.secret, "abc"));
    cr_assert(eq(str, seen.login, "taro@example.jp"));
    cr_assert(eq(u64, seen.account, 1));
    cr_assert(eq(u64, seen.wrong_password, 0));
    expect(sign_in(TARO, FINDING_BAD, ""), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(str, seen.login, "taro@example.jp"));
    cr_assert(eq(u64, seen.account, 1)); /* policy counts it */
    cr_assert(seen.wrong_password != 0);
    uint64_t mark = seen.wrong_password;
    sign_in(TARO, FINDING_BAD, ""); /* the same forgotten device: counted once */
    cr_assert(eq(u64, seen.wrong_password, mark));
    sign_in("n,a=taro@example.jp,\x01" "auth=Bearer abd\x01\x01", FINDING_BAD, "");
    cr_assert(seen.wrong_password != mark);
    expect(sign_in(TARO, FINDING_AWAY, ""), AUTH_UNAVAILABLE);
}

/* Policy may refuse a good one, too, and the client must hear the same. */
Test(exchange_token, the_refusal_comes_with_every_end, .init = setup, .fini = teardown)
{
    sign_in(TARO, FINDING_GOOD, "taro@example.jp");
    cr_assert(eq(str, seen.refusal, REFUSAL));
    sign_in(TARO, FINDING_BAD, "");
    cr_assert(eq(str, seen.refusal, REFUSAL));
    start(1, "PLAIN", "x");
    run_until(&seen.done_count, 3);
    cr_assert(eq(str, seen.refusal, ""));
}

Test(exchange_token, the_names_must_be_one, .init = setup, .fini = teardown)
{
    expect(sign_in(TARO, FINDING_GOOD, "TARO@EXAMPLE.JP"), AUTH_OK); /* spellings of one name */
    expect(sign_in("n,a=taro,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "Taro"), AUTH_OK);
    expect(sign_in("n,,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "taro"), AUTH_OK);
    cr_assert(eq(str, seen.login, "taro@example.jp"));
    expect(sign_in(TARO, FINDING_GOOD, "hana@example.jp"), AUTH_BAD_CREDENTIALS);
    expect(sign_in(TARO, FINDING_GOOD, "off@example.jp"), AUTH_BAD_CREDENTIALS);
    expect(sign_in(TARO, FINDING_GOOD, "no name @ all"), AUTH_BAD_CREDENTIALS);
    expect(sign_in("n,a=\xff@,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "\xff@"), AUTH_NO_SUCH_USER);
}

Test(exchange_token, the_account_must_be_there_and_open, .init = setup, .fini = teardown)
{
    expect(sign_in("n,,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "nobody@example.jp"), AUTH_NO_SUCH_USER);
    expect(sign_in("n,a=nobody@example.jp,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "nobody@example.jp"),
           AUTH_NO_SUCH_USER);
    expect(sign_in("n,,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "off@example.jp"), AUTH_DISABLED);
}

/* That rule is about the main password; whoever comes from the provider has passed its second factor there. */
Test(exchange_token, is_no_main_password, .init = setup, .fini = teardown)
{
    struct store_change change;
    struct factors factors = {.app_passwords_only = true};
    store_begin(f.env.store, &change);
    store_put_factors(&change, 1, &factors);
    cr_assert(eq(int, store_commit(&change), MSA_OK));
    expect(sign_in(TARO, FINDING_GOOD, "taro@example.jp"), AUTH_OK);
}

Test(exchange_token, malformed_and_empty_ones_are_asked_about_nowhere, .init = setup, .fini = teardown)
{
    expect(sign_in("n,a=taro@example.jp,\x01" "auth=Bearer \x01\x01", FINDING_GOOD, "taro"), AUTH_MALFORMED);
    expect(sign_in("\x01", FINDING_GOOD, "taro"), AUTH_MALFORMED);
    expect(sign_in("n,a=taro@example.jp,\x01" "auth=\x01\x01", FINDING_GOOD, "taro"), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(sz, oracle.asked, 0));
}

Test(exchange_token, without_an_initial_response, .init = setup, .fini = teardown)
{
    oracle.finding = (struct finding){FINDING_GOOD, "taro@example.jp"};
    start(1, "XOAUTH2", NULL);
    run_until(&seen.challenge_count, 1);
    struct msg_auth_step m = {.session = 1, .response = VIEW_LIT("user=taro\x01" "auth=Bearer abc\x01\x01")};
    cr_assert(eq(int, exchanges_step(x, &peer, &m), MSA_OK));
    run_until(&seen.done_count, 1);
    expect(seen.result, AUTH_OK);
}

Test(exchange_token, never_in_clear, .init = setup, .fini = teardown)
{
    struct msg_auth_start m = {
        .session = 1, .mechanism = VIEW_LIT("OAUTHBEARER"), .has_initial = true, .initial = VIEW_LIT(TARO)};
    cr_assert(eq(int, exchanges_start(x, &peer, &m), MSA_OK));
    expect(seen.result, AUTH_NO_MECHANISM);
    cr_assert(eq(sz, oracle.asked, 0));
}

/* The client goes while the provider thinks: it is asked no more, and nothing is left. */
Test(exchange_token, a_question_ends_with_its_exchange, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    struct msg_auth_step step = {.session = 1, .response = VIEW_LIT("x")};
    oracle.is_prompt = false;
    start(1, "OAUTHBEARER", TARO);
    run_until(&oracle.asked, 1);
    cr_assert(eq(int, exchanges_step(x, &peer, &step), MSA_EPROTO)); /* it is not the client's turn */
    exchanges_abort(x, &peer, 1);
    cr_assert(eq(sz, oracle.cancelled, 1));
    start(2, "OAUTHBEARER", TARO);
    run_until(&oracle.asked, 2);
    exchanges_drop_peer(x, &peer);
    cr_assert(eq(sz, oracle.cancelled, 2));
    exchanges_counts(x, &counts);
    cr_assert(eq(sz, counts.steps, 0));
    cr_assert(eq(sz, seen.done_count, 0));
}

/* One address cannot have all questions for itself. */
Test(exchange_token, a_question_counts_as_a_step, .init = setup, .fini = teardown)
{
    oracle.is_prompt = false;
    for (uint64_t i = 1; i <= 3; i++)
        start(i, "OAUTHBEARER", TARO);
    run_until(&oracle.asked, 3);
    start(4, "OAUTHBEARER", TARO);
    cr_assert(eq(sz, seen.done_count, 1));
    expect(seen.result, AUTH_UNAVAILABLE);
    oracle.finding = (struct finding){FINDING_GOOD, "taro@example.jp"};
    oracle.fn(oracle.arg, &oracle.finding);
    run_until(&seen.done_count, 2);
    expect(seen.result, AUTH_OK);
    start(5, "OAUTHBEARER", TARO);
    run_until(&oracle.asked, 4);
}
