#include "policy/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "policy/engine/habits.h"
#include "policy/engine/judge.h"
#include "policy/engine/subject.h"
#include "policy/engine/verdict.h"

#define DECISION_BYTES_MAX (4u << 20)
#define TRIES_MAX          8
#define DAY_S              86400u
#define CLOCK_SLACK_MS     600000 /* by which clocks may differ or step back */

struct decision {
    const struct rule_set *set;
    const struct event *event;
    struct subjects *subjects;
    struct verdict *verdict;
    struct circumstances circumstances;
    uint32_t new_recipients;
    bool is_of_source; /* whatever rules take part: the records of its address and network */
};

static bool has_bit(uint8_t events, enum event_kind kind)
{
    return events >> kind & 1;
}

/* ---- rules and their records ---- */

static void need_records(struct decision *d)
{
    enum event_kind kind = d->event->kind;
    subjects_need(d->subjects, PER_ACCOUNT,
                  0); /* known recipients, good networks, epoch */
    if (d->is_of_source) {
        subjects_need(d->subjects, PER_ADDRESS, 0);
        subjects_need(d->subjects, PER_NETWORK, 0);
    }
    if (d->set->asks_mailbox[kind] || kind == EVENT_MAILBOX)
        subjects_need(d->subjects, PER_EVERYONE, 0); /* whether accesses are reported */
    for (unsigned i = 0; i < d->set->taking_part_count[kind]; i++) {
        enum rule_subject per = d->set->rules[d->set->taking_part[kind][i]].per;
        for (unsigned nth = 0; nth < subject_nth_count(per, d->event); nth++)
            subjects_need(d->subjects, per, nth);
    }
}

/* One rule and one of its subjects. */
struct pairing {
    const struct rule *rule;
    unsigned nth;
    struct record *record;
};

typedef void pairing_fn(struct decision *d, const struct pairing *p);

static void each_pairing(struct decision *d, pairing_fn *fn)
{
    enum event_kind kind = d->event->kind;
    for (unsigned i = 0; i < d->set->taking_part_count[kind]; i++) {
        struct pairing p = {.rule = &d->set->rules[d->set->taking_part[kind][i]]};
        unsigned nth_count = subject_nth_count(p.rule->per, d->event);
        for (p.nth = 0; p.nth < nth_count; p.nth++) {
            p.record = subjects_find(d->subjects, p.rule->per, p.nth);
            if (p.record)
                fn(d, &p);
        }
    }
}

/* ---- locks ---- */

/* The victim is not punished: from networks where the account has signed in before it
 * goes on. */
static bool is_good_network(struct decision *d)
{
    return habits_is_good_network(d->subjects);
}

/* How long the next lock of this subject is: each doubles the one before, a quiet day
 * halves. */
static int64_t grow_lock(struct cell_lock *lock, const struct rule *r, uint32_t now_s)
{
    uint32_t quiet_days =
        lock->last_s && now_s > lock->last_s ? (now_s - lock->last_s) / DAY_S : 0;
    unsigned level = lock->level > quiet_days ? lock->level - quiet_days : 0;
    int64_t length_ms = r->lock_ms;
    for (unsigned i = 0; i < level && length_ms < r->lock_max_ms; i++)
        length_ms *= 2;
    lock->level = (uint8_t)(level < 30 ? level + 1 : level);
    return length_ms < r->lock_max_ms ? length_ms : r->lock_max_ms;
}

/* A lock that was set later than now was set under a wrong date, and shuts nobody out. */
static int64_t lock_until_ms(const struct cell_lock *lock, int64_t now_ms)
{
    bool is_sound = (int64_t)lock->last_s * 1000 <= now_ms + CLOCK_SLACK_MS;
    int64_t until_ms = (int64_t)lock->until_s * 1000;
    return is_sound && until_ms > now_ms ? until_ms : 0;
}

/* 0 if it is locked already or cannot be. */
static int64_t set_lock(struct decision *d, const struct pairing *p)
{
    const struct rule *r = p->rule;
    struct cell *c = record_get(p->record, r->name_hash, CELL_LOCK);
    int64_t now_ms = d->event->at_ms;
    if (!c || lock_until_ms(&c->of.lock, now_ms) > 0)
        return 0;
    struct cell_lock *lock = &c->of.lock;
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    lock->until_s = now_s + (uint32_t)(grow_lock(lock, r, now_s) / 1000);
    lock->last_s = now_s;
    uint32_t forgotten_s = lock->until_s + lock->level * DAY_S;
    if (p->record->keep_until_s < forgotten_s)
        p->record->keep_until_s = forgotten_s;
    p->record->is_changed = true;
    return (int64_t)lock->until_s * 1000;
}

