#include "policy/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "policy/engine/judge.h"
#include "policy/engine/subject.h"

#define DECISION_BYTES_MAX (4u << 20)
#define TRIES_MAX          8
#define DAY_S              86400u

/* What a decision does later in the message's life than it was counted. */
#define LASTING_ACTIONS                                                          \
    (THEN_SCORE | THEN_POOL | THEN_ALIGN | THEN_DELAY | THEN_HOLD | THEN_DEFER | \
     THEN_REFUSE)

struct decision {
    const struct rule_set *set;
    const struct event *event;
    struct subjects *subjects;
    struct verdict *verdict;
    bool has_mailbox_access;
};

/* ---- which rules take part ---- */

/* A sign that was noted at sign-in goes on to hold for the messages of the account or
 * address. */
static bool holds_later(const struct rule *r, const struct event *e)
{
    return !rule_is_used_up(r->count) && r->count != COUNT_SPEED &&
           (r->actions & LASTING_ACTIONS) &&
           (e->kind == EVENT_MESSAGE || e->kind == EVENT_CONTENT);
}

/* An earlier lock by this rule shuts out sign-ins, and messages if it was for messages.
 */
static bool lock_holds_for(const struct rule *r, const struct event *e)
{
    if (!(r->actions & THEN_LOCK))
        return false;
    if (e->kind == EVENT_LOGIN || e->kind == EVENT_LOGIN_FAILED)
        return true;
    return (e->kind == EVENT_TRANSACTION || e->kind == EVENT_MESSAGE) &&
           (rule_is_used_up(r->count) || r->count == COUNT_REJECTED_RECIPIENTS);
}

static bool takes_part(const struct rule *r, const struct event *e)
{
    return rule_hears(r, e->kind) || holds_later(r, e) || lock_holds_for(r, e);
}

static bool rule_is_nth(const struct rule *r, unsigned nth)
{
    return r->per == PER_FINGERPRINT || nth == 0;
}

static void need_records(struct decision *d)
{
    subjects_need(d->subjects, PER_ACCOUNT, 0); /* known recipients, good networks */
    subjects_need(d->subjects, PER_EVERYONE,
                  0); /* whether mailbox accesses are reported */
    for (unsigned i = 0; i < d->set->rule_count; i++) {
        const struct rule *r = &d->set->rules[i];
        if (!takes_part(r, d->event))
            continue;
        for (unsigned nth = 0; nth < FINGERPRINTS_MAX && rule_is_nth(r, nth); nth++)
            subjects_need(d->subjects, r->per, nth);
    }
}

/* ---- reasons ---- */

static struct reason *add_reason(struct verdict *v, const struct rule *r)
{
    unsigned at = 0;
    if (v->reason_count == REASONS_MAX)
        return NULL;
    while (at < v->reason_count && view_cmp(v->reasons[at].rule->name, r->name) <= 0)
        at++;
    memmove(&v->reasons[at + 1], &v->reasons[at],
            (v->reason_count - at) * sizeof v->reasons[0]);
    v->reason_count++;
    v->reasons[at] = (struct reason){.rule = r, .is_shadow = r->is_shadow};
    return &v->reasons[at];
}

static void fold_in(struct verdict *v, const struct rule *r, unsigned actions)
{
    if (r->is_shadow)
        return;
    v->actions |= actions;
    if ((actions & THEN_DELAY) && r->delay_ms > v->delay_ms)
        v->delay_ms = r->delay_ms;
    if (actions & THEN_SCORE)
        v->score_hundredths += r->score_hundredths;
}

/* The pool of the first rule by name, so that the order of the rules does not matter. */
static void choose_pool(struct verdict *v)
{
    for (unsigned i = 0; i < v->reason_count && v->pool.n == 0; i++)
        if (!v->reasons[i].is_shadow && (v->reasons[i].rule->actions & THEN_POOL))
            v->pool = v->reasons[i].rule->pool;
}

