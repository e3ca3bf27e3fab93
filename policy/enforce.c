#include "policy/enforce.h"

#include <inttypes.h>
#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/account.h"
#include "policy/mail_hold.h"
#include "policy/privacy.h"
#include "policy/tell.h"
#include "policy/watched.h"
#include "policy/way.h"

/* ---- the log ---- */

static const char *const action_names[] = {"sign",   "notify", "score",  "pool",
                                           "align",  "delay",  "hold",   "defer",
                                           "refuse", "lock",   "suspend"};

void enforce_action_names(unsigned actions, char out[ENFORCE_ACTIONS_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof action_names / sizeof action_names[0]; i++) {
        if (!(actions >> i & 1))
            continue;
        int n = snprintf(out + used, ENFORCE_ACTIONS_MAX - used, "%s%s", used ? "," : "",
                         action_names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void log_actions(struct log_line *l, unsigned actions)
{
    char text[ENFORCE_ACTIONS_MAX];
    enforce_action_names(actions, text);
    log_str(l, "then", text);
}

/* A standing lock speaks at every knock: that is for developers. */
static void log_reason(const struct event *e, const struct reason *r, struct view login)
{
    struct log_line l;
    char country[3];
    country_text(e->place.country, country);
    log_begin(&l, r->is_standing_lock ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "rule");
    log_view(&l, "name", r->rule->name);
    log_str(&l, "mode", r->is_shadow ? "shadow" : "enforce");
    log_actions(&l, r->rule->actions);
    log_view(&l, "user", login);
    log_ip(&l, "ip", &e->ip);
    log_str(&l, "country", country);
    log_num(&l, "value", r->value);
    log_num(&l, "limit", r->limit);
    log_str(&l, "grounds", r->grounds);
    log_end(&l);
}

static void log_restriction(uint64_t id, const struct restriction *r)
{
    struct log_line l;
    char text[MSGID_TEXT_MAX];
    msgid_format(id, text);
    log_begin(&l, LOG_LEVEL_INFO,
              r->released_ms != 0 ? "restriction-released" : "restricted");
    log_str(&l, "id", text);
    log_str(&l, "kind", restriction_kind_name(r->kind));
    log_view(&l, "user", r->login);
    log_view(&l, "rule", r->rule);
    log_view(&l, "grounds", r->grounds);
    log_view(&l, "by", r->released_by);
    log_view(&l, "text", r->release_note);
    log_end(&l);
}

static void say_restriction(struct policy *p, uint64_t id, const struct restriction *r)
{
    log_restriction(id, r);
    watched_restriction(p, id, r);
}

/* ---- sessions and mail of an account ---- */

static void kill_at(struct chan *worker, uint64_t account, const char *text)
{
    const struct msg_policy_kill kill = {.account = account, .text = view_cstr(text)};
    (void)CHAN_SEND(worker, policy_kill, 0, &kill); /* gone: so are its sessions */
}

static void kill_everywhere(struct policy *p, uint64_t account, const char *text)
{
    for (size_t i = 0; i < POLICY_WORKERS_MAX; i++)
        if (p->workers[i])
            kill_at(p->workers[i], account, text);
}

struct recheck {
    const struct policy *policy;
    const struct account *account;
    int64_t now_ms;
    bool has_stranger;
};

static void recheck_one(void *arg, const struct live_session *s)
{
    struct recheck *r = arg;
    bool is_home = account_is_home(r->account, r->policy->config, s->place.country);
    if (!account_allows_from(r->account, r->policy->config, s->place.country, is_home,
                             r->now_ms))
        r->has_stranger = true;
}

void enforce_places(struct policy *p, const struct account *account)
{
    struct recheck r = {.policy = p, .account = account, .now_ms = clock_wall_ms()};
    sessions_each_of(p->sessions, account->id, recheck_one, &r);
    if (r.has_stranger)
        kill_everywhere(p, account->id, ANSWER_OVERSEAS_TEXT);
}

/* ---- records ---- */

static bool is_of_account(enum rule_subject per)
{
    return per == PER_ACCOUNT || per == PER_ACCOUNT_NETWORK || per == PER_ACCOUNT_COUNTRY;
}

static bool is_account(uint64_t account)
{
    return account != 0 && !(account & ACCOUNT_UNKNOWN_BIT);
}

/* A lock of a source, or on a name that is nobody's, is no account's matter. Mail that is held is its sender's, whatever
 * was counted: with the account's record it is let go. */
static void fill_subject(const struct event *e, enum rule_subject per, struct view login,
                         struct restriction *r)
{
    if ((!is_of_account(per) && r->kind != RESTRICTION_HELD) || !is_account(e->account))
        return;
    r->account = e->account;
    r->login = login;
}

/* What was told of it before is not told again: nobody hears twice of a phone that goes
 * on knocking. */
static uint64_t keep(struct policy *p, struct restriction *r, const struct ipaddr *ip,
                     bool notifies)
{
    char source[PRIVACY_SOURCE_MAX];
    bool is_new;
    if (ip && !ipaddr_is_none(ip)) {
        privacy_source(p, ip, source);
        r->source = view_cstr(source);
    }
    uint64_t id = restrictions_add(p->restrictions, r, &is_new);
    way_note_restriction(p, r);
    if (is_new)
        say_restriction(p, id, r);
    if (is_new && notifies)
        tell_restriction(p, id, r);
    return id;
}

static bool notifies(const struct reason *reason)
{
    return (reason->rule->actions & THEN_NOTIFY) != 0;
}

struct view enforce_because(const struct policy *p, struct view rule)
{
    for (uint32_t i = 0; i < p->config->rule_count; i++)
        if (view_eq(view_cstr(p->config->rule[i].name), rule))
            return view_cstr(p->config->rule[i].because);
    return VIEW_EMPTY;
}

/* A suspension is stricter than the owner's lock, and one that ends earlier is less than one that ends later or never.
 * An owner replaces none: he would lift his own. */
static bool gives_way(const struct standing *standing, const struct suspension *s)
{
    bool is_longer = standing->until_ms != 0 && (s->until_ms == 0 || s->until_ms > standing->until_ms);
    return !s->is_by_owner && (standing->kind == RESTRICTION_OWNER_LOCKED || is_longer);
}

/* What the owner has said outlasts a suspension that ends by itself: the stranger still has the password. */
static bool waits_behind(struct policy *p, const struct standing *standing, const struct suspension *s)
{
    return s->is_by_owner && standing->until_ms != 0 &&
           restrictions_owner_lock(p->restrictions, s->account, clock_wall_ms()) == 0;
}

/* A stricter one takes its place; nobody is told of that end. The owner's lock stays, to stand again when the other's
 * time is over. */
static void replace(struct policy *p, const struct standing *standing, const struct suspension *s)
{
    uint64_t id = standing->id;
    if (s->is_by_owner || (standing->kind == RESTRICTION_OWNER_LOCKED && s->until_ms != 0))
        return;
    tell_forget(p, id);
    (void)restrictions_release(p->restrictions, id, VIEW_LIT("msad"), VIEW_LIT("suspended instead"),
                               clock_wall_ms());
}

uint64_t enforce_suspend(struct policy *p, const struct suspension *s)
{
    struct standing *standing = restrictions_standing(p->restrictions, s->account);
    if (standing && !gives_way(standing, s) && !waits_behind(p, standing, s))
        return standing->id;
    if (standing)
        replace(p, standing, s);
    struct restriction r = {
        .kind = s->is_by_owner ? RESTRICTION_OWNER_LOCKED : RESTRICTION_SUSPENDED,
        .account = s->account,
        .at_ms = clock_wall_ms(),
        .until_ms = s->until_ms,
        .country = s->country,
        .login = s->login,
        .rule = s->rule,
        .because = s->because,
        .grounds = s->grounds,
        .told = VIEW_LIT(ANSWER_SUSPENDED_TEXT),
    };
    uint64_t id = keep(p, &r, s->ip, s->notifies);
    p->counts.suspensions++;
    kill_everywhere(p, s->account, ANSWER_SUSPENDED_TEXT);
    mail_hold(p, s->account);
    return id;
}

static void suspend_for(struct policy *p, const struct event *e,
                        const struct reason *reason, struct view login)
{
    const struct suspension s = {
        .account = e->account,
        .login = login,
        .rule = reason->rule->name,
        .because = enforce_because(p, reason->rule->name),
        .grounds = view_cstr(reason->grounds),
        .ip = &e->ip,
        .country = e->place.country,
        .notifies = notifies(reason),
    };
    if (is_account(e->account))
        enforce_suspend(p, &s);
}

/* What else leaves a record: a new lock, mail held back, something not taken. 0: nothing.
 */
static enum restriction_kind kind_of(const struct reason *reason)
{
    unsigned actions = reason->rule->actions;
    if ((actions & THEN_LOCK) && reason->until_ms > 0)
        return RESTRICTION_LOCKED;
    if (actions & THEN_HOLD)
        return RESTRICTION_HELD;
    return actions & (THEN_REFUSE | THEN_DEFER) ? RESTRICTION_LIMITED
                                                : (enum restriction_kind)0;
}

static void record_reason(struct policy *p, const struct event *e,
                          const struct reason *reason, struct view login,
                          const struct answer *told)
{
    struct restriction r = {
        .kind = kind_of(reason),
        .at_ms = e->at_ms,
        .until_ms = reason->until_ms,
        .country = e->place.country,
        .rule = reason->rule->name,
        .because = enforce_because(p, reason->rule->name),
        .grounds = view_cstr(reason->grounds),
        .told = view_cstr(told->text),
    };
    if (reason->is_standing_lock)
        return;
    fill_subject(e, reason->rule->per, login, &r);
    if (r.kind != 0)
        keep(p, &r, &e->ip, notifies(reason));
    else if (notifies(reason))
        tell_warning(p, &r);
}

void enforce_verdict(struct policy *p, const struct event *e, const struct verdict *v,
                     struct view login, const struct answer *told)
{
    bool is_suspended = false;
    for (unsigned i = 0; i < v->reason_count; i++) {
        const struct reason *reason = &v->reasons[i];
        log_reason(e, reason, login);
        if (!reason->is_standing_lock) {
            policy_count_hit(p, reason->rule);
            watched_rule(p, e, reason, login);
        }
        if (reason->is_shadow)
            continue;
        if ((reason->rule->actions & THEN_SUSPEND) && !is_suspended) {
            is_suspended = true; /* the strictest comes first, and tells the grounds */
            suspend_for(p, e, reason, login);
        } else {
            record_reason(p, e, reason, login, told);
        }
    }
}

void enforce_overseas(struct policy *p, const struct event *e, struct view login)
{
    struct restriction r = {
        .kind = RESTRICTION_OVERSEAS,
        .account = e->account,
        .at_ms = e->at_ms,
        .country = e->place.country,
        .login = login,
        .because = VIEW_LIT(ANSWER_OVERSEAS_TEXT),
    };
    keep(p, &r, &e->ip, true);
}

/* ---- release ---- */

static const struct rule *find_rule(const struct policy *p, struct view name)
{
    for (unsigned i = 0; i < p->rules->rule_count; i++)
        if (view_eq(p->rules->rules[i].name, name))
            return &p->rules->rules[i];
    return NULL;
}

/* Of no account: the record tells whose address it is, if privacy lets it. What holds for more than that, or the rule of
 * which is gone, ends by itself. */
static bool find_source(const struct policy *p, const struct restriction *r, struct ipaddr *out)
{
    const struct rule *rule = find_rule(p, r->rule);
    struct view bits = r->source, address = view_cut(&bits, '/');
    bool is_known = rule && ((rule->per == PER_ADDRESS && bits.n == 0) || rule->per == PER_NETWORK);
    return is_known && ipaddr_parse(address, out);
}

static void lift(struct policy *p, const struct restriction *r, const struct ipaddr *source)
{
    struct store *store = p->counters ? store_lmdb_store(p->counters) : NULL;
    if (store && r->account == 0)
        (void)engine_forget_source(p->rules, store, source, r->released_ms);
    else if (store && r->kind != RESTRICTION_OWNER_LOCKED) /* by locking and unlocking himself he gets no allowance */
        (void)engine_forget_account(p->rules, store, r->account, r->released_ms);
    if (r->kind == RESTRICTION_HELD)
        mail_let_go(p, r->account, HELD_FOR_RULE);
    if (restriction_is_suspension(r->kind))
        mail_let_go(p, r->account, HELD_FOR_ACCOUNT);
}

int enforce_release(struct policy *p, uint64_t id, struct view by, struct view note)
{
    struct restriction r;
    struct ipaddr source;
    struct buf bytes;
    buf_init(&bytes, RESTRICTION_BYTES_MAX);
    int err = restrictions_read(p->restrictions, id, &bytes, &r) ? MSA_OK : MSA_ENOENT;
    if (err == MSA_OK && r.released_ms == 0 && r.account == 0 && !find_source(p, &r, &source))
        err = MSA_EACCESS;
    if (err == MSA_OK)
        err = restrictions_release(p->restrictions, id, by, note, clock_wall_ms());
    if (err == MSA_OK && restrictions_read(p->restrictions, id, &bytes, &r)) {
        say_restriction(p, id, &r);
        lift(p, &r, &source);
        bool is_free = r.account == 0 || !restrictions_standing(p->restrictions, r.account);
        if (restriction_is_suspension(r.kind) && is_free)
            tell_restriction(p, id, &r);
        else if (restriction_is_suspension(r.kind))
            tell_forget(p, id); /* another one still shuts it out */
    }
    buf_fini(&bytes);
    return err;
}

bool enforce_owner_is_back(struct policy *p, uint64_t account, struct view by)
{
    uint64_t id = restrictions_owner_lock(p->restrictions, account, clock_wall_ms());
    return id != 0 && enforce_release(p, id, by, VIEW_LIT("its owner has another password now")) == MSA_OK &&
           !restrictions_standing(p->restrictions, account);
}

/* ---- peers that come (again) ---- */

#define RECENT_MS 300000

struct telling {
    struct policy *policy;
    struct chan *worker;
    int64_t now_ms;
};

/* An older suspension is met at the next command; only sessions of these minutes can have
 * missed the kill. */
static void tell_kill(void *arg, struct standing *s)
{
    const struct telling *t = arg;
    if (t->now_ms - s->at_ms < RECENT_MS)
        kill_at(t->worker, s->account, ANSWER_SUSPENDED_TEXT);
}

void enforce_tell_worker(struct policy *p, struct chan *worker)
{
    struct telling t = {p, worker, clock_wall_ms()};
    restrictions_each_standing(p->restrictions, tell_kill, &t);
}

/* ---- time ---- */

struct due {
    uint64_t ids[64];
    unsigned count;
    int64_t now_ms;
};

static void note_due(void *arg, struct standing *s)
{
    struct due *d = arg;
    if (s->until_ms != 0 && s->until_ms <= d->now_ms &&
        d->count < sizeof d->ids / sizeof d->ids[0])
        d->ids[d->count++] = s->id;
}

void enforce_release_due(struct policy *p)
{
    struct due d = {.now_ms = clock_wall_ms()};
    restrictions_each_standing(p->restrictions, note_due, &d);
    for (unsigned i = 0; i < d.count; i++)
        (void)enforce_release(p, d.ids[i], VIEW_LIT("msad"),
                              VIEW_LIT("its time was over"));
}
