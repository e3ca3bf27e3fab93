/* A client connects and signs in. A refused sign-in looks the same whatever the reason,
 * and so does the answer here: what stands against the account is looked up before the
 * result of the password matters. */
#include "msa/base/err.h"
#include "policy/account.h"
#include "policy/answer.h"
#include "policy/enforce.h"
#include "policy/facts.h"
#include "policy/lookalikes.h"
#include "policy/state.h"

/* ---- connect ---- */

static enum policy_verdict verdict_of(enum config_verdict v)
{
    switch (v) {
    case CONFIG_ACCEPT:
        return VERDICT_ALLOW;
    case CONFIG_DEFER:
        return VERDICT_DEFER;
    case CONFIG_REFUSE:
        break;
    }
    return VERDICT_REFUSE;
}

static struct answer fixed(enum config_verdict v)
{
    return (struct answer){.verdict = verdict_of(v)};
}

static struct answer judge_connect(struct policy *p, struct live_session *s,
                                   struct view listener)
{
    struct event e;
    struct verdict v;
    policy_facts(p, EVENT_CONNECT, &s->ip, &s->place, NULL, &e);
    e.is_home = account_default_is_home(p->config, s->place.country);
    e.listener = listener;
    e.address_sessions = sessions_of_source(s).sessions;
    struct answer a = policy_decide(p, &e, VIEW_EMPTY, &v);
    struct answer by_config = fixed(p->config->policy.connect);
    answer_fold(&a, &by_config);
    return a;
}

