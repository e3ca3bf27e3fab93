/* What replay found, for programs. */
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/ctl/replay_private.h"

static json_t *json_of(struct view v)
{
    return json_stringn(v.p ? v.p : "", v.n);
}

static json_t *rule_json(const struct replay_rule_summary *s,
                         const struct replay_tally *t)
{
    return json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rule",
        json_of(s->rule->name), "mode", s->rule->is_shadow ? "shadow" : "enforce",
        "limit", (json_int_t)s->rule->limit, "abused", (json_int_t)t->abused_accounts,
        "abused_stopped", (json_int_t)s->abused_stopped_count, "median_seconds",
        (json_int_t)s->median_seconds, "median_messages", (json_int_t)s->median_messages,
        "median_recipients", (json_int_t)s->median_recipients, "lawful",
        (json_int_t)t->lawful_accounts, "lawful_stopped",
        (json_int_t)s->lawful_stopped_count, "events", (json_int_t)t->events);
}

static json_t *rules_json(struct replay *r)
{
    struct replay_rule_summary s;
    json_t *all = json_array();
    for (unsigned i = 0; i < r->rules->rule_count; i++)
        if (replay_rule_summarize(r, i, &s) == MSA_OK)
            json_array_append_new(all, rule_json(&s, &r->tallies[i]));
    return all;
}

static json_t *account_json(const struct replay_account *a)
{
    const struct replay_result *result = &a->result;
    struct view rule = result->suspended_by ? result->suspended_by->name : VIEW_EMPTY;
    json_t *o = json_pack(
        "{s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I}", "account", a->name, "label",
        a->is_abused ? "abused" : "lawful", "scenario", a->scenario, "messages_through",
        (json_int_t)result->messages_through, "recipients_through",
        (json_int_t)result->recipients_through, "messages_prevented",
        (json_int_t)result->messages_prevented, "refused",
        (json_int_t)result->refused_count, "delayed", (json_int_t)result->delayed_count);
    if (result->suspended_ms != 0) {
        json_object_set_new(o, "suspended_ms", json_integer(result->suspended_ms));
        json_object_set_new(o, "suspended_by", json_of(rule));
    }
    return o;
}

static json_t *accounts_json(struct replay *r)
{
    struct replay_accounts l;
    json_t *all = json_array();
    if (replay_accounts(r, replay_matters, &l) < 0)
        return all;
    for (size_t i = 0; i < l.count; i++)
        json_array_append_new(all, account_json(l.items[i]));
    free(l.items);
    return all;
}

json_t *replay_json(struct replay *r)
{
    struct replay_summary s;
    if (replay_summarize(r, &s) < 0)
        return NULL;
    return json_pack(
        "{s:I, s:I, s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "events",
        (json_int_t)r->event_count, "lines_not_understood", (json_int_t)r->bad_line_count,
        "abused", "accounts", (json_int_t)s.abused_count, "suspended",
        (json_int_t)s.abused_stopped_count, "median_recipients_through",
        (json_int_t)s.median_recipients_through, "lawful", "accounts",
        (json_int_t)s.lawful_count, "suspended", (json_int_t)s.lawful_suspended_count,
        "refused", (json_int_t)s.lawful_refused_count, "delayed",
        (json_int_t)s.lawful_delayed_count, "rules", rules_json(r), "accounts",
        accounts_json(r));
}
