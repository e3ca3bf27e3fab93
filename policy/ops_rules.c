/* The rules as people see them: what each says, how often it acted, how much of its limits an account has used.
 *
 *   rules.list          {}              200 {rules: [{rule, sentence, mode, hits}…]}; hits since the process began
 *   usage.show          {account…, is_enforced_only?}
 *                                       200 {usage: [{rule, counts, per, within_ms, limit, used, then, mode, because}…]}
 *   restriction.trend   {days?}         200 {days: [{day, rules: {NAME: records}}…], is_cut}, the newest first
 *
 * Usage is of what is used up (messages, recipients, new recipients, kilobytes) per account, with the account's own
 * limits; conditions of time and place are not looked at, as there is no event. Nothing is counted by looking. */
#include "policy/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "policy/account.h"
#include "policy/access.h"
#include "policy/enforce.h"
#include "policy/state.h"

#define DAY_MS           INT64_C(86400000)
#define DAYS_DEFAULT     30
#define DAYS_MAX         90
#define TREND_LOOKED_MAX 20000 /* records in one answer */
#define SENTENCE_MAX     1024

/* ---- hits ---- */

void policy_count_hit(struct policy *p, const struct rule *rule)
{
    for (unsigned i = 0; i < p->rule_hit_count; i++)
        if (p->rule_hits[i].name_hash == rule->name_hash) {
            p->rule_hits[i].hits++;
            return;
        }
    if (p->rule_hit_count < POLICY_RULE_HITS_MAX)
        p->rule_hits[p->rule_hit_count++] = (struct rule_hits){rule->name_hash, 1};
}

static uint64_t hits_of(const struct policy *p, const struct rule *rule)
{
    for (unsigned i = 0; i < p->rule_hit_count; i++)
        if (p->rule_hits[i].name_hash == rule->name_hash)
            return p->rule_hits[i].hits;
    return 0;
}

/* ---- words ---- */

static void say_time(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        char unit;
    } units[] = {{DAY_MS, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ms % units[i].ms == 0) {
            buf_addf(out, "%" PRId64 "%c", ms / units[i].ms, units[i].unit);
            return;
        }
    buf_addf(out, "%" PRId64 "ms", ms);
}

static void say_texts(const char *word, const struct view *texts, unsigned count, struct buf *out)
{
    for (unsigned i = 0; i < count; i++) {
        buf_add_cstr(out, i == 0 ? word : ",");
        (void)buf_add(out, texts[i]);
    }
}

static void say_when(const struct rule_when *w, struct buf *out)
{
    static const char *const origins[] = {"", ", from home", ", from overseas"};
    static const char *const mailboxes[] = {"", ", mailbox here", ", mailbox elsewhere", ", mailbox not-here"};
    static const char *const blocks[] = {"", ", block familiar", ", block unfamiliar", ", block strange"};
    char country[3];
    buf_add_cstr(out, origins[w->origin]);
    for (unsigned i = 0; i < w->country_count; i++) {
        country_text(w->countries[i], country);
        buf_addf(out, "%s%s", i == 0 ? ", countries " : ",", country);
    }
    say_texts(", classes ", w->classes, w->class_count, out);
    if (w->younger_than_ms > 0) {
        buf_add_cstr(out, ", accounts younger than ");
        say_time(w->younger_than_ms, out);
    }
    if (w->older_than_ms > 0) {
        buf_add_cstr(out, ", accounts older than ");
        say_time(w->older_than_ms, out);
    }
    buf_add_cstr(out, mailboxes[w->mailbox]);
    buf_add_cstr(out, blocks[w->block]);
    say_texts(", also ", w->also, w->also_count, out);
    say_texts(", listener ", &w->listener, w->listener.n > 0, out);
    say_texts(", protocol ", &w->protocol, w->protocol.n > 0, out);
    say_texts(", destinations ", w->destinations, w->destination_count, out);
    if (w->min_recipients > 0)
        buf_addf(out, ", recipients %" PRIu32 " or more", w->min_recipients);
    if (w->has_min_score)
        buf_addf(out, ", score %.2f or more", w->min_score_hundredths / 100.0);
}

