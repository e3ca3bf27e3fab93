/* Accounts whose password is kept elsewhere: PLAIN and LOGIN through libsasl2, an authority that answers when the test
 * says so, and what is remembered. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "asked_fixture.h"

TestSuite(exchange_saslauthd, .timeout = 30);

static void setup(void)
{
    ax_open();
    ax.auth.rules.cache_life_ms = 0;
    auth_fixture_add_hash(&ax.auth, "taro@example.jp", HASH_SASLAUTHD_TEXT);
    auth_fixture_add(&ax.auth, "hana@example.jp", "pencil");
    ax_serve(AUTHORITY_SASLAUTHD);
}

static void teardown(void)
{
    ax_close();
}

static enum auth_result plain(const char *login, const char *password, enum finding_kind kind)
{
    char message[400];
    int n = snprintf(message, sizeof message, "%c%s%c%s", 0, login, 0, password);
    ax.oracle.finding.kind = kind;
    return ax_sign_in("PLAIN", view_of(message, (size_t)n));
}

static void expect(enum auth_result is, enum auth_result want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

Test(exchange_saslauthd, good_bad_and_nobody_to_ask, .init = setup, .fini = teardown)
{
    expect(plain("Taro", "pencil", FINDING_GOOD), AUTH_OK);
    cr_assert(eq(str, ax.oracle.login, "taro@example.jp"));
    cr_assert(eq(str, ax.oracle.secret, "pencil"));
    cr_assert(eq(u64, ax.seen.wrong_password, 0));
    expect(plain("taro", "pencil", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(u64, ax.seen.account, 1)); /* policy counts it */
    cr_assert(ax.seen.wrong_password != 0);
    uint64_t mark = ax.seen.wrong_password;
    plain("taro", "pencil", FINDING_BAD);
    cr_assert(eq(u64, ax.seen.wrong_password, mark));
    plain("taro", "pencik", FINDING_BAD);
    cr_assert(ax.seen.wrong_password != mark);
    expect(plain("taro", "pencil", FINDING_AWAY), AUTH_UNAVAILABLE);
    cr_assert(eq(u64, ax.seen.wrong_password, 0)); /* nobody's guess */
    cr_assert(eq(sz, ax.seen.upgrade_count, 0));   /* and the password is never kept here */
}

Test(exchange_saslauthd, login_in_steps, .init = setup, .fini = teardown)
{
    ax.oracle.finding.kind = FINDING_GOOD;
    ax_start(1, "LOGIN", VIEW_EMPTY);
    ax_run_until(&ax.seen.challenge_count, 1);
    ax_step(1, VIEW_LIT("taro"));
    ax_run_until(&ax.seen.challenge_count, 2);
    ax_step(1, VIEW_LIT("pencil"));
    ax_run_until(&ax.seen.done_count, 1);
    expect(ax.seen.result, AUTH_OK);
    cr_assert(eq(str, ax.oracle.secret, "pencil"));
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
    cr_assert(eq(sz, ax.oracle.asked, 0));
}

/* Locked here is locked, whatever the directory says, and looks like a wrong password from outside. */
Test(exchange_saslauthd, a_disabled_account_is_asked_about_and_stays_shut, .init = setup, .fini = teardown)
{
    auth_fixture_disable(&ax.auth, "taro@example.jp");
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_DISABLED);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(sz, ax.oracle.asked, 2));
}

Test(exchange_saslauthd, the_rule_about_the_main_password_holds, .init = setup, .fini = teardown)
{
    ax_refuse_main_password();
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_NOT_THIS_PASSWORD);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
}

static void with_cache(void)
{
    ax.auth.rules.cache_life_ms = FIXTURE_LIFE_MS;
    ax_configure();
}

Test(exchange_saslauthd, only_good_ones_are_remembered, .init = setup, .fini = teardown)
{
    with_cache();
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    expect(plain("taro", "wrong", FINDING_BAD), AUTH_BAD_CREDENTIALS);
    expect(plain("taro", "late", FINDING_AWAY), AUTH_UNAVAILABLE);
    cr_assert(eq(sz, ax.oracle.asked, 3));
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_OK);
    expect(plain("taro", "pencil", FINDING_BAD), AUTH_OK); /* not asked */
    cr_assert(eq(sz, ax.oracle.asked, 4));
    auth_fixture_disable(&ax.auth, "taro@example.jp");
    expect(plain("taro", "pencil", FINDING_GOOD), AUTH_DISABLED);
}

/* libsasl2 has gone on as if the password were right: nobody may hear of it. */
Test(exchange_saslauthd, nothing_is_said_before_the_answer, .init = setup, .fini = teardown)
{
    ax.oracle.is_prompt = false;
    ax_start(1, "PLAIN", VIEW_LIT("\0taro\0pencil"));
    ax_run_until(&ax.oracle.asked, 1);
    cr_assert(eq(sz, ax.seen.done_count + ax.seen.challenge_count, 0));
    auth_fixture_disable(&ax.auth, "taro@example.jp"); /* meanwhile */
    ax.oracle.fn(ax.oracle.arg, &(struct finding){.kind = FINDING_GOOD});
    ax_run_until(&ax.seen.done_count, 1);
    cr_assert(ax.seen.result != AUTH_OK);
}

Test(exchange_saslauthd, a_question_ends_with_its_exchange, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    ax.oracle.is_prompt = false;
    ax_start(1, "PLAIN", VIEW_LIT("\0taro\0pencil"));
    ax_run_until(&ax.oracle.asked, 1);
    exchanges_abort(ax.exchanges, &ax.peer, 1);
    cr_assert(eq(sz, ax.oracle.cancelled, 1));
    exchanges_counts(ax.exchanges, &counts);
    cr_assert(eq(sz, counts.steps + ax.seen.done_count, 0));
}

/* Nobody can sign in to such an account by what would need a secret here. */
Test(exchange_saslauthd, challenges_show_a_fake, .init = setup, .fini = teardown)
{
    struct scram_client c;
    scram_client_first(&c, "n,,", "taro");
    ax_start(1, "SCRAM-SHA-256", view_cstr(c.message));
    ax_run_until(&ax.seen.challenge_count, 1);
    cr_assert(eq(sz, ax.oracle.asked + ax.seen.done_count, 0));
}
