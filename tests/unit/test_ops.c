#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <jansson.h>
#include <string.h>

#include "auth/ops.h"
#include "auth_fixture.h"
#include "msa/base/err.h"

TestSuite(account_ops, .timeout = 30);

#define BCRYPT_PENCIL "$2b$05$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C"
#define NOW_MS        1700000000000

static struct auth_fixture f;
static struct ops_snapshot snapshot = {.now_wall_ms = NOW_MS, .cache_hits = 3};
static struct ops_call call;
static json_t *answer;

static void setup(void)
{
    ops_setup();
    auth_fixture_open(&f);
    call = (struct ops_call){.store = f.env.store, .env = &f.env, .rules = &f.rules, .snapshot = &snapshot};
}

static void teardown(void)
{
    json_decref(answer);
    auth_fixture_close(&f);
}

/* Returns the status; the answer's text stays in `answer`. */
static int run(const char *op, const char *args)
{
    json_t *parsed = json_loads(args, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(parsed != NULL, "%s", args);
    json_decref(answer);
    int status = ops_run(&call, view_cstr(op), parsed, &answer);
    free(call.replaced);
    json_decref(parsed);
    cr_assert(eq(int, status < 300, answer != NULL));
    cr_assert(eq(int, status >= 300, call.detail[0] != '\0'));
    return status;
}

static const char *text_of(const char *key)
{
    const char *text = json_string_value(json_object_get(answer, key));
    return text ? text : "";
}

static long long number_of(const char *key)
{
    return json_integer_value(json_object_get(answer, key));
}

/* jansson's own are macros that Criterion's asserts cannot take. */
static bool is_true(const char *key)
{
    return json_is_true(json_object_get(answer, key));
}

static bool is_false(const char *key)
{
    return json_is_false(json_object_get(answer, key));
}

static bool is_null(const char *key)
{
    return json_is_null(json_object_get(answer, key));
}

static enum auth_result sign_in(const char *login, const char *password)
{
    struct verify v;
    verify_init(&v, &f.env, &f.rules);
    verify_login(&v, view_cstr(login));
    enum auth_result result = verify_password(&v, view_cstr(password));
    if (result == AUTH_OK)
        result = verify_authorize(&v);
    verify_fini(&v);
    return result;
}

Test(account_ops, life_of_an_account, .init = setup, .fini = teardown)
{
    cr_assert(eq(int, run("account.add", "{\"login\":\"Taro\",\"password\":\"pencil\"}"), 201));
    cr_assert(eq(str, (char *)text_of("login"), "taro@example.jp"));
    cr_assert(eq(llong, number_of("id"), 1));
    cr_assert(eq(int, (int)sign_in("taro", "pencil"), (int)AUTH_OK));

    cr_assert(eq(int, run("account.passwd", "{\"login\":\"taro\",\"password\":\"pen\"}"), 200));
    cr_assert(eq(int, (int)sign_in("taro", "pencil"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)sign_in("taro", "pen"), (int)AUTH_OK));

    cr_assert(eq(int, run("account.disable", "{\"login\":\"taro@EXAMPLE.jp\"}"), 200));
    cr_assert(eq(int, (int)sign_in("taro", "pen"), (int)AUTH_DISABLED));
    cr_assert(eq(int, run("account.enable", "{\"login\":\"taro\"}"), 200));
    cr_assert(eq(int, (int)sign_in("taro", "pen"), (int)AUTH_OK));

    cr_assert(eq(int, run("account.remove", "{\"login\":\"taro\"}"), 200));
    cr_assert(eq(llong, number_of("id"), 1));
    cr_assert(eq(int, (int)sign_in("taro", "pen"), (int)AUTH_NO_SUCH_USER));
    cr_assert(eq(int, run("account.remove", "{\"login\":\"taro\"}"), 404));
    cr_assert(eq(int, run("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}"), 201));
    cr_assert(eq(llong, number_of("id"), 2)); /* never the first one's */
}

/* What an operator gives is his own matter; what a customer chooses is not. */
Test(account_ops, an_owner_chooses_another_password_and_no_short_one, .init = setup, .fini = teardown)
{
    static const struct {
        const char *args;
        int status;
    } cases[] = {
        {"{\"login\":\"taro\",\"password\":\"seven77\",\"is_own\":true}", 422},
        {"{\"login\":\"taro\",\"password\":\"\u96fb\u96fb\u96fb\u96fb\u96fb\u96fb\u96fb\",\"is_own\":true}", 422},
        {"{\"login\":\"taro\",\"password\":\"the first one\",\"is_own\":true}", 422},
        {"{\"login\":\"taro\",\"password\":\"the\u00a0first\u00a0one\",\"is_own\":true}", 422}, /* the same to SASLprep */
        {"{\"login\":\"taro\",\"password\":\"the second one\",\"is_own\":true}", 200},
        {"{\"login\":\"taro\",\"password\":\"the second one\",\"is_own\":true}", 422},
        {"{\"login\":\"taro\",\"password\":\"eight888\",\"is_own\":true}", 200},
        {"{\"login\":\"taro\",\"password\":\"pen\"}", 200},
        {"{\"login\":\"hana\",\"password\":\"long enough\",\"is_own\":true}", 404},
    };
    cr_assert(eq(int, run("account.add", "{\"login\":\"taro\",\"password\":\"the first one\"}"), 201));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert(eq(int, run("account.passwd", cases[i].args), cases[i].status), "%zu", i);
}

Test(account_ops, show_tells_everything_but_the_secret, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    for (int by_id = 0; by_id < 2; by_id++) {
        cr_assert(eq(int, run("account.show", by_id ? "{\"id\":1}" : "{\"login\":\"TARO\"}"), 200));
        cr_assert(eq(str, (char *)text_of("login"), "taro@example.jp"));
        cr_assert(eq(llong, number_of("id"), 1));
        cr_assert(eq(llong, number_of("created_ms"), NOW_MS));
        cr_assert(eq(llong, number_of("password_changed_ms"), NOW_MS));
        cr_assert(eq(llong, number_of("iterations"), FIXTURE_ITERATIONS));
        cr_assert(eq(str, (char *)text_of("secret"), "scram-sha-256"));
        cr_assert(is_true("enabled"));
        cr_assert(is_true("scram"));
        cr_assert(is_true("cram_md5"));
        cr_assert(is_false("app_passwords_only"));
        cr_assert(is_false("totp"));
        cr_assert(eq(sz, json_object_size(answer), 11));
    }
    run("account.add", "{\"login\":\"old\",\"hash\":\"" BCRYPT_PENCIL "\",\"disabled\":true}");
    cr_assert(eq(int, run("account.show", "{\"login\":\"old\"}"), 200));
    cr_assert(eq(str, (char *)text_of("secret"), "bcrypt"));
    cr_assert(is_false("enabled"));
    cr_assert(is_false("scram"));
}

Test(account_ops, wrong_questions_are_told_why, .init = setup, .fini = teardown)
{
    static const struct {
        char op[24];
        char args[100];
        int status;
        char word[24];
    } rows[] = {
        {"account.add", "{}", 400, "login"},
        {"account.add", "[]", 400, "arguments"},
        {"account.add", "{\"login\":1,\"password\":\"x\"}", 400, "string"},
        {"account.add", "{\"login\":\"x\"}", 400, "password or a hash"},
        {"account.add", "{\"login\":\"x\",\"password\":\"x\",\"hash\":\"y\"}", 400, "either"},
        {"account.add", "{\"login\":\"x\",\"passwrod\":\"x\"}", 400, "passwrod"},
        {"account.add", "{\"login\":\"a@b@c\",\"password\":\"x\"}", 400, "login name"},
        {"account.add", "{\"login\":\"\",\"password\":\"x\"}", 400, "login name"},
        {"account.add", "{\"login\":\"x\",\"password\":\"\"}", 400, "empty"},
        {"account.add", "{\"login\":\"x\",\"hash\":\"hunter2\"}", 400, "unknown kind"},
        {"account.add", "{\"login\":\"taro\",\"password\":\"x\"}", 409, "already"},
        {"account.passwd", "{\"login\":\"nobody\",\"password\":\"x\"}", 404, "nobody@example.jp"},
        {"account.passwd", "{\"login\":\"taro\"}", 400, "password"},
        {"account.show", "{\"login\":\"nobody\"}", 404, "nobody@example.jp"},
        {"account.show", "{\"id\":99}", 404, "account"},
        {"account.show", "{}", 400, "login or an id"},
        {"account.show", "{\"login\":\"taro\",\"id\":1}", 400, "login or an id"},
        {"account.enable", "{\"login\":\"nobody\"}", 404, "nobody@example.jp"},
        {"account.disable", "{\"id\":1}", 400, "login"},
        {"account.list", "{\"limit\":0}", 400, "limit"},
        {"account.list", "{\"limit\":1001}", 400, "limit"},
        {"account.import", "{\"lines\":\"x\"}", 400, "array"},
        {"account.import", "{}", 400, "lines"},
        {"account.steal", "{}", 404, "operation"},
    };
    run("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(eq(int, run(rows[i].op, rows[i].args), rows[i].status), "%s %s: %s", rows[i].op,
                  rows[i].args, call.detail);
        cr_assert(strstr(call.detail, rows[i].word) != NULL, "%s: %s", rows[i].args, call.detail);
        cr_assert(strstr(call.detail, "hunter2") == NULL);
    }
}