int policy_on_connect(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_connect_ask ask;
    char country[3] = "";
    struct answer a = {.verdict = VERDICT_DEFER}; /* no memory for one more */
    if (msg_policy_connect_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct live_session *s = policy_session(p, c, ask.session, &ask.client_ip);
    if (s) {
        a = judge_connect(p, s, ask.listener);
        if (s->place.country != COUNTRY_NONE)
            country_text(s->place.country, country);
    }
    policy_count(p, ASKED_CONNECT, a.verdict);
    struct msg_policy_connect_answer answer = {.verdict = (uint8_t)a.verdict,
                                               .delay_ms = a.delay_ms,
                                               .country = view_cstr(country),
                                               .text = view_cstr(a.text)};
    CHAN_SEND(c, policy_connect_answer, m->id, &answer);
    return MSA_OK;
}

int policy_on_disconnect(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_disconnect disconnect;
    (void)c;
    if (msg_policy_disconnect_decode(m->payload, &disconnect) < 0)
        return MSA_EPROTO;
    sessions_end(p->sessions, disconnect.session, policy_session_over, p);
    return MSA_OK;
}

/* ---- sign-in ---- */

static void login_facts(const struct policy *p, const struct sign_in *s, struct event *e)
{
    policy_facts(p, s->is_good ? EVENT_LOGIN : EVENT_LOGIN_FAILED, s->ip, s->place, s->account, e);
    e->listener = s->listener;
    if (s->protocol.n > 0)
        e->protocol = s->protocol;
    e->address_sessions = s->address_sessions;
    e->account_sessions = s->account_sessions;
    e->tried_account_hash = facts_text_hash(p->rules->hash_key, s->account->login);
    e->wrong_password = s->wrong_password;
}

/* What a right password does not change. */
static bool is_shut_out(struct policy *p, const struct sign_in *s, const struct event *e)
{
    if (restrictions_standing(p->restrictions, s->account->id))
        return true;
    if (account_allows_from(s->account, p->config, s->place->country, e->is_home, e->at_ms))
        return false;
    p->counts.overseas_refusals++;
    return true;
}

/* Whoever it was has the password, whatever else is against it. */
static bool is_proven(const struct sign_in *s)
{
    return s->is_good || s->is_disabled || s->is_uncounted || s->is_code_missing;
}

static struct answer judge(struct policy *p, const struct sign_in *s, enum sign_in_result *result_out)
{
    struct event e;
    struct verdict v;
    struct answer a = {.verdict = VERDICT_REFUSE,
                       .text = "suspended"}; /* for the session's log */
    login_facts(p, s, &e);
    *result_out = is_proven(s) ? SIGN_IN_REFUSED : SIGN_IN_WRONG_PASSWORD;
    if (is_shut_out(p, s, &e)) {
        if (s->is_good && !restrictions_standing(p->restrictions, s->account->id)) {
            enforce_overseas(p, &e, s->account->login);
            a = (struct answer){.verdict = VERDICT_REFUSE, .text = "overseas"};
            *result_out = SIGN_IN_OVERSEAS;
        } else if (s->is_good) {
            *result_out = SIGN_IN_RESTRICTED;
        }
        if (s->is_good || s->is_code_missing)
            return a; /* no sign-in took place: nothing is counted */
    }
    if (s->is_uncounted)
        return (struct answer){.verdict = VERDICT_REFUSE};
    a = policy_decide(p, &e, s->account->login, &v);
    a.text[0] = '\0';
    struct answer by_config = fixed(p->config->policy.login);
    answer_fold(&a, &by_config);
    if (!s->is_good && !s->is_code_missing)
        a.verdict = a.verdict == VERDICT_CLOSE ? VERDICT_CLOSE : VERDICT_REFUSE;
    else if (s->is_good && a.verdict == VERDICT_ALLOW)
        *result_out = SIGN_IN_ALLOWED;
    return a;
}

struct answer policy_judge_sign_in(struct policy *p, const struct sign_in *s)
{
    struct sign_in_seen seen = {
        .account = s->account->id,
        .ip = s->ip,
        .place = s->place,
        .protocol = view_eq(s->protocol, VIEW_LIT("console")) ? SIGN_IN_PAGE : SIGN_IN_SMTP,
        .program = s->program,
        .is_proven = is_proven(s),
    };
    struct answer a = judge(p, s, &seen.result);
    policy_note_sign_in(p, &seen);
    return a;
}

/* Whoever holds a session of the page and gives the account's password anew: it proves who he is, and opens nothing. So
 * neither the place nor the owner's own lock stand against it. */
bool policy_may_prove_password(struct policy *p, const struct sign_in *s)
{
    struct event e;
    struct verdict v;
    const struct standing *standing = restrictions_standing(p->restrictions, s->account->id);
    if (!s->is_good) {
        (void)policy_judge_sign_in(p, s);
        return false;
    }
    login_facts(p, s, &e);
    if (standing && standing->kind != RESTRICTION_OWNER_LOCKED)
        return false;
    return !p->counters || engine_find_locks(p->rules, store_lmdb_store(p->counters), &e, &v) != MSA_OK ||
           verdict_is_pass(&v);
}

static struct answer judge_login(struct policy *p, struct live_session *s,
                                 const struct account *account,
                                 const struct msg_policy_login_ask *ask)
{
    const struct sign_in facts = {
        .account = account,
        .ip = &s->ip,
        .place = &s->place,
        .listener = ask->listener,
        .program = ask->helo,
        .is_good = ask->result == AUTH_OK,
        .is_disabled = ask->result == AUTH_DISABLED,
        .is_uncounted = ask->result == AUTH_NOT_THIS_PASSWORD,
        .wrong_password = ask->wrong_password,
        .address_sessions = sessions_of_source(s).sessions,
        /* this one included, which is not the account's before the answer */
        .account_sessions =
            sessions_open_of(p->sessions, account->id).sessions + (s->account != account->id),
    };
    return policy_judge_sign_in(p, &facts);
}

/* The account that signs in, or that was tried. A name that is nobody's is an account of
 * its own. */
static void find_account(struct policy *p, const struct msg_policy_login_ask *ask,
                         struct buf *bytes, struct account *out)
{
    uint64_t id = ask->account;
    if (id == 0 && ask->login.n > 0)
        id = facts_unknown_account(p->rules->hash_key, ask->login);
    account_load(p->ledger, id, bytes, out);
    out->login = ask->login;
    out->created_ms = ask->created_ms;
}

int policy_on_login(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_login_ask ask;
    struct account account;
    struct buf bytes;
    char country[3] = "";
    struct answer a = {.verdict = VERDICT_DEFER};
    if (msg_policy_login_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    find_account(p, &ask, &bytes, &account);
    struct live_session *s = policy_session(p, c, ask.session, &ask.client_ip);
    if (s) {
        a = judge_login(p, s, &account, &ask);
        if (s->place.country != COUNTRY_NONE)
            country_text(s->place.country, country);
    }
    if (s && a.verdict == VERDICT_ALLOW) {
        s->created_ms = account.created_ms;
        lookalikes_learn(p->ledger, account.login);
        if (sessions_sign_in(p->sessions, s, account.id) < 0)
            a.verdict = VERDICT_DEFER;
    }
    policy_count(p, ASKED_LOGIN, a.verdict);
    p->counts.failed_logins += ask.result != AUTH_OK;
    struct msg_policy_login_answer answer = {
        .verdict = (uint8_t)a.verdict,
        .delay_ms = a.delay_ms,
        .account_class = account.class_name,
        .country = view_cstr(country),
        .may_score_content = account_may_score(&account, p->config),
        .may_normalize_newlines = account.normalizes_newlines,
        .text = view_cstr(a.text),
    };
    CHAN_SEND(c, policy_login_answer, m->id, &answer);
    buf_fini(&bytes);
    return MSA_OK;
}
