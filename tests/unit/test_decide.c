#include <criterion/criterion.h>

#include "policy/decide.h"

TestSuite(decide, .timeout = 20);

Test(decide, connect_and_login_follow_the_settings)
{
    static const struct {
        enum config_verdict set;
        enum policy_verdict want;
    } cases[] = {
        {CONFIG_ACCEPT, VERDICT_ALLOW},
        {CONFIG_DEFER, VERDICT_DEFER},
        {CONFIG_REFUSE, VERDICT_REFUSE},
    };
    const struct msg_policy_login_ask good = {.result = AUTH_OK};
    for (size_t i = 0; i < 3; i++) {
        struct config_policy p = {.connect = cases[i].set, .login = cases[i].set};
        cr_assert_eq(decide_connect(&p).verdict, cases[i].want);
        cr_assert_eq(decide_login(&p, &good).verdict, cases[i].want);
    }
}

Test(decide, a_failed_login_is_never_allowed)
{
    const struct config_policy p = {.login = CONFIG_ACCEPT};
    for (unsigned result = AUTH_BAD_CREDENTIALS; result <= AUTH_UNAVAILABLE; result++) {
        struct msg_policy_login_ask ask = {.result = (uint8_t)result};
        cr_assert_eq(decide_login(&p, &ask).verdict, VERDICT_REFUSE, "result %u", result);
    }
}

Test(decide, sender_is_ones_own_unless_any_may_be_used)
{
    static const struct {
        const char *sender;
        enum config_senders senders;
        bool null;
        enum policy_verdict want;
    } cases[] = {
        {"taro@example.jp", CONFIG_SENDERS_OWN, false, VERDICT_ALLOW},
        {"Taro@EXAMPLE.jp", CONFIG_SENDERS_OWN, false, VERDICT_ALLOW},
        {"jiro@example.jp", CONFIG_SENDERS_OWN, false, VERDICT_REFUSE},
        {"taro@example.jp.evil.example", CONFIG_SENDERS_OWN, false, VERDICT_REFUSE},
        {"taro", CONFIG_SENDERS_OWN, false, VERDICT_REFUSE},
        {"jiro@example.jp", CONFIG_SENDERS_ANY, false, VERDICT_ALLOW},
        {"", CONFIG_SENDERS_OWN, false, VERDICT_REFUSE},
        {"", CONFIG_SENDERS_ANY, false, VERDICT_REFUSE},
        {"", CONFIG_SENDERS_OWN, true, VERDICT_ALLOW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config_policy p = {.senders = cases[i].senders,
                                  .allow_null_sender = cases[i].null};
        struct msg_policy_mail_ask ask = {.login = VIEW_LIT("taro@example.jp"),
                                          .sender = view_cstr(cases[i].sender)};
        cr_assert_eq(decide_mail(&p, &ask).verdict, cases[i].want, "case %zu", i);
    }
}

Test(decide, an_empty_login_owns_no_address)
{
    cr_assert_not(decide_is_own_address(VIEW_EMPTY, VIEW_EMPTY));
}

Test(decide, route_names_the_pool_and_asks_for_sender_when_from_is_another)
{
    struct config_policy p = {.default_pool = "main", .route = CONFIG_ROUTE_POOL};
    struct msg_policy_route_ask ask = {.login = VIEW_LIT("taro@example.jp"),
                                       .authors = VIEW_LIT("taro@example.jp")};
    struct route r = decide_route(&p, &ask);
    cr_assert_eq(r.decision.verdict, VERDICT_ALLOW);
    cr_assert_str_eq(r.pool, "main");
    cr_assert_not(r.is_held);
    cr_assert_eq(r.sender_field, SENDER_KEEP);
    ask.authors = VIEW_LIT("info@example.jp");
    cr_assert_eq(decide_route(&p, &ask).sender_field, SENDER_SET_LOGIN);
    p.route = CONFIG_ROUTE_HOLD;
    cr_assert(decide_route(&p, &ask).is_held);
    p.route = CONFIG_ROUTE_REJECT;
    cr_assert_eq(decide_route(&p, &ask).decision.verdict, VERDICT_REFUSE);
}