/* "messages per account within 1d: from 500 on, defer, from overseas" */
static json_t *sentence_of(const struct rule *r)
{
    struct buf text;
    char actions[ENFORCE_ACTIONS_MAX];
    enforce_action_names(r->actions, actions);
    buf_init(&text, SENTENCE_MAX);
    buf_addf(&text, "%s per %s", rule_count_name(r->count), rule_subject_name(r->per));
    if (r->within_ms > 0) {
        buf_add_cstr(&text, " within ");
        say_time(r->within_ms, &text);
    }
    buf_addf(&text, ", limit %" PRIu32 ": %s", r->limit, actions);
    say_when(&r->when, &text);
    json_t *o = json_stringn(buf_view(&text).p, buf_len(&text)); /* NULL where it was cut in a character */
    buf_fini(&text);
    return o ? o : json_string("");
}

static const char *mode_of(const struct rule *r)
{
    return r->is_shadow ? "shadow" : "enforce";
}

static json_t *name_of(const struct rule *r)
{
    return json_stringn(r->name.n > 0 ? r->name.p : "", r->name.n);
}

static void op_rules(void *state, const struct admin_call *call)
{
    const struct policy *p = state;
    json_t *list = json_array();
    for (unsigned i = 0; i < p->rules->rule_count; i++) {
        const struct rule *r = &p->rules->rules[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:I}", "rule", name_of(r), "sentence", sentence_of(r),
                                              "mode", mode_of(r), "hits", (json_int_t)hits_of(p, r)));
    }
    admin_reply(call->chan, call->id, 200, json_pack("{s:o}", "rules", list));
}

/* ---- usage ---- */

static bool is_of_class(const struct rule *r, const struct event *e)
{
    bool is_listed = r->when.class_count == 0;
    for (unsigned i = 0; i < r->when.class_count && !is_listed; i++)
        is_listed = view_eq(r->when.classes[i], e->account_class);
    return is_listed;
}

static bool is_of_age(const struct rule *r, const struct event *e)
{
    int64_t age_ms = e->account_age_ms;
    if (r->when.younger_than_ms > 0 && (age_ms < 0 || age_ms >= r->when.younger_than_ms))
        return false;
    return r->when.older_than_ms == 0 || (age_ms >= 0 && age_ms >= r->when.older_than_ms);
}

static bool is_shown(const struct rule *r, const struct event *e)
{
    bool is_used_up = r->count == COUNT_MESSAGES || r->count == COUNT_RECIPIENTS || r->count == COUNT_NEW_RECIPIENTS ||
                      r->count == COUNT_BYTES;
    return r->per == PER_ACCOUNT && r->within_ms > 0 && is_used_up && is_of_class(r, e) && is_of_age(r, e) &&
           rule_limit_for(r, e) != UINT32_MAX;
}

static json_t *usage_of(const struct policy *p, const struct rule *r, const struct event *e, uint32_t used)
{
    char actions[ENFORCE_ACTIONS_MAX];
    struct view because = enforce_because(p, r->name);
    enforce_action_names(r->actions, actions);
    return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s%}", "rule", name_of(r), "counts",
                     rule_count_name(r->count), "per", rule_subject_name(r->per), "within_ms",
                     (json_int_t)r->within_ms, "limit", (json_int_t)rule_limit_for(r, e), "used", (json_int_t)used,
                     "then", actions, "mode", mode_of(r), "because", because.n > 0 ? because.p : "", because.n);
}