/* ---- locks ---- */

/* The victim is not punished: from networks where the account has signed in before it
 * goes on. */
static bool is_good_network(struct decision *d)
{
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    struct cell *c =
        account ? record_find(account, CELL_ID_GOOD_NETWORKS, CELL_DISTINCT) : NULL;
    return c && cell_good_has(c->of.distinct, subject_network_hash(d->set, &d->event->ip),
                              d->event->at_ms);
}

static void set_lock(struct decision *d, const struct rule *r, struct record *rec,
                     struct reason *reason)
{
    struct cell *c = record_get(rec, r->name_hash, CELL_LOCK);
    uint32_t now_s = (uint32_t)(d->event->at_ms / 1000);
    if (!c || c->of.lock.until_s > now_s)
        return;
    struct cell_lock *lock = &c->of.lock;
    uint32_t quiet_days =
        lock->last_s && now_s > lock->last_s ? (now_s - lock->last_s) / DAY_S : 0;
    unsigned level = lock->level > quiet_days ? lock->level - quiet_days : 0;
    int64_t length_ms = r->lock_ms;
    for (unsigned i = 0; i < level && length_ms < r->lock_max_ms; i++)
        length_ms *= 2;
    if (length_ms > r->lock_max_ms)
        length_ms = r->lock_max_ms;
    lock->until_s = now_s + (uint32_t)(length_ms / 1000);
    lock->last_s = now_s;
    lock->level = (uint8_t)(level < 30 ? level + 1 : level);
    rec->is_changed = true;
    if (reason)
        reason->until_ms = (int64_t)lock->until_s * 1000;
    if (!r->is_shadow && d->verdict->lock_until_ms < (int64_t)lock->until_s * 1000)
        d->verdict->lock_until_ms = (int64_t)lock->until_s * 1000;
}

static void judge_standing_lock(struct decision *d, const struct rule *r,
                                struct record *rec)
{
    struct cell *c =
        lock_holds_for(r, d->event) ? record_find(rec, r->name_hash, CELL_LOCK) : NULL;
    int64_t until_ms = c ? (int64_t)c->of.lock.until_s * 1000 : 0;
    if (until_ms <= d->event->at_ms || is_good_network(d))
        return;
    struct reason *reason = add_reason(d->verdict, r);
    if (reason) {
        reason->is_standing_lock = true;
        reason->until_ms = until_ms;
    }
    fold_in(d->verdict, r, THEN_LOCK);
}

/* ---- one rule ---- */

static void act(struct decision *d, const struct rule *r, struct record *rec,
                uint32_t value)
{
    struct reason *reason = add_reason(d->verdict, r);
    if (reason) {
        reason->value = value;
        reason->limit = rule_limit_for(r, d->event);
        judge_grounds(r, d->event, rec, value, reason->grounds, sizeof reason->grounds);
    }
    unsigned actions = r->actions;
    if (actions & THEN_LOCK) {
        set_lock(d, r, rec, reason);
        if (is_good_network(d))
            actions &= ~(unsigned)THEN_LOCK;
    }
    fold_in(d->verdict, r, actions);
}

static void judge_rule(struct decision *d, const struct rule *r, struct record *rec)
{
    judge_standing_lock(d, r, rec);
    bool hears = rule_hears(r, d->event->kind);
    if ((!hears && !holds_later(r, d->event)) ||
        !rule_matches(r, d->event, d->has_mailbox_access))
        return;
    const struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    uint32_t amount = rule_is_used_up(r->count) ? judge_amount(r, d->event, account) : 0;
    bool is_speed = r->count == COUNT_SPEED;
    if (hears && r->is_counter && !rule_is_used_up(r->count) && !is_speed)
        judge_note(d->set, r, d->event, rec);
    uint32_t value = judge_value(r, d->event, rec);
    if (hears && is_speed)
        judge_note(d->set, r, d->event,
                   rec); /* behind: it replaces the place to compare with */
    if (judge_acts(r, d->event, rec, value, amount))
        act(d, r, rec, value + amount);
}

