/* What POP and IMAP servers ask and tell, through the console: may the account sign in from there, and how it came
 * out. The same shuts it out as in a session here, so a thief who may not send may not read either.
 *
 * The door's own questions are policy_mailbox_ask. For those who want to know, and for scripts:
 *
 *   mailbox.allow   {login, ip, protocol, program}                             200 {allow, delay_ms, why}
 *   mailbox.report  {login, ip, protocol, program, success, password_hash?}    200 {}
 *   mailbox.judge   {login, account, created_ms, ip, protocol, program, is_good, is_uncounted, wrong_password}
 *                   what auth found out of a password for them: 200 {allow, delay_ms, country} */
#include "policy/ops.h"

#include <string.h>

#include "msa/base/err.h"
#include "policy/account.h"
#include "policy/enforce.h"
#include "policy/facts.h"
#include "policy/state.h"

/* ---- who, and from where ---- */

/* Rules and records keep the name, which outlives the call. */
static const struct protocol {
    const char *name;
    enum sign_in_protocol kind;
    bool reads_mail; /* a server for sending or filtering does not show that mail is read */
} protocols[] = {
    {"imap", SIGN_IN_IMAP, true}, /* also where none is named */
    {"pop3", SIGN_IN_POP, true},
    {"smtp", SIGN_IN_SMTP, false},
    {"other", SIGN_IN_OTHER, false},
};
#define PROTOCOL_COUNT (sizeof protocols / sizeof protocols[0])

struct access {
    const struct msg_policy_mailbox_ask *ask;
    struct account account;
    struct buf bytes; /* what the account's views point to */
    struct place place;
    const struct protocol *protocol;
    uint64_t wrong_password; /* auth's own hash, the same as of a sign-in here; 0: not known */
};

static const struct protocol *protocol_of(struct view text)
{
    size_t i = 0;
    while (text.n > 0 && i < PROTOCOL_COUNT - 1 && !view_eq_nocase(text, view_cstr(protocols[i].name)))
        i++;
    return &protocols[i];
}

/* A name that is nobody's is an account of its own, as at a sign-in here. To be ended by access_fini. */
static void access_init(struct policy *p, const struct msg_policy_mailbox_ask *m, struct access *a)
{
    uint64_t id = m->account ? m->account : facts_unknown_account(p->hash_key, m->login);
    *a = (struct access){.ask = m, .protocol = protocol_of(m->protocol)};
    buf_init(&a->bytes, ACCOUNT_BYTES_MAX);
    account_load(p->ledger, id, &a->bytes, &a->account);
    a->account.login = m->login;
    a->account.created_ms = m->created_ms;
    geo_lookup(p->geo, &m->client_ip, &a->place);
}

static void access_fini(struct access *a)
{
    buf_fini(&a->bytes);
}

static void access_facts(const struct policy *p, enum event_kind kind, const struct access *a,
                         struct event *e)
{
    policy_facts(p, kind, &a->ask->client_ip, &a->place, &a->account, e);
    e->protocol = view_cstr(a->protocol->name);
}

/* ---- for the owner's list ---- */

static void note(struct policy *p, const struct access *a, enum sign_in_result result, bool is_proven)
{
    const struct sign_in_seen seen = {
        .account = a->account.id,
        .ip = &a->ask->client_ip,
        .place = &a->place,
        .protocol = a->protocol->kind,
        .result = result,
        .program = a->ask->program,
        .is_proven = is_proven,
    };
    policy_note_sign_in(p, &seen);
}

/* ---- may it? ---- */

static bool is_locked(struct policy *p, const struct event *e, int64_t *delay_ms_out)
{
    struct verdict v;
    *delay_ms_out = 0;
    if (!p->counters ||
        engine_find_locks(p->rules, store_lmdb_store(p->counters), e, &v) != MSA_OK)
        return false;
    *delay_ms_out = v.delay_ms;
    return !verdict_is_pass(&v);
}

/* NULL: nothing stands against it. Cheap: two look-ups in memory, two reads of a map; every mail program asks every
 * few minutes. */