Test(account_ops, list_comes_in_pages, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"b\",\"password\":\"x\"}");
    run("account.add", "{\"login\":\"c\",\"password\":\"x\"}");
    run("account.add", "{\"login\":\"a\",\"password\":\"x\"}");
    cr_assert(eq(int, run("account.list", "{\"limit\":2}"), 200));
    json_t *page = json_object_get(answer, "accounts");
    cr_assert(eq(sz, json_array_size(page), 2));
    cr_assert(eq(str, (char *)json_string_value(json_object_get(json_array_get(page, 0), "login")),
                 "a@example.jp"));
    cr_assert(eq(str, (char *)text_of("next"), "b@example.jp"));
    cr_assert(eq(llong, number_of("total"), 3));
    cr_assert(eq(int, run("account.list", "{\"limit\":2,\"after\":\"b@example.jp\"}"), 200));
    cr_assert(eq(sz, json_array_size(json_object_get(answer, "accounts")), 1));
    cr_assert(is_null("next"));
    cr_assert(eq(int, run("account.list", "{}"), 200));
    cr_assert(eq(sz, json_array_size(json_object_get(answer, "accounts")), 3));
}

Test(account_ops, import_takes_what_it_can, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"keep\"}");
    cr_assert(eq(int,
                 run("account.import", "{\"lines\":[\"# a comment\",\"taro:{PLAIN}other\","
                                       "\"jiro:{PLAIN}pencil\",\"saburo:" BCRYPT_PENCIL ":1:2\","
                                       "\"shiro:!" BCRYPT_PENCIL "\",\"goro:hunter2\",\"a@b@c:{PLAIN}x\","
                                       "\"\",\"JIRO@example.jp:{PLAIN}again\"]}"),
                 200));
    cr_assert(eq(llong, number_of("added"), 3));
    cr_assert(eq(llong, number_of("skipped"), 2));
    cr_assert(eq(llong, number_of("replaced"), 0));
    cr_assert(eq(llong, number_of("failed"), 2));
    json_t *errors = json_object_get(answer, "errors");
    cr_assert(eq(llong, json_integer_value(json_object_get(json_array_get(errors, 0), "line")), 6));
    cr_assert(eq(llong, json_integer_value(json_object_get(json_array_get(errors, 1), "line")), 7));
    cr_assert(eq(int, (int)sign_in("taro", "keep"), (int)AUTH_OK));
    cr_assert(eq(int, (int)sign_in("jiro", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)sign_in("saburo", "pencil"), (int)AUTH_OK));
    cr_assert(eq(int, (int)sign_in("shiro", "pencil"), (int)AUTH_DISABLED));
    cr_assert(eq(int, (int)sign_in("goro", "hunter2"), (int)AUTH_NO_SUCH_USER));
}

