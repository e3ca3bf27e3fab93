#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/bearer.h"

TestSuite(bearer, .timeout = 20);

#define A "\x01"

struct row {
    const char *message;
    enum auth_result want;
    const char *login, *token;
};

static void check(enum bearer_form form, const struct row *r)
{
    struct bearer b;
    char token[64];
    cr_assert(eq(int, (int)bearer_parse(form, view_cstr(r->message), &b), (int)r->want), "%s", r->message);
    cr_assert(view_to_cstr(b.token, token, sizeof token));
    cr_assert(eq(str, b.login, (char *)r->login), "%s", r->message);
    cr_assert(eq(str, token, (char *)r->token), "%s", r->message);
}

/* Whole, and every front of it, which is malformed. */
static void check_fronts(enum bearer_form form, const char *message)
{
    struct bearer b;
    size_t n = strlen(message);
    cr_assert(eq(int, (int)bearer_parse(form, view_of(message, n), &b), (int)AUTH_OK), "%s", message);
    for (size_t i = 0; i < n; i++) {
        cr_assert(eq(int, (int)bearer_parse(form, view_of(message, i), &b), (int)AUTH_MALFORMED), "%zu of %s", i, message);
        cr_assert(b.token.n == 0 && b.login[0] == '\0');
    }
}

