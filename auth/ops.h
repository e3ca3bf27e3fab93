/* The operations on accounts: arguments in, an HTTP status and a result out.
 *
 *   account.add      {login, password | hash, disabled?}   201 {login, id} · 409 exists
 *   account.passwd   {login, password, is_own?}            200 {login, id} · 404; `is_own`: chosen by its owner, so it
 *                                                          has to be another one, and no short one: 422
 *   account.enable   {login}                               200 {login, id} · 404
 *   account.disable  {login}                               200 {login, id} · 404
 *   account.remove   {login}                               200 {login, id} · 404
 *   account.show     {login | id}                          200 account · 404
 *   account.list     {after?, limit?}                      200 {accounts, next, total}
 *   account.resolve  {logins: […]}                         200 {accounts: [{login, id, created_ms}…], missing: […]}
 *   account.import   {lines, replace?}                     200 {added, replaced, skipped, failed,
 *                                                               errors}
 *   auth.status      {}                                    200
 *   token.add        {role, note, scopes?, days?}          201 {token, id, role, scopes, note, expires_ms}
 *   token.list       {}                                    200 {tokens: […]}, without their secrets
 *   token.remove     {id}                                  200 {id} · 404
 *   token.check      {token}                               200 {id, role, scopes, expires_ms} · 401
 *   sign_in.verify   {login, password}                     200 {login, account, created_ms, is_good, wrong_password,
 *                                                               is_code_needed}
 *   account.sign-in-rules  {login, app_passwords_only}     200 {login, id, app_passwords_only}
 *   app-password.add       {login, name, scopes}           201 {id, name, scopes, password} · 409 too many
 *   app-password.list      {login}                         200 {app_passwords: [{id, name, scopes, created_ms,
 *                                                               used_ms, used_from}…]}
 *   app-password.remove    {login, id}                     200 {id} · 404
 *   app-password.check     {login, password, scope}        as sign_in.verify, for POP and IMAP servers: also app
 *                                                               passwords, and the main one unless it is refused:
 *                                                               then is_uncounted; of an app password app, its id, and
 *                                                               used_today_from, a country, where it was so
 *   app-password.used      {login, id, country}            200 {id} · 404: it was used just now
 *   totp.begin       {login}                               200 {secret, uri, qr} · 409 it is on
 *   totp.confirm     {login, code}                         200 {recovery_codes} · 409 not begun · 422 wrong
 *   totp.off         {login, code?}                        200 {totp: false} · 404 it is off · 422 wrong; customers
 *                                                               need a code
 *   totp.check       {login, code}                         200 {is_good, wrong_code}: uses the code up
 *
 * account = {login, id, enabled, created_ms, password_changed_ms, secret, iterations, scram,
 *            cram_md5}, and with account.show app_passwords_only, totp. A new password (account.passwd) takes the app
 * passwords with it: whoever had the old one may have made some.
 * Bad arguments are 400, a store that is broken or full 503 or 507.
 *
 * They block (key derivations, disk). Those that change something are for the writer's thread, the
 * others for any. */
#ifndef AUTH_OPS_H
#define AUTH_OPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth/exchange.h"
#include "auth/store.h"
#include "auth/verify.h"
#include "msa/base/view.h"

#define OPS_COUNT             25
#define OPS_IMPORT_LINES_MAX 10000
#define OPS_LIST_MAX         1000
#define OPS_DETAIL_MAX       256

/* What only the loop's thread can know, taken before the job. */
struct ops_snapshot {
    struct exchange_counts exchanges;
    size_t queued_count;
    uint64_t cache_hits, cache_misses;
    int64_t now_wall_ms, now_mono_ms;
};

/* Whose sessions are over with a change. */
struct ops_revoked {
    uint64_t account; /* 0: nobody's */
    bool is_all;      /* else those that signed in with `credential`: an app password's id, or 0, the main one */
    uint64_t credential;
};

struct ops_call {
    struct store *store;
    const struct verify_env *env;
    struct view actor; /* as the caller's role says */
    const struct verify_rules *rules;
    const struct ops_snapshot *snapshot;
    char login[STORE_LOGIN_MAX + 1]; /* out: the account that it was about, for the audit log */
    struct ops_revoked revoked;    /* out: by what is durable now */
    uint64_t *replaced;            /* out, likewise: accounts to which an import gave another secret, all of whose
                                      sessions are over; free() */
    size_t replaced_count;
    char detail[OPS_DETAIL_MAX];   /* out: why not */
    const struct finding *finding; /* what saslauthd said, when it was asked; NULL: not yet */
    bool asks;                     /* out: only saslauthd knows. Ask about `login` and `secret`, then run it again */
    struct view secret;            /* out, in the arguments */
};

/* Makes jansson wipe what it frees, in the whole process: before its first use. */
void ops_setup(void);

/* Runs `op`. Returns the status; below 300 with `*answer_out` set, which is the caller's, else
 * with the reason in call->detail. */
int ops_run(struct ops_call *call, struct view op, json_t *args, json_t **answer_out);

/* The operations' names; NULL behind the last. */
const char *ops_name(size_t index);

/* Does it change something? False for operations that do not exist. */
bool ops_is_change(struct view op);

#endif
