/* The auth-policy server: from Dovecot's JSON to ours and back, and who may ask. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/console/auth_policy.h"

TestSuite(auth_policy, .timeout = 20);

/* `want` is what policy is asked, members that are empty left out; NULL: an error, which is `err`. */
struct question_case {
    const char *body;
    const char *want;
    int err;
};

static void put(struct buf *out, const char *key, struct view value)
{
    if (value.n > 0)
        buf_addf(out, "%s%s=%.*s", buf_len(out) > 0 ? " " : "", key, (int)value.n, value.p);
}

static const char *text_of(const struct auth_policy_question *q)
{
    static const char *const kinds[] = {
        [MAILBOX_MAY_IT] = "may", [MAILBOX_SIGNED_IN] = "good", [MAILBOX_FAILED] = "bad"};
    static char text[1024];
    char ip[IPADDR_TEXT_MAX];
    struct buf out;
    buf_init(&out, sizeof text - 1);
    ipaddr_format(&q->ip, ip);
    buf_add_cstr(&out, kinds[q->kind]);
    put(&out, "login", q->login);
    put(&out, "ip", ipaddr_is_none(&q->ip) ? VIEW_EMPTY : view_cstr(ip));
    put(&out, "protocol", q->protocol);
    put(&out, "program", q->program);
    put(&out, "hash", q->password_hash);
    (void)view_to_cstr(buf_view(&out), text, sizeof text);
    buf_fini(&out);
    return text;
}

static void check_questions(enum auth_policy_command command,
                            const struct question_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct auth_policy_question q;
        int err = auth_policy_question(view_cstr(cases[i].body), command, &q);
        cr_assert_eq(err, cases[i].err, "%s: %d", cases[i].body, err);
        if (cases[i].want)
            cr_assert_str_eq(text_of(&q), cases[i].want);
        auth_policy_question_fini(&q);
    }
}
#define CHECK(command, cases) \
    check_questions(command, cases, sizeof(cases) / sizeof(cases)[0])

Test(auth_policy, commands_have_names)
{
    cr_assert_eq(auth_policy_command(VIEW_LIT("allow")), AUTH_POLICY_ALLOW);
    cr_assert_eq(auth_policy_command(VIEW_LIT("report")), AUTH_POLICY_REPORT);
    cr_assert_eq(auth_policy_command(VIEW_LIT("ping")), AUTH_POLICY_PING);
    cr_assert_eq(auth_policy_command(VIEW_LIT("reset")), AUTH_POLICY_RESET);
    cr_assert_eq(auth_policy_command(VIEW_EMPTY), AUTH_POLICY_NONE);
    cr_assert_eq(auth_policy_command(VIEW_LIT("allowed")), AUTH_POLICY_NONE);
}

Test(auth_policy, allow_asks_for_name_address_and_protocol)
{
    static const struct question_case cases[] = {
        /* word for word what Dovecot 2.3.19 sends with its default attributes */
        {"{\"device_id\":\"\",\"login\":\"taro@example.jp\",\"protocol\":\"imap\","
         "\"pwhash\":\"0a3f\","
         "\"remote\":\"192.0.2.1\"}",
         "may login=taro@example.jp ip=192.0.2.1 protocol=imap",
         MSA_OK},
        {"{\"login\":\"taro\",\"remote\":\"2001:db8::1\",\"x\":{\"y\":[1]}}",
         "may login=taro ip=2001:db8::1", MSA_OK},
        {"{\"login\":\"taro\",\"remote\":\"here\"}",
         "may login=taro", MSA_OK},
        {"{\"login\":\"taro\",\"success\":false}",
         "may login=taro", MSA_OK},
        {"{\"login\":\"\",\"remote\":\"192.0.2.1\"}", NULL, MSA_ENOENT},
        {"{}", NULL, MSA_ENOENT},
    };
    CHECK(AUTH_POLICY_ALLOW, cases);
}

