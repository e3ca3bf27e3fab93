#include "policy/watched.h"

#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/msgid.h"
#include "policy/enforce.h"

#define SIGN_INS_EVERY_MS 5000

static void add(json_t *o, const char *key, struct view text)
{
    if (text.n > 0)
        json_object_set_new(o, key, json_stringn(text.p, text.n)); /* no UTF-8: left out */
}

static void add_country(json_t *o, uint16_t country)
{
    char text[3];
    country_text(country, text);
    if (country != COUNTRY_NONE)
        add(o, "country", view_cstr(text));
}

void watched_restriction(struct policy *p, uint64_t id, const struct restriction *r)
{
    char text[MSGID_TEXT_MAX];
    if (!news_is_worth_it(&p->news))
        return;
    json_t *o = json_object();
    bool is_over = r->released_ms != 0;
    msgid_format(id, text);
    add(o, "id", view_cstr(text));
    add(o, "restriction", view_cstr(restriction_kind_name(r->kind)));
    add(o, "login", r->login);
    add(o, "source", r->source);
    add(o, "rule", r->rule);
    add(o, "because", r->because);
    add_country(o, r->country);
    add(o, "by", r->released_by);
    add(o, "note", r->release_note);
    news_tell(&p->news, is_over ? NEWS_RELEASED : NEWS_RESTRICTED, o);
}

void watched_rule(struct policy *p, const struct event *e, const struct reason *reason, struct view login)
{
    char actions[ENFORCE_ACTIONS_MAX];
    if (!news_is_worth_it(&p->news))
        return;
    json_t *o = json_object();
    enforce_action_names(reason->rule->actions, actions);
    add(o, "rule", reason->rule->name);
    add(o, "mode", reason->is_shadow ? VIEW_LIT("shadow") : VIEW_LIT("enforce"));
    add(o, "then", view_cstr(actions));
    add(o, "login", login);
    add_country(o, e->place.country);
    json_object_set_new(o, "value", json_integer(reason->value));
    json_object_set_new(o, "limit", json_integer(reason->limit));
    news_tell(&p->news, NEWS_RULE, o);
}

void watched_sign_ins(struct policy *p)
{
    struct policy_watched *w = &p->watched;
    int64_t now_ms = clock_mono_ms();
    uint64_t failed = p->counts.failed_logins - w->failed;
    uint64_t overseas = p->counts.overseas_refusals - w->overseas;
    if (failed + overseas == 0 || now_ms - w->told_ms < SIGN_INS_EVERY_MS)
        return;
    *w = (struct policy_watched){
        .failed = p->counts.failed_logins, .overseas = p->counts.overseas_refusals, .told_ms = now_ms};
    news_tell(&p->news, NEWS_SIGN_INS,
               json_pack("{s:I, s:I}", "failed", (json_int_t)failed, "overseas", (json_int_t)overseas));
}
