#include "msa/ctl/replay_private.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "policy/rules.h"

/* Hashes in records need no secrecy here, but they should be the same in each run. */
static const uint8_t replay_hash_key[16] = "msad replay key";

int replay_init(struct replay *r, const struct config *config)
{
    *r = (struct replay){.config = config, .next_account_id = 1};
    table_init(&r->accounts);
    table_init(&r->acted);
    r->rules = rules_new(config, replay_hash_key);
    r->store = store_memory_new();
    if (r->rules && r->store)
        return MSA_OK;
    replay_fini(r);
    return MSA_ENOMEM;
}

static void free_account(struct table_entry *e, void *arg)
{
    struct replay_account *a = CONTAINER_OF(e, struct replay_account, entry);
    table_remove(arg, e);
    free(a->name);
    free(a->scenario);
    free(a);
}

static void free_pair(struct table_entry *e, void *arg)
{
    table_remove(arg, e);
    free(CONTAINER_OF(e, struct replay_acted, entry));
}

void replay_fini(struct replay *r)
{
    table_each(&r->accounts, free_account, &r->accounts);
    table_fini(&r->accounts);
    table_each(&r->acted, free_pair, &r->acted);
    table_fini(&r->acted);
    store_memory_free(&r->store);
    rules_free(&r->rules);
    free(r->steps);
    r->steps = NULL;
}

static void forget_result(struct table_entry *e, void *arg)
{
    (void)arg;
    CONTAINER_OF(e, struct replay_account, entry)->result = (struct replay_result){0};
}

int replay_restart(struct replay *r)
{
    table_each(&r->accounts, forget_result, NULL);
    table_each(&r->acted, free_pair, &r->acted);
    memset(r->tallies, 0, sizeof r->tallies);
    r->event_count = 0;
    store_memory_free(&r->store);
    r->store = store_memory_new();
    return r->store ? MSA_OK : MSA_ENOMEM;
}

/* ---- accounts ---- */

static struct replay_account *account_get(struct replay *r, struct view as_written)
{
    char lower[TRACE_TEXT_MAX];
    trace_account(as_written, lower);
    struct view name = view_cstr(lower);
    struct table_entry *e = table_find(&r->accounts, name);
    if (e)
        return CONTAINER_OF(e, struct replay_account, entry);
    struct replay_account *a = calloc(1, sizeof *a);
    char *copy = a ? strndup(name.p, name.n) : NULL;
    if (!copy) {
        free(a);
        return NULL;
    }
    a->name = copy;
    a->entry.key = view_of(copy, name.n);
    a->id = r->next_account_id++;
    a->created_ms = INT64_MIN;
    if (table_insert(&r->accounts, &a->entry) == MSA_OK)
        return a;
    free(copy);
    free(a);
    return NULL;
}

/* Seconds with or without a fraction. */
static bool parse_seconds(struct view text, int64_t *ms_out)
{
    uint64_t s;
    if (!view_parse_u64(view_cut(&text, '.'), INT64_MAX / 1000, &s))
        return false;
    *ms_out = (int64_t)s * 1000;
    return true;
}

typedef int line_fn(struct replay *r, struct view line);

static int account_line(struct replay *r, struct view line)
{
    struct view name = view_cut(&line, '\t');
    int64_t created_ms;
    if (!parse_seconds(view_cut(&line, '\t'), &created_ms)) {
        r->bad_line_count++;
        return MSA_OK;
    }
    struct replay_account *a = account_get(r, name);
    if (!a)
        return MSA_ENOMEM;
    a->created_ms = created_ms;
    a->is_listed = r->has_list = true;
    return MSA_OK;
}

static int label_line(struct replay *r, struct view line)
{
    struct view name = view_cut(&line, '\t'), label = view_cut(&line, '\t');
    bool is_abused = view_eq(label, VIEW_LIT("abused"));
    if (!is_abused && !view_eq(label, VIEW_LIT("legit"))) {
        r->bad_line_count++;
        return MSA_OK;
    }
    struct view scenario = view_cut(&line, '\t');
    struct replay_account *a = account_get(r, name);
    if (!a)
        return MSA_ENOMEM;
    free(a->scenario);
    a->scenario = strndup(scenario.p ? scenario.p : "", scenario.n);
    a->is_labelled = r->has_labels = true;
    a->is_abused = is_abused;
    if (is_abused)
        parse_seconds(view_cut(&line, '\t'), &a->abused_since_ms);
    return MSA_OK;
}

