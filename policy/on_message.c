/* A message, from MAIL to its end: may the account use this sender, has it something left
 * to send, where does the message go, and what became of it. */
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "policy/account.h"
#include "policy/align.h"
#include "policy/answer.h"
#include "policy/enforce.h"
#include "policy/facts.h"
#include "policy/lookalikes.h"
#include "policy/reservation.h"
#include "policy/state.h"
#include "policy/way.h"

#define WORK_BYTES_MAX (1u << 20) /* hashes of a message's recipients */

/* Who asks: the session, its account, memory for the facts. */
struct asker {
    struct live_session *session; /* NULL: no memory for it */
    struct account account;
    struct buf account_bytes;
    struct arena work;
    bool is_stopped; /* the account was suspended meanwhile */
};

/* A policy that is younger than the session hears of it here. */
static void asker_init(struct policy *p, struct asker *a, struct chan *c,
                       uint64_t session, const struct ipaddr *ip, uint64_t account,
                       struct view login)
{
    arena_init(&a->work, WORK_BYTES_MAX);
    buf_init(&a->account_bytes, ACCOUNT_BYTES_MAX);
    account_load(p->ledger, account, &a->account_bytes, &a->account);
    a->account.login = login;
    a->is_stopped = restrictions_standing(p->restrictions, account) != NULL;
    a->session = policy_session(p, c, session, ip);
    if (a->session && sessions_sign_in(p->sessions, a->session, account) < 0)
        a->session = NULL;
}

static void asker_fini(struct asker *a)
{
    buf_fini(&a->account_bytes);
    arena_fini(&a->work);
}

static struct answer stopped_or_full(const struct asker *a)
{
    struct answer answer = {.verdict = VERDICT_DEFER};
    if (a->is_stopped)
        answer = (struct answer){.verdict = VERDICT_CLOSE, .text = ANSWER_SUSPENDED_TEXT};
    return answer;
}

static void asker_facts(const struct policy *p, struct asker *a, enum event_kind kind,
                        struct event *e)
{
    const struct live_session *s = a->session;
    a->account.created_ms = s->created_ms;
    struct open_counts of_account = sessions_of_account(s),
                       of_source = sessions_of_source(s);
    policy_facts(p, kind, &s->ip, &s->place, &a->account, e);
    e->account_sessions = of_account.sessions;
    e->account_sending = of_account.sending;
    e->address_sessions = of_source.sessions;
    e->address_sending = of_source.sending;
    if (s->listener)
        e->listener = view_cstr(s->listener);
}

/* ---- alignment ---- */

static void log_align(const struct asker *a, const struct align_answer *aligned)
{
    struct log_line l;
    if (aligned->reason == ALIGN_FINE)
        return;
    log_begin(&l, LOG_LEVEL_INFO, "alignment");
    log_view(&l, "user", a->account.login);
    log_ip(&l, "ip", &a->session->ip);
    log_str(&l, "reason", align_reason_name(aligned->reason));
    log_str(&l, "block", aligned->block);
    log_str(&l, "result", aligned->is_refused ? "refused" : "passed");
    log_num(&l, "add_score_milli", aligned->add_score_milli);
    log_end(&l);
}

#define LOOKALIKE_BYTES_MAX 4096

struct lookalike_search {
    struct policy *policy;
    struct view login;
    struct buf found;
};

static struct view find_lookalike(void *arg, struct view skeleton, struct view address)
{
    struct lookalike_search *search = arg;
    return lookalikes_find(search->policy->ledger, skeleton, address, search->login,
                           &search->found);
}

static struct answer said(const struct align_answer *aligned)
{
    struct answer a = answer_allow();
    if (!aligned->is_refused)
        return a;
    a.verdict = VERDICT_REFUSE;
    (void)view_to_cstr(view_cstr(aligned->text), a.text, sizeof a.text);
    return a;
}

/* ---- MAIL ---- */

/* Whoever signed in where he may no longer be does not go on: his journey is over, the configuration is another one, or
 * this process was not there when the sessions from overseas were cut. */
static struct answer judge_mail(struct policy *p, struct asker *a,
                                const struct msg_policy_mail_ask *ask,
                                struct align_answer *aligned)
{
    struct event e;
    struct verdict v;
    char country[3];
    *aligned = (struct align_answer){.text = "", .block = ""};
    if (a->is_stopped || !a->session)
        return stopped_or_full(a);
    a->session->created_ms = ask->created_ms;
    a->session->listener = policy_listener(p, ask->listener);
    sessions_set_sending(a->session, true);
    asker_facts(p, a, EVENT_TRANSACTION, &e);
    if (!account_allows_from(&a->account, p->config, a->session->place.country, e.is_home, e.at_ms))
        return (struct answer){.verdict = VERDICT_CLOSE, .text = ANSWER_OVERSEAS_TEXT};
    struct answer answer = policy_decide(p, &e, a->account.login, &v);
    struct align_who who = align_who_of(&a->account, &e, (v.actions & THEN_ALIGN) != 0, country);
    align_envelope(p->config, &who, ask->sender, aligned);
    log_align(a, aligned);
    struct answer by_sender = said(aligned);
    answer_fold(&answer, &by_sender);
    return answer; /* refused or not, the session says when the transaction is over */
}

