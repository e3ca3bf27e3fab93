#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/token_answer.h"

TestSuite(token_answer, .timeout = 20);

#define NOW 1700000000

static const struct config_identity_provider any = {
    .login_claim = "username", .issuer = "", .audience = "", .scope = ""};
static const struct config_identity_provider strict = {
    .login_claim = "email", .issuer = "https://id.example.jp/", .audience = "mail", .scope = "smtp send"};

struct row {
    const char *json;
    enum finding_kind want;
    const char *why;
};

static void check(const struct config_identity_provider *p, const struct row *rows, size_t count)
{
    struct token_answer a;
    for (size_t i = 0; i < count; i++) {
        token_answer_read(view_cstr(rows[i].json), p, NOW, &a);
        cr_assert(eq(int, (int)a.finding.kind, (int)rows[i].want), "%s", rows[i].json);
        cr_assert(eq(str, (char *)a.why, (char *)rows[i].why), "%s", rows[i].json);
        cr_assert(eq(int, a.finding.login[0] != '\0', a.finding.kind == FINDING_GOOD), "%s", rows[i].json);
    }
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

Test(token_answer, active_and_within_its_time)
{
    static const struct row rows[] = {
        {"{\"active\":true,\"username\":\"taro\"}", FINDING_GOOD, ""},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":1700000001}", FINDING_GOOD, ""},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":1700000001.5,\"nbf\":1700000060}", FINDING_GOOD, ""},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":1700000000}", FINDING_BAD, "expired"},
        {"{\"active\":true,\"username\":\"taro\",\"nbf\":1700000061}", FINDING_BAD, "not-yet"},
        {"{\"active\":false}", FINDING_BAD, "inactive"},
        {"{\"active\":false,\"username\":\"taro\",\"exp\":1700000001}", FINDING_BAD, "inactive"},
        {"{\"active\":true}", FINDING_BAD, "login"},
        {"{\"active\":true,\"username\":\"\"}", FINDING_BAD, "login"},
    };
    check(&any, rows, COUNT(rows));
}

Test(token_answer, what_is_configured_must_be_there)
{
#define REST ",\"iss\":\"https://id.example.jp/\",\"scope\":\"openid send smtp\""
    static const struct row rows[] = {
        {"{\"active\":true,\"email\":\"t\",\"aud\":\"mail\"" REST "}", FINDING_GOOD, ""},
        {"{\"active\":true,\"email\":\"t\",\"aud\":[\"web\",\"mail\"]" REST "}", FINDING_GOOD, ""},
        {"{\"active\":true,\"email\":\"t\",\"aud\":[\"web\",7,\"mails\"]" REST "}", FINDING_BAD, "audience"},
        {"{\"active\":true,\"email\":\"t\",\"aud\":{\"mail\":1}" REST "}", FINDING_BAD, "audience"},
        {"{\"active\":true,\"email\":\"t\"" REST "}", FINDING_BAD, "audience"},
        {"{\"active\":true,\"username\":\"t\",\"aud\":\"mail\"" REST "}", FINDING_BAD, "login"},
        {"{\"active\":true,\"email\":\"t\",\"aud\":\"mail\",\"scope\":\"smtp send\"}", FINDING_BAD, "issuer"},
        {"{\"active\":true,\"email\":\"t\",\"aud\":\"mail\",\"iss\":\"https://id.example.jp\"}", FINDING_BAD, "issuer"},
        {"{\"active\":true,\"email\":\"t\",\"aud\":\"mail\",\"iss\":\"https://id.example.jp/\",\"scope\":\"smtps send\"}",
         FINDING_BAD, "scope"},
        {"{\"active\":true,\"email\":\"t\",\"aud\":\"mail\",\"iss\":\"https://id.example.jp/\"}", FINDING_BAD, "scope"},
    };
    check(&strict, rows, COUNT(rows));
}

/* The provider's fault, so not held against the client: 454. */
Test(token_answer, rubbish_is_no_answer)
{
    static const struct row rows[] = {
        {"", FINDING_AWAY, "rubbish"},
        {"null", FINDING_AWAY, "rubbish"},
        {"[true]", FINDING_AWAY, "rubbish"},
        {"{}", FINDING_AWAY, "rubbish"},
        {"<html>", FINDING_AWAY, "rubbish"},
        {"{\"active\":\"true\",\"username\":\"taro\"}", FINDING_AWAY, "rubbish"},
        {"{\"active\":1,\"username\":\"taro\"}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\"", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\"} x", FINDING_AWAY, "rubbish"},
        {"{\"active\":false,\"active\":true,\"username\":\"taro\"}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":7}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"ta\\u0000ro\"}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":\"1800000000\"}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":-1}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":0}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"exp\":1e300}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"nbf\":null}", FINDING_AWAY, "rubbish"},
        {"{\"active\":true,\"username\":\"taro\",\"scope\":[\"smtp\"]}", FINDING_AWAY, "rubbish"},
    };
    check(&any, rows, COUNT(rows));
}

Test(token_answer, a_login_that_is_too_long_is_none)
{
    struct token_answer a;
    char json[400], login[257];
    memset(login, 'u', 256);
    login[256] = '\0';
    snprintf(json, sizeof json, "{\"active\":true,\"username\":\"%s\"}", login);
    token_answer_read(view_cstr(json), &any, NOW, &a);
    cr_assert(eq(int, (int)a.finding.kind, (int)FINDING_BAD));
    login[255] = '\0';
    snprintf(json, sizeof json, "{\"active\":true,\"username\":\"%s\",\"exp\":1700000009}", login);
    token_answer_read(view_cstr(json), &any, NOW, &a);
    cr_assert(eq(int, (int)a.finding.kind, (int)FINDING_GOOD));
    cr_assert(eq(i64, a.expires_s, 1700000009));
}
