#include "policy/decide.h"

static enum policy_verdict verdict_of(enum config_verdict v)
{
    switch (v) {
    case CONFIG_ACCEPT: return VERDICT_ALLOW;
    case CONFIG_DEFER: return VERDICT_DEFER;
    case CONFIG_REFUSE: break;
    }
    return VERDICT_REFUSE;
}

struct decision decide_connect(const struct config_policy *p)
{
    return (struct decision){verdict_of(p->connect), ""};
}

struct decision decide_login(const struct config_policy *p, const struct msg_policy_login_ask *ask)
{
    if (ask->result != AUTH_OK) /* told only so that it can be counted */
        return (struct decision){VERDICT_REFUSE, ""};
    return (struct decision){verdict_of(p->login), ""};
}

bool decide_is_own_address(struct view login, struct view address)
{
    return address.n > 0 && view_eq_nocase(login, address);
}

struct decision decide_mail(const struct config_policy *p, const struct msg_policy_mail_ask *ask)
{
    if (ask->sender.n == 0)
        return p->allow_null_sender
                   ? (struct decision){VERDICT_ALLOW, ""}
                   : (struct decision){VERDICT_REFUSE, "an empty sender may not be used here"};
    if (p->senders == CONFIG_SENDERS_ANY || decide_is_own_address(ask->login, ask->sender))
        return (struct decision){VERDICT_ALLOW, ""};
    return (struct decision){VERDICT_REFUSE, "this sender address is not yours"};
}

struct route decide_route(const struct config_policy *p, const struct msg_policy_route_ask *ask)
{
    bool is_author = decide_is_own_address(ask->login, ask->authors);
    struct route r = {
        .decision = {VERDICT_ALLOW, ""},
        .pool = p->default_pool,
        .is_held = p->route == CONFIG_ROUTE_HOLD,
        .sender_field = is_author ? SENDER_KEEP : SENDER_SET_LOGIN,
    };
    if (p->route == CONFIG_ROUTE_REJECT)
        r.decision = (struct decision){VERDICT_REFUSE, "message refused by policy"};
    return r;
}
