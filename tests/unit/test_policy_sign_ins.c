/* The policy process and the owner of an account: what he sees of his sign-ins, and "that was not me". */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

TestSuite(policy_sign_ins, .timeout = 60, .fini = pf_end);

#define HOME   "192.0.2.1"
#define ABROAD "198.51.100.1"
#define COUNTRIES                                                                                  \
    "rules { home JP; }\n"                                                                         \
    "geo { place JP { networks 192.0.2.0/24; } place US { networks 198.51.100.0/24; } }\n"
#define TARO "\"account\":7,\"login\":\"taro@example.jp\""
#define MINUTE_MS INT64_C(60000)

static struct pf_answer sign_in(uint64_t session, const char *ip, unsigned result)
{
    pf_connect(PF_A, session, ip);
    return pf_login(PF_A, session, ip, PF_TARO, PF_TARO_LOGIN, result, result == AUTH_OK ? 0 : session);
}

static unsigned status_of(const char *op, const char *args)
{
    unsigned status;
    json_decref(pf_op(op, args, &status));
    return status;
}

/* "result country address times, …", the newest first. */
static const char *listed(void)
{
    static char text[1024];
    size_t n = 0, i;
    const json_t *e;
    json_t *o = pf_op("sign-in.list", "{" TARO "}", NULL);
    text[0] = '\0';
    json_array_foreach(json_object_get(o, "sign_ins"), i, e)
    {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:%s %s %s %d", i ? ", " : "",
                              json_string_value(json_object_get(e, "protocol")),
                              json_string_value(json_object_get(e, "result")),
                              json_string_value(json_object_get(e, "country")),
                              json_string_value(json_object_get(e, "address")),
                              (int)json_integer_value(json_object_get(e, "times")));
    }
    json_decref(o);
    return text;
}

Test(policy_sign_ins, all_that_may_happen_to_one_has_its_word)
{
    pf_begin(COUNTRIES "rule guess { count failures; per account-network; within 1h; limit 2; then lock; lock 1h; }\n");
    sign_in(1, HOME, AUTH_OK);
    cr_assert_str_eq(listed(), "smtp:allowed JP 192.0.2.1 1");
    pf_advance(MINUTE_MS);
    sign_in(2, ABROAD, AUTH_BAD_CREDENTIALS);
    sign_in(3, ABROAD, AUTH_BAD_CREDENTIALS);
    pf_advance(1);
    cr_assert_eq(sign_in(4, ABROAD, AUTH_OK).verdict, VERDICT_REFUSE, "it is locked");
    cr_assert_str_eq(listed(), "smtp:refused US 198.51.100.1 1, smtp:wrong-password US 198.51.100.1 2, "
                               "smtp:allowed JP 192.0.2.1 1");
    json_decref(pf_op("settings.set", "{" TARO ",\"overseas\":\"block\"}", NULL));
    pf_advance(1);
    sign_in(5, ABROAD, AUTH_OK);
    cr_assert(strncmp(listed(), "smtp:overseas US ", 17) == 0, "%s", listed());
    cr_assert_eq(status_of("restriction.suspend", "{" TARO ",\"note\":\"x\"}"), 200);
    pf_advance(1);
    sign_in(6, HOME, AUTH_OK);
    cr_assert(strncmp(listed(), "smtp:restricted JP ", 19) == 0, "%s", listed());
}

Test(policy_sign_ins, they_are_there_after_a_restart)
{
    pf_begin(COUNTRIES);
    for (uint64_t i = 1; i <= 5; i++)
        sign_in(i, HOME, AUTH_OK);
    pf_restart();
    cr_assert_str_eq(listed(), "smtp:allowed JP 192.0.2.1 5");
}

Test(policy_sign_ins, an_address_is_kept_as_privacy_says)
{
    pf_begin(COUNTRIES "privacy { addresses network; }\n");
    sign_in(1, HOME, AUTH_OK);
    cr_assert_str_eq(listed(), "smtp:allowed JP 192.0.2.0/24 1");
    pf_reload(COUNTRIES "privacy { addresses hash; }\n");
    sign_in(2, ABROAD, AUTH_OK);
    cr_assert(strstr(listed(), "US #") != NULL, "%s", listed());
    cr_assert(strstr(listed(), ABROAD) == NULL);
}