static const char *why_not(struct policy *p, const struct access *a, int64_t *delay_ms_out,
                           enum sign_in_result *result_out)
{
    struct event e;
    access_facts(p, EVENT_LOGIN, a, &e);
    *delay_ms_out = 0;
    *result_out = SIGN_IN_RESTRICTED;
    if (restrictions_standing(p->restrictions, a->account.id))
        return "suspended";
    *result_out = SIGN_IN_OVERSEAS;
    if (!ipaddr_is_none(&a->ask->client_ip) &&
        !account_allows_from(&a->account, p->config, a->place.country, e.is_home, e.at_ms))
        return "overseas";
    *result_out = SIGN_IN_REFUSED;
    return is_locked(p, &e, delay_ms_out) ? "locked" : NULL;
}

/* NULL: it may. */
static const char *judge(struct policy *p, const struct access *a, int64_t *delay_ms_out, enum sign_in_result *result_out)
{
    const char *why = why_not(p, a, delay_ms_out, result_out);
    p->counts.mailbox.asked++;
    p->counts.mailbox.refused += why != NULL;
    return why;
}

/* ---- how it came out ---- */

static void failure_facts(const struct policy *p, const struct access *a, struct event *e)
{
    struct view hash = a->ask->password_hash;
    access_facts(p, EVENT_LOGIN_FAILED, a, e);
    e->tried_account_hash = facts_text_hash(p->hash_key, a->account.login);
    e->wrong_password = a->wrong_password;
    if (e->wrong_password == 0 && hash.n > 0)
        e->wrong_password = facts_text_hash(p->hash_key, hash);
}

/* Every mail program says so every few minutes, so it is a line for those who want to replay their log. */
static void log_access(const struct event *e, const struct access *a)
{
    struct log_line l;
    char country[3];
    country_text(e->place.country, country);
    log_begin(&l, LOG_LEVEL_DEBUG, e->kind == EVENT_MAILBOX ? "mailbox-ok" : "mailbox-failed");
    log_view(&l, "user", a->account.login);
    log_ip(&l, "ip", &e->ip);
    log_str(&l, "country", country);
    log_view(&l, "protocol", e->protocol);
    log_end(&l);
}

/* Of an access within ten minutes of another from the same network the engine writes nothing. */
static void tell_success(struct policy *p, const struct access *a)
{
    struct event e;
    struct verdict v;
    note(p, a, SIGN_IN_ALLOWED, true);
    if (a->protocol->reads_mail && !ipaddr_is_none(&a->ask->client_ip)) {
        access_facts(p, EVENT_MAILBOX, a, &e);
        log_access(&e, a);
        p->counts.mailbox.accesses++;
        (void)policy_decide(p, &e, a->account.login, &v);
    }
}

static void tell_failure(struct policy *p, const struct access *a)
{
    struct event e;
    struct verdict v;
    failure_facts(p, a, &e);
    log_access(&e, a);
    p->counts.mailbox.failures++;
    p->counts.failed_logins++;
    (void)policy_decide(p, &e, a->account.login, &v);
    note(p, a, SIGN_IN_WRONG_PASSWORD, false);
}

static void tell_outcome(struct policy *p, const struct access *a)
{
    if (a->ask->kind == MAILBOX_FAILED)
        tell_failure(p, a);
    else
        tell_success(p, a);
}

/* ---- at a sign-in ---- */

int policy_on_mailbox(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_mailbox_ask ask;
    struct access a;
    enum sign_in_result result;
    const char *why = NULL;
    int64_t delay_ms = 0;
    int err = msg_policy_mailbox_ask_decode(m->payload, &ask);
    if (err < 0 || ask.kind > MAILBOX_FAILED || ask.login.n == 0)
        return MSA_EPROTO;
    access_init(p, &ask, &a);
    if (ask.kind == MAILBOX_MAY_IT)
        why = judge(p, &a, &delay_ms, &result);
    else
        tell_outcome(p, &a);
    if (why) /* nobody knows whether the password would have been right */
        note(p, &a, result, false);
    access_fini(&a);
    const struct msg_policy_mailbox_answer answer = {
        .is_allowed = why == NULL, .delay_ms = delay_ms < UINT32_MAX ? (uint32_t)delay_ms : UINT32_MAX};
    (void)CHAN_SEND(c, policy_mailbox_answer, m->id, &answer); /* console is gone: it asks no more */
    return MSA_OK;
}

