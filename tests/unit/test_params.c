#include <criterion/criterion.h>

#include <string.h>

#include "msa/mail/params.h"

TestSuite(params, .timeout = 20);

#define ALL (~0u & ~(unsigned)PARAM_BINARYMIME)

static enum params_result mail(const char *text, unsigned offered, struct mail_params *out)
{
    struct view culprit;
    return params_parse_mail(view_cstr(text), offered, out, &culprit);
}

static enum params_result rcpt(const char *text, struct rcpt_params *out)
{
    struct view culprit;
    return params_parse_rcpt(view_cstr(text), ALL, out, &culprit);
}

Test(params, reads_all_of_mail)
{
    struct mail_params p;
    cr_assert_eq(mail(" SIZE=12345 body=8bitmime SMTPUTF8  RET=HDRS ENVID=a+2Bb AUTH=x+40y "
                      "HOLDFOR=86400 REQUIRETLS ", ALL, &p), PARAMS_OK);
    cr_assert_eq(p.size_bytes, 12345);
    cr_assert_eq(p.body, BODY_8BITMIME);
    cr_assert_eq(p.ret, RET_HDRS);
    cr_assert(view_eq(p.envid, VIEW_LIT("a+2Bb")));
    cr_assert(view_eq(p.auth, VIEW_LIT("x+40y")));
    cr_assert_eq(p.hold_for_s, 86400);
    cr_assert_eq(p.seen, PARAM_SIZE | PARAM_BODY | PARAM_SMTPUTF8 | PARAM_RET | PARAM_ENVID |
                             PARAM_AUTH | PARAM_HOLDFOR | PARAM_REQUIRETLS);
    cr_assert_eq(mail("", ALL, &p), PARAMS_OK);
    cr_assert_eq(p.seen, 0);
    cr_assert_eq(mail(" AUTH=<> HOLDUNTIL=2026-06-01T09:00:00+09:00", ALL, &p), PARAMS_OK);
    cr_assert_eq(p.hold_until_s, 1780272000);
    cr_assert(view_eq(p.auth, VIEW_LIT("<>")));
}

