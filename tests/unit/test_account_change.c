#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/access.h"
#include "policy/account_change.h"
#include "policy/senders.h"

static const char *const classes[] = {"business", "new"};
static const struct config_rule rules[] = {
    {.name = "messages-hour", .when.classes = {classes, 2}},
    {.name = "four-countries"},
};
static const char *const align_classes[] = {"partner"};
static const struct config_align aligns[] = {{.name = "partners", .when.classes = {align_classes, 1}}};
static const struct config config = {.rule = rules, .rule_count = 2, .align = aligns, .align_count = 1};
static const char *const beside[] = {"login", NULL};

static struct account a;
static struct buf senders;
static char detail[ACCOUNT_DETAIL_MAX];
static json_t *kept[16]; /* what the account's texts point into */
static unsigned kept_count;

static void set_up(void)
{
    buf_init(&senders, SENDERS_BYTES_MAX);
}

static void tear_down(void)
{
    buf_fini(&senders);
    while (kept_count > 0)
        json_decref(kept[--kept_count]);
}

TestSuite(account_change, .timeout = 30, .init = set_up, .fini = tear_down);

static int change(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    kept[kept_count++] = json;
    detail[0] = '\0';
    struct buf list; /* as between two operations: the list comes from the record */
    buf_init(&list, SENDERS_BYTES_MAX);
    buf_add(&list, a.senders);
    a.senders = buf_view(&list);
    int err = account_change(&a, &senders, json, beside, &config, detail);
    buf_fini(&list);
    return err;
}

static void shows(const char *key, const char *want)
{
    json_t *all = account_json(&a, &config);
    char *text = json_dumps(json_object_get(all, key), JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    cr_expect_str_eq(text, want, "%s is %s", key, text);
    free(text);
    json_decref(all);
}

Test(account_change, everything_can_be_set_and_is_shown)
{
    cr_assert_eq(change("{\"login\": \"x\", \"class\": \"business\", \"overseas\": \"block\", \"home\": [\"jp\", \"US\"],"
                        "\"exceptions\": [{\"country\": \"FR\"}, {\"from_ms\": 5, \"until_ms\": 9}],"
                        "\"limits\": {\"messages-hour\": 500, \"four-countries\": \"off\"},"
                        "\"senders\": [\"@Example.com\"], \"consent\": \"no\", \"notice_language\": \"ja\","
                        "\"notice_address\": \"b@example.jp\", \"normalize_newlines\": true, \"note\": \"n\"}"),
                 MSA_OK, "%s", detail);
    shows("class", "\"business\"");
    shows("overseas", "\"block\"");
    shows("overseas_blocked", "true");
    shows("home", "[\"JP\",\"US\"]");
    shows("exceptions", "[{\"country\":\"FR\"},{\"from_ms\":5,\"until_ms\":9}]");
    shows("limits", "{\"four-countries\":\"off\",\"messages-hour\":500}");
    shows("senders", "[\"@example.com\"]");
    shows("consent", "\"no\"");
    shows("notice_language", "\"ja\"");
    shows("normalize_newlines", "true");
    cr_assert_eq(change("{\"class\": \"\", \"home\": [], \"exceptions\": [], \"overseas\": \"default\","
                        "\"limits\": {\"messages-hour\": \"default\"}, \"senders\": []}"),
                 MSA_OK, "%s", detail);
    shows("class", "\"\"");
    shows("home", "[]");
    shows("exceptions", "[]");
    shows("limits", "{\"four-countries\":\"off\"}");
    shows("senders", "[]");
    shows("consent", "\"no\"");
}

Test(account_change, lists_grow_and_shrink)
{
    cr_assert_eq(change("{\"exceptions_add\": [{\"country\": \"FR\"}], \"senders_add\": [\"a@x.jp\", \"b@x.jp\"]}"), MSA_OK);
    cr_assert_eq(change("{\"exceptions_add\": [{\"country\": \"FR\"}, {\"country\": \"DE\"}]}"), MSA_OK);
    shows("exceptions", "[{\"country\":\"FR\"},{\"country\":\"DE\"}]");
    cr_assert_eq(change("{\"exceptions_remove\": [{\"country\": \"FR\"}], \"senders_remove\": [\"a@x.jp\"]}"), MSA_OK);
    shows("exceptions", "[{\"country\":\"DE\"}]");
    shows("senders", "[\"b@x.jp\"]");
    cr_assert_eq(change("{\"exceptions_remove\": [{\"country\": \"FR\"}]}"), MSA_EINVAL);
    cr_assert_eq(change("{\"senders_remove\": [\"a@x.jp\"]}"), MSA_EINVAL);
}

Test(account_change, what_is_wrong_is_said)
{
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"{\"oversea\": \"block\"}", "did you mean 'overseas'"},
        {"{\"overseas\": \"blok\"}", "did you mean 'block'"},
        {"{\"overseas\": 1}", "'overseas' is one of"},
        {"{\"class\": \"busines\"}", "did you mean 'business'"},
        {"{\"home\": [\"Japan\"]}", "'Japan' is not a country"},
        {"{\"home\": \"JP\"}", "'home' is a list"},
        {"{\"limits\": {\"messages-our\": 5}}", "did you mean 'messages-hour'"},
        {"{\"limits\": {\"messages-hour\": -1}}", "is a number"},
        {"{\"limits\": {\"messages-hour\": 4294967295}}", "is a number"},
        {"{\"limits\": []}", "'limits'"},
        {"{\"exceptions\": [{}]}", "needs an end"},
        {"{\"exceptions\": [{\"from_ms\": 9, \"until_ms\": 5}]}", "an exception has"},
        {"{\"exceptions\": [{\"country\": \"FR\", \"x\": 1}]}", "an exception has"},
        {"{\"exceptions\": [7]}", "an exception has"},
        {"{\"senders_add\": [\"no sender\"]}", "is no sender"},
        {"{\"senders_add\": [7]}", "is no sender"},
        {"{\"notice_address\": \"no address\"}", "is a mail address"},
        {"{\"notice_address\": \"a@b\\r\\nBcc: c@d\"}", "is a mail address"},
        {"{\"normalize_newlines\": \"yes\"}", "true or false"},
        {"{\"note\": 5}", "'note' is a text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json = json_loads(cases[i].json, 0, NULL);
        struct account one = {0};
        detail[0] = '\0';
        cr_expect_eq(account_change(&one, &senders, json, beside, &config, detail), MSA_EINVAL,
                     "%s", cases[i].json);
        cr_expect(strstr(detail, cases[i].text) != NULL, "%s: %s", cases[i].json, detail);
        json_decref(json);
    }
}