/* ---- the same as operations, for those who want to know and for scripts ---- */

/* False: refused. */
static bool take_args(const struct admin_call *call, struct msg_policy_mailbox_ask *out)
{
    struct view ip = admin_text(call->args, "ip");
    *out = (struct msg_policy_mailbox_ask){
        .account = (uint64_t)admin_number(call->args, "account", 0),
        .created_ms = admin_number(call->args, "created_ms", 0),
        .login = admin_text(call->args, "login"),
        .protocol = admin_text(call->args, "protocol"),
        .program = admin_text(call->args, "program"),
        .password_hash = admin_text(call->args, "password_hash"),
        .kind = json_is_false(json_object_get(call->args, "success")) ? MAILBOX_FAILED : MAILBOX_SIGNED_IN,
    };
    if (out->login.n > 0 && (ip.n == 0 || ipaddr_parse(ip, &out->client_ip)))
        return true;
    admin_refuse(call->chan, call->id, 400, "'login' is a name, 'ip' an address: they are needed");
    return false;
}

static void op_allow(void *state, const struct admin_call *call)
{
    struct msg_policy_mailbox_ask m;
    struct access a;
    enum sign_in_result result;
    int64_t delay_ms;
    if (!take_args(call, &m))
        return;
    access_init(state, &m, &a);
    const char *why = judge(state, &a, &delay_ms, &result);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:b, s:I, s:s}", "allow", why == NULL, "delay_ms", (json_int_t)delay_ms, "why",
                          why ? why : ""));
    access_fini(&a);
}

static void op_report(void *state, const struct admin_call *call)
{
    struct msg_policy_mailbox_ask m;
    struct access a;
    if (!take_args(call, &m))
        return;
    access_init(state, &m, &a);
    tell_outcome(state, &a);
    admin_reply(call->chan, call->id, 200, json_object());
    access_fini(&a);
}

/* ---- a password that auth checked for such a server: both in one ---- */

/* Whoever it was has the right password. What is against him is told to the owner as at a sign-in here, and counted
 * as little. */
static void tell_refusal(struct policy *p, const struct access *a, enum sign_in_result result)
{
    struct event e;
    note(p, a, result, true);
    if (result != SIGN_IN_OVERSEAS)
        return;
    access_facts(p, EVENT_LOGIN, a, &e);
    p->counts.overseas_refusals++;
    enforce_overseas(p, &e, a->account.login);
}

static void op_judge(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct msg_policy_mailbox_ask m;
    struct access a;
    int64_t delay_ms;
    enum sign_in_result result;
    char country[3] = "";
    bool is_good = admin_flag(call->args, "is_good");
    bool is_uncounted = admin_flag(call->args, "is_uncounted");
    if (!take_args(call, &m))
        return;
    access_init(p, &m, &a);
    if (!view_parse_u64(admin_text(call->args, "wrong_password"), UINT64_MAX, &a.wrong_password))
        a.wrong_password = 0;
    const char *why = judge(p, &a, &delay_ms, &result);
    if (a.place.country != COUNTRY_NONE)
        country_text(a.place.country, country);
    if (!is_good && !is_uncounted)
        tell_failure(p, &a);
    else if (is_good && !why)
        tell_success(p, &a);
    else
        tell_refusal(p, &a, why ? result : SIGN_IN_REFUSED);
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:b, s:I, s:s}", "allow", is_good && !why, "delay_ms", (json_int_t)delay_ms, "country",
                          country));
    access_fini(&a);
}

const struct admin_op policy_ops_mailbox[POLICY_OPS_MAILBOX_COUNT] = {
    {"mailbox.allow", op_allow, false},
    {"mailbox.report", op_report, false},
    {"mailbox.judge", op_judge, false},
};