Test(policy_sign_ins, what_mail_servers_tell_is_in_the_list)
{
    pf_begin(COUNTRIES "accounts { overseas block; }\n");
    cr_assert(pf_mailbox(MAILBOX_SIGNED_IN, HOME, "imap", "Thunder\abird"));
    pf_advance(1);
    json_decref(pf_op("mailbox.report", "{" TARO ",\"ip\":\"" HOME "\",\"protocol\":\"pop3\",\"success\":false}", NULL));
    pf_advance(1);
    cr_assert_not(pf_mailbox(MAILBOX_MAY_IT, ABROAD, "imap", ""));
    pf_advance(1);
    cr_assert_str_eq(listed(), "imap:overseas US 198.51.100.1 1, pop:wrong-password JP 192.0.2.1 1, "
                               "imap:allowed JP 192.0.2.1 1");
    json_t *o = pf_op("sign-in.list", "{" TARO "}", NULL);
    const json_t *last = json_array_get(json_object_get(o, "sign_ins"), 2);
    cr_assert_str_eq(json_string_value(json_object_get(last, "program")), "Thunder bird");
    json_decref(o);
    json_decref(pf_op("mailbox.allow", "{" TARO ",\"ip\":\"203.0.113.9\",\"protocol\":\"imap\"}", NULL));
    cr_assert(strstr(listed(), "203.0.113.9") == NULL, "somebody only wanted to know");
}

Test(policy_sign_ins, a_limit_gives_the_newest)
{
    pf_begin(COUNTRIES);
    sign_in(1, HOME, AUTH_OK);
    pf_advance(1);
    sign_in(2, ABROAD, AUTH_OK);
    json_t *o = pf_op("sign-in.list", "{" TARO ",\"limit\":1}", NULL);
    const json_t *list = json_object_get(o, "sign_ins");
    cr_assert_eq(json_array_size(list), 1);
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "country")), "US");
    json_decref(o);
    cr_assert_eq(status_of("sign-in.list", "{}"), 400);
}

/* ---- that was not me ---- */

static json_t *standing(void)
{
    json_t *o = pf_op("restriction.list", "{}", NULL);
    json_t *list = json_object_get(o, "restrictions");
    cr_assert_leq(json_array_size(list), 1);
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(o);
    return one;
}

static void check_standing(const char *kind)
{
    json_t *r = standing();
    if (kind)
        cr_assert_str_eq(json_string_value(json_object_get(r, "kind")), kind);
    else
        cr_assert_null(r);
    json_decref(r);
}

static bool may_prove(bool is_good)
{
    char args[256];
    snprintf(args, sizeof args, "{" TARO ",\"ip\":\"" HOME "\",\"is_good\":%s,\"proves\":true%s}",
             is_good ? "true" : "false", is_good ? "" : ",\"wrong_password\":\"99\"");
    json_t *o = pf_op("sign_in.judge", args, NULL);
    bool allows = json_is_true(json_object_get(o, "allow"));
    json_decref(o);
    return allows;
}

Test(policy_sign_ins, an_owners_lock_is_as_durable_as_a_suspension)
{
    pf_begin(COUNTRIES "notice { from a@example.jp; desk desk@example.jp; }\n");
    sign_in(1, HOME, AUTH_OK);
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
    cr_assert_eq(pf_seen.kills[PF_A], 1);
    cr_assert_eq(pf_seen.kills[PF_B], 1);
    cr_assert_eq(pf_seen.holds, 1);
    while (pf_seen.notices == 0)
        pf_wait();
    cr_assert_eq(sign_in(2, HOME, AUTH_OK).verdict, VERDICT_REFUSE);
    check_standing("locked-by-owner");
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200, "again is the same");
    pf_restart();
    check_standing("locked-by-owner");
    cr_assert_eq(sign_in(3, HOME, AUTH_OK).verdict, VERDICT_REFUSE);
    json_t *o = pf_op("mailbox.allow", "{" TARO ",\"ip\":\"" HOME "\",\"protocol\":\"imap\"}", NULL);
    cr_assert(json_is_false(json_object_get(o, "allow")));
    json_decref(o);
    cr_assert_eq(status_of("restriction.owner-is-back", "{" TARO "}"), 200);
    check_standing(NULL);
    cr_assert_eq(pf_seen.let_go, 1);
    cr_assert_eq(sign_in(4, HOME, AUTH_OK).verdict, VERDICT_ALLOW);
    cr_assert_eq(status_of("restriction.lock", "{}"), 400);
}

Test(policy_sign_ins, the_owner_lifts_no_suspension)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(status_of("restriction.suspend", "{" TARO ",\"note\":\"spam\"}"), 200);
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
    check_standing("suspended");
    cr_assert_eq(status_of("restriction.owner-is-back", "{" TARO "}"), 200);
    check_standing("suspended");
    cr_assert_not(may_prove(true));
}

Test(policy_sign_ins, a_suspension_takes_the_place_of_an_owners_lock)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
    cr_assert_eq(status_of("restriction.suspend", "{" TARO ",\"note\":\"spam\"}"), 200);
    check_standing("suspended");
    pf_restart();
    check_standing("suspended");
    cr_assert_eq(status_of("restriction.owner-is-back", "{" TARO "}"), 200);
    check_standing("suspended");
}

