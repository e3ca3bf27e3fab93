#include "msa/console/auth_policy.h"

#include "msa/base/err.h"
#include "msa/base/ipaddr.h"
#include "msa/base/secret.h"
#include "msa/base/utf8.h"
#include "msa/mail/base64.h"
#include "msa/mail/login.h"

#define PROTOCOL_MAX      16
#define PASSWORD_HASH_MAX 128
#define PROGRAM_MAX       200
#define AUTHORIZATION_MAX 1024
#define PASSWORD_TEXT_MAX 4096

enum auth_policy_command auth_policy_command(struct view name)
{
    static const char *const names[] = {
        [AUTH_POLICY_NONE] = "",
        [AUTH_POLICY_ALLOW] = "allow",
        [AUTH_POLICY_REPORT] = "report",
        [AUTH_POLICY_PING] = "ping",
        [AUTH_POLICY_RESET] = "reset",
    };
    for (unsigned i = AUTH_POLICY_ALLOW; i <= AUTH_POLICY_RESET; i++)
        if (view_eq(name, view_cstr(names[i])))
            return (enum auth_policy_command)i;
    return AUTH_POLICY_NONE;
}

/* ---- the question ---- */

/* Absent is empty; false for another type, and for what is longer or holds a NUL. */
static bool take_text(const json_t *from, const char *key, size_t max, struct view *out)
{
    const json_t *value = json_object_get(from, key);
    *out = VIEW_EMPTY;
    if (!value)
        return true;
    if (!json_is_string(value))
        return false;
    *out = view_of(json_string_value(value), json_string_length(value));
    return out->n <= max && view_find(*out, '\0') == out->n;
}

static bool is_protocol(struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_is_alpha(text.p[i]) && !ascii_is_digit(text.p[i]) && text.p[i] != '-')
            return false;
    return true;
}

/* Of a client on the mail server's own host there may be none, or no address but a word. */
static bool take_address(const json_t *from, struct ipaddr *out)
{
    struct view text;
    if (!take_text(from, "remote", IPADDR_TEXT_MAX, &text))
        return false;
    if (!ipaddr_parse(text, out))
        *out = (struct ipaddr){0};
    return true;
}

/* Whatever stands there is no reason to refuse a sign-in. */
static void take_program(const json_t *from, struct auth_policy_question *q)
{
    const json_t *value = json_object_get(from, "device_id");
    struct view text = view_of(json_string_value(value), json_string_length(value));
    (void)utf8_add_clean(&q->program_bytes, view_slice(text, 0, PROGRAM_MAX));
    q->program = buf_view(&q->program_bytes);
}

static bool take_question(const json_t *from, struct auth_policy_question *q)
{
    if (!json_is_object(from) || !take_text(from, "login", LOGIN_TYPED_MAX, &q->login) ||
        !take_address(from, &q->ip) || !take_text(from, "protocol", PROTOCOL_MAX, &q->protocol) ||
        !is_protocol(q->protocol) || !take_text(from, "pwhash", PASSWORD_HASH_MAX, &q->password_hash))
        return false;
    take_program(from, q);
    return true;
}

/* A flag, or its name in a text. False: neither. */
static bool take_flag(const json_t *value, bool *out)
{
    struct view text = view_cstr(json_string_value(value));
    *out = json_is_true(value) || view_eq(text, VIEW_LIT("true"));
    return json_is_boolean(value) || *out || view_eq(text, VIEW_LIT("false"));
}

static int take_outcome(const json_t *from, struct auth_policy_question *q)
{
    bool is_good, is_ours;
    const json_t *reject = json_object_get(from, "policy_reject");
    if (!take_flag(json_object_get(from, "success"), &is_good))
        return MSA_EINVAL;
    q->kind = is_good ? MAILBOX_SIGNED_IN : MAILBOX_FAILED;
    return take_flag(reject, &is_ours) && is_ours ? MSA_ENOENT : MSA_OK;
}

