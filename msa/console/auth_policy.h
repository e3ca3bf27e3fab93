/* What a POP or IMAP server asks and tells at a sign-in, as Dovecot's
 * auth_policy_server_url speaks it:
 *
 *   POST /?command=allow    {"login": "taro@example.jp", "remote": "192.0.2.1",
 * "protocol": "imap", "pwhash": "0a3f", …} POST /?command=report   the same with
 * "success" and "policy_reject", when the outcome is known
 *
 * The answer to allow is {"status": n, "msg": ""}: 0 go on, -1 refuse, n > 0 wait n
 * seconds and go on; to report {"status": "ok"}. Other members are passed over (attrs,
 * tls, session_id, fail_type), as every site may add its own. No reason is ever given: the
 * user is told the same as after a wrong password.
 *
 * Clients of weakforced speak the same; they may say a flag as a text, ask with ping
 * whether somebody is there, and are refused a reset: who is shut out is let in by the
 * support desk.
 *
 * Pure: from JSON to a question and back. auth_policy_door.c serves it. */
#ifndef MSA_CONSOLE_AUTH_POLICY_H
#define MSA_CONSOLE_AUTH_POLICY_H

#include <jansson.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"

enum auth_policy_command {
    AUTH_POLICY_NONE = 0,
    AUTH_POLICY_ALLOW,
    AUTH_POLICY_REPORT,
    AUTH_POLICY_PING,
    AUTH_POLICY_RESET,
};

enum auth_policy_command auth_policy_command(struct view name);

/* Views point into `body` and `program_bytes`; to be ended by auth_policy_question_fini whatever came of it. */
struct auth_policy_question {
    json_t *body;
    struct buf program_bytes;
    enum mailbox_kind kind;
    struct view login; /* as typed, never empty */
    struct ipaddr ip;  /* none: not known */
    struct view protocol;
    struct view program;       /* what the client calls itself, cleaned */
    struct view password_hash; /* with MAILBOX_FAILED */
};

/* MSA_OK; MSA_ENOENT when there is nothing to ask: no name yet, or the report of a refusal that was ours;
 * MSA_EINVAL for what is no such question. */
int auth_policy_question(struct view body, enum auth_policy_command command, struct auth_policy_question *out);
void auth_policy_question_fini(struct auth_policy_question *q);

/* What such a server asks where msad keeps the passwords:
 *
 *   POST /verify   {"login": "taro@example.jp", "password": "…", "remote": "192.0.2.1", "protocol": "imap",
 *                   "device_id": "…"}
 *
 * The answer is {"status": "ok", "login": "taro@example.jp"}, its name in the one form that msad has of it, or
 * {"status": "refused"}, whatever the reason. `*check_out` are the arguments of app-password.check, `*judge_out` those
 * of mailbox.judge that do not depend on what comes of it: new objects. MSA_OK, MSA_EINVAL or MSA_ENOMEM, then with
 * neither. */
int auth_policy_verify_args(struct view body, json_t **check_out, json_t **judge_out);

#define AUTH_POLICY_DELAY_MAX_S 30
#define AUTH_POLICY_GO_ON       0
#define AUTH_POLICY_REFUSE      (-1)

/* The status that says it. */
int auth_policy_status(bool is_allowed, uint32_t delay_ms);

/* Whether a request with these headers carries the token: as X-API-Key, as the password
 * of Basic authentication, or as a Bearer token. Time does not depend on what is wrong.
 */
bool auth_policy_has_token(struct view api_key, struct view authorization,
                           struct view token);

#endif
