/* Accounts whose password is kept elsewhere: PLAIN and LOGIN through libsasl2, an authority that answers when the test
 * says so, and what is remembered. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/exchange.h"
#include "auth/factors.h"
#include "auth_fixture.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

TestSuite(exchange_saslauthd, .timeout = 30);

static struct auth_fixture f;
static struct loop *loop;
static struct threads *workers;
static struct exchanges *x;
static char peer;

static struct {
    size_t done_count, challenge_count, upgrade_count;
    enum auth_result result;
    uint64_t account, wrong_password;
} seen;

static struct {
    bool is_prompt;
    enum finding_kind kind;
    size_t asked, cancelled;
    char login[64], secret[64];
    finding_fn *fn;
    void *arg;
} oracle;

static void oracle_ask(void *self, const struct question *q, finding_fn *fn, void *arg, uint64_t *id_out)
{
    const struct finding finding = {.kind = oracle.kind};
    (void)self;
    oracle.asked++;
    cr_assert(view_to_cstr(q->login, oracle.login, sizeof oracle.login));
    cr_assert(view_to_cstr(q->secret, oracle.secret, sizeof oracle.secret));
    *id_out = oracle.is_prompt ? 0 : 77;
    oracle.fn = fn;
    oracle.arg = arg;
    if (oracle.is_prompt)
        fn(arg, &finding);
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
}

static void on_upgrade(void *arg, const char *login, const struct account *account)
{
    (void)arg, (void)login, (void)account;
    seen.upgrade_count++;
}

static void setup(void)
{
    const struct exchange_owner owner = {on_challenge, on_done, on_upgrade, NULL, NULL};
    const struct exchange_limits limits = {100, 100, 3, 60000};
    const struct authority authority = {oracle_ask, oracle_cancel, NULL};
    auth_fixture_open(&f);
    f.rules.cache_life_ms = 0;
    auth_fixture_add_hash(&f, "taro@example.jp", HASH_SASLAUTHD_TEXT);
    auth_fixture_add(&f, "hana@example.jp", "pencil");
    loop = loop_new();
    workers = threads_new(loop, 2, 1000);
    x = exchanges_new(loop, workers, &f.env, &owner);
    exchanges_set_authority(x, AUTHORITY_SASLAUTHD, &authority);
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

static void run_until(const size_t *count, size_t want)
{
    while (*count < want)
        loop_run_once(loop, true);
    cr_assert(eq(sz, *count, want));
}

static void start(uint64_t session, const char *mechanism, struct view message)
{
    struct msg_auth_start m = {.session = session,
                               .mechanism = view_cstr(mechanism),
                               .has_initial = message.n > 0,
                               .initial = message,
                               .is_tls = true};
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    cr_assert(eq(int, exchanges_start(x, &peer, &m), MSA_OK));
}

static enum auth_result plain(const char *login, const char *password, enum finding_kind kind)
{
    char message[400];
    size_t before = seen.done_count;
    int n = snprintf(message, sizeof message, "%c%s%c%s", 0, login, 0, password);
    oracle.kind = kind;
    start(1, "PLAIN", view_of(message, (size_t)n));
    run_until(&seen.done_count, before + 1);
    return seen.result;
}

static void expect(enum auth_result is, enum auth_result want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

Test(exchange_saslauthd, good_bad_and_nobody_to_ask, .init = setup, .fini = teardown)
{
    expect(plain("Taro", "pencil", FINDING_GOOD), AUTH_OK);
    cr_assert(eq(str, oracle.login, "taro@example.jp"));
    cr_assert(eq(str, oracle.secret, "pencil"));
    cr_assert(eq(u64, seen.wrong_password, 0));
    expect(plain("taro", "pencil", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(u64, seen.account, 1)); /* policy counts it */
    cr_assert(seen.wrong_password != 0);
    uint64_t mark = seen.wrong_password;
    plain("taro", "pencil", FINDING_BAD);
    cr_assert(eq(u64, seen.wrong_password, mark));
    plain("taro", "pencik", FINDING_BAD);
    cr_assert(seen.wrong_password != mark);
    expect(plain("taro", "pencil", FINDING_AWAY), AUTH_UNAVAILABLE);
    cr_assert(eq(u64, seen.wrong_password, 0)); /* nobody's guess */
    cr_assert(eq(sz, seen.upgrade_count, 0));   /* and the password is never kept here */
}