/* True if it holds: the rule has then said what it has to say. */
static bool judge_standing_lock(struct decision *d, const struct pairing *p)
{
    struct cell *c = record_find(p->record, p->rule->name_hash, CELL_LOCK);
    int64_t until_ms = c ? lock_until_ms(&c->of.lock, d->event->at_ms) : 0;
    if (until_ms == 0 || is_good_network(d))
        return false;
    struct reason reason = {.rule = p->rule,
                            .is_shadow = p->rule->is_shadow,
                            .is_standing_lock = true,
                            .until_ms = until_ms};
    verdict_add_reason(d->verdict, &reason);
    verdict_fold(d->verdict, p->rule, p->rule->actions & (THEN_LOCK | THEN_DELAY));
    return true;
}

/* ---- one rule ---- */

static void act(struct decision *d, const struct pairing *p, uint32_t value)
{
    const struct rule *r = p->rule;
    struct verdict *v = d->verdict;
    struct reason reason = {.rule = r,
                            .value = value,
                            .limit = rule_limit_for(r, d->event),
                            .is_shadow = r->is_shadow};
    unsigned actions = r->actions;
    judge_grounds(r, p->record, value, reason.grounds, sizeof reason.grounds);
    if (actions & THEN_LOCK) {
        reason.until_ms = set_lock(d, p);
        if (!r->is_shadow && v->lock_until_ms < reason.until_ms)
            v->lock_until_ms = reason.until_ms;
        if (is_good_network(d))
            actions &= ~(unsigned)THEN_LOCK;
    }
    verdict_add_reason(v, &reason);
    verdict_fold(v, r, actions);
}

static bool matches(const struct decision *d, const struct pairing *p)
{
    return rule_matches(p->rule, d->event, &d->circumstances, p->nth);
}

/* What is used up: would this event go beyond? */
static void judge_limit(struct decision *d, const struct pairing *p, bool is_locked)
{
    uint32_t amount = judge_amount(p->rule, d->event, p->nth, d->new_recipients);
    uint32_t value = judge_value(p->rule, d->event, p->record);
    if (!is_locked && judge_acts(p->rule, d->event, p->record, value, amount))
        act(d, p, value + amount);
}

/* A sign: is noted if this is its event, and judged. The place of a sign-in is noted
 * last: it replaces the one to compare with. */
static void judge_sign(struct decision *d, const struct pairing *p, bool is_locked)
{
    const struct rule *r = p->rule;
    bool notes = has_bit(r->hears, d->event->kind) && r->is_counter;
    bool is_speed = r->count == COUNT_SPEED;
    if (notes && !is_speed)
        judge_note(d->set, r, d->event, p->nth, p->record);
    uint32_t value = judge_value(r, d->event, p->record);
    if (notes && is_speed)
        judge_note(d->set, r, d->event, p->nth, p->record);
    if (!is_locked && judge_acts(r, d->event, p->record, value, 0))
        act(d, p, value);
}

/* What strangers' failures have brought on the account does not hold for its owner. */
static bool is_spared(struct decision *d, const struct rule *r)
{
    return d->event->kind == EVENT_LOGIN && has_bit(r->holds_for, EVENT_LOGIN) &&
           is_good_network(d);
}

static void judge_rule(struct decision *d, const struct pairing *p)
{
    const struct rule *r = p->rule;
    bool is_locked = has_bit(r->locks, d->event->kind) && judge_standing_lock(d, p);
    if (!has_bit(r->hears | r->holds_for, d->event->kind) || !matches(d, p) ||
        is_spared(d, r))
        return;
    if (rule_is_used_up(r->count))
        judge_limit(d, p, is_locked);
    else
        judge_sign(d, p, is_locked);
}

/* Refusals are counted when all other rules have spoken, so that their order does not
 * matter. */
static bool counts_refusals_of(const struct decision *d, const struct rule *r)
{
    return r->count == COUNT_REFUSALS && has_bit(r->hears, d->event->kind);
}

static void judge_first(struct decision *d, const struct pairing *p)
{
    if (!counts_refusals_of(d, p->rule))
        judge_rule(d, p);
}