/* What a mail program calls itself is any text, and no reason to refuse anybody. */
Test(auth_policy, the_program_is_cleaned_and_cut)
{
    static const struct question_case cases[] = {
        {"{\"login\":\"taro\",\"device_id\":\"Mail\\r\\n\\u001b[1m\"}",
         "may login=taro program=Mail   [1m", MSA_OK},
        {"{\"login\":\"taro\",\"device_id\":[1]}", "may login=taro", MSA_OK},
    };
    CHECK(AUTH_POLICY_ALLOW, cases);
    char body[1024];
    struct auth_policy_question q;
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"login\":\"a\",\"device_id\":\"", 26);
    memcpy(body + sizeof body - 3, "\"}", 3);
    cr_assert_eq(auth_policy_question(view_cstr(body), AUTH_POLICY_ALLOW, &q), MSA_OK);
    cr_assert_eq(q.program.n, 200);
    auth_policy_question_fini(&q);
}

Test(auth_policy, what_is_no_question_is_refused)
{
    static const struct question_case cases[] = {
        {"", NULL, MSA_EINVAL},
        {"null", NULL, MSA_EINVAL},
        {"[]", NULL, MSA_EINVAL},
        {"{\"login\":\"a\"", NULL, MSA_EINVAL},
        {"{\"login\":\"a\"} ,", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"login\":\"b\"}", NULL, MSA_EINVAL},
        {"{\"login\":7}", NULL, MSA_EINVAL},
        {"{\"login\":null}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\\u0000b\"}", NULL, MSA_EINVAL},
        {"{\"login\":\"\xff\"}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"remote\":[]}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"protocol\":\"im ap\"}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"protocol\":\"imapimapimapimapi\"}", NULL, MSA_EINVAL},
    };
    CHECK(AUTH_POLICY_ALLOW, cases);
    char body[400];
    struct auth_policy_question q;
    memset(body, 'a', sizeof body);
    memcpy(body, "{\"login\":\"", 10);
    for (size_t n = 255; n <= 256; n++) {
        memcpy(body + 10 + n, "\"}", 2);
        cr_assert_eq(auth_policy_question(view_of(body, n + 12), AUTH_POLICY_ALLOW, &q),
                     n == 255 ? MSA_OK : MSA_EINVAL);
        auth_policy_question_fini(&q);
        memset(body + 10 + n, 'a', 2);
    }
}

Test(auth_policy, report_tells_how_it_came_out)
{
    static const struct question_case cases[] = {
        {"{\"login\":\"a\",\"remote\":\"192.0.2.1\",\"protocol\":\"pop3\",\"pwhash\":"
         "\"0a3f\",\"success\":true,"
         "\"policy_reject\":false}",
         "good login=a ip=192.0.2.1 protocol=pop3",
         MSA_OK},
        {"{\"login\":\"a\",\"pwhash\":\"0a3f\",\"success\":false,\"policy_reject\":"
         "false}",
         "bad login=a hash=0a3f",
         MSA_OK},
        {"{\"login\":\"a\",\"success\":false}",
         "bad login=a", MSA_OK},
        /* as weakforced's own examples say it */
        {"{\"login\":\"ahu\", \"remote\": \"127.0.0.1\", \"pwhash\":\"12341\", \"success\":\"false\"}",
         "bad login=ahu ip=127.0.0.1 hash=12341", MSA_OK},
        {"{\"login\":\"a\",\"success\":\"true\",\"policy_reject\":\"false\",\"tls\":true,"
         "\"session_id\":\"x\",\"fail_type\":\"credentials\",\"attrs\":{\"a\":\"b\",\"c\":[\"d\",\"e\"]}}",
         "good login=a", MSA_OK},
        {"{\"login\":\"a\",\"success\":false,\"policy_reject\":\"true\"}", NULL, MSA_ENOENT},
        /* our own refusal says nothing about the password */
        {"{\"login\":\"a\",\"success\":false,\"policy_reject\":true}", NULL, MSA_ENOENT},
        {"{\"login\":\"\",\"success\":false}", NULL, MSA_ENOENT},
        {"{\"login\":\"a\"}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"success\":\"yes\"}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"success\":null}", NULL, MSA_EINVAL},
        {"{\"login\":\"a\",\"success\":1}", NULL, MSA_EINVAL},
    };
    CHECK(AUTH_POLICY_REPORT, cases);
}