Test(account_change, lists_are_bounded)
{
    char json[4096] = "{\"exceptions_add\": [";
    for (unsigned i = 0; i < ACCOUNT_EXCEPTIONS_MAX + 1; i++)
        snprintf(json + strlen(json), sizeof json - strlen(json), "%s{\"until_ms\": %u}", i ? "," : "", i + 1);
    snprintf(json + strlen(json), sizeof json - strlen(json), "]}");
    cr_expect_eq(change(json), MSA_EINVAL);
    cr_expect_eq(a.exception_count, ACCOUNT_EXCEPTIONS_MAX);
    cr_expect_eq(change("{\"home\": [\"JP\",\"JP\",\"JP\",\"JP\",\"JP\",\"JP\",\"JP\",\"JP\",\"JP\"]}"), MSA_EINVAL);
}

/* ---- who looked ---- */

static bool add_op(void *arg, const struct access *one)
{
    char *text = arg;
    size_t n = strlen(text);
    snprintf(text + n, 256 - n, "%d:%.*s/%.*s ", (int)one->at_ms, (int)one->actor.n, one->actor.p,
             (int)one->op.n, one->op.p);
    return true;
}

Test(account_change, access_is_listed_newest_first_and_by_account)
{
    char error[256] = "", dir[] = "/tmp/msad-access-XXXXXX", path[64], text[256] = "";
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/p", dir);
    struct loop *loop = loop_new();
    struct ledger *l = ledger_open(loop, path, 8u << 20, error, sizeof error);
    cr_assert_not_null(l, "%s", error);
    access_note(l, 7, VIEW_LIT("uid:0"), VIEW_LIT("a"), 1000);
    access_note(l, 7, VIEW_LIT("uid:0"), VIEW_LIT("b"), 3000);
    access_note(l, 7, VIEW_LIT("uid:5"), VIEW_LIT("c"), 2000);
    access_note(l, 8, VIEW_LIT("uid:0"), VIEW_LIT("other"), 2000);
    access_note(l, 0, VIEW_LIT("uid:0"), VIEW_LIT("nobody"), 2000);
    access_each(l, 7, add_op, text);
    cr_expect_str_eq(text, "3000:uid:0/b 2000:uid:5/c 1000:uid:0/a ");
    text[0] = '\0';
    access_each(l, 0, add_op, text);
    cr_expect_str_eq(text, "");
    ledger_close(&l);
    loop_free(&loop);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}