static void judge_refusals(struct decision *d, const struct pairing *p)
{
    if (counts_refusals_of(d, p->rule))
        judge_rule(d, p);
}

/* ---- after the verdict ---- */

static bool is_to_be_used(const struct decision *d, const struct pairing *p)
{
    return rule_is_used_up(p->rule->count) && has_bit(p->rule->hears, d->event->kind) &&
           matches(d, p);
}

static uint32_t amount_of(const struct decision *d, const struct pairing *p)
{
    return judge_amount(p->rule, d->event, p->nth, d->new_recipients);
}

static void draw(struct decision *d, const struct pairing *p)
{
    if (is_to_be_used(d, p))
        judge_draw(p->rule, d->event, p->record, amount_of(d, p));
}

static void use_up(struct decision *d, const struct pairing *p)
{
    if (p->rule->is_counter && is_to_be_used(d, p))
        judge_use(p->rule, d->event, p->record, amount_of(d, p));
}

/* A recipient that was tried stays known, so it is not given back as a new one. */
static bool is_to_be_given_back(const struct decision *d, const struct pairing *p)
{
    return p->rule->count != COUNT_NEW_RECIPIENTS && is_to_be_used(d, p);
}

static void refill(struct decision *d, const struct pairing *p)
{
    if (is_to_be_given_back(d, p))
        judge_refill(p->rule, d->event, p->record, amount_of(d, p));
}

static void give_back(struct decision *d, const struct pairing *p)
{
    if (p->rule->is_counter && is_to_be_given_back(d, p))
        judge_give_back(p->rule, d->event, p->record, amount_of(d, p));
}

/* What the rules saw that a reason's rule asks for: when all of them have noted this
 * event. */
static void add_grounds_of_others(struct decision *d, const struct rule *r, char *grounds,
                                  size_t size)
{
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    for (unsigned i = 0; account && i < r->when.also_count && i < ALSO_MAX; i++) {
        const struct rule *other = &d->set->rules[r->also[i]];
        size_t used = strlen(grounds);
        int n = snprintf(grounds + used, size - used, "; %.*s: ", (int)other->name.n,
                         other->name.p);
        if (n < 0 || (size_t)n >= size - used)
            return;
        judge_grounds(other, account, judge_value(other, d->event, account),
                      grounds + used + n, size - used - (size_t)n);
    }
}

static void complete_grounds(struct decision *d)
{
    for (unsigned i = 0; i < d->verdict->reason_count; i++) {
        struct reason *reason = &d->verdict->reasons[i];
        if (!reason->is_standing_lock) /* which asks for nothing any more */
            add_grounds_of_others(d, reason->rule, reason->grounds,
                                  sizeof reason->grounds);
    }
}

static void decide(struct decision *d)
{
    const struct event *e = d->event;
    if (e->kind == EVENT_MESSAGE || e->kind == EVENT_CONTENT)
        d->new_recipients =
            judge_new_recipients(e, subjects_find(d->subjects, PER_ACCOUNT, 0));
    each_pairing(d, judge_first);
    if (!verdict_is_pass(d->verdict))
        each_pairing(d, judge_refusals);
    complete_grounds(d);
    if (!verdict_is_pass(d->verdict))
        return;
    each_pairing(d, draw);
    each_pairing(d, use_up); /* before learn: what is new is still new */
    habits_learn(d->subjects);
    d->verdict->is_counted = true;
}

/* ---- the store around it ---- */

/* Whether the account is at the limit of a rule that others ask for, as things were
 * before this event: so the order of rules does not matter. A rule in shadow holds for
 * none. */
static bool holds(struct decision *d, const struct rule *r, struct record *account)
{
    uint32_t limit = rule_limit_for(r, d->event);
    return !r->is_shadow && limit != UINT32_MAX && limit > 0 &&
           judge_value(r, d->event, account) >= limit;
}

static void read_circumstances(struct decision *d)
{
    struct circumstances *c = &d->verdict->circumstances;
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    habits_read(d->subjects, c);
    bool is_asked = account && d->set->asks_also[d->event->kind];
    for (unsigned i = 0; is_asked && i < d->set->rule_count; i++)
        if (d->set->is_also[i] && holds(d, &d->set->rules[i], account))
            c->also[i / 64] |= UINT64_C(1) << i % 64;
}

typedef void decision_fn(struct decision *d);

