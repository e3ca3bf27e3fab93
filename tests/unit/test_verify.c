#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth_fixture.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

TestSuite(verify, .timeout = 30);

#define YESCRYPT_PENCIL                                                                            \
    "$y$j75$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6"
#define SHA512_PENCIL                                                                              \
    "$6$saltstring$Wspbkvh9VR9k.5FhrEX5QuXIhny1ZR6t1JcW7cUaNNlvGeocueB2IYFN40CbfZ4cl/WePSJC5pA/"   \
    "G1VTFwAkU."

static struct auth_fixture f;
static struct verify v;

static void setup(void)
{
    auth_fixture_open(&f);
    verify_init(&v, &f.env, &f.rules);
}

static void teardown(void)
{
    verify_fini(&v);
    auth_fixture_close(&f);
}

/* A new exchange with one name and one password. */
static enum auth_result try(const char *login, const char *password)
{
    verify_fini(&v);
    verify_init(&v, &f.env, &f.rules);
    verify_login(&v, view_cstr(login));
    return verify_password(&v, view_cstr(password));
}

Test(verify, right_and_wrong_passwords, .init = setup, .fini = teardown)
{
    uint64_t id = auth_fixture_add(&f, "taro@example.jp", "pencil");
    cr_assert(eq(int, (int)try("taro@example.jp", "pencil"), (int)AUTH_OK));
    cr_assert(eq(u64, v.account.id, id));
    cr_assert(eq(u64, v.wrong_password, 0));
    cr_assert(eq(int, (int)try("taro@example.jp", "Pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)try("taro@example.jp", "pencil "), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)try("jiro@example.jp", "pencil"), (int)AUTH_NO_SUCH_USER));
}

Test(verify, no_spelling_is_a_second_account, .init = setup, .fini = teardown)
{
    static const char *const spellings[] = {
        "taro@example.jp", "TARO@example.jp", "taro@EXAMPLE.JP", "Taro", "taro",
        "\xef\xbd\x94\xef\xbd\x81\xef\xbd\x92\xef\xbd\x8f@example.jp", /* full width */
        "ta\xc2\xadro@example.jp",                                     /* a soft hyphen */
    };
    uint64_t id = auth_fixture_add(&f, "taro@example.jp", "pencil");
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        cr_assert(eq(int, (int)try(spellings[i], "pencil"), (int)AUTH_OK), "%s", spellings[i]);
        cr_assert(eq(str, v.login, "taro@example.jp"));
        cr_assert(eq(u64, v.account.id, id));
    }
}

Test(verify, composed_decomposed_and_idn_spellings_meet, .init = setup, .fini = teardown)
{
    static const char *const spellings[] = {
        "ren\xc3\xa9@b\xc3\xbc"
        "cher.example",
        "rene\xcc\x81@bu\xcc\x88"
        "cher.example",
        "REN\xc3\x89@xn--bcher-kva.example",
        "ren\xc3\xa9@XN--BCHER-KVA.example",
    };
    verify_login(&v, view_cstr(spellings[0]));
    cr_assert(eq(str, v.login, "ren\xc3\xa9@xn--bcher-kva.example"));
    auth_fixture_add(&f, v.login, "pencil");
    for (size_t i = 0; i < 4; i++)
        cr_assert(eq(int, (int)try(spellings[i], "pencil"), (int)AUTH_OK), "%s", spellings[i]);
}

Test(verify, what_is_no_name_is_an_unknown_account, .init = setup, .fini = teardown)
{
    static const char *const names[] = {"", "@", " taro", "ta\xffro", "a@b@c", "taro\n"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t before = auth_fixture_derivations();
        cr_assert(eq(int, (int)try(names[i], "pencil"), (int)AUTH_NO_SUCH_USER));
        cr_assert(eq(str, v.login, ""));
        cr_assert(eq(u64, v.wrong_password, 0));
        cr_assert(eq(u64, auth_fixture_derivations(), before + 1));
    }
}

Test(verify, every_answer_costs_one_derivation, .init = setup, .fini = teardown)
{
    static const struct {
        char login[24];
        char password[24];
        enum auth_result want;
    } rows[] = {
        {"taro@example.jp", "pencil", AUTH_OK},
        {"taro@example.jp", "wrong", AUTH_BAD_CREDENTIALS},
        {"taro@example.jp", "", AUTH_BAD_CREDENTIALS},
        {"nobody@example.jp", "pencil", AUTH_NO_SUCH_USER},
        {"nobody@example.jp", "", AUTH_NO_SUCH_USER},
        {"off@example.jp", "pencil", AUTH_OK}, /* and then verify_authorize says no */
        {"off@example.jp", "pencil", AUTH_OK}, /* again: it was not remembered */
        {"off@example.jp", "wrong", AUTH_BAD_CREDENTIALS},
        {"old@example.jp", "wrong", AUTH_BAD_CREDENTIALS},
    };
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    auth_fixture_add(&f, "off@example.jp", "pencil");
    auth_fixture_add_hash(&f, "old@example.jp", SHA512_PENCIL);
    auth_fixture_disable(&f, "off@example.jp");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = auth_fixture_derivations();
        cr_assert(eq(int, (int)try(rows[i].login, rows[i].password), (int)rows[i].want), "row %zu", i);
        cr_assert(eq(u64, auth_fixture_derivations(), before + 1), "row %zu", i);
    }
}

Test(verify, a_disabled_account_is_not_authorized, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    try("taro@example.jp", "pencil");
    cr_assert(eq(int, (int)verify_authorize(&v), (int)AUTH_OK));
    auth_fixture_disable(&f, "taro@example.jp");
    try("taro@example.jp", "pencil");
    cr_assert(eq(int, (int)verify_authorize(&v), (int)AUTH_DISABLED));
}

Test(verify, a_good_password_is_known_again_until_it_changes, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    uint64_t before = auth_fixture_derivations();
    cr_assert(eq(int, (int)try("taro@example.jp", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)try("TARO", "pencil"), (int)AUTH_OK));
    cr_assert(eq(u64, auth_fixture_derivations(), before + 1));
    cr_assert(eq(int, (int)try("taro", "wrong"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(u64, auth_fixture_derivations(), before + 2));

    auth_fixture_set_password(&f, "taro@example.jp", "pencil2");
    cr_assert(eq(int, (int)try("taro", "pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)try("taro", "pencil2"), (int)AUTH_OK));
}

Test(verify, nothing_is_known_again_where_the_configuration_says_so, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    f.rules.cache_life_ms = 0;
    uint64_t before = auth_fixture_derivations();
    try("taro@example.jp", "pencil");
    try("taro@example.jp", "pencil");
    cr_assert(eq(u64, auth_fixture_derivations(), before + 2));
}

Test(verify, the_same_wrong_password_has_the_same_mark, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    try("taro", "wrong");
    uint64_t mark = v.wrong_password;
    cr_assert(ne(u64, mark, 0));
    try("TARO@example.jp", "wrong");
    cr_assert(eq(u64, v.wrong_password, mark));
    try("taro", "wrong2");
    cr_assert(ne(u64, v.wrong_password, mark));
    try("jiro", "wrong"); /* another account: no comparing of passwords between accounts */
    cr_assert(ne(u64, v.wrong_password, mark));
    cr_assert(ne(u64, v.wrong_password, 0));
}

Test(verify, passwords_are_prepared, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "caf\xc3\xa9 \xef\xbc\xa1");
    cr_assert(eq(int, (int)try("taro", "cafe\xcc\x81 A"), (int)AUTH_OK));
    cr_assert(eq(int, (int)try("taro", "caf\xc3\xa9\xc2\xa0\xef\xbc\xa1"), (int)AUTH_OK));
    cr_assert(eq(int, (int)try("taro", "cafe A"), (int)AUTH_BAD_CREDENTIALS));
}

Test(verify, a_password_too_long_is_wrong, .init = setup, .fini = teardown)
{
    char text[2048];
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    memset(text, 'a', sizeof text);
    verify_login(&v, VIEW_LIT("taro"));
    uint64_t before = auth_fixture_derivations();
    cr_assert(eq(int, (int)verify_password(&v, view_of(text, sizeof text)),
                 (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(u64, auth_fixture_derivations(), before + 1));
}

Test(verify, an_imported_hash_is_to_be_upgraded, .init = setup, .fini = teardown)
{
    static const char *const hashes[] = {SHA512_PENCIL, YESCRYPT_PENCIL};
    for (size_t i = 0; i < 2; i++) {
        char login[32];
        struct scram_verifier scram;
        snprintf(login, sizeof login, "old%zu@example.jp", i);
        auth_fixture_add_hash(&f, login, hashes[i]);
        cr_assert(eq(int, (int)try(login, "wrong"), (int)AUTH_BAD_CREDENTIALS));
        cr_assert(not(v.has_upgrade));
        cr_assert(eq(int, (int)try(login, "pencil"), (int)AUTH_OK));
        cr_assert(v.has_upgrade);
        cr_assert(eq(int, (int)v.upgrade.kind, (int)HASH_SCRAM_SHA_256));
        cr_assert(eq(u64, v.upgrade.id, v.account.id));
        cr_assert(eq(uint, v.upgrade.generation, v.account.generation));
        cr_assert(v.upgrade.has_cram);
        cr_assert(eq(int, scram_parse(view_cstr(v.upgrade.secret), &scram), MSA_OK));
        cr_assert(scram_matches(&scram, VIEW_LIT("pencil")));
    }
}

Test(verify, a_verifier_is_renewed_only_when_the_rules_changed, .init = setup, .fini = teardown)
{
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    f.rules.cache_life_ms = 0;
    cr_assert(eq(int, (int)try("taro", "pencil"), (int)AUTH_OK));
    cr_assert(not(v.has_upgrade));
    f.rules.scram_iteration_count = 5000;
    cr_assert(eq(int, (int)try("taro", "pencil"), (int)AUTH_OK));
    cr_assert(v.has_upgrade);
    f.rules.scram_iteration_count = FIXTURE_ITERATIONS;
    f.rules.mechanisms &= ~(uint32_t)CONFIG_MECH_CRAM_MD5; /* what equals the password goes away */
    cr_assert(eq(int, (int)try("taro", "pencil"), (int)AUTH_OK));
    cr_assert(v.has_upgrade && !v.upgrade.has_cram);
}

Test(verify, a_disabled_account_is_not_upgraded, .init = setup, .fini = teardown)
{
    auth_fixture_add_hash(&f, "old@example.jp", SHA512_PENCIL);
    auth_fixture_disable(&f, "old@example.jp");
    cr_assert(eq(int, (int)try("old", "pencil"), (int)AUTH_OK));
    cr_assert(not(v.has_upgrade));
}

Test(verify, a_stranger_gets_a_verifier_that_looks_real, .init = setup, .fini = teardown)
{
    char real[SCRAM_TEXT_MAX], fake[SCRAM_TEXT_MAX], again[SCRAM_TEXT_MAX], other[SCRAM_TEXT_MAX];
    struct scram_verifier scram;
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    verify_login(&v, VIEW_LIT("taro"));
    verify_scram_text(&v, real);
    try("nobody", "x");
    verify_scram_text(&v, fake);
    try("NOBODY@example.jp", "y");
    verify_scram_text(&v, again);
    try("\xff", "x"); /* no name at all */
    verify_scram_text(&v, other);
    cr_assert(eq(sz, strlen(fake), strlen(real)));
    cr_assert(eq(sz, strlen(other), strlen(real)));
    cr_assert(eq(str, fake, again));
    cr_assert(ne(str, fake, other));
    cr_assert(eq(int, scram_parse(view_cstr(fake), &scram), MSA_OK));
    cr_assert(eq(uint, scram.iteration_count, FIXTURE_ITERATIONS));
}