int auth_policy_question(struct view body, enum auth_policy_command command, struct auth_policy_question *out)
{
    *out = (struct auth_policy_question){
        .kind = MAILBOX_MAY_IT, .body = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL)};
    buf_init(&out->program_bytes, PROGRAM_MAX);
    if (!take_question(out->body, out))
        return MSA_EINVAL;
    if (out->login.n == 0)
        return MSA_ENOENT;
    int err = command == AUTH_POLICY_REPORT ? take_outcome(out->body, out) : MSA_OK;
    if (out->kind != MAILBOX_FAILED)
        out->password_hash = VIEW_EMPTY; /* of the right password nobody needs to know it */
    return err;
}

void auth_policy_question_fini(struct auth_policy_question *q)
{
    buf_fini(&q->program_bytes);
    json_decref(q->body);
    q->body = NULL;
}

/* ---- a password to check ---- */

/* What an app password has to be for; NULL: msad knows nothing that such a server could serve. */
static const char *scope_of(struct view protocol)
{
    static const struct {
        const char *protocol, *scope;
    } names[] = {{"imap", "imap"}, {"sieve", "imap"}, {"pop3", "pop"}, {"smtp", "smtp"}, {"submission", "smtp"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (view_eq_nocase(protocol, view_cstr(names[i].protocol)))
            return names[i].scope;
    return NULL;
}

static json_t *pack_judge(const struct auth_policy_question *q)
{
    char ip[IPADDR_TEXT_MAX];
    ipaddr_format(&q->ip, ip);
    json_t *o = json_pack("{s:s%, s:s, s:s%}", "login", q->login.p, q->login.n, "ip",
                          ipaddr_is_none(&q->ip) ? "" : ip, "protocol", q->protocol.p, q->protocol.n);
    if (o && q->program.n > 0)
        json_object_set_new(o, "program", json_stringn(q->program.p, q->program.n));
    return o;
}

static int pack_verify(const struct auth_policy_question *q, json_t **check_out, json_t **judge_out)
{
    struct view password;
    if (!take_text(q->body, "password", PASSWORD_TEXT_MAX, &password) || password.n == 0 || !scope_of(q->protocol))
        return MSA_EINVAL;
    *check_out = json_pack("{s:s%, s:s%, s:s}", "login", q->login.p, q->login.n, "password", password.p, password.n,
                           "scope", scope_of(q->protocol));
    *judge_out = pack_judge(q);
    return *check_out && *judge_out ? MSA_OK : MSA_ENOMEM;
}

int auth_policy_verify_args(struct view body, json_t **check_out, json_t **judge_out)
{
    struct auth_policy_question q;
    int err = auth_policy_question(body, AUTH_POLICY_ALLOW, &q);
    *check_out = *judge_out = NULL;
    err = err == MSA_OK ? pack_verify(&q, check_out, judge_out) : MSA_EINVAL;
    auth_policy_question_fini(&q);
    if (err == MSA_OK)
        return MSA_OK;
    json_decref(*check_out);
    json_decref(*judge_out);
    *check_out = *judge_out = NULL;
    return err;
}

/* ---- the answer ---- */

int auth_policy_status(bool is_allowed, uint32_t delay_ms)
{
    if (!is_allowed)
        return AUTH_POLICY_REFUSE;
    if (delay_ms > AUTH_POLICY_DELAY_MAX_S * 1000)
        return AUTH_POLICY_DELAY_MAX_S;
    return (int)((delay_ms + 999) / 1000);
}

/* ---- who may ask ---- */

/* Whatever the name says: "name:token". */
static bool is_password(struct view encoded, struct view token)
{
    struct buf decoded;
    buf_init_secret(&decoded, AUTHORIZATION_MAX);
    bool is_good = base64_decode(encoded, &decoded) == MSA_OK;
    struct view password = buf_view(&decoded);
    view_cut(&password, ':');
    is_good = is_good && secret_eq(password, token);
    buf_fini(&decoded);
    return is_good;
}

bool auth_policy_has_token(struct view api_key, struct view authorization,
                           struct view token)
{
    struct view credentials = authorization;
    if (token.n == 0)
        return false;
    if (secret_eq(api_key, token))
        return true;
    struct view scheme = view_cut(&credentials, ' ');
    credentials = view_trim(credentials);
    if (view_eq_nocase(scheme, VIEW_LIT("Bearer")))
        return secret_eq(credentials, token);
    return view_eq_nocase(scheme, VIEW_LIT("Basic")) && is_password(credentials, token);
}