static int each_line(struct replay *r, struct log_file *in, line_fn *fn)
{
    struct view line;
    int n;
    while ((n = log_file_next(in, &line)) > 0) {
        int err = line.n == 0 || line.p[0] == '#' ? MSA_OK : fn(r, line);
        if (err < 0)
            return err;
    }
    return n;
}

int replay_read_accounts(struct replay *r, struct log_file *in)
{
    return each_line(r, in, account_line);
}

int replay_read_labels(struct replay *r, struct log_file *in)
{
    return each_line(r, in, label_line);
}

/* ---- events ---- */

static bool is_lawful_now(const struct replay_account *a, const struct replay_step *t)
{
    return !a->is_abused || t->at_ms < a->abused_since_ms;
}

/* MSA_OK, MSA_EEXIST if it has acted on the account before, MSA_ENOMEM. */
static int note_acted(struct replay *r, size_t position, const struct replay_step *t)
{
    const struct replay_account *a = t->account;
    struct replay_acted *acted = malloc(sizeof *acted);
    if (!acted)
        return MSA_ENOMEM;
    *acted = (struct replay_acted){
        .key = {position, a->id},
        .account = a,
        .is_abuse = replay_is_judged(r, a) && !is_lawful_now(a, t),
        .at_ms = t->at_ms,
        .messages_through = a->result.messages_through,
        .recipients_through = a->result.recipients_through,
    };
    acted->entry.key = view_of((const char *)acted->key, sizeof acted->key);
    int err = table_insert(&r->acted, &acted->entry);
    if (err < 0)
        free(acted);
    return err;
}

/* A rule counts once for each account that it acted on. */
static int tally(struct replay *r, const struct rule *rule, const struct replay_step *t)
{
    size_t position = (size_t)(rule - r->rules->rules);
    struct replay_tally *sum = &r->tallies[position];
    sum->events++;
    if (t->kind == TRACE_LOGIN_FAILED)
        return MSA_OK; /* a failed sign-in is the guesser's, not the account's */
    int err = note_acted(r, position, t);
    if (err < 0 || !replay_is_judged(r, t->account))
        return err == MSA_EEXIST ? MSA_OK : err;
    if (is_lawful_now(t->account, t))
        sum->lawful_accounts++;
    else
        sum->abused_accounts++;
    return MSA_OK;
}

static const struct rule *suspending_rule(const struct verdict *v)
{
    for (unsigned i = 0; i < v->reason_count; i++)
        if (!v->reasons[i].is_shadow && (v->reasons[i].rule->actions & THEN_SUSPEND))
            return v->reasons[i].rule;
    return NULL;
}

static int note_verdict(struct replay *r, const struct verdict *v,
                        const struct replay_step *t)
{
    struct replay_account *a = t->account;
    struct replay_result *result = &a->result;
    int err = MSA_OK;
    for (unsigned i = 0; i < v->reason_count && err == MSA_OK; i++)
        err = tally(r, v->reasons[i].rule, t);
    if ((v->actions & THEN_SUSPEND) && result->suspended_ms == 0) {
        result->suspended_ms = t->at_ms;
        result->suspended_by = suspending_rule(v);
    }
    if (t->kind == TRACE_LOGIN_FAILED)
        return err; /* whose password was wrong has been refused nothing */
    result->refused_count += !verdict_is_pass(v);
    result->delayed_count += (v->actions & THEN_DELAY) != 0;
    return err;
}

/* What the log says of the country counts: it was so at that time. */
static struct place place_of(const struct replay *r, const struct replay_step *t)
{
    struct place p = {0};
    if (r->geo)
        geo_lookup(r->geo, &t->ip, &p);
    if (t->country == COUNTRY_NONE || t->country == p.country)
        return p;
    p.country = t->country;
    p.has_coordinates = centroid_find(p.country, &p.latitude_deg, &p.longitude_deg);
    return p;
}

static uint64_t id_of(const struct replay *r, const struct replay_account *a)
{
    if (a->name[0] == '\0')
        return 0;
    return r->has_list && !a->is_listed ? a->id | ACCOUNT_UNKNOWN_BIT : a->id;
}

static bool is_home(const struct replay *r, uint16_t country)
{
    return country == COUNTRY_NONE ? r->config->geo.unknown == CONFIG_UNKNOWN_HOME
                                   : rules_is_home(r->config, country);
}