static void op_usage(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    struct account account;
    struct buf bytes;
    struct event e;
    uint32_t values[RULES_MAX] = {0};
    uint64_t id = (uint64_t)admin_number(call->args, "account", 0);
    if (id == 0) {
        admin_refuse(call->chan, call->id, 400, "'login' is missing: whose usage?");
        return;
    }
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    (void)account_load(p->ledger, id, &bytes, &account);
    account.login = admin_text(call->args, "login");
    account.created_ms = admin_number(call->args, "created_ms", 0);
    policy_facts(p, EVENT_MESSAGE, &(struct ipaddr){0}, &(struct place){0}, &account, &e);
    if (p->counters)
        (void)engine_look(p->rules, store_lmdb_store(p->counters), &e, values); /* away: nothing is counted either */
    json_t *list = json_array();
    for (unsigned i = 0; i < p->rules->rule_count; i++) {
        const struct rule *r = &p->rules->rules[i];
        if (is_shown(r, &e) && !(r->is_shadow && admin_flag(call->args, "is_enforced_only")))
            json_array_append_new(list, usage_of(p, r, &e, values[i]));
    }
    access_note(p->ledger, id, call->actor, call->op, clock_wall_ms());
    admin_reply(call->chan, call->id, 200, json_pack("{s:o}", "usage", list));
    buf_fini(&bytes);
}

/* ---- trend ---- */

struct day {
    int64_t end_ms;
    unsigned *left; /* to be looked at */
    json_t *rules;
    bool is_cut;
};

/* By its rule; what no rule did by its kind. */
static bool count_one(void *arg, const struct restriction *r)
{
    struct day *d = arg;
    char name[RESTRICTION_TEXT_MAX + 1];
    if (r->at_ms >= d->end_ms)
        return false;
    d->is_cut = *d->left == 0;
    if (d->is_cut)
        return false;
    --*d->left;
    if (r->rule.n == 0 || !view_to_cstr(r->rule, name, sizeof name))
        snprintf(name, sizeof name, "%s", restriction_kind_name(r->kind));
    json_int_t before = json_integer_value(json_object_get(d->rules, name));
    json_object_set_new(d->rules, name, json_integer(before + 1));
    return true;
}

/* False: not all of it could be looked at. */
static bool add_day(struct policy *p, json_t *days, int64_t begin_ms, int64_t offset_ms, unsigned *left)
{
    char text[16];
    struct tm tm;
    time_t t = (time_t)((begin_ms + offset_ms) / 1000);
    struct day d = {.end_ms = begin_ms + DAY_MS, .left = left, .rules = json_object()};
    const struct restrictions_filter filter = {.after = msgid_first_at(begin_ms) - 1};
    (void)restrictions_each(p->restrictions, &filter, begin_ms, count_one, &d);
    if (d.is_cut) {
        json_decref(d.rules);
        return false;
    }
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    json_array_append_new(days, json_pack("{s:s, s:o}", "day", text, "rules", d.rules));
    return true;
}

/* The newest day first, so that what is cut is the oldest. Days are those of notice.utc_offset. */
static void op_trend(void *state, const struct admin_call *call)
{
    struct policy *p = state;
    int64_t count = admin_number(call->args, "days", DAYS_DEFAULT);
    int offset_min = 0;
    unsigned left = TREND_LOOKED_MAX;
    json_t *days = json_array();
    (void)config_utc_offset(p->config->notice.utc_offset, &offset_min);
    int64_t offset_ms = offset_min * INT64_C(60000), now_ms = clock_wall_ms();
    int64_t begin_ms = (now_ms + offset_ms) / DAY_MS * DAY_MS - offset_ms;
    bool is_whole = true;
    count = count < 1 ? 1 : count > DAYS_MAX ? DAYS_MAX : count;
    for (; is_whole && count > 0; count--, begin_ms -= DAY_MS)
        is_whole = add_day(p, days, begin_ms, offset_ms, &left);
    admin_reply(call->chan, call->id, 200, json_pack("{s:o, s:b}", "days", days, "is_cut", !is_whole));
}

const struct admin_op policy_ops_rules[POLICY_OPS_RULES_COUNT] = {
    {"rules.list", op_rules, false},
    {"usage.show", op_usage, false},
    {"restriction.trend", op_trend, false},
};
