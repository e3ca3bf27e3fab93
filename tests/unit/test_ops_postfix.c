/* What policy says to a Postfix that is replaced step by step: the same as to a session here. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

TestSuite(ops_postfix, .timeout = 60, .fini = pf_end);

#define COUNTRIES                                                                                  \
    "rules { home JP; }\n"                                                                         \
    "geo { place JP { networks 192.0.2.0/24; } place US { networks 198.51.100.0/24; } }\n"
#define TARO "\"account\":7,\"login\":\"" PF_TARO_LOGIN "\",\"created_ms\":1700000000000"
#define FROM(ip) TARO ",\"ip\":\"" ip "\",\"sender\":\"" PF_TARO_LOGIN "\""
#define FIRST   FROM("192.0.2.1") ",\"begins\":true,\"is_first\":true,\"stage\":\"mail\""
#define DATA(n) FROM("192.0.2.1") ",\"counts\":true,\"count\":" n ",\"recipients\":[],\"stage\":\"data\""

static void says(const char *args, const char *verdict, const char *text)
{
    unsigned status;
    char json[1024];
    snprintf(json, sizeof json, "{%s}", args);
    json_t *answer = pf_op("postfix.judge", json, &status);
    cr_assert_eq(status, 200, "%s: %u", args, status);
    cr_assert_str_eq(json_string_value(json_object_get(answer, "verdict")), verdict, "%s", args);
    cr_assert_str_eq(json_string_value(json_object_get(answer, "text")), text, "%s", args);
    json_decref(answer);
}

static void op(const char *name, const char *args)
{
    unsigned status;
    json_decref(pf_op(name, args, &status));
    cr_assert_eq(status, 200, "%s %s: %u", name, args, status);
}

Test(ops_postfix, a_message_within_the_limits_passes)
{
    pf_begin(COUNTRIES);
    says(FIRST, "allow", "");
    says(FROM("192.0.2.1") ",\"stage\":\"mail\"", "allow", "");
    says(DATA("3"), "allow", "");
    says(FROM("192.0.2.1") ",\"counts\":false,\"count\":3,\"recipients\":[],\"bytes\":9,\"stage\":\"end\"", "allow", "");
}

Test(ops_postfix, a_suspended_account_is_refused_at_every_stage)
{
    pf_begin(COUNTRIES);
    says(FIRST, "allow", "");
    op("restriction.suspend", "{" TARO ",\"note\":\"a test\"}");
    says(FIRST, "refuse", "please contact the support desk");
    says(FROM("192.0.2.1") ",\"stage\":\"mail\"", "refuse", "please contact the support desk");
    says(DATA("1"), "refuse", "please contact the support desk");
}

Test(ops_postfix, a_block_of_overseas_use_holds)
{
    pf_begin(COUNTRIES);
    op("settings.set", "{" TARO ",\"overseas\":\"block\"}");
    says(FIRST, "allow", "");
    says(FROM("198.51.100.1") ",\"begins\":true,\"is_first\":true,\"stage\":\"mail\"", "refuse",
         "use from overseas is blocked for this account");
    says(FROM("198.51.100.1") ",\"stage\":\"mail\"", "refuse", "use from overseas is blocked for this account");
}

Test(ops_postfix, a_quota_counts_what_both_send)
{
    pf_begin("rule few { count recipients; per account; within 1h; limit 5; then defer; }\n");
    pf_connect(PF_A, 1, "192.0.2.1");
    cr_assert_eq(pf_login(PF_A, 1, "192.0.2.1", PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_mail(PF_A, 1, "192.0.2.1", PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN).verdict, VERDICT_ALLOW);
    cr_assert_eq(pf_quota(PF_A, 1, "192.0.2.1", PF_TARO, PF_TARO_LOGIN, 3).verdict, VERDICT_ALLOW);
    says(DATA("2"), "allow", "");
    says(DATA("1"), "defer", "at most 5 recipients in an hour");
}

Test(ops_postfix, recipients_that_are_known_are_looked_at)
{
    pf_begin("rule fresh { count new-recipients; per account; within 1h; limit 2; then defer; }\n");
    says(FIRST, "allow", "");
    says(FROM("192.0.2.1") ",\"counts\":true,\"count\":2,\"recipients\":[\"a@x.example\",\"b@x.example\"],"
                           "\"stage\":\"data\"", "allow", "");
    says(FROM("192.0.2.1") ",\"counts\":true,\"count\":2,\"recipients\":[\"a@x.example\",\"b@x.example\"],"
                           "\"stage\":\"data\"", "allow", "");
    says(FROM("192.0.2.1") ",\"counts\":true,\"count\":1,\"recipients\":[\"c@x.example\"],\"stage\":\"data\"",
         "defer", "at most 2 new recipients in an hour");
}

Test(ops_postfix, a_sender_that_is_not_the_accounts_is_refused)
{
    pf_begin("align own { check envelope; mismatch refuse; }\n");
    unsigned status;
    json_t *answer = pf_op("postfix.judge",
                           "{" TARO ",\"ip\":\"192.0.2.1\",\"sender\":\"hana@example.test\",\"begins\":true,"
                           "\"is_first\":true,\"stage\":\"mail\"}", &status);
    cr_assert_str_eq(json_string_value(json_object_get(answer, "verdict")), "refuse");
    json_decref(answer);
    says(FIRST, "allow", "");
}

Test(ops_postfix, countries_of_sign_ins_are_counted)
{
    pf_begin(COUNTRIES "rule two { count countries; per account; within 1d; limit 2; then suspend; }\n");
    says(FIRST, "allow", "");
    says(FROM("198.51.100.1") ",\"begins\":true,\"is_first\":true,\"stage\":\"mail\"", "refuse",
         "please contact the support desk");
    cr_assert_eq(pf_seen.kills[PF_A], 1u, "sessions here end, too");
}

Test(ops_postfix, what_a_rule_holds_is_held)
{
    pf_begin("rule big { count recipients; per account; within 1h; limit 1; then hold; }\n");
    says(FIRST, "allow", "");
    says(DATA("2"), "hold", "");
}

Test(ops_postfix, a_name_that_is_nobodys_has_limits_of_its_own)
{
    pf_begin("rule few { count messages; per account; within 1h; limit 1; then defer; }\n");
#define STRANGER "\"login\":\"old\",\"ip\":\"192.0.2.1\",\"sender\":\"\",\"counts\":true,\"count\":1,\"stage\":\"data\""
    says(STRANGER, "allow", "");
    says(STRANGER, "defer", "at most 1 messages in an hour");
    says(DATA("1"), "allow", "");
}
