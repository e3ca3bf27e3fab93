/* The table of the API. Field lists that several routes share come first. */
#include "msa/console/api_call.h"

#define END {.name = NULL}

#define LIMIT                                                                                      \
    {.name = "limit", .type = API_NUMBER, .min = 1, .max = 1000, .doc = "at most so many"}
#define CURSOR                                                                                     \
    {.name = "cursor", .arg = "after", .min = 1, .max = 400, .doc = "`next` of the page before"}
/* For the record of changes; the people of the desk must say it. */
#define WHY                                                                                        \
    {.name = API_WHY, .arg = "", .min = 1, .max = 500, .flags = API_NOT_CUSTOMER | API_REQUIRED,   \
     .doc = "why it is done: it stays with the record"}
#define WHY_NOTE                                                                                   \
    {.name = API_WHY, .arg = "note", .min = 1, .max = 500,                                         \
     .flags = API_NOT_CUSTOMER | API_REQUIRED, .doc = "why it is done: it stays with the record"}
#define WHY_IF_ANY                                                                                 \
    {.name = API_WHY, .arg = "", .min = 1, .max = 500, .flags = API_NOT_CUSTOMER,                  \
     .doc = "why it is done: it stays with the record"}

#define FIELDS(name) static const struct api_field name[]

FIELDS(page) = {LIMIT, CURSOR, END};
FIELDS(why) = {WHY, END};
FIELDS(why_note) = {WHY_NOTE, END};

FIELDS(new_account) = {
    {.name = "login", .min = 1, .max = 320, .flags = API_REQUIRED, .doc = "user@domain"},
    {.name = "password", .min = 1, .max = 1024, .flags = API_SECRET, .doc = "in clear; kept as a verifier"},
    {.name = "hash", .min = 1, .max = 512, .flags = API_SECRET,
     .doc = "in place of a password: {SCRAM-SHA-256}, {ARGON2ID}, {CRYPT} …"},
    {.name = "disabled", .type = API_FLAG, .doc = "it may not sign in yet"},
    WHY_IF_ANY,
    END,
};

FIELDS(new_password) = {
    {.name = "password", .min = 1, .max = 1024, .flags = API_SECRET | API_REQUIRED,
     .doc = "the new one; of a customer: eight characters at least, and not the one that he has"},
    {.name = "current", .min = 1, .max = 1024, .flags = API_SECRET,
     .doc = "of a customer, who must say it: the one that he has"},
    WHY,
    END,
};

FIELDS(import) = {
    {.name = "lines", .type = API_TEXTS, .max = 10000, .flags = API_REQUIRED | API_SECRET,
     .doc = "login:hash each"},
    {.name = "replace", .type = API_FLAG, .doc = "give accounts that are there the new secret"},
    WHY,
    END,
};

#define SETTINGS                                                                                   \
    {.name = "class", .max = 64, .flags = API_NOT_CUSTOMER, .doc = "\"\": none"},                  \
    {.name = "overseas", .words = "allow|block|default",                                           \
     .doc = "whether sending and reading from overseas is blocked"},                               \
    {.name = "home", .type = API_TEXTS, .max = 16,                                                 \
     .doc = "countries (ISO 3166) that are home; none: those of the configuration"},               \
    {.name = "exceptions", .type = API_OBJECTS, .max = 64,                                         \
     .doc = "what is let through: {country, from_ms, until_ms}, each may be left out"},            \
    {.name = "exceptions_add", .type = API_OBJECTS, .max = 64, .doc = "likewise, beside those there"}, \
    {.name = "exceptions_remove", .type = API_OBJECTS, .max = 64, .doc = "likewise"},              \
    {.name = "limits", .type = API_OBJECT, .flags = API_NOT_CUSTOMER,                              \
     .doc = "by rule: a number, \"off\" or \"default\""},                                          \
    {.name = "senders", .type = API_TEXTS, .max = 256, .flags = API_NOT_CUSTOMER,                  \
     .doc = "further addresses that it may send from"},                                            \
    {.name = "senders_add", .type = API_TEXTS, .max = 256, .flags = API_NOT_CUSTOMER, .doc = "likewise"}, \
    {.name = "senders_remove", .type = API_TEXTS, .max = 256, .flags = API_NOT_CUSTOMER, .doc = "likewise"}, \
    {.name = "consent", .words = "yes|no|default", .doc = "whether the content of its mail may be scored"}, \
    {.name = "notice_language", .words = "ja|en|default", .doc = "of mail to the customer"},       \
    {.name = "notice_address", .max = 320, .flags = API_NOT_CUSTOMER, .doc = "\"\": the login"},   \
    {.name = "normalize_newlines", .type = API_FLAG, .flags = API_NOT_CUSTOMER,                    \
     .doc = "mend bare line feeds of an old device"},                                              \
    {.name = "note", .max = 500, .flags = API_NOT_CUSTOMER, .doc = "of the support desk"}