int policy_on_mail(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_mail_ask ask;
    struct asker asker;
    struct align_answer aligned;
    if (msg_policy_mail_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    asker_init(p, &asker, c, ask.session, &ask.client_ip, ask.account, ask.login);
    struct answer a = judge_mail(p, &asker, &ask, &aligned);
    asker_fini(&asker);
    policy_count(p, ASKED_MAIL, a.verdict);
    struct msg_policy_mail_answer answer = {
        .verdict = (uint8_t)a.verdict,
        .delay_ms = a.delay_ms,
        .rewritten_sender =
            a.verdict == VERDICT_ALLOW ? view_cstr(aligned.rewritten) : VIEW_EMPTY,
        .text = view_cstr(a.text)};
    CHAN_SEND(c, policy_mail_answer, m->id, &answer);
    return MSA_OK;
}

/* ---- recipients ---- */

/* Two messages of one session do not overlap; what is still here was left behind by a
 * session worker's mistake, and stays used. */
static bool reserve(struct policy *p, struct live_session *s, const struct event *e,
                    const struct verdict *v)
{
    reservation_free(&s->reservation);
    s->reservation = reservation_new(++p->last_reservation, p->rules, e, v);
    return s->reservation != NULL;
}

static int judge_quota(struct policy *p, struct asker *a,
                       const struct msg_policy_quota_ask *ask, struct answer *out)
{
    struct event e;
    struct verdict v;
    /* A session that this process knows no MAIL of: what its account is old is not known
     * either. */
    *out = stopped_or_full(a);
    if (a->is_stopped || !a->session || !a->session->is_sending)
        return MSA_OK;
    asker_facts(p, a, EVENT_MESSAGE, &e);
    e.sender_hash = facts_sender(p->rules->hash_key, ask->sender);
    int err = facts_recipients(p->rules->hash_key, ask->recipients, ask->recipient_count,
                               &a->work, &e);
    if (err == MSA_ENOMEM)
        return MSA_OK;
    if (err < 0)
        return err;
    *out = policy_decide(p, &e, a->account.login, &v);
    if (out->verdict == VERDICT_ALLOW && !reserve(p, a->session, &e, &v)) {
        if (v.is_counted)
            (void)engine_give_back(p->rules, store_lmdb_store(p->counters), &e,
                                   &v.circumstances);
        out->verdict = VERDICT_DEFER;
    }
    return MSA_OK;
}

int policy_on_quota(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_quota_ask ask;
    struct asker asker;
    struct answer a;
    if (msg_policy_quota_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    asker_init(p, &asker, c, ask.session, &ask.client_ip, ask.account, ask.login);
    int err = judge_quota(p, &asker, &ask, &a);
    bool is_reserved = err == MSA_OK && a.verdict == VERDICT_ALLOW;
    uint64_t reservation = is_reserved ? asker.session->reservation->id : 0;
    asker_fini(&asker);
    if (err < 0)
        return err;
    policy_count(p, ASKED_QUOTA, a.verdict);
    struct msg_policy_quota_answer answer = {.verdict = (uint8_t)a.verdict,
                                             .delay_ms = a.delay_ms,
                                             .reservation = reservation,
                                             .text = view_cstr(a.text)};
    CHAN_SEND(c, policy_quota_answer, m->id, &answer);
    return MSA_OK;
}

/* ---- the end of the body ---- */

#define MILLI_IN_HUNDREDTH 10

static void content_facts(const struct policy *p, struct asker *a,
                          const struct msg_policy_route_ask *ask,
                          const struct reservation *r, struct event *e)
{
    asker_facts(p, a, EVENT_CONTENT, e);
    e->bytes = ask->body_bytes;
    e->recipients = r ? r->message.recipients : ask->recipient_count; /* as many as there are hashes of */
    e->score_hundredths = (int32_t)(ipc_score_bounded(ask->score_milli) / MILLI_IN_HUNDREDTH);
    e->score_hundredths += r ? r->score_hundredths : 0;
    facts_fingerprints(ask->fingerprints, &a->work, e);
    if (!r)
        return;
    e->recipient_hashes = r->message.recipient_hashes;
    e->destinations = r->message.destinations;
    e->destination_count = r->message.destination_count;
}

/* The reservation as the session names it; NULL where another process has made it. */
static struct reservation *reservation_of(const struct asker *a, uint64_t id)
{
    struct reservation *r = a->session ? a->session->reservation : NULL;
    return r && r->id == id ? r : NULL;
}

struct routing {
    struct answer answer;
    int64_t score_milli;
    struct way way;
    enum sender_field sender_field;
};

/* False: refused. The score of what does not align goes into the event. */
static bool align_route(struct policy *p, struct asker *a,
                        const struct msg_policy_route_ask *ask, bool is_strict,
                        struct event *e, struct routing *out)
{
    const struct align_message m = {
        .sender = ask->sender,
        .authors = ask->authors,
        .header_sender = ask->header_sender,
        .resent = ask->resent,
        .shown = ask->shown,
        .findings = ask->header_findings,
    };
    char country[3];
    struct align_answer aligned;
    struct align_who who = align_who_of(&a->account, e, is_strict, country);
    struct lookalike_search search = {.policy = p, .login = a->account.login};
    buf_init(&search.found, LOOKALIKE_BYTES_MAX);
    who.find_lookalike = find_lookalike;
    who.find_arg = &search;
    align_message(p->config, &who, &m, &aligned);
    buf_fini(&search.found);
    log_align(a, &aligned);
    out->sender_field = aligned.sender_field;
    out->answer = said(&aligned);
    if (!is_strict)
        e->score_hundredths += aligned.add_score_milli / MILLI_IN_HUNDREDTH;
    return !aligned.is_refused;
}

static void judge_route(struct policy *p, struct asker *a,
                        const struct msg_policy_route_ask *ask, struct routing *out)
{
    struct event e;
    struct verdict v;
    struct reservation *r = reservation_of(a, ask->reservation);
    bool is_strict = r && r->must_align;
    *out = (struct routing){.answer = stopped_or_full(a), .way.pool = ""};
    if (a->is_stopped || !a->session)
        return;
    content_facts(p, a, ask, r, &e);
    if (!align_route(p, a, ask, is_strict, &e, out))
        return;
    out->answer = policy_decide(p, &e, a->account.login, &v);
    if (r && out->answer.verdict == VERDICT_ALLOW)
        (void)reservation_add_content(r, p->rules, &e, &v); /* no memory: the count stays */
    if ((v.actions & THEN_ALIGN) && !is_strict && !align_route(p, a, ask, true, &e, out))
        return;
    out->score_milli =
        ((int64_t)e.score_hundredths + v.score_hundredths) * MILLI_IN_HUNDREDTH;
    way_choose(p, &a->account, &e, &v, r, ask, out->score_milli, &out->way, &out->answer);
}

int policy_on_route(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_route_ask ask;
    struct asker asker;
    struct routing r;
    if (msg_policy_route_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    asker_init(p, &asker, c, ask.session, &ask.client_ip, ask.account, ask.login);
    judge_route(p, &asker, &ask, &r);
    asker_fini(&asker);
    policy_count(p, ASKED_ROUTE, r.answer.verdict);
    struct msg_policy_route_answer answer = {
        .verdict = (uint8_t)r.answer.verdict,
        .delay_ms = r.answer.delay_ms,
        .pool = view_cstr(r.way.pool),
        .held_for = (uint8_t)r.way.held_for,
        .sender_field = (uint8_t)r.sender_field,
        .text = view_cstr(r.answer.text),
        .score_milli = r.score_milli,
    };
    CHAN_SEND(c, policy_route_answer, m->id, &answer);
    return MSA_OK;
}

/* ---- what became of it ---- */

static void note_sent(const struct policy *p, const struct msg_policy_settle *settle)
{
    const struct sent_message m = {settle->message, settle->message_id, settle->account, settle->login};
    if (settle->is_kept && settle->message != 0)
        sent_note(&p->sent, &m, clock_wall_ms(), p->config->retention.sent_ms);
}

/* A session that did not get its answer in time does not know what was reserved for it, only that nothing came of it. */
static bool is_given_back(const struct reservation *r, const struct msg_policy_settle *settle)
{
    bool is_meant = r && (r->id == settle->reservation || settle->reservation == 0);
    return is_meant && !settle->is_kept;
}

int policy_on_settle(void *owner, struct chan *c, struct chan_message *m)
{
    struct policy *p = owner;
    struct msg_policy_settle settle;
    (void)c;
    if (msg_policy_settle_decode(m->payload, &settle) < 0)
        return MSA_EPROTO;
    struct live_session *s = sessions_find(p->sessions, settle.session);
    note_sent(p, &settle);
    if (!s)
        return MSA_OK; /* of a process before this one */
    sessions_set_sending(s, false);
    if (is_given_back(s->reservation, &settle) && p->counters)
        reservation_give_back(s->reservation, p->rules, store_lmdb_store(p->counters));
    reservation_free(&s->reservation);
    return MSA_OK;
}