Test(bearer, oauthbearer_is_read_strictly)
{
    static const struct row rows[] = {
        /* RFC 7628 §4.1, and what is left out of it */
        {"n,a=user@example.com," A "host=server.example.com" A "port=143" A "auth=Bearer vF9dft4qmTc2Nvb3RlckBh==" A A,
         AUTH_OK, "user@example.com", "vF9dft4qmTc2Nvb3RlckBh=="},
        {"n,," A "auth=Bearer t" A A, AUTH_OK, "", "t"},
        {"y,," A "auth=bearer a-._~+/Z9=" A A, AUTH_OK, "", "a-._~+/Z9="},
        {"n,a=a=2Cb=3Dc," A "auth=Bearer t" A A, AUTH_OK, "a,b=c", "t"},
        {"n,," A "mthd=POST" A "auth=Bearer t" A "qs=\tx y\r\n" A A, AUTH_OK, "", "t"},
        {"n,," A "auth=" A A, AUTH_OK, "", ""}, /* §4.3: what do I need? */
        {"n,a=u," A "host=h" A "auth=Bearer t" A A, AUTH_OK, "u", "t"},

        {"", AUTH_MALFORMED, "", ""},
        {A, AUTH_MALFORMED, "", ""}, /* the answer to a refusal, and there was none */
        {"n,,", AUTH_MALFORMED, "", ""},
        {"n,," A A, AUTH_MALFORMED, "", ""},
        {"n,," A "host=h" A A, AUTH_MALFORMED, "", ""},
        {"p=tls-exporter,," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"N,," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,u," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,a=," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,a=u=2cx," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,a=u=," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,a=u\n," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,,auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A A "x", AUTH_MALFORMED, "", ""},
        {"n,," A A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer  t" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer " A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer =" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer a=b" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer a b" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Basic t" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "auth=Bearer u" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "port=0" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "port=65536" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "port=587" A "port=587" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "host=" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "1=x" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "=x" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "x" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "x=\x02" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t" A "x=\xe3" A A, AUTH_MALFORMED, "", ""},
        {"n,," A "auth=Bearer t\x80" A A, AUTH_MALFORMED, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(BEARER_OAUTH, &rows[i]);
}

Test(bearer, xoauth2_is_read_strictly)
{
    static const struct row rows[] = {
        {"user=someuser@example.com" A "auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg" A A, AUTH_OK,
         "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
        {"user=u=2Cv" A "auth=BEARER t==" A A, AUTH_OK, "u=2Cv", "t=="}, /* no escapes here */
        {"", AUTH_MALFORMED, "", ""},
        {"user=" A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"User=u" A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"auth=Bearer t" A "user=u" A A, AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=" A A, AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=Bearer " A A, AUTH_MALFORMED, "", ""},
        {"user=u" A A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"user=u\t" A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=Bearer t" A, AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=Bearer t" A A A, AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=Bearer t" A "x", AUTH_MALFORMED, "", ""},
        {"user=u" A "auth=Bearer t" A "host=h" A A, AUTH_MALFORMED, "", ""},
        {"n,a=u," A "auth=Bearer t" A A, AUTH_MALFORMED, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(BEARER_XOAUTH2, &rows[i]);
}

Test(bearer, a_front_of_a_message_is_none)
{
    check_fronts(BEARER_OAUTH, "n,a=taro@example.jp," A "host=submit.example.jp" A "port=587" A "auth=Bearer abc" A A);
    check_fronts(BEARER_OAUTH, "y,," A "auth=Bearer abc" A A);
    check_fronts(BEARER_XOAUTH2, "user=taro@example.jp" A "auth=Bearer abc" A A);
}

Test(bearer, a_nul_is_nowhere)
{
    static const char message[] = "n,a=ta\0ro," A "x=y" A "auth=Bearer abc" A A;
    char copy[64];
    struct bearer b;
    cr_assert(eq(int, (int)bearer_parse(BEARER_OAUTH, view_of(message, sizeof message - 1), &b), (int)AUTH_MALFORMED));
    for (size_t i = 0; i < sizeof message - 1; i++) {
        memcpy(copy, message, sizeof message);
        copy[6] = 'x';
        copy[i] = '\0';
        cr_assert(eq(int, (int)bearer_parse(BEARER_OAUTH, view_of(copy, sizeof message - 1), &b), (int)AUTH_MALFORMED),
                  "%zu", i);
    }
}

Test(bearer, sizes_are_bounded)
{
    static char message[BEARER_TOKEN_MAX + 512];
    struct bearer b;
    for (size_t n = BEARER_TOKEN_MAX - 1; n <= BEARER_TOKEN_MAX + 1; n++) {
        int head = snprintf(message, sizeof message, "user=u" A "auth=Bearer ");
        memset(message + head, 'a', n);
        memcpy(message + head + n, A A, 3);
        bool is_good = bearer_parse(BEARER_XOAUTH2, view_cstr(message), &b) == AUTH_OK;
        cr_assert(eq(int, is_good, n <= BEARER_TOKEN_MAX));
    }
    for (size_t n = LOGIN_TYPED_MAX; n <= LOGIN_TYPED_MAX + 1; n++) {
        static char name[LOGIN_TYPED_MAX + 2];
        memset(name, 'u', n);
        name[n] = '\0';
        snprintf(message, sizeof message, "n,a=%s," A "auth=Bearer t" A A, name);
        bool is_good = bearer_parse(BEARER_OAUTH, view_cstr(message), &b) == AUTH_OK;
        cr_assert(eq(int, is_good, n <= LOGIN_TYPED_MAX));
    }
    for (size_t pairs = BEARER_PAIRS_MAX; pairs <= BEARER_PAIRS_MAX + 1; pairs++) {
        snprintf(message, sizeof message, "n,," A "auth=Bearer t" A);
        for (size_t i = 1; i < pairs; i++)
            memcpy(message + strlen(message), "x=y" A, 5);
        memcpy(message + strlen(message), A, 2);
        bool is_good = bearer_parse(BEARER_OAUTH, view_cstr(message), &b) == AUTH_OK;
        cr_assert(eq(int, is_good, pairs <= BEARER_PAIRS_MAX));
    }
}

Test(bearer, the_refusal_is_json)
{
    static char out[BEARER_REFUSAL_MAX], scope[256], url[501];
    bearer_refusal(BEARER_OAUTH, "smtp send", "https://id.example.jp/.well-known/openid-configuration", out);
    cr_assert(eq(str, out,
                 "{\"status\":\"invalid_token\",\"schemes\":\"bearer\",\"scope\":\"smtp send\",\"openid-configuration\":"
                 "\"https://id.example.jp/.well-known/openid-configuration\"}"));
    bearer_refusal(BEARER_XOAUTH2, "", "https://unsaid.example.jp/", out);
    cr_assert(eq(str, out, "{\"status\":\"401\",\"schemes\":\"bearer\"}"));
    memset(scope, 's', 255); /* what the configuration lets through at most */
    memset(url, 'u', 500);
    bearer_refusal(BEARER_OAUTH, scope, url, out);
    cr_assert(eq(chr, out[strlen(out) - 1], '}'));
}