Test(account_ops, import_replaces_when_told_and_lets_disabled_be, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"old\",\"disabled\":true}");
    cr_assert(eq(int, (int)sign_in("taro", "old"), (int)AUTH_DISABLED));
    cr_assert(eq(int,
                 run("account.import", "{\"lines\":[\"taro:{PLAIN}new\"],\"replace\":true}"), 200));
    cr_assert(eq(llong, number_of("replaced"), 1));
    struct account a = auth_fixture_get(&f, "taro@example.jp");
    cr_assert(eq(u64, a.id, 1));
    cr_assert(a.is_disabled);
    run("account.enable", "{\"login\":\"taro\"}");
    cr_assert(eq(int, (int)sign_in("taro", "old"), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int, (int)sign_in("taro", "new"), (int)AUTH_OK));
}

Test(account_ops, import_reports_a_hundred_errors_and_counts_the_rest, .init = setup, .fini = teardown)
{
    json_t *lines = json_array(), *args = json_object();
    for (int i = 0; i < 150; i++)
        json_array_append_new(lines, json_string("x:y"));
    json_object_set_new(args, "lines", lines);
    cr_assert(eq(int, ops_run(&call, VIEW_LIT("account.import"), args, &answer), 200));
    cr_assert(eq(llong, number_of("failed"), 150));
    cr_assert(eq(sz, json_array_size(json_object_get(answer, "errors")), 100));
    json_decref(args);
}