static int decide(struct replay *r, const struct replay_step *t, enum event_kind kind,
                  bool *passed_out)
{
    struct verdict v;
    const struct replay_account *a = t->account;
    struct event e = {
        .kind = kind,
        .at_ms = t->at_ms,
        .account = id_of(r, a),
        .account_class = VIEW_LIT("default"),
        .account_age_ms = a->created_ms == INT64_MIN ? -1 : t->at_ms - a->created_ms,
        .ip = t->ip,
        .place = place_of(r, t),
        .protocol = kind == EVENT_MAILBOX ? VIEW_LIT("imap") : VIEW_LIT("smtp"),
        .wrong_password = t->wrong_password,
        .tried_account_hash = a->id,
        .sender_hash = t->sender_hash,
        .recipients = t->recipients,
        .bytes = t->bytes,
    };
    e.is_home = is_home(r, e.place.country);
    int err = engine_decide(r->rules, r->store, &e, &v);
    *passed_out = verdict_is_pass(&v);
    return err < 0 ? MSA_ENOMEM : note_verdict(r, &v, t);
}

/* A message is a transaction, its recipients, and its content. */
static int submit(struct replay *r, const struct replay_step *t)
{
    static const enum event_kind steps[] = {EVENT_TRANSACTION, EVENT_MESSAGE,
                                            EVENT_CONTENT};
    struct replay_account *a = t->account;
    bool passed = true;
    int err = MSA_OK;
    if (t->signs_in)
        err = decide(r, t, EVENT_LOGIN, &passed);
    for (size_t i = 0; i < 3 && passed && err == MSA_OK; i++)
        err = decide(r, t, steps[i], &passed);
    if (!passed) {
        a->result.messages_prevented++;
    } else if (!a->is_abused || t->at_ms >= a->abused_since_ms) {
        a->result.messages_through++;
        a->result.recipients_through += t->recipients;
    }
    return err;
}

static int fail(struct replay *r, const struct replay_step *t)
{
    bool ignored;
    int err = MSA_OK;
    for (unsigned i = 0; i < t->attempts && err == MSA_OK; i++)
        err = decide(r, t, EVENT_LOGIN_FAILED, &ignored);
    return err;
}

static int take_step(struct replay *r, const struct replay_step *t)
{
    bool ignored;
    r->event_count++;
    if (t->account->result.suspended_ms != 0 &&
        (t->kind == TRACE_LOGIN || t->kind == TRACE_SUBMIT)) {
        t->account->result.messages_prevented += t->kind == TRACE_SUBMIT;
        return MSA_OK;
    }
    switch ((enum trace_kind)t->kind) {
    case TRACE_LOGIN:
        return decide(r, t, EVENT_LOGIN, &ignored);
    case TRACE_MAILBOX:
        return decide(r, t, EVENT_MAILBOX, &ignored);
    case TRACE_LOGIN_FAILED:
        return fail(r, t);
    case TRACE_SUBMIT:
        break;
    }
    return submit(r, t);
}

static int keep(struct replay *r, const struct replay_step *t)
{
    if (r->step_count == r->step_room) {
        size_t room = r->step_room ? 2 * r->step_room : 65536;
        struct replay_step *steps = reallocarray(r->steps, room, sizeof *steps);
        if (!steps)
            return MSA_ENOMEM;
        r->steps = steps;
        r->step_room = room;
    }
    r->steps[r->step_count++] = *t;
    return MSA_OK;
}

int replay_event(struct replay *r, const struct trace_event *t)
{
    struct replay_step step = {
        .at_ms = t->at_ms,
        .ip = t->ip,
        .account = account_get(r, view_cstr(t->account)),
        .wrong_password = t->wrong_password,
        .sender_hash = t->sender_hash,
        .bytes = t->bytes,
        .recipients = t->recipients,
        .country = country_code(view_cstr(t->country)),
        .kind = (uint8_t)t->kind,
        .attempts = (uint8_t)(t->attempts < TRACE_ATTEMPTS_MAX ? t->attempts
                                                               : TRACE_ATTEMPTS_MAX),
        .signs_in = t->signs_in,
    };
    if (!step.account)
        return MSA_ENOMEM;
    int err = r->keeps_steps ? keep(r, &step) : MSA_OK;
    return err < 0 ? err : take_step(r, &step);
}

int replay_steps(struct replay *r)
{
    int err = MSA_OK;
    for (size_t i = 0; i < r->step_count && err == MSA_OK; i++)
        err = take_step(r, &r->steps[i]);
    return err;
}
