/* What people see of the rules: usage, hits, the trend. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

TestSuite(policy_rules, .timeout = 60, .fini = pf_end);

#define HOME "192.0.2.1"
#define TARO "\"account\":7,\"login\":\"taro@example.jp\""
#define DAY_MS  INT64_C(86400000)
#define RULES                                                                                      \
    "rules { home JP; }\n"                                                                         \
    "geo { place JP { networks 192.0.2.0/24; } }\n"                                                \
    "rule day { count recipients; per account; within 1d; limit 5; then defer; because \"five\"; }\n" \
    "rule tried { count messages; per account; within 1h; limit 1; then refuse; mode shadow; }\n"  \
    "rule source { count messages; per address; within 1h; limit 9; then refuse; }\n"              \
    "rule vips { count messages; per account; within 1d; limit 9; then refuse; when { classes vip; } }\n"

static unsigned send_to(uint64_t session, unsigned recipients)
{
    pf_connect(PF_A, session, HOME);
    pf_login(PF_A, session, HOME, PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0);
    pf_mail(PF_A, session, HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN);
    struct pf_answer a = pf_quota(PF_A, session, HOME, PF_TARO, PF_TARO_LOGIN, recipients);
    pf_settle(PF_A, session, a.reservation, a.verdict == VERDICT_ALLOW);
    pf_disconnect(PF_A, session);
    return a.verdict;
}

/* "rule used/limit mode, …" */
static const char *usage(const char *more)
{
    static char text[512];
    char args[128];
    size_t n = 0, i;
    const json_t *u;
    snprintf(args, sizeof args, "{" TARO "%s}", more);
    json_t *o = pf_op("usage.show", args, NULL);
    text[0] = '\0';
    json_array_foreach(json_object_get(o, "usage"), i, u)
    {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %d/%d %s", i ? ", " : "",
                              json_string_value(json_object_get(u, "rule")),
                              (int)json_integer_value(json_object_get(u, "used")),
                              (int)json_integer_value(json_object_get(u, "limit")),
                              json_string_value(json_object_get(u, "mode")));
    }
    json_decref(o);
    return text;
}

Test(policy_rules, usage_is_what_the_windows_hold_and_counts_nothing)
{
    pf_begin(RULES);
    cr_assert_str_eq(usage(""), "day 0/5 enforce, tried 0/1 shadow");
    cr_assert_eq(send_to(1, 3), VERDICT_ALLOW);
    for (int i = 0; i < 3; i++)
        cr_assert_str_eq(usage(""), "day 3/5 enforce, tried 1/1 shadow");
    cr_assert_str_eq(usage(",\"is_enforced_only\":true"), "day 3/5 enforce");
    pf_advance(2 * DAY_MS);
    cr_assert_str_eq(usage(""), "day 0/5 enforce, tried 0/1 shadow");
    json_t *o = pf_op("usage.show", "{" TARO "}", NULL);
    const json_t *day = json_array_get(json_object_get(o, "usage"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(day, "counts")), "recipients");
    cr_assert_str_eq(json_string_value(json_object_get(day, "per")), "account");
    cr_assert_str_eq(json_string_value(json_object_get(day, "then")), "defer");
    cr_assert_str_eq(json_string_value(json_object_get(day, "because")), "five");
    cr_assert_eq(json_integer_value(json_object_get(day, "within_ms")), DAY_MS);
    json_decref(o);
    unsigned status;
    json_decref(pf_op("usage.show", "{}", &status));
    cr_assert_eq(status, 400);
}

Test(policy_rules, usage_knows_the_accounts_own_limits_and_its_class)
{
    pf_begin(RULES);
    json_decref(pf_op("settings.set", "{" TARO ",\"class\":\"vip\",\"limits\":{\"day\":50,\"tried\":\"off\"}}", NULL));
    cr_assert_str_eq(usage(""), "day 0/50 enforce, vips 0/9 enforce");
}

static int64_t hits_of(const json_t *rules, const char *name, const char **sentence_out)
{
    size_t i;
    const json_t *r;
    json_array_foreach(rules, i, r)
    {
        if (strcmp(json_string_value(json_object_get(r, "rule")), name) != 0)
            continue;
        *sentence_out = json_string_value(json_object_get(r, "sentence"));
        return json_integer_value(json_object_get(r, "hits"));
    }
    return -1;
}

Test(policy_rules, hits_are_counted_in_both_modes_and_over_a_reload)
{
    const char *sentence;
    pf_begin(RULES);
    send_to(1, 3);
    send_to(2, 3);
    pf_reload(RULES);
    send_to(3, 3);
    json_t *o = pf_op("rules.list", "{}", NULL);
    const json_t *rules = json_object_get(o, "rules");
    cr_assert_eq(json_array_size(rules), 4);
    cr_assert_eq(hits_of(rules, "source", &sentence), 0);
    cr_assert_eq(hits_of(rules, "day", &sentence), 2);
    cr_assert_str_eq(sentence, "recipients per account within 1d, limit 5: defer");
    cr_assert_geq(hits_of(rules, "tried", &sentence), 1);
    cr_assert_geq(hits_of(rules, "vips", &sentence), 0);
    cr_assert_str_eq(sentence, "messages per account within 1d, limit 9: refuse, classes vip");
    json_decref(o);
}

static const json_t *day_of(const json_t *o, size_t i)
{
    return json_array_get(json_object_get(o, "days"), i);
}

Test(policy_rules, the_trend_counts_records_by_day_and_rule)
{
    pf_begin(RULES "notice { utc_offset +09:00; }\n");
    send_to(1, 3);
    send_to(2, 3); /* limited by day */
    pf_advance(2 * DAY_MS);
    json_decref(pf_op("restriction.suspend", "{" TARO ",\"note\":\"x\"}", NULL));
    json_t *o = pf_op("restriction.trend", "{\"days\":4}", NULL);
    cr_assert_eq(json_array_size(json_object_get(o, "days")), 4);
    cr_assert(json_is_false(json_object_get(o, "is_cut")));
    cr_assert_str_eq(json_string_value(json_object_get(day_of(o, 0), "day")), "2026-05-31");
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(day_of(o, 0), "rules"), "suspended")), 1);
    cr_assert_eq(json_object_size(json_object_get(day_of(o, 1), "rules")), 0);
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(day_of(o, 2), "rules"), "day")), 1);
    json_decref(o);
}