/* A disabled account must not come back by a new password. */
Test(account_ops, a_new_password_does_not_enable, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"old\",\"disabled\":true}");
    run("account.passwd", "{\"login\":\"taro\",\"password\":\"new\"}");
    cr_assert(eq(int, (int)sign_in("taro", "new"), (int)AUTH_DISABLED));
}

Test(account_ops, status_counts, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    cr_assert(eq(int, run("auth.status", "{}"), 200));
    cr_assert(eq(llong, number_of("accounts"), 1));
    cr_assert(eq(llong, json_integer_value(json_object_get(json_object_get(answer, "cache"), "hits")),
                 3));
    cr_assert(gt(llong, number_of("derivations"), 0));
}

Test(account_ops, resolve_says_who_a_name_is, .init = setup, .fini = teardown)
{
    run("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    cr_assert(eq(int, run("account.resolve", "{\"logins\":[\"TARO\",\"nobody\",7]}"), 200));
    json_t *found = json_object_get(answer, "accounts"), *missing = json_object_get(answer, "missing");
    cr_assert(eq(sz, json_array_size(found), 1));
    cr_assert(eq(llong, json_integer_value(json_object_get(json_array_get(found, 0), "account")), 1));
    cr_assert(gt(llong, json_integer_value(json_object_get(json_array_get(found, 0), "created_ms")), 0));
    cr_assert(eq(sz, json_array_size(missing), 2));
    cr_assert(eq(str, (char *)json_string_value(json_array_get(missing, 0)), "nobody"));
    cr_assert(eq(int, run("account.resolve", "{\"logins\":\"taro\"}"), 400));
}

Test(account_ops, every_name_runs_and_changes_are_known)
{
    for (size_t i = 0; i < OPS_COUNT; i++)
        cr_assert(ops_name(i) != NULL);
    cr_assert(ops_name(OPS_COUNT) == NULL);
    cr_assert(ops_is_change(VIEW_LIT("account.add")));
    cr_assert(not(ops_is_change(VIEW_LIT("account.show"))));
    cr_assert(not(ops_is_change(VIEW_LIT("account.steal"))));
}
