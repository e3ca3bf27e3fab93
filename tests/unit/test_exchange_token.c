/* Sign-in by token: the client's message, an authority that answers when the test says so, the account. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "asked_fixture.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

TestSuite(exchange_token, .timeout = 30);

#define REFUSAL "{\"status\":\"invalid_token\"}"

static void setup(void)
{
    ax_open();
    ax.auth.rules.mechanisms |= CONFIG_MECH_OAUTHBEARER | CONFIG_MECH_XOAUTH2;
    snprintf(ax.auth.rules.refusals[BEARER_OAUTH], BEARER_REFUSAL_MAX, "%s", REFUSAL);
    auth_fixture_add(&ax.auth, "taro@example.jp", "pencil");
    auth_fixture_add(&ax.auth, "off@example.jp", "pencil");
    auth_fixture_disable(&ax.auth, "off@example.jp");
    ax_serve(AUTHORITY_PROVIDER);
}

static void teardown(void)
{
    ax_close();
    cr_assert(eq(sz, ax.seen.upgrade_count, 0)); /* a token is no password */
}

/* The provider finds `kind` and, for a good one, whose it is. */
static enum auth_result sign_in(const char *message, enum finding_kind kind, const char *owner)
{
    ax.oracle.finding = (struct finding){.kind = kind};
    snprintf(ax.oracle.finding.login, sizeof ax.oracle.finding.login, "%s", owner);
    return ax_sign_in("OAUTHBEARER", view_cstr(message));
}

#define TARO "n,a=taro@example.jp,\x01" "auth=Bearer abc\x01\x01"

