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

/* Of a client on the mail server's own host there may be none, or no address but a word.
 */
static struct view address_or_none(struct view text)
{
    struct ipaddr ip;
    return ipaddr_parse(text, &ip) ? text : VIEW_EMPTY;
}

struct question {
    struct view login, remote, protocol, password_hash;
    struct view program; /* what the client calls itself (IMAP ID): any text */
};

/* Whatever stands there is no reason to refuse a sign-in. */
static bool take_program(const json_t *from, struct view *out)
{
    const json_t *value = json_object_get(from, "device_id");
    *out = json_is_string(value) ? view_of(json_string_value(value), json_string_length(value)) : VIEW_EMPTY;
    return true;
}

static bool take_question(const json_t *from, struct question *q)
{
    return json_is_object(from) && take_text(from, "login", LOGIN_TYPED_MAX, &q->login) &&
           take_text(from, "remote", IPADDR_TEXT_MAX, &q->remote) &&
           take_text(from, "protocol", PROTOCOL_MAX, &q->protocol) &&
           is_protocol(q->protocol) &&
           take_text(from, "pwhash", PASSWORD_HASH_MAX, &q->password_hash) && take_program(from, &q->program);
}

static json_t *pack_question(const struct question *q)
{
    struct view ip = address_or_none(q->remote);
    json_t *o = json_pack("{s:s%, s:s%, s:s%}", "login", q->login.p, q->login.n, "ip",
                          ip.n ? ip.p : "", ip.n, "protocol",
                          q->protocol.n ? q->protocol.p : "", q->protocol.n);
    struct buf program;
    buf_init(&program, PROGRAM_MAX);
    (void)utf8_add_clean(&program, view_slice(q->program, 0, PROGRAM_MAX));
    if (o && buf_len(&program) > 0)
        json_object_set_new(o, "program", json_stringn(buf_view(&program).p, buf_len(&program)));
    buf_fini(&program);
    return o;
}

/* A flag, or its name in a text. False: neither. */
static bool take_flag(const json_t *value, bool *out)
{
    struct view text = view_cstr(json_string_value(value));
    *out = json_is_true(value) || view_eq(text, VIEW_LIT("true"));
    return json_is_boolean(value) || *out || view_eq(text, VIEW_LIT("false"));
}

static int pack_report(const struct question *q, const json_t *from, json_t **out)
{
    bool is_good, is_ours;
    const json_t *reject = json_object_get(from, "policy_reject");
    if (!take_flag(json_object_get(from, "success"), &is_good))
        return MSA_EINVAL;
    if (take_flag(reject, &is_ours) && is_ours)
        return MSA_ENOENT;
    *out = pack_question(q);
    if (!*out ||
        json_object_set_new(*out, "success", json_boolean(is_good)) < 0)
        return MSA_ENOMEM;
    /* of the right password nobody needs to know it */
    if (!is_good && q->password_hash.n > 0 &&
        json_object_set_new(*out, "password_hash",
                            json_stringn(q->password_hash.p, q->password_hash.n)) < 0)
        return MSA_ENOMEM;
    return MSA_OK;
}

static int pack(const struct question *q, const json_t *from,
                enum auth_policy_command command, json_t **out)
{
    if (q->login.n == 0)
        return MSA_ENOENT;
    if (command == AUTH_POLICY_REPORT)
        return pack_report(q, from, out);
    *out = pack_question(q);
    return *out ? MSA_OK : MSA_ENOMEM;
}

int auth_policy_args(struct view body, enum auth_policy_command command,
                     json_t **args_out)
{
    struct question q;
    json_t *from = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    *args_out = NULL;
    int err = take_question(from, &q) ? pack(&q, from, command, args_out) : MSA_EINVAL;
    json_decref(from);
    if (err == MSA_OK)
        return MSA_OK;
    json_decref(*args_out);
    *args_out = NULL;
    return err;
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

static int pack_verify(const json_t *from, json_t **check_out, json_t **judge_out)
{
    struct question q;
    struct view password;
    if (!take_question(from, &q) || q.login.n == 0 || !take_text(from, "password", PASSWORD_TEXT_MAX, &password) ||
        password.n == 0 || !scope_of(q.protocol))
        return MSA_EINVAL;
    *check_out = json_pack("{s:s%, s:s%, s:s}", "login", q.login.p, q.login.n, "password", password.p, password.n,
                           "scope", scope_of(q.protocol));
    *judge_out = pack_question(&q);
    return *check_out && *judge_out ? MSA_OK : MSA_ENOMEM;
}

int auth_policy_verify_args(struct view body, json_t **check_out, json_t **judge_out)
{
    json_t *from = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    *check_out = *judge_out = NULL;
    int err = pack_verify(from, check_out, judge_out);
    json_decref(from);
    if (err == MSA_OK)
        return MSA_OK;
    json_decref(*check_out);
    json_decref(*judge_out);
    *check_out = *judge_out = NULL;
    return err;
}

/* ---- the answer ---- */

static int delay_s(json_int_t delay_ms)
{
    if (delay_ms <= 0)
        return AUTH_POLICY_GO_ON;
    if (delay_ms > AUTH_POLICY_DELAY_MAX_S * 1000)
        return AUTH_POLICY_DELAY_MAX_S;
    return (int)((delay_ms + 999) / 1000);
}

bool auth_policy_status(struct view json, int *status_out)
{
    json_t *answer =
        json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *allow = json_object_get(answer, "allow");
    bool is_answer = json_is_boolean(allow);
    if (is_answer)
        *status_out =
            json_is_true(allow)
                ? delay_s(json_integer_value(json_object_get(answer, "delay_ms")))
                : AUTH_POLICY_REFUSE;
    json_decref(answer);
    return is_answer;
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
