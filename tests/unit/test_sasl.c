#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "auth/sasl.h"
#include "auth_fixture.h"
#include "msa/base/buf.h"
#include "msa/config/settings.h"

TestSuite(sasl, .timeout = 30);

#define EXPORTER  VIEW_LIT("0123456789abcdef0123456789abcdef")
#define END_POINT VIEW_LIT("fedcba9876543210fedcba9876543210")
#define UNIQUE    VIEW_LIT("0123456789ab")

static struct auth_fixture f;
static struct sasl_run *run;
static struct sasl_answer answer;

static void setup(void)
{
    auth_fixture_open(&f);
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    auth_fixture_add(&f, "off@example.jp", "pencil");
    auth_fixture_disable(&f, "off@example.jp");
}

static void teardown(void)
{
    sasl_run_free(&run);
    auth_fixture_close(&f);
}

static enum auth_result begin(const char *mechanism)
{
    struct sasl_start start = {
        .mechanism = view_cstr(mechanism),
        .bindings = {EXPORTER, UNIQUE, END_POINT},
        .is_tls = true,
    };
    sasl_run_free(&run);
    return sasl_run_new(&f.env, &f.rules, &start, &run);
}

static void must_begin(const char *mechanism)
{
    cr_assert(eq(int, (int)begin(mechanism), (int)AUTH_OK));
}

static void step(struct view message)
{
    sasl_run_step(run, &message, 0, &answer);
}

static void step_without_message(void)
{
    sasl_run_step(run, NULL, 0, &answer);
}

static void assert_over(enum auth_result want)
{
    cr_assert(answer.is_over);
    cr_assert(eq(int, (int)answer.result, (int)want));
}

static void assert_challenge(const char *want)
{
    cr_assert(not(answer.is_over));
    cr_assert(view_eq(answer.challenge, view_cstr(want)), "%.*s", (int)answer.challenge.n,
              answer.challenge.p);
}

/* One message of PLAIN, with an initial response. */
static enum auth_result plain(const char *authzid, const char *login, const char *password)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_add_cstr(&b, authzid);
    buf_add_char(&b, '\0');
    buf_add_cstr(&b, login);
    buf_add_char(&b, '\0');
    buf_add_cstr(&b, password);
    must_begin("PLAIN");
    step(buf_view(&b));
    buf_fini(&b);
    cr_assert(answer.is_over);
    return answer.result;
}

/* ---- PLAIN ----------------------------------------------------------------------------------- */