Test(params, judges_mail)
{
    static const struct {
        const char *text;
        enum params_result want;
    } cases[] = {
        {" SIZE=9223372036854775807", PARAMS_OK},
        {" SIZE=9223372036854775808", PARAMS_SYNTAX},
        {" SIZE=-1", PARAMS_SYNTAX},
        {" SIZE=", PARAMS_SYNTAX},
        {" SIZE", PARAMS_SYNTAX},
        {" SIZE=1 SIZE=1", PARAMS_DUPLICATE},
        {" SIZE=1 size=2", PARAMS_DUPLICATE},
        {"SIZE=1", PARAMS_SYNTAX},
        {" =1", PARAMS_SYNTAX},
        {" -x", PARAMS_SYNTAX},
        {" a\x01", PARAMS_SYNTAX},
        {" FOO", PARAMS_UNKNOWN},
        {" FOO=BAR", PARAMS_UNKNOWN},
        {" XVERP", PARAMS_UNKNOWN},
        {" NOTIFY=NEVER", PARAMS_UNKNOWN},
        {" BODY=7BIT", PARAMS_OK},
        {" BODY=BINARYMIME", PARAMS_VALUE},
        {" BODY=9BIT", PARAMS_VALUE},
        {" SMTPUTF8=1", PARAMS_SYNTAX},
        {" SMTPUTF8=", PARAMS_SYNTAX},
        {" REQUIRETLS=x", PARAMS_SYNTAX},
        {" RET=ALL", PARAMS_SYNTAX},
        {" ENVID=a+0Ab", PARAMS_SYNTAX},
        {" ENVID=a+b", PARAMS_SYNTAX},
        {" ENVID=", PARAMS_SYNTAX},
        {" AUTH=a=b", PARAMS_SYNTAX},
        {" AUTH=+0D+0A", PARAMS_SYNTAX},
        {" HOLDFOR=1234567890", PARAMS_SYNTAX},
        {" HOLDFOR=999999999", PARAMS_OK},
        {" HOLDUNTIL=tomorrow", PARAMS_SYNTAX},
        {" HOLDFOR=1 HOLDUNTIL=2026-06-01T09:00:00Z", PARAMS_CONFLICT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mail_params p;
        cr_assert_eq(mail(cases[i].text, ALL, &p), cases[i].want, "%s", cases[i].text);
    }
}

Test(params, knows_only_what_was_offered)
{
    struct mail_params p;
    struct view culprit;
    cr_assert_eq(mail(" BODY=BINARYMIME", ALL | PARAM_BINARYMIME, &p), PARAMS_OK);
    cr_assert_eq(p.body, BODY_BINARYMIME);
    cr_assert_eq(mail(" HOLDFOR=1", ALL & ~(unsigned)PARAM_HOLD, &p), PARAMS_UNKNOWN);
    cr_assert_eq(params_parse_mail(VIEW_LIT(" SIZE=1 RET=FULL"), PARAM_SIZE, &p, &culprit),
                 PARAMS_UNKNOWN);
    cr_assert(view_eq(culprit, VIEW_LIT("RET=FULL")));
}

Test(params, bounds_the_long_ones)
{
    char text[600];
    struct mail_params p;
    struct rcpt_params r;
    memset(text, 'x', sizeof text);
    memcpy(text, " ENVID=", 7);
    struct view culprit;
    cr_assert_eq(params_parse_mail(view_of(text, 107), ALL, &p, &culprit), PARAMS_OK);
    cr_assert_eq(params_parse_mail(view_of(text, 108), ALL, &p, &culprit), PARAMS_SYNTAX);
    memcpy(text, " AUTH=x", 7);
    cr_assert_eq(params_parse_mail(view_of(text, 506), ALL, &p, &culprit), PARAMS_OK);
    cr_assert_eq(params_parse_mail(view_of(text, 507), ALL, &p, &culprit), PARAMS_SYNTAX);
    memcpy(text, " ORCPT=rfc822;", 14);
    cr_assert_eq(params_parse_rcpt(view_of(text, 507), ALL, &r, &culprit), PARAMS_OK);
    cr_assert_eq(params_parse_rcpt(view_of(text, 508), ALL, &r, &culprit), PARAMS_SYNTAX);
}

Test(params, reads_rcpt)
{
    static const struct {
        const char *text;
        enum params_result want;
        unsigned notify;
    } cases[] = {
        {"", PARAMS_OK, 0},
        {" NOTIFY=NEVER", PARAMS_OK, NOTIFY_NEVER},
        {" NOTIFY=success,Delay,FAILURE", PARAMS_OK,
         NOTIFY_SUCCESS | NOTIFY_DELAY | NOTIFY_FAILURE},
        {" NOTIFY=NEVER,DELAY", PARAMS_SYNTAX, 0},
        {" NOTIFY=DELAY,DELAY", PARAMS_SYNTAX, 0},
        {" NOTIFY=DELAY,", PARAMS_SYNTAX, 0},
        {" NOTIFY=,DELAY", PARAMS_SYNTAX, 0},
        {" NOTIFY=", PARAMS_SYNTAX, 0},
        {" NOTIFY=DELAY NOTIFY=DELAY", PARAMS_DUPLICATE, 0},
        {" SIZE=1", PARAMS_UNKNOWN, 0},
        {" ORCPT=rfc822;a+40b", PARAMS_OK, 0},
        {" ORCPT=rfc822;a@b.example", PARAMS_OK, 0},
        {" ORCPT=rfc822;", PARAMS_SYNTAX, 0},
        {" ORCPT=;a", PARAMS_SYNTAX, 0},
        {" ORCPT=rfc822", PARAMS_SYNTAX, 0},
        {" ORCPT=rf c822;a", PARAMS_SYNTAX, 0},
        {" ORCPT=rfc822;a+0D+0Ab", PARAMS_SYNTAX, 0},
        {" ORCPT=rfc822;\xe3\x81\x82", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;\xe3\x81\x82@b.example", PARAMS_OK, 0},
        {" ORCPT=utf-8;\xe3\x81@b.example", PARAMS_SYNTAX, 0},
        {" ORCPT=UTF-8;\\x{3042}@b.example", PARAMS_OK, 0},
        {" ORCPT=utf-8;\\x{0A}", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;\\x{D800}", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;\\x{110000}", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;\\x{}", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;\\x{304", PARAMS_SYNTAX, 0},
        {" ORCPT=utf-8;a+20b", PARAMS_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rcpt_params r;
        cr_assert_eq(rcpt(cases[i].text, &r), cases[i].want, "%s", cases[i].text);
        if (cases[i].want == PARAMS_OK)
            cr_assert_eq(r.notify, cases[i].notify, "%s", cases[i].text);
    }
    struct rcpt_params r;
    cr_assert_eq(rcpt(" ORCPT=rfc822;a+40b", &r), PARAMS_OK);
    cr_assert(view_eq(r.orcpt, VIEW_LIT("rfc822;a+40b")));
}

Test(params, have_names)
{
    cr_assert_str_eq(params_name(PARAM_REQUIRETLS), "REQUIRETLS");
    cr_assert_str_eq(params_name(PARAM_ORCPT), "ORCPT");
    cr_assert_str_eq(params_name(PARAM_BINARYMIME), "BINARYMIME");
    cr_assert_str_eq(params_name(0), "unknown");
}
