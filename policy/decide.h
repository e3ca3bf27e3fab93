/* The answers, as pure functions of settings and question. Quotas are counted in quota.h. */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include <stdbool.h>

#include "msa/config/config.h"
#include "msa/ipc/messages.h"

struct decision {
    enum policy_verdict verdict;
    const char *text; /* for the client, behind the reply's own words; "" for none */
};

struct decision decide_connect(const struct config_policy *p);
struct decision decide_login(const struct config_policy *p, const struct msg_policy_login_ask *ask);

/* An account may use its own address (RFC 6409 §6.1), where the settings do not say any. */
struct decision decide_mail(const struct config_policy *p, const struct msg_policy_mail_ask *ask);

struct route {
    struct decision decision;
    const char *pool;
    bool is_held;
    enum sender_field sender_field;
};

struct route decide_route(const struct config_policy *p, const struct msg_policy_route_ask *ask);

/* Equal but for ASCII case. Domains never differ by case, and accounts are kept in lower case; to
 * compare local parts like that can only ever match an account's own address. */
bool decide_is_own_address(struct view login, struct view address);

#endif