Test(sasl, plain_good_bad_unknown_disabled, .init = setup, .fini = teardown)
{
    cr_assert(eq(int, (int)plain("", "taro@example.jp", "pencil"), (int)AUTH_OK));
    cr_assert(eq(str, (char *)sasl_run_verify(run)->login, "taro@example.jp"));
    cr_assert(eq(int, (int)plain("", "TARO", "pencil"), (int)AUTH_OK));
    cr_assert(eq(str, (char *)sasl_run_verify(run)->login, "taro@example.jp"));
    cr_assert(eq(int, (int)plain("", "taro", "wrong"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(ne(u64, sasl_run_verify(run)->wrong_password, 0));
    cr_assert(eq(int, (int)plain("", "taro", ""), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)plain("", "nobody", "pencil"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, (int)plain("", "", "pencil"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, (int)plain("", "off", "pencil"), (int)AUTH_DISABLED));
    cr_assert(eq(int, (int)plain("", "off", "wrong"), (int)AUTH_BAD_CREDENTIALS));
}

Test(sasl, plain_acts_for_nobody_else, .init = setup, .fini = teardown)
{
    cr_assert(eq(int, (int)plain("taro@example.jp", "taro", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)plain("Taro", "taro", "pencil"), (int)AUTH_OK)); /* one account, two spellings */
    cr_assert(eq(int, (int)plain("off@example.jp", "taro", "pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)plain("nobody", "taro", "pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)plain("\xff", "taro", "pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(u64, sasl_run_verify(run)->wrong_password, 0)); /* the password was right */
    cr_assert(eq(int, (int)plain("?", "?", "pencil"), (int)AUTH_NO_SUCH_USER));
}

Test(sasl, plain_asks_for_its_message_when_there_is_none, .init = setup, .fini = teardown)
{
    must_begin("plain");
    step_without_message();
    assert_challenge("");
    step(view_of("\0taro\0pencil", 12));
    assert_over(AUTH_OK);
}

Test(sasl, plain_of_another_form_is_malformed, .init = setup, .fini = teardown)
{
    static const struct {
        char bytes[24];
        size_t n;
    } rows[] = {{"", 0},
                {"taro", 4},
                {"\0taro", 5},
                {"\0taro\0pencil\0", 13},
                {"\0taro\0pen\0cil", 13},
                {"\0ta\0ro\0pencil", 13}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = auth_fixture_derivations();
        must_begin("PLAIN");
        step(view_of(rows[i].bytes, rows[i].n));
        assert_over(AUTH_MALFORMED);
        cr_assert(eq(u64, auth_fixture_derivations(), before));
    }
}

/* ---- LOGIN ----------------------------------------------------------------------------------- */

static enum auth_result login(const char *name, const char *password)
{
    must_begin("LOGIN");
    step_without_message();
    assert_challenge("Username:");
    step(view_cstr(name));
    assert_challenge("Password:");
    step(view_cstr(password));
    cr_assert(answer.is_over);
    return answer.result;
}

Test(sasl, login_good_bad_unknown_disabled, .init = setup, .fini = teardown)
{
    cr_assert(eq(int, (int)login("taro", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)login("taro@example.jp", "wrong"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(ne(u64, sasl_run_verify(run)->wrong_password, 0));
    cr_assert(eq(int, (int)login("taro", ""), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)login("nobody", "pencil"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, (int)login("", "pencil"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, (int)login("off", "pencil"), (int)AUTH_DISABLED));
}

Test(sasl, login_takes_the_name_as_initial_response, .init = setup, .fini = teardown)
{
    must_begin("LOGIN");
    step(VIEW_LIT("taro"));
    assert_challenge("Password:");
    step(VIEW_LIT("pencil"));
    assert_over(AUTH_OK);
}

Test(sasl, login_with_a_nul_is_malformed, .init = setup, .fini = teardown)
{
    must_begin("LOGIN");
    step(view_of("taro\0x", 6));
    assert_over(AUTH_MALFORMED);
    must_begin("LOGIN");
    step(VIEW_LIT("taro"));
    step(view_of("pencil\0", 7));
    assert_over(AUTH_MALFORMED);
}

/* ---- SCRAM ----------------------------------------------------------------------------------- */

struct scram_case {
    const char *mechanism;
    const char *gs2;
    const char *user;
    const char *password;
    struct view binding;
    enum auth_result want;
};

/* The exchange up to the client's proof; returns whether the server asked for it. */
static bool scram_until_proof(struct scram_client *c, const struct scram_case *row)
{
    must_begin(row->mechanism);
    scram_client_first(c, row->gs2, row->user);
    step(view_cstr(c->message));
    if (answer.is_over)
        return false;
    scram_client_final(c, answer.challenge, row->password, row->binding);
    step(view_cstr(c->message));
    return true;
}

static void assert_scram(const struct scram_case *row)
{
    struct scram_client c;
    uint64_t before = auth_fixture_derivations();
    cr_assert(scram_until_proof(&c, row), "%s", row->user);
    assert_over(row->want);
    /* v= comes with the end, for whoever decides whether the client may see it; never with a refusal. */
    if (row->want == AUTH_OK)
        cr_assert(scram_client_trusts(&c, answer.challenge));
    else
        cr_assert(eq(sz, answer.challenge.n, 0));
    cr_assert(eq(u64, auth_fixture_derivations(), before)); /* the client pays, whoever it is */
}

Test(sasl, scram_good_bad_unknown_disabled, .init = setup, .fini = teardown)
{
    const struct scram_case rows[] = {
        {"SCRAM-SHA-256", "n,,", "taro", "pencil", VIEW_EMPTY, AUTH_OK},
        {"SCRAM-SHA-256", "n,,", "TARO@Example.JP", "pencil", VIEW_EMPTY, AUTH_OK},
        {"SCRAM-SHA-256", "n,a=taro,", "taro", "pencil", VIEW_EMPTY, AUTH_OK},
        {"SCRAM-SHA-256", "n,,", "taro", "wrong", VIEW_EMPTY, AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256", "n,,", "nobody", "pencil", VIEW_EMPTY, AUTH_NO_SUCH_USER},
        {"SCRAM-SHA-256", "n,,", "a=40b=40c", "pencil", VIEW_EMPTY, AUTH_MALFORMED},
        {"SCRAM-SHA-256", "n,,", "off", "pencil", VIEW_EMPTY, AUTH_DISABLED},
        {"SCRAM-SHA-256", "n,,", "off", "wrong", VIEW_EMPTY, AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256", "n,a=off,", "taro", "pencil", VIEW_EMPTY, AUTH_BAD_CREDENTIALS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].want != AUTH_MALFORMED)
            assert_scram(&rows[i]);
    must_begin("SCRAM-SHA-256"); /* RFC 5802 knows =2C and =3D only */
    step(VIEW_LIT("n,,n=a=40b,r=fyko+d2lbbFgONRv9qkxdawL"));
    assert_over(AUTH_MALFORMED);
}

Test(sasl, scram_plus_binds_to_the_connection, .init = setup, .fini = teardown)
{
    const struct scram_case rows[] = {
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "pencil", EXPORTER, AUTH_OK},
        {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", "taro", "pencil", END_POINT, AUTH_OK},
        {"SCRAM-SHA-256-PLUS", "p=tls-unique,,", "taro", "pencil", UNIQUE, AUTH_OK},
        {"SCRAM-SHA-256-PLUS", "p=tls-unique,,", "taro", "pencil", EXPORTER, AUTH_BAD_CREDENTIALS},
        {"scram-sha-256-plus", "p=tls-exporter,a=taro,", "taro", "pencil", EXPORTER, AUTH_OK},
        /* the data of another connection, of the other type, cut, none */
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "pencil",
         VIEW_LIT("0123456789abcdef0123456789abcdeX"), AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "pencil", END_POINT,
         AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", "taro", "pencil", EXPORTER,
         AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "pencil", VIEW_LIT("0123456789abcdef"),
         AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "pencil", VIEW_EMPTY,
         AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "taro", "wrong", EXPORTER, AUTH_BAD_CREDENTIALS},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "nobody", "pencil", EXPORTER, AUTH_NO_SUCH_USER},
        {"SCRAM-SHA-256-PLUS", "p=tls-exporter,,", "off", "pencil", EXPORTER, AUTH_DISABLED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_scram(&rows[i]);
}

/* The first message alone decides. */
static void assert_first(const char *mechanism, const char *message, enum auth_result want)
{
    must_begin(mechanism);
    step(view_cstr(message));
    assert_over(want);
}

Test(sasl, scram_downgrades_and_mixtures_are_refused, .init = setup, .fini = teardown)
{
    assert_first("SCRAM-SHA-256", "y,,n=taro,r=abcdefgh", AUTH_BAD_CREDENTIALS);
    assert_first("SCRAM-SHA-256", "p=tls-exporter,,n=taro,r=abcdefgh", AUTH_MALFORMED);
    assert_first("SCRAM-SHA-256-PLUS", "n,,n=taro,r=abcdefgh", AUTH_MALFORMED);
    assert_first("SCRAM-SHA-256-PLUS", "y,,n=taro,r=abcdefgh", AUTH_MALFORMED);
    assert_first("SCRAM-SHA-256-PLUS", "p=tls-unique-for-telnet,,n=taro,r=abcdefgh", AUTH_BAD_CREDENTIALS);
}

Test(sasl, scram_without_plus_offered_may_say_y, .init = setup, .fini = teardown)
{
    const struct scram_case row = {"SCRAM-SHA-256", "y,,", "taro", "pencil", VIEW_EMPTY, AUTH_OK};
    f.rules.mechanisms &= ~(uint32_t)CONFIG_MECH_SCRAM_SHA_256_PLUS;
    assert_scram(&row);
    cr_assert(eq(int, (int)begin("SCRAM-SHA-256-PLUS"), (int)AUTH_NO_MECHANISM));
}

Test(sasl, scram_garbage_is_malformed, .init = setup, .fini = teardown)
{
    static const char *const firsts[] = {"", "n", "n,,", "n,,n=taro", "n,,r=abc,n=taro", "n,,m=x,n=taro,r=abcdef",
                                         "x,,n=taro,r=abcdef", "n,b=x,n=taro,r=abcdef"};
    static const char *const finals[] = {"", "x", "c=biws", "c=biws,r=abc", "c=biws,r=abc,p=", "p=x"};
    struct scram_client c;
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
        assert_first("SCRAM-SHA-256", firsts[i], AUTH_MALFORMED);
    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++) {
        must_begin("SCRAM-SHA-256");
        scram_client_first(&c, "n,,", "taro");
        step(view_cstr(c.message));
        cr_assert(not(answer.is_over));
        step(view_cstr(finals[i]));
        assert_over(AUTH_MALFORMED);
    }
}

Test(sasl, scram_proof_for_another_nonce_is_refused, .init = setup, .fini = teardown)
{
    struct scram_client c;
    char recorded[1024];
    const struct scram_case row = {"SCRAM-SHA-256", "n,,", "taro", "pencil", VIEW_EMPTY, AUTH_OK};
    cr_assert(scram_until_proof(&c, &row));
    memcpy(recorded, c.message, sizeof recorded);
    must_begin("SCRAM-SHA-256"); /* the same client nonce, another server nonce */
    scram_client_first(&c, "n,,", "taro");
    step(view_cstr(c.message));
    cr_assert(not(answer.is_over));
    step(view_cstr(recorded));
    assert_over(AUTH_BAD_CREDENTIALS);
}

/* Nothing in the server's first message tells a stranger from an account. */
Test(sasl, scram_first_answers_look_alike, .init = setup, .fini = teardown)
{
    static const char *const users[] = {"taro", "off", "nobody", "no=2Cbody"};
    struct scram_client c;
    size_t length = 0;
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        must_begin("SCRAM-SHA-256");
        scram_client_first(&c, "n,,", users[i]);
        step(view_cstr(c.message));
        cr_assert(not(answer.is_over));
        cr_assert(view_has_suffix_nocase(answer.challenge, VIEW_LIT(",i=4096")));
        if (i > 0)
            cr_assert(eq(sz, answer.challenge.n, length));
        length = answer.challenge.n;
    }
}

Test(sasl, an_account_with_a_foreign_hash_has_no_scram_yet, .init = setup, .fini = teardown)
{
    const struct scram_case row = {"SCRAM-SHA-256", "n,,", "old", "pencil", VIEW_EMPTY, AUTH_BAD_CREDENTIALS};
    auth_fixture_add_hash(&f, "old@example.jp",
                          "$y$j75$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6");
    assert_scram(&row);
    cr_assert(eq(int, (int)plain("", "old", "pencil"), (int)AUTH_OK));
    cr_assert(sasl_run_verify(run)->has_upgrade);
}

/* ---- CRAM-MD5 -------------------------------------------------------------------------------- */

static enum auth_result cram(const char *user, const char *password)
{
    uint8_t mac[16];
    unsigned n = 0;
    char response[256];
    must_begin("CRAM-MD5");
    step_without_message();
    cr_assert(not(answer.is_over));
    cr_assert(HMAC(EVP_md5(), password, (int)strlen(password), (const uint8_t *)answer.challenge.p,
                   answer.challenge.n, mac, &n) != NULL);
    int at = snprintf(response, sizeof response, "%s ", user);
    for (size_t i = 0; i < sizeof mac; i++)
        at += snprintf(response + at, sizeof response - (size_t)at, "%02x", mac[i]);
    step(view_of(response, (size_t)at));
    cr_assert(answer.is_over);
    return answer.result;
}

Test(sasl, cram_md5_good_bad_unknown_disabled, .init = setup, .fini = teardown)
{
    cr_assert(eq(int, (int)cram("taro", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)cram("TARO@example.jp", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)cram("taro", "wrong"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)cram("nobody", "pencil"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, (int)cram("off", "pencil"), (int)AUTH_DISABLED));
}

Test(sasl, cram_md5_speaks_first_and_hates_garbage, .init = setup, .fini = teardown)
{
    must_begin("CRAM-MD5");
    step(VIEW_LIT("taro 0123456789abcdef0123456789abcdef"));
    assert_over(AUTH_MALFORMED);
    must_begin("CRAM-MD5");
    step_without_message();
    step(VIEW_LIT("taro"));
    assert_over(AUTH_MALFORMED);
    must_begin("CRAM-MD5");
    step_without_message();
    step(view_of("taro\0 0123456789abcdef0123456789abcdef", 38));
    assert_over(AUTH_MALFORMED);
}

/* ---- all ------------------------------------------------------------------------------------- */

Test(sasl, only_what_is_configured, .init = setup, .fini = teardown)
{
    static const char *const never[] = {"EXTERNAL", "ANONYMOUS", "NTLM", "DIGEST-MD5", "GSSAPI", "SCRAM-SHA-1",
                                        "OTP",      "",          "XOAUTH2"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        cr_assert(eq(int, (int)begin(never[i]), (int)AUTH_NO_MECHANISM));
        cr_assert(run == NULL);
    }
    f.rules.mechanisms = CONFIG_MECH_PLAIN;
    cr_assert(eq(int, (int)begin("PLAIN"), (int)AUTH_OK));
    cr_assert(eq(int, (int)begin("CRAM-MD5"), (int)AUTH_NO_MECHANISM));
    cr_assert(eq(int, (int)begin("SCRAM-SHA-256"), (int)AUTH_NO_MECHANISM));
}

Test(sasl, plus_is_not_offered_in_clear, .init = setup, .fini = teardown)
{
    struct sasl_start start = {.mechanism = VIEW_LIT("SCRAM-SHA-256-PLUS")};
    cr_assert(eq(int, (int)sasl_run_new(&f.env, &f.rules, &start, &run), (int)AUTH_NO_MECHANISM));
}

Test(sasl, an_exchange_may_be_dropped_at_every_step, .init = setup, .fini = teardown)
{
    static const char *const mechanisms[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                                             "CRAM-MD5"};
    struct scram_client c;
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
        must_begin(mechanisms[i]);
        sasl_run_free(&run);
        must_begin(mechanisms[i]);
        step_without_message();
        cr_assert(not(answer.is_over));
        sasl_run_free(&run);
        cr_assert(run == NULL);
    }
    must_begin("SCRAM-SHA-256");
    scram_client_first(&c, "n,,", "taro");
    step(view_cstr(c.message));
    cr_assert(not(answer.is_over));
}

/* A record that cannot be read is no wrong password. */
Test(sasl, a_damaged_record_makes_sign_in_unavailable, .init = setup, .fini = teardown)
{
    struct account a = auth_fixture_get(&f, "taro@example.jp");
    struct store_change change;
    struct scram_client c;
    a.kind = HASH_NONE; /* sums up right, but no record of ours */
    store_begin(f.env.store, &change);
    store_replace(&change, VIEW_LIT("taro@example.jp"), &a);
    cr_assert(eq(int, store_commit(&change), 0));
    cr_assert(eq(int, (int)plain("", "taro", "pencil"), (int)AUTH_UNAVAILABLE));
    cr_assert(eq(int, (int)login("taro", "pencil"), (int)AUTH_UNAVAILABLE));
    cr_assert(eq(int, (int)cram("taro", "pencil"), (int)AUTH_UNAVAILABLE));
    must_begin("SCRAM-SHA-256");
    scram_client_first(&c, "n,,", "taro");
    step(view_cstr(c.message));
    assert_over(AUTH_UNAVAILABLE);
}

Test(sasl, the_library_may_be_opened_again, .init = setup, .fini = teardown)
{
    char error[256];
    sasl_library_close();
    cr_assert(eq(int, sasl_library_open(error, sizeof error), 0));
    cr_assert(eq(int, (int)plain("", "taro", "pencil"), (int)AUTH_OK));
}