static int try_once(struct decision *d, struct store *store, decision_fn *fn)
{
    struct arena arena;
    arena_init(&arena, DECISION_BYTES_MAX);
    verdict_init(d->verdict);
    subjects_init(d->subjects, d->set, d->event, &arena);
    need_records(d);
    int err = subjects_read(d->subjects, store);
    if (err == MSA_OK) {
        fn(d);
        err = subjects_write(d->subjects, store);
    }
    arena_fini(&arena);
    return err;
}

static int with_records(struct decision *d, struct store *store, decision_fn *fn)
{
    d->subjects = malloc(sizeof *d->subjects);
    int err = d->subjects ? MSA_EEXIST : MSA_EAGAIN;
    for (unsigned tries = 0; err == MSA_EEXIST && tries < TRIES_MAX; tries++)
        err = try_once(d, store, fn);
    free(d->subjects);
    if (err == MSA_OK)
        return MSA_OK;
    verdict_init(d->verdict);
    return MSA_EAGAIN;
}

static void decide_here(struct decision *d)
{
    read_circumstances(d);
    d->circumstances = d->verdict->circumstances;
    decide(d);
}

int engine_decide(const struct rule_set *set, struct store *store, const struct event *e,
                  struct verdict *out)
{
    struct decision d = {.set = set, .event = e, .verdict = out};
    return with_records(&d, store, decide_here);
}

static void find_lock(struct decision *d, const struct pairing *p)
{
    if (has_bit(p->rule->locks, d->event->kind))
        (void)judge_standing_lock(d, p);
}

static void decide_locks(struct decision *d)
{
    each_pairing(d, find_lock);
}

int engine_look(const struct rule_set *set, struct store *store, const struct event *e,
                uint32_t values_out[RULES_MAX])
{
    struct arena arena;
    struct subjects *s = malloc(sizeof *s);
    if (!s)
        return MSA_EAGAIN;
    arena_init(&arena, DECISION_BYTES_MAX);
    subjects_init(s, set, e, &arena);
    subjects_need(s, PER_ACCOUNT, 0);
    int err = subjects_read(s, store);
    struct record *account = err == MSA_OK ? subjects_find(s, PER_ACCOUNT, 0) : NULL;
    for (unsigned i = 0; i < set->rule_count; i++)
        values_out[i] = account && set->rules[i].per == PER_ACCOUNT
                            ? judge_value(&set->rules[i], e, account)
                            : 0;
    arena_fini(&arena);
    free(s);
    return err;
}

int engine_find_locks(const struct rule_set *set, struct store *store,
                      const struct event *e, struct verdict *out)
{
    struct decision d = {.set = set, .event = e, .verdict = out};
    return with_records(&d, store, decide_locks);
}

static void decide_give_back(struct decision *d)
{
    each_pairing(d, refill);
    each_pairing(d, give_back);
}

int engine_give_back(const struct rule_set *set, struct store *store,
                     const struct event *e, const struct circumstances *circumstances)
{
    struct verdict ignored;
    struct decision d = {
        .set = set, .event = e, .verdict = &ignored, .circumstances = *circumstances};
    return with_records(&d, store, decide_give_back);
}

static void decide_forget(struct decision *d)
{
    struct record *account = subjects_find(d->subjects, PER_ACCOUNT, 0);
    if (!account)
        return;
    record_forget_counts(account);
    account->epoch++;
}

int engine_forget_account(const struct rule_set *set, struct store *store,
                          uint64_t account, int64_t now_ms)
{
    struct verdict ignored;
    struct event e = {.kind = EVENT_REJECTED, .at_ms = now_ms, .account = account};
    struct decision d = {.set = set, .event = &e, .verdict = &ignored};
    return with_records(&d, store, decide_forget);
}

static void decide_forget_source(struct decision *d)
{
    struct record *address = subjects_find(d->subjects, PER_ADDRESS, 0);
    struct record *network = subjects_find(d->subjects, PER_NETWORK, 0);
    if (address)
        record_forget_counts(address);
    if (network)
        record_forget_counts(network);
}

int engine_forget_source(const struct rule_set *set, struct store *store, const struct ipaddr *ip, int64_t now_ms)
{
    struct verdict ignored;
    struct event e = {.kind = EVENT_CONNECT, .at_ms = now_ms, .ip = *ip};
    struct decision d = {.set = set, .event = &e, .verdict = &ignored, .is_of_source = true};
    return with_records(&d, store, decide_forget_source);
}