#define SUSPEND_2H "{" TARO ",\"note\":\"spam\",\"hours\":2}"
#define HOURS_MS   INT64_C(3600000)

/* What is told, and in which order, makes no difference: the stranger who has the password is not let in by time. */
Test(policy_sign_ins, an_owners_lock_outlasts_a_suspension_that_ends_by_itself)
{
    static const char *const ops[][2] = {{"restriction.suspend", "restriction.lock"},
                                         {"restriction.lock", "restriction.suspend"}};
    for (unsigned i = 0; i < 2; i++) {
        pf_begin(COUNTRIES);
        for (unsigned k = 0; k < 2; k++)
            cr_assert_eq(status_of(ops[i][k], ops[i][k][12] == 's' ? SUSPEND_2H : "{" TARO "}"), 200);
        cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200, "again is the same");
        check_standing("suspended");
        pf_restart();
        check_standing("suspended");
        pf_advance(2 * HOURS_MS);
        pf_advance(2000);
        check_standing("locked-by-owner");
        cr_assert_eq(sign_in(1, HOME, AUTH_OK).verdict, VERDICT_REFUSE);
        cr_assert_eq(pf_seen.let_go, 0);
        pf_restart();
        check_standing("locked-by-owner");
        cr_assert_eq(status_of("restriction.owner-is-back", "{" TARO "}"), 200);
        check_standing(NULL);
        cr_assert_eq(pf_seen.let_go, 1);
        cr_assert_eq(sign_in(2, HOME, AUTH_OK).verdict, VERDICT_ALLOW);
        pf_end();
    }
    pf_begin(COUNTRIES);
}

Test(policy_sign_ins, an_owner_who_is_back_before_the_suspension_ends_is_free_with_its_end)
{
    pf_begin(COUNTRIES);
    cr_assert_eq(status_of("restriction.suspend", SUSPEND_2H), 200);
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
    json_t *o = pf_op("restriction.owner-is-back", "{" TARO "}", NULL);
    cr_assert(json_is_false(json_object_get(o, "released")), "the suspension stands");
    json_decref(o);
    pf_advance(2 * HOURS_MS);
    pf_advance(2000);
    check_standing(NULL);
    cr_assert_eq(sign_in(1, HOME, AUTH_OK).verdict, VERDICT_ALLOW);
}

Test(policy_sign_ins, the_desk_lifts_it_too)
{
    char args[128];
    pf_begin(COUNTRIES);
    cr_assert_eq(status_of("restriction.lock", "{" TARO ",\"note\":\"by telephone\"}"), 200);
    json_t *r = standing();
    cr_assert_str_eq(json_string_value(json_object_get(r, "because")), "by telephone");
    snprintf(args, sizeof args, "{\"id\":\"%s\",\"note\":\"it was the owner\"}",
             json_string_value(json_object_get(r, "id")));
    json_decref(r);
    cr_assert_eq(status_of("restriction.release", args), 200);
    cr_assert_eq(sign_in(1, HOME, AUTH_OK).verdict, VERDICT_ALLOW);
}

Test(policy_sign_ins, who_locks_and_unlocks_himself_gains_nothing)
{
    pf_begin(COUNTRIES "rule day { count messages; per account; within 1d; limit 2; then defer; }\n");
    for (uint64_t session = 1; session <= 3; session++) {
        sign_in(session, HOME, AUTH_OK);
        pf_mail(PF_A, session, HOME, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN);
        struct pf_answer a = pf_quota(PF_A, session, HOME, PF_TARO, PF_TARO_LOGIN, 1);
        cr_assert_eq(a.verdict, session < 3 ? VERDICT_ALLOW : VERDICT_DEFER);
        pf_settle(PF_A, session, a.reservation, true);
        cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
        cr_assert_eq(status_of("restriction.owner-is-back", "{" TARO "}"), 200);
    }
}

Test(policy_sign_ins, a_password_is_proved_in_spite_of_the_owners_lock_and_not_by_guessing)
{
    pf_begin(COUNTRIES "accounts { overseas block; }\n"
                       "rule guess { count failures; per account; within 1h; limit 3; then lock; lock 1h; }\n");
    cr_assert_eq(status_of("restriction.lock", "{" TARO "}"), 200);
    cr_assert(may_prove(true));
    for (int i = 0; i < 3; i++)
        cr_assert_not(may_prove(false));
    cr_assert_not(may_prove(true), "too many wrong ones");
    cr_assert(strncmp(listed(), "page:wrong-password JP 192.0.2.1 3", 34) == 0, "%s", listed());
}
