#include "msa/console/ops.h"

#define SMALL       4096u
#define LARGE       (800u * 1024) /* a list of accounts to import */
#define SETTINGS    (32u * 1024)
#define MANY        (400u * 1024) /* a thousand logins; ids are put beside them */
#define AT_ONCE_MS  800           /* mail servers wait no longer than two seconds */
#define SOON_MS     5000
#define PATIENT_MS  30000         /* password hashes, a walk over the queue */
#define RELOAD_MS   90000         /* every role has its own time to answer the supervisor */

const struct console_op console_ops[] = {
    {"account.add", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.passwd", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.show", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"account.list", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.remove", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.enable", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.disable", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"account.import", ROLE_AUTH, LARGE, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.list", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.show", ROLE_RELAY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"queue.cat", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.flush", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.hold", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.release", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.delete", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"queue.return", ROLE_RELAY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"mailbox.allow", ROLE_POLICY, SMALL, AT_ONCE_MS, ABOUT_ANY_NAME},
    {"mailbox.report", ROLE_POLICY, SMALL, AT_ONCE_MS, ABOUT_ANY_NAME},
    {"mailbox.judge", ROLE_POLICY, SMALL, AT_ONCE_MS, ABOUT_NO_ACCOUNT},
    {"postfix.judge", ROLE_POLICY, SETTINGS, AT_ONCE_MS, ABOUT_ANY_NAME},
    {"notice.test", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"settings.show", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"settings.set", ROLE_POLICY, SETTINGS, PATIENT_MS, ABOUT_ACCOUNT},
    {"settings.set-many", ROLE_POLICY, MANY, PATIENT_MS, ABOUT_ACCOUNTS},
    {"access.list", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"risk.clear", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"risk.show", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"outcome.report", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ANY_NAME},
    {"geo.lookup", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"auth.status", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"policy.status", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"score.check", ROLE_SCORE, LARGE, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"score.forget", ROLE_SCORE, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"score.learn", ROLE_SCORE, LARGE, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"score.status", ROLE_SCORE, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"score.train", ROLE_SCORE, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"score.train-status", ROLE_SCORE, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"relay.status", ROLE_RELAY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"pool.list", ROLE_RELAY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"pool.show", ROLE_RELAY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"restriction.list", ROLE_POLICY, SMALL, PATIENT_MS, ABOUT_ACCOUNT},
    {"restriction.show", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"restriction.release", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"restriction.suspend", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"account.sign-in-rules", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"app-password.add", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"app-password.list", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"app-password.remove", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"totp.begin", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"totp.confirm", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"totp.off", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"totp.check", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"app-password.check", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"app-password.used", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"sign_in.verify", ROLE_AUTH, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"sign_in.judge", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"token.add", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"token.list", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"token.remove", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"token.check", ROLE_AUTH, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"restriction.lock", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"restriction.owner-is-back", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"restriction.trend", ROLE_POLICY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"rules.list", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"usage.show", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"sign-in.list", ROLE_POLICY, SMALL, SOON_MS, ABOUT_ACCOUNT},
    {"audit.add", ROLE_POLICY, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"audit.list", ROLE_POLICY, SMALL, PATIENT_MS, ABOUT_NO_ACCOUNT},
    {"supervisor.status", ROLE_SUPERVISOR, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"supervisor.config", ROLE_SUPERVISOR, SMALL, SOON_MS, ABOUT_NO_ACCOUNT},
    {"supervisor.reload", ROLE_SUPERVISOR, SMALL, RELOAD_MS, ABOUT_NO_ACCOUNT},
};

const size_t console_op_count = sizeof console_ops / sizeof console_ops[0];

const struct console_op *console_op_find(struct view name)
{
    for (size_t i = 0; i < console_op_count; i++)
        if (view_eq(view_cstr(console_ops[i].name), name))
            return &console_ops[i];
    return NULL;
}

static bool is_one_of(const struct console_op *op, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(view_cstr(names[i]), view_cstr(op->name)))
            return true;
    return false;
}

bool console_op_ends_sessions(const struct console_op *op)
{
    static const char *const names[] = {"account.passwd",      "account.disable",  "account.remove",
                                        "restriction.suspend", "restriction.lock", "token.remove"};
    return is_one_of(op, names, sizeof names / sizeof names[0]);
}

bool console_op_is_internal(const struct console_op *op)
{
    static const char *const names[] = {"sign_in.verify", "sign_in.judge", "token.check", "audit.add",
                                        "restriction.owner-is-back", "totp.check", "app-password.check",
                                        "app-password.used", "mailbox.judge", "postfix.judge"};
    return is_one_of(op, names, sizeof names / sizeof names[0]);
}

const struct console_status console_statuses[] = {
    {ROLE_SUPERVISOR, "supervisor.status"},
    {ROLE_SMTP, "smtp.status"},
    {ROLE_AUTH, "auth.status"},
    {ROLE_POLICY, "policy.status"},
    {ROLE_SCORE, "score.status"},
    {ROLE_RELAY, "relay.status"},
};

const size_t console_status_count = sizeof console_statuses / sizeof console_statuses[0];