typedef void each_rule_fn(struct decision *d, const struct rule *r, struct record *rec);

static void each_rule(struct decision *d, each_rule_fn *fn)
{
    for (unsigned i = 0; i < d->set->rule_count; i++) {
        const struct rule *r = &d->set->rules[i];
        if (!takes_part(r, d->event))
            continue;
        for (unsigned nth = 0; nth < FINGERPRINTS_MAX && rule_is_nth(r, nth); nth++) {
            struct record *rec = subjects_find(d->subjects, r->per, nth);
            if (rec)
                fn(d, r, rec);
        }
    }
}

/* ---- after the verdict ---- */

static bool is_to_be_used(const struct decision *d, const struct rule *r)
{
    return r->is_counter && rule_is_used_up(r->count) && rule_hears(r, d->event->kind) &&
           rule_matches(r, d->event, d->has_mailbox_access);
}

static void use_up(struct decision *d, const struct rule *r, struct record *rec)
{
    if (!is_to_be_used(d, r))
        return;
    judge_use(r, d->event, rec,
              judge_amount(r, d->event, subjects_find(d->subjects, PER_ACCOUNT, 0)));
}

/* A recipient that was tried stays known, so it is not given back as a new one. */
static void give_back(struct decision *d, const struct rule *r, struct record *rec)
{
    if (is_to_be_used(d, r) && r->count != COUNT_NEW_RECIPIENTS)
        judge_give_back(r, d->event, rec, judge_amount(r, d->event, NULL));
}

/* ---- what is known beside the counts ---- */

static void learn_network(struct decision *d, struct record *account)
{
    struct cell *c = record_get(account, CELL_ID_GOOD_NETWORKS, CELL_DISTINCT);
    if (!c)
        return;
    cell_good_add(c->of.distinct, subject_network_hash(d->set, &d->event->ip),
                  d->event->at_ms);
    account->is_changed = true;
}

/* One note in ten minutes is enough to know that accesses are reported. */
#define FEED_NOTE_MS 600000

static void learn_mailbox(struct decision *d, struct record *account)
{
    const struct event *e = d->event;
    struct record *everyone = subjects_find(d->subjects, PER_EVERYONE, 0);
    struct cell *c = record_get(account, CELL_ID_MAILBOX_NETWORKS, CELL_DISTINCT);
    struct cell *feed = record_get(everyone, CELL_ID_MAILBOX_FEED, CELL_DISTINCT);
    if (!c || !feed)
        return;
    cell_distinct_add(c->of.distinct, subject_network_hash(d->set, &e->ip), e->at_ms);
    account->is_changed = true;
    if (cell_distinct_at(feed->of.distinct, FEED_NOTE_MS, e->at_ms) > 0)
        return;
    cell_distinct_add(feed->of.distinct, 1, e->at_ms);
    everyone->is_changed = true;
}

static void learn_recipients(struct decision *d, struct record *account)
{
    const struct event *e = d->event;
    struct cell *c = record_get(account, CELL_ID_KNOWN_RECIPIENTS, CELL_KNOWN);
    for (uint32_t i = 0; c && i < e->recipients; i++) {
        if (cell_known_has(c->of.known, e->recipient_hashes[i]))
            continue;
        cell_known_add(c->of.known, e->recipient_hashes[i]);
        account->is_changed = true;
    }
}

static void learn(struct decision *d)
{
    const struct event *e = d->event;
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    bool has_ip = !ipaddr_is_none(&e->ip);
    if (!account)
        return;
    if (e->kind == EVENT_LOGIN && has_ip)
        learn_network(d, account);
    if (e->kind == EVENT_MAILBOX && has_ip)
        learn_mailbox(d, account);
    if (e->kind == EVENT_MESSAGE && e->recipient_hashes)
        learn_recipients(d, account);
}