FIELDS(settings) = {SETTINGS, WHY, END};

FIELDS(settings_many) = {
    {.name = "logins", .type = API_TEXTS, .max = 1000, .doc = "whose; or a class"},
    {.name = "class", .max = 64, .doc = "all accounts of it, in pages"},
    CURSOR,
    {.name = "set", .type = API_OBJECT, .flags = API_REQUIRED, .doc = "settings as of one account"},
    {.name = "dry_run", .type = API_FLAG, .doc = "say what would change"},
    WHY,
    END,
};

FIELDS(restrictions) = {
    LIMIT,
    CURSOR,
    {.name = "all", .type = API_FLAG, .doc = "what ever was, not only what stands now"},
    END,
};

FIELDS(suspension) = {
    WHY_NOTE,
    {.name = "hours", .type = API_NUMBER, .min = 1, .max = 8760, .doc = "until it ends by itself; none: never"},
    {.name = "quiet", .type = API_FLAG, .doc = "tell nobody"},
    END,
};

FIELDS(queue_list) = {
    LIMIT,
    CURSOR,
    {.name = "state", .words = "ready|active|waiting|held", .doc = "only these"},
    {.name = "login", .arg = "user", .min = 1, .max = 320, .doc = "only of this account"},
    {.name = "sender", .min = 1, .max = 320, .doc = "only from this envelope sender"},
    {.name = "recipient", .min = 1, .max = 320, .doc = "only to this recipient"},
    {.name = "pool", .min = 1, .max = 64, .doc = "only of this pool"},
    {.name = "held", .type = API_FLAG, .doc = "only what is held, for whatever reason"},
    END,
};

FIELDS(give_back) = {
    {.name = "text", .min = 1, .max = 500, .doc = "a sentence for its sender"},
    WHY,
    END,
};

FIELDS(sign_in) = {
    {.name = "login", .min = 1, .max = 320, .doc = "a customer's"},
    {.name = "password", .min = 1, .max = 1024, .flags = API_SECRET, .doc = "of mail"},
    {.name = "code", .min = 1, .max = 32, .flags = API_SECRET,
     .doc = "of the authenticator, or a recovery code, where the account asks for one"},
    {.name = "token", .min = 1, .max = 128, .flags = API_SECRET, .doc = "in place of both: of a person's role"},
    END,
};

FIELDS(new_app_password) = {
    {.name = "name", .min = 1, .max = 256, .flags = API_REQUIRED, .doc = "of the device: 64 characters at most"},
    {.name = "scopes", .type = API_TEXTS, .max = 3, .words = "smtp|imap|pop", .flags = API_REQUIRED,
     .doc = "what it opens"},
    WHY,
    END,
};

FIELDS(sign_in_rules) = {
    {.name = "app_passwords_only", .type = API_FLAG, .flags = API_REQUIRED,
     .doc = "mail programs may not use the main password"},
    WHY,
    END,
};

FIELDS(totp_code) = {
    {.name = "code", .min = 1, .max = 32, .flags = API_REQUIRED | API_SECRET, .doc = "that the authenticator shows"},
    END,
};

FIELDS(totp_off) = {
    {.name = "code", .min = 1, .max = 32, .flags = API_SECRET,
     .doc = "that the authenticator shows, or a recovery code; customers need one"},
    WHY,
    END,
};

FIELDS(new_token) = {
    {.name = "role", .words = "operator|support|portal", .flags = API_REQUIRED, .doc = "who carries it"},
    {.name = "scopes", .type = API_TEXTS, .max = 32, .words = API_SCOPE_WORDS, .doc = "what it may; none: all that its role may"},
    {.name = "note", .min = 1, .max = 200, .flags = API_REQUIRED, .doc = "who has it and what for"},
    {.name = "days", .type = API_NUMBER, .min = 1, .max = 3650, .doc = "until it ends; none: 365"},
    END,
};