static void expect(enum auth_result is, enum auth_result want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

Test(exchange_token, good_bad_and_nobody_to_ask, .init = setup, .fini = teardown)
{
    expect(sign_in(TARO, FINDING_GOOD, "taro@example.jp"), AUTH_OK);
    cr_assert(eq(str, ax.oracle.secret, "abc"));
    cr_assert(eq(str, ax.seen.login, "taro@example.jp"));
    cr_assert(eq(u64, ax.seen.account, 1));
    cr_assert(eq(u64, ax.seen.wrong_password, 0));
    expect(sign_in(TARO, FINDING_BAD, ""), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(str, ax.seen.login, "taro@example.jp"));
    cr_assert(eq(u64, ax.seen.account, 1)); /* policy counts it */
    cr_assert(ax.seen.wrong_password != 0);
    uint64_t mark = ax.seen.wrong_password;
    sign_in(TARO, FINDING_BAD, ""); /* the same forgotten device: counted once */
    cr_assert(eq(u64, ax.seen.wrong_password, mark));
    sign_in("n,a=taro@example.jp,\x01" "auth=Bearer abd\x01\x01", FINDING_BAD, "");
    cr_assert(ax.seen.wrong_password != mark);
    expect(sign_in(TARO, FINDING_AWAY, ""), AUTH_UNAVAILABLE);
}

/* Policy may refuse a good one, too, and the client must hear the same. */
Test(exchange_token, the_refusal_comes_with_every_end, .init = setup, .fini = teardown)
{
    sign_in(TARO, FINDING_GOOD, "taro@example.jp");
    cr_assert(eq(str, ax.seen.refusal, REFUSAL));
    sign_in(TARO, FINDING_BAD, "");
    cr_assert(eq(str, ax.seen.refusal, REFUSAL));
    ax_start(1, "PLAIN", VIEW_LIT("x"));
    ax_run_until(&ax.seen.done_count, 3);
    cr_assert(eq(str, ax.seen.refusal, ""));
}

Test(exchange_token, the_names_must_be_one, .init = setup, .fini = teardown)
{
    expect(sign_in(TARO, FINDING_GOOD, "TARO@EXAMPLE.JP"), AUTH_OK); /* spellings of one name */
    expect(sign_in("n,a=taro,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "Taro"), AUTH_OK);
    expect(sign_in("n,,\x01" "auth=Bearer abc\x01\x01", FINDING_GOOD, "taro"), AUTH_OK);
    cr_assert(eq(str, ax.seen.login, "taro@example.jp"));
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
    ax_refuse_main_password();
    expect(sign_in(TARO, FINDING_GOOD, "taro@example.jp"), AUTH_OK);
}

Test(exchange_token, malformed_and_empty_ones_are_asked_about_nowhere, .init = setup, .fini = teardown)
{
    expect(sign_in("n,a=taro@example.jp,\x01" "auth=Bearer \x01\x01", FINDING_GOOD, "taro"), AUTH_MALFORMED);
    expect(sign_in("\x01", FINDING_GOOD, "taro"), AUTH_MALFORMED);
    expect(sign_in("n,a=taro@example.jp,\x01" "auth=\x01\x01", FINDING_GOOD, "taro"), AUTH_BAD_CREDENTIALS);
    cr_assert(eq(sz, ax.oracle.asked, 0));
}

Test(exchange_token, without_an_initial_response, .init = setup, .fini = teardown)
{
    ax.oracle.finding = (struct finding){FINDING_GOOD, "taro@example.jp"};
    ax_start(1, "XOAUTH2", VIEW_EMPTY);
    ax_run_until(&ax.seen.challenge_count, 1);
    ax_step(1, VIEW_LIT("user=taro\x01" "auth=Bearer abc\x01\x01"));
    ax_run_until(&ax.seen.done_count, 1);
    expect(ax.seen.result, AUTH_OK);
}

Test(exchange_token, never_in_clear, .init = setup, .fini = teardown)
{
    struct msg_auth_start m = {
        .session = 1, .mechanism = VIEW_LIT("OAUTHBEARER"), .has_initial = true, .initial = VIEW_LIT(TARO)};
    cr_assert(eq(int, exchanges_start(ax.exchanges, &ax.peer, &m), MSA_OK));
    expect(ax.seen.result, AUTH_NO_MECHANISM);
    cr_assert(eq(sz, ax.oracle.asked, 0));
}

/* The client goes while the provider thinks: it is asked no more, and nothing is left. */
Test(exchange_token, a_question_ends_with_its_exchange, .init = setup, .fini = teardown)
{
    struct exchange_counts counts;
    struct msg_auth_step step = {.session = 1, .response = VIEW_LIT("x")};
    ax.oracle.is_prompt = false;
    ax_start(1, "OAUTHBEARER", VIEW_LIT(TARO));
    ax_run_until(&ax.oracle.asked, 1);
    cr_assert(eq(int, exchanges_step(ax.exchanges, &ax.peer, &step), MSA_EPROTO)); /* it is not the client's turn */
    exchanges_abort(ax.exchanges, &ax.peer, 1);
    cr_assert(eq(sz, ax.oracle.cancelled, 1));
    ax_start(2, "OAUTHBEARER", VIEW_LIT(TARO));
    ax_run_until(&ax.oracle.asked, 2);
    exchanges_drop_peer(ax.exchanges, &ax.peer);
    cr_assert(eq(sz, ax.oracle.cancelled, 2));
    exchanges_counts(ax.exchanges, &counts);
    cr_assert(eq(sz, counts.steps, 0));
    cr_assert(eq(sz, ax.seen.done_count, 0));
}

/* One address cannot have all questions for itself. */
Test(exchange_token, a_question_counts_as_a_step, .init = setup, .fini = teardown)
{
    ax.oracle.is_prompt = false;
    for (uint64_t i = 1; i <= 3; i++)
        ax_start(i, "OAUTHBEARER", VIEW_LIT(TARO));
    ax_run_until(&ax.oracle.asked, 3);
    ax_start(4, "OAUTHBEARER", VIEW_LIT(TARO));
    cr_assert(eq(sz, ax.seen.done_count, 1));
    expect(ax.seen.result, AUTH_UNAVAILABLE);
    ax.oracle.finding = (struct finding){FINDING_GOOD, "taro@example.jp"};
    ax.oracle.fn(ax.oracle.arg, &ax.oracle.finding);
    ax_run_until(&ax.seen.done_count, 2);
    expect(ax.seen.result, AUTH_OK);
    ax_start(5, "OAUTHBEARER", VIEW_LIT(TARO));
    ax_run_until(&ax.oracle.asked, 4);
}