Test(exchange_saslauthd, login_in_steps, .init = setup, .fini = teardown)
{
    struct msg_auth_step m = {.session = 1, .response = VIEW_LIT("taro")};
    oracle.kind = FINDING_GOOD;
    start(1, "LOGIN", VIEW_EMPTY);
    run_until(&seen.challenge_count, 1);
    cr_assert(eq(int, exchanges_step(x, &peer, &m), MSA_OK));
    run_until(&seen.challenge_count, 2);
    m.response = VIEW_LIT("pencil");
    cr_assert(eq(int, exchanges_step(x, &peer, &m), MSA_OK));
    run_until(&seen.done_count, 1);
    expect(seen.result, AUTH_OK);
    cr_assert(eq(str, oracle.secret, "pencil"));
}

Test(exchange_saslauthd, only_what_it_may_know_is_asked_there, .init = setup, .fini = teardown)
{
    char big[300];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    expect(plain("hana", "pencil", FINDING_BAD), AUTH_OK);
    expect(plain("hana", "wrong", FINDING_GOOD), AUTH_BAD_CREDENTIALS);
    uint64_t before = auth_fixture_derivations();
    expect(plain("nobody", "pencil", FINDING_GOOD), AUTH_NO_SUCH_USER);
    cr_assert(eq(u64, auth_fixture_derivations(), before + 1));
    expect(plain("taro", big, FINDING_GOOD), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(u64, auth_fixture_derivations(), before + 2));
    cr_assert(plain("taro", "", FINDING_GOOD) != AUTH_OK); /* an anonymous bind */
    cr_assert(eq(sz, oracle.asked, 0));
}

/* Locked here is locked, whatever the directory says, and looks like a wrong password from outside. */
Test(exchange_saslauthd, a_disabled_account_is_asked_about_and_stays_shut, .init = setup, .fini = teardown)
{
    auth_fixture_disable(&f, "taro@example.jp");
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_DISABLED);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(sz, oracle.asked, 2));
}

Test(exchange_saslauthd, the_rule_about_the_main_password_holds, .init = setup, .fini = teardown)
{
    struct store_change change;
    struct factors factors = {.app_passwords_only = true};
    store_begin(f.env.store, &change);
    store_put_factors(&change, 1, &factors);
    cr_assert(eq(int, store_commit(&change), MSA_OK));
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_NOT_THIS_PASSWORD);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
}

static void with_cache(void)
{
    const struct exchange_limits limits = {100, 100, 3, 60000};
    f.rules.cache_life_ms = FIXTURE_LIFE_MS;
    cr_assert(eq(int, exchanges_configure(x, &f.rules, &limits), MSA_OK));
}

Test(exchange_saslauthd, only_good_ones_are_remembered, .init = setup, .fini = teardown)
{
    with_cache();
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    expect(plain("taro", "late", FINDING_AWAY), AUTH_UNAVAILABLE);
    cr_assert(eq(sz, oracle.asked, 3));
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_OK);
    expect(plain("taro", "pencil", FINDING_BAD), AUTH_OK); /* not asked */
    cr_assert(eq(sz, oracle.asked, 4));
    auth_fixture_disable(&f, "taro@example.jp");
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_DISABLED);
}

/* libsasl2 has gone on as if the password were right: nobody may hear of it. */
Test(exchange_saslauthd, nothing_is_said_before_the_answer, .init = setup, .fini = teardown)
{
    oracle.is_prompt = false;
    start(1, "PLAIN", VIEW_LIT("\0taro\0pencil"));
    run_until(&oracle.asked, 1);
    cr_assert(eq(sz, seen.done_count + seen.challenge_count, 0));
    auth_fixture_disable(&f, "taro@example.jp"); /* meanwhile */
    oracle.fn(oracle.arg, &(struct finding){.kind = FINDING_GOOD});
    run_until(&seen.done_count, 1);
    cr_assert(seen.result != AUTH_OK);
}

Test(exchange_saslauthd, a_question_ends_with_its_exchange, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    oracle.is_prompt = false;
    start(1, "PLAIN", VIEW_LIT("\0taro\0pencil"));
    run_until(&oracle.asked, 1);
    exchanges_abort(x, &peer, 1);
    cr_assert(eq(sz, oracle.cancelled, 1));
    exchanges_counts(x, &counts);
    cr_assert(eq(sz, counts.steps + seen.done_count, 0));
}

/* Nobody can sign in to such an account by what would need a secret here. */
Test(exchange_saslauthd, challenges_show_a_fake, .init = setup, .fini = teardown)
{
    struct scram_client c;
    scram_client_first(&c, "n,,", "taro");
    start(1, "SCRAM-SHA-256", view_cstr(c.message));
    run_until(&seen.challenge_count, 1);
    cr_assert(eq(sz, oracle.asked + seen.done_count, 0));
}