Test(auth_policy, a_password_goes_to_auth_and_to_nobody_else)
{
    json_t *check, *judge;
    static const char body[] = "{\"login\":\"taro\",\"password\":\"a \\\"b\",\"remote\":\"192.0.2.1\","
                               "\"protocol\":\"pop3\",\"device_id\":\"Mail\",\"more\":[]}";
    cr_assert_eq(auth_policy_verify_args(view_cstr(body), &check, &judge), MSA_OK);
    char *asked = json_dumps(check, JSON_COMPACT | JSON_SORT_KEYS);
    char *told = json_dumps(judge, JSON_COMPACT | JSON_SORT_KEYS);
    cr_assert_str_eq(asked, "{\"login\":\"taro\",\"password\":\"a \\\"b\",\"scope\":\"pop\"}");
    cr_assert_str_eq(told, "{\"ip\":\"192.0.2.1\",\"login\":\"taro\",\"program\":\"Mail\",\"protocol\":\"pop3\"}");
    free(asked);
    free(told);
    json_decref(check);
    json_decref(judge);
}

Test(auth_policy, what_protocol_it_is_for_has_to_be_known)
{
    static const struct {
        const char *protocol, *scope;
    } cases[] = {{"imap", "imap"}, {"IMAP", "imap"}, {"pop3", "pop"},     {"sieve", "imap"}, {"submission", "smtp"},
                 {"smtp", "smtp"}, {"", NULL},       {"doveadm", NULL}, {"pop", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *check, *judge;
        char body[128];
        snprintf(body, sizeof body, "{\"login\":\"taro\",\"password\":\"x\",\"protocol\":\"%s\"}", cases[i].protocol);
        int err = auth_policy_verify_args(view_cstr(body), &check, &judge);
        cr_assert_eq(err, cases[i].scope ? MSA_OK : MSA_EINVAL, "%s", body);
        if (cases[i].scope)
            cr_assert_str_eq(json_string_value(json_object_get(check, "scope")), cases[i].scope);
        json_decref(check);
        json_decref(judge);
    }
}

Test(auth_policy, answers_are_one_number)
{
    cr_assert_eq(auth_policy_status(true, 0), AUTH_POLICY_GO_ON);
    cr_assert_eq(auth_policy_status(true, 1), 1);
    cr_assert_eq(auth_policy_status(true, 2000), 2);
    cr_assert_eq(auth_policy_status(true, 2001), 3);
    cr_assert_eq(auth_policy_status(true, UINT32_MAX), AUTH_POLICY_DELAY_MAX_S);
    cr_assert_eq(auth_policy_status(false, 5000), AUTH_POLICY_REFUSE);
}

Test(auth_policy, token_comes_in_three_ways)
{
    static const struct {
        const char *api_key, *authorization, *token;
        bool is_good;
    } cases[] = {
        {"s3cret", NULL, "s3cret", true},
        {NULL, "Bearer s3cret", "s3cret", true},
        {NULL, "Basic bXNhZDpzM2NyZXQ=", "s3cret", true}, /* msad:s3cret */
        {NULL, "basic  OnMzY3JldA==", "s3cret", true},    /* :s3cret */
        {NULL, "Basic czNjcmV0", "s3cret", false},        /* s3cret, as the name */
        {NULL, "Basic bXNhZDpzM2NyZXQ", "s3cret", false}, /* unpadded */
        {NULL, "Basic", "s3cret", false},
        {NULL, "Digest s3cret", "s3cret", false},
        {NULL, "s3cret", "s3cret", false},
        {"s3cres", "Bearer s3cre", "s3cret", false},
        {"s3cret ", NULL, "s3cret", false},
        {NULL, NULL, "s3cret", false},
        {NULL, NULL, "", false},
        {"", "Bearer ", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(auth_policy_has_token(view_cstr(cases[i].api_key),
                                           view_cstr(cases[i].authorization),
                                           view_cstr(cases[i].token)),
                     cases[i].is_good, "case %zu", i);
}