static void judge_signs_and_limits(struct decision *d, const struct rule *r,
                                   struct record *rec)
{
    if (r->count != COUNT_REFUSALS)
        judge_rule(d, r, rec);
}

static void judge_refusals(struct decision *d, const struct rule *r, struct record *rec)
{
    if (r->count == COUNT_REFUSALS)
        judge_rule(d, r, rec);
}

static void decide(struct decision *d)
{
    each_rule(d, judge_signs_and_limits);
    if (!verdict_is_pass(d->verdict))
        each_rule(
            d,
            judge_refusals); /* behind all others, so that their order does not matter */
    choose_pool(d->verdict);
    if (!verdict_is_pass(d->verdict))
        return;
    each_rule(d, use_up); /* before learn: what is new is still new */
    learn(d);
    d->verdict->is_counted = true;
}

/* ---- the store around it ---- */

/* The same user has read mail from this network lately: spammers never do (mission.md
 * 27). Where nobody reports POP and IMAP accesses at all, their absence says nothing, and
 * everybody has the benefit of the doubt. */
static bool has_mailbox_access(struct decision *d)
{
    const struct event *e = d->event;
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    struct record *everyone = subjects_find(d->subjects, PER_EVERYONE, 0);
    struct cell *feed =
        everyone ? record_find(everyone, CELL_ID_MAILBOX_FEED, CELL_DISTINCT) : NULL;
    if (!feed ||
        cell_distinct_at(feed->of.distinct, d->set->mailbox_lately_ms, e->at_ms) == 0)
        return true;
    struct cell *c =
        account ? record_find(account, CELL_ID_MAILBOX_NETWORKS, CELL_DISTINCT) : NULL;
    return c && cell_distinct_has(c->of.distinct, subject_network_hash(d->set, &e->ip),
                                  d->set->mailbox_lately_ms, e->at_ms);
}

typedef void decision_fn(struct decision *d);

static int with_records(const struct rule_set *set, struct store *store,
                        const struct event *e, struct verdict *out, decision_fn *fn)
{
    struct subjects *s = malloc(sizeof *s);
    int err = s ? MSA_EEXIST : MSA_EAGAIN;
    for (unsigned tries = 0; err == MSA_EEXIST && tries < TRIES_MAX; tries++) {
        struct arena arena;
        arena_init(&arena, DECISION_BYTES_MAX);
        *out = (struct verdict){0};
        s->set = set;
        s->event = e;
        s->arena = &arena;
        s->count = 0;
        struct decision d = {.set = set, .event = e, .subjects = s, .verdict = out};
        need_records(&d);
        err = subjects_read(s, store);
        if (err == MSA_OK) {
            d.has_mailbox_access = has_mailbox_access(&d);
            fn(&d);
            err = subjects_write(s, store);
        }
        arena_fini(&arena);
    }
    free(s);
    if (err == MSA_OK)
        return MSA_OK;
    *out = (struct verdict){0};
    return MSA_EAGAIN;
}

int engine_decide(const struct rule_set *set, struct store *store, const struct event *e,
                  struct verdict *out)
{
    return with_records(set, store, e, out, decide);
}

static void decide_give_back(struct decision *d)
{
    each_rule(d, give_back);
}

int engine_give_back(const struct rule_set *set, struct store *store,
                     const struct event *e)
{
    struct verdict ignored;
    return with_records(set, store, e, &ignored, decide_give_back);
}

static void decide_forget(struct decision *d)
{
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    if (account)
        record_forget_counts(account);
}

int engine_forget_account(const struct rule_set *set, struct store *store,
                          uint64_t account)
{
    struct verdict ignored;
    struct event e = {.kind = EVENT_MAILBOX, .account = account};
    return with_records(set, store, &e, &ignored, decide_forget);
}