FIELDS(audit_list) = {
    LIMIT,
    CURSOR,
    {.name = "target", .min = 1, .max = 320, .doc = "only what was done to this login, restriction or message"},
    {.name = "actor", .min = 1, .max = 128, .doc = "only what was done by this one"},
    END,
};

FIELDS(outcome) = {
    {.name = "id", .min = 13, .max = 13, .doc = "that msad gave the message: it stands in its Received field"},
    {.name = "message_id", .min = 1, .max = 320, .doc = "of its header"},
    {.name = "login", .min = 1, .max = 320, .doc = "whose mail it was, where neither of these is known"},
    {.name = "code", .type = API_NUMBER, .min = 200, .max = 599, .doc = "of the receiver's reply, such as 550"},
    {.name = "status", .min = 5, .max = 9, .doc = "its enhanced status, such as 5.7.1; one of the two is enough"},
    {.name = "recipient", .min = 1, .max = 320, .doc = "who was to get it"},
    WHY_IF_ANY,
    END,
};

FIELDS(score_check) = {
    {.name = "message", .min = 1, .max = 700000, .flags = API_REQUIRED | API_SECRET,
     .doc = "in base64: 512 KiB of it at most"},
    {.name = "login", .min = 1, .max = 320, .doc = "as if this account had sent it"},
    {.name = "sender", .min = 1, .max = 320, .doc = "envelope sender"},
    {.name = "recipients", .type = API_NUMBER, .min = 1, .max = 100000, .doc = "how many; none: 1"},
    WHY_IF_ANY,
    END,
};

FIELDS(trend) = {
    {.name = "days", .type = API_NUMBER, .min = 1, .max = 90, .doc = "so many, today included; none: 30"},
    END,
};

FIELDS(events) = {
    {.name = "recent", .type = API_NUMBER, .min = 0, .max = 200, .doc = "begin with the last so many; none: 0"},
    END,
};

FIELDS(config) = {
    {.name = "all", .type = API_FLAG, .doc = "defaults, too"},
    END,
};

FIELDS(limit_only) = {LIMIT, END};

#define CUSTOMER_SETTINGS                                                                          \
    "login overseas overseas_blocked home exceptions country from_ms until_ms consent "            \
    "notice_language notice_address changed_ms"
#define CUSTOMER_RESTRICTIONS                                                                      \
    "restrictions next id kind standing at_ms last_ms times until_ms country source told released_ms"

#define CUSTOMER_SIGN_INS                                                                          \
    "sign_ins first_ms last_ms times protocol address country network program result"

#define GET_    .method = HTTP_GET
#define POST_   .method = HTTP_POST
#define PUT_    .method = HTTP_PUT
#define PATCH_  .method = HTTP_PATCH
#define DELETE_ .method = HTTP_DELETE
#define P       API_PREFIX

const struct api_route api_routes[] = {
    /* ---- who asks ---- */
    {POST_, .path = P "/session", .who = WHO_ANYBODY, .fn = api_session_begin, .fields = sign_in, .tag = "session",
     .is_open = true, .summary = "Sign in: a session, its cookie, and the token that its changes carry"},
    {GET_, .path = P "/session", .who = WHO_ANYBODY, .fn = api_session_show, .tag = "session",
     .summary = "Who am I, and what may I; role anybody: nobody is signed in"},
    {DELETE_, .path = P "/session", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER, .fn = api_session_end,
     .tag = "session", .summary = "Sign out"},
    {GET_, .path = P "/tokens", .who = WHO_OPERATOR, .scope = SCOPE_TOKENS_WRITE, .op = "token.list",
     .tag = "tokens", .summary = "Bearer tokens that were given out; their secrets are not kept"},
    {POST_, .path = P "/tokens", .who = WHO_OPERATOR, .scope = SCOPE_TOKENS_WRITE, .op = "token.add",
     .fields = new_token, .tag = "tokens", .summary = "Make one; it is shown this once"},
    {DELETE_, .path = P "/tokens/{id}", .who = WHO_OPERATOR, .scope = SCOPE_TOKENS_WRITE, .op = "token.remove",
     .fields = why, .tag = "tokens", .summary = "Take one back, and end what it signed in"},

    /* ---- accounts ---- */
    {GET_, .path = P "/accounts", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_READ, .op = "account.list",
     .fields = page, .tag = "accounts", .summary = "All accounts, by name"},
    {POST_, .path = P "/accounts", .who = WHO_OPERATOR | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "account.add", .fields = new_account, .tag = "accounts", .summary = "Make one"},
    {POST_, .path = P "/account-imports", .who = WHO_OPERATOR | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "account.import", .fields = import, .tag = "accounts", .summary = "Make many from lines of login:hash"},
    {GET_, .path = P "/accounts/{login}", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_READ, .op = "account.show", .tag = "accounts", .summary = "One account",
     .shown = "login created_ms password_changed_ms app_passwords_only totp"},
    {DELETE_, .path = P "/accounts/{login}", .who = WHO_OPERATOR | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "account.remove", .fields = why, .tag = "accounts", .summary = "Delete it and its password"},
    {PUT_, .path = P "/accounts/{login}/password", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_WRITE, .op = "account.passwd", .way = api_password_change, .fields = new_password,
     .tag = "accounts", .shown = "login released lock_unknown",
     .summary = "Give it another password; its other browser sessions end, and so does its owner's own lock"},
    {POST_, .path = P "/accounts/{login}/enable", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "account.enable", .fields = why, .tag = "accounts", .summary = "Let it sign in again"},
    {POST_, .path = P "/accounts/{login}/disable", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "account.disable", .fields = why, .tag = "accounts", .summary = "Let it sign in no more"},
    {GET_, .path = P "/accounts/{login}/settings", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_READ, .op = "settings.show", .tag = "accounts", .shown = CUSTOMER_SETTINGS,
     .summary = "Its settings: overseas block, exceptions, limits, senders"},
    {PATCH_, .path = P "/accounts/{login}/settings", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_SETTINGS_WRITE, .op = "settings.set", .fields = settings, .tag = "accounts",
     .shown = CUSTOMER_SETTINGS, .summary = "Change what is named; answered when it is on the disk"},
    {POST_, .path = P "/settings-changes", .who = WHO_OPERATOR | WHO_PORTAL, .scope = SCOPE_SETTINGS_WRITE,
     .op = "settings.set-many", .fields = settings_many, .tag = "accounts",
     .summary = "Change the settings of many accounts at once"},
    {GET_, .path = P "/accounts/{login}/access", .who = WHO_DESK, .scope = SCOPE_AUDIT_READ, .op = "access.list",
     .fields = limit_only, .tag = "accounts", .summary = "Who looked at it or changed it, newest first"},
    {GET_, .path = P "/accounts/{login}/sign-ins", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_READ, .op = "sign-in.list", .fields = limit_only, .tag = "accounts",
     .shown = CUSTOMER_SIGN_INS,
     .summary = "Its last sign-ins over SMTP, POP, IMAP and this page, newest first; the same again is counted"},
    {GET_, .path = P "/accounts/{login}/usage", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_READ, .op = "usage.show", .way = api_usage, .tag = "accounts",
     .shown = "usage rule counts per within_ms limit used then mode because",
     .summary = "Its limits, and how much of each is used now"},
    {POST_, .path = P "/accounts/{login}/notice-test", .who = WHO_DESK, .scope = SCOPE_NOTICES_WRITE,
     .op = "notice.test", .fields = why, .tag = "accounts", .summary = "Send a sample of each notice"},

    /* ---- how it signs in ---- */
    {GET_, .path = P "/accounts/{login}/app-passwords", .who = WHO_DESK | WHO_CUSTOMER, .scope = SCOPE_ACCOUNTS_READ,
     .op = "app-password.list", .tag = "sign-in",
     .shown = "app_passwords id name scopes created_ms used_ms used_from",
     .summary = "Its app passwords, and when each was last used"},
    {POST_, .path = P "/accounts/{login}/app-passwords", .who = WHO_DESK | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_WRITE, .op = "app-password.add", .fields = new_app_password, .tag = "sign-in",
     .shown = "id name scopes password",
     .summary = "Make one for a device; it is shown this once"},
    {DELETE_, .path = P "/accounts/{login}/app-passwords/{id}", .who = WHO_DESK | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_WRITE, .op = "app-password.remove", .fields = why, .tag = "sign-in",
     .shown = "id",
     .summary = "Take one back: from now on it opens nothing"},
    {PUT_, .path = P "/accounts/{login}/sign-in-rules", .who = WHO_DESK | WHO_CUSTOMER,
     .scope = SCOPE_ACCOUNTS_WRITE, .op = "account.sign-in-rules", .fields = sign_in_rules, .tag = "sign-in",
     .shown = "login app_passwords_only",
     .summary = "Whether mail programs may use the main password"},
    {POST_, .path = P "/accounts/{login}/totp", .who = WHO_CUSTOMER, .op = "totp.begin", .tag = "sign-in",
     .shown = "secret uri qr",
     .summary = "A new secret for an authenticator; it is shown this once, and asked for once it is confirmed"},
    {PUT_, .path = P "/accounts/{login}/totp", .who = WHO_CUSTOMER, .op = "totp.confirm", .fields = totp_code,
     .tag = "sign-in",
     .shown = "recovery_codes",
     .summary = "Prove that the authenticator has it: from now on pages ask for its codes"},
    {DELETE_, .path = P "/accounts/{login}/totp", .who = WHO_DESK | WHO_CUSTOMER, .scope = SCOPE_ACCOUNTS_WRITE,
     .op = "totp.off", .fields = totp_off, .tag = "sign-in",
     .shown = "login totp",
     .summary = "Ask for codes no more"},

    /* ---- restrictions ---- */
    {GET_, .path = P "/accounts/{login}/restrictions", .who = WHO_DESK | WHO_PORTAL | WHO_CUSTOMER,
     .scope = SCOPE_RESTRICTIONS_READ, .op = "restriction.list", .fields = restrictions, .tag = "restrictions",
     .shown = CUSTOMER_RESTRICTIONS, .summary = "What stands against one account"},
    {POST_, .path = P "/accounts/{login}/suspension", .who = WHO_DESK | WHO_PORTAL,
     .scope = SCOPE_RESTRICTIONS_WRITE, .op = "restriction.suspend", .fields = suspension, .tag = "restrictions",
     .summary = "Shut it out, cut its sessions, hold its mail"},
    {POST_, .path = P "/accounts/{login}/lock", .who = WHO_DESK | WHO_CUSTOMER, .scope = SCOPE_RESTRICTIONS_WRITE,
     .op = "restriction.lock", .fields = why_note, .tag = "restrictions", .shown = "restriction",
     .summary = "\"That was not me\": shut it out, cut its sessions but this one, hold its mail, until its owner has "
                "another password"},
    {GET_, .path = P "/restrictions", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_RESTRICTIONS_READ,
     .op = "restriction.list", .fields = restrictions, .tag = "restrictions",
     .summary = "Who is shut out now, and why; oldest first"},
    {GET_, .path = P "/restrictions/trend", .who = WHO_DESK, .scope = SCOPE_RESTRICTIONS_READ,
     .op = "restriction.trend", .fields = trend, .tag = "restrictions",
     .summary = "How many began on each day, by rule; newest day first. By hand and the like: by kind"},
    {GET_, .path = P "/restrictions/{id}", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_RESTRICTIONS_READ,
     .op = "restriction.show", .tag = "restrictions", .summary = "The whole story of one"},
    {POST_, .path = P "/restrictions/{id}/release", .who = WHO_DESK, .scope = SCOPE_RESTRICTIONS_WRITE,
     .op = "restriction.release", .fields = why_note, .tag = "restrictions", .summary = "Lift it"},

    {GET_, .path = P "/accounts/{login}/risk", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_RESTRICTIONS_READ,
     .op = "risk.show", .tag = "restrictions",
     .summary = "Whether a route's `stay` keeps its mail in another pool: since when, by which score, until when"},
    {DELETE_, .path = P "/accounts/{login}/risk", .who = WHO_DESK, .scope = SCOPE_RESTRICTIONS_WRITE,
     .op = "risk.clear", .fields = why_note, .tag = "restrictions", .summary = "Let its mail go the usual way again"},

    /* ---- what it looks like, and what receivers say of it ---- */
    {POST_, .path = P "/outcomes", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_OUTCOME_WRITE, .op = "outcome.report",
     .fields = outcome, .tag = "outcome", .summary = "A receiver refused a message later on: count it against its sender"},
    {GET_, .path = P "/score", .who = WHO_DESK, .scope = SCOPE_SCORE_READ, .op = "score.status", .tag = "score",
     .summary = "What the classifier has learnt, and how the services do"},
    {POST_, .path = P "/score/check", .who = WHO_DESK, .scope = SCOPE_SCORE_READ, .op = "score.check",
     .fields = score_check, .tag = "score", .summary = "What score a message would get, and why; it is not kept"},

    /* ---- queue ---- */
    {GET_, .path = P "/queue", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_QUEUE_READ, .op = "queue.list",
     .fields = queue_list, .tag = "queue", .summary = "What waits, oldest first"},
    {POST_, .path = P "/queue/flush", .who = WHO_OPERATOR, .scope = SCOPE_QUEUE_WRITE, .op = "queue.flush",
     .fields = why, .tag = "queue", .sets = "all", .summary = "Try everything now"},
    {GET_, .path = P "/queue/{id}", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_QUEUE_READ, .op = "queue.show",
     .tag = "queue", .summary = "Envelope and history of a message, never its content"},
    {GET_, .path = P "/queue/{id}/content", .who = WHO_OPERATOR, .scope = SCOPE_CONTENT_READ, .op = "queue.cat",
     .fields = why, .tag = "queue", .summary = "Its text: somebody's mail is read, which leaves a record"},
    {POST_, .path = P "/queue/{id}/flush", .who = WHO_DESK, .scope = SCOPE_QUEUE_WRITE, .op = "queue.flush",
     .fields = why, .tag = "queue", .summary = "Try it now"},
    {POST_, .path = P "/queue/{id}/hold", .who = WHO_DESK, .scope = SCOPE_QUEUE_WRITE, .op = "queue.hold",
     .fields = why, .tag = "queue", .summary = "Try it no more"},
    {POST_, .path = P "/queue/{id}/release", .who = WHO_DESK, .scope = SCOPE_QUEUE_WRITE, .op = "queue.release",
     .fields = why, .tag = "queue", .summary = "Let go what is held"},
    {POST_, .path = P "/queue/{id}/return", .who = WHO_DESK, .scope = SCOPE_QUEUE_WRITE, .op = "queue.return",
     .fields = give_back, .tag = "queue", .summary = "Send it back to its sender"},
    {DELETE_, .path = P "/queue/{id}", .who = WHO_DESK, .scope = SCOPE_QUEUE_WRITE, .op = "queue.delete",
     .fields = why, .tag = "queue", .summary = "Throw it away, without a notice to its sender"},

    /* ---- the server ---- */
    {GET_, .path = P "/status", .who = WHO_DESK, .scope = SCOPE_STATUS_READ, .fn = api_status, .tag = "server",
     .summary = "How every process is"},
    {GET_, .path = P "/pools", .who = WHO_DESK, .scope = SCOPE_STATUS_READ, .op = "relay.status", .tag = "server",
     .picks = "pools", .summary = "Relay pools and their smarthosts"},
    {GET_, .path = P "/rules", .who = WHO_DESK, .scope = SCOPE_RULES_READ, .op = "rules.list", .tag = "server",
     .summary = "The rules in force and on trial, and how often each has acted since policy began"},
    {GET_, .path = P "/geo/{ip}", .who = WHO_DESK | WHO_PORTAL, .scope = SCOPE_GEO_READ, .op = "geo.lookup",
     .tag = "server", .summary = "The country of an address, and by which databases"},
    {GET_, .path = P "/config", .who = WHO_OPERATOR, .scope = SCOPE_CONFIG_READ, .op = "supervisor.config",
     .fields = config, .tag = "server",
     .summary = "What is in force, and the file and line that says it (none: a default); secrets are left out"},
    {POST_, .path = P "/reload", .who = WHO_OPERATOR, .scope = SCOPE_CONFIG_WRITE, .op = "supervisor.reload",
     .fields = why, .tag = "server", .summary = "Read the configuration and the certificates again"},
    {GET_, .path = P "/events", .who = WHO_DESK, .scope = SCOPE_EVENTS_READ, .fn = api_events, .fields = events,
     .tag = "server",
     .summary = "What happens, as it happens: server-sent events. Last-Event-ID goes on where a reader was; an event "
                "`gap` says that something between is not kept any more. The desk hears of accounts alone"},
    {GET_, .path = P "/audit", .who = WHO_DESK, .scope = SCOPE_AUDIT_READ, .op = "audit.list", .fields = audit_list,
     .tag = "server", .summary = "Every change: who, from where, what, why, how it came out; newest first"},
    {GET_, .path = P "/openapi.json", .who = WHO_ANYBODY, .fn = api_openapi, .tag = "server",
     .summary = "This document"},
};

const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];
