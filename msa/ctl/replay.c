#include "msa/ctl/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "policy/rules.h"

#define LINE_MAX_BYTES 65536

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
    free(a);
}

struct acted_pair {
    struct table_entry entry;
    uint64_t key[2];
};

static void free_pair(struct table_entry *e, void *arg)
{
    table_remove(arg, e);
    free(CONTAINER_OF(e, struct acted_pair, entry));
}

void replay_fini(struct replay *r)
{
    table_each(&r->accounts, free_account, &r->accounts);
    table_fini(&r->accounts);
    table_each(&r->acted, free_pair, &r->acted);
    table_fini(&r->acted);
    store_memory_free(&r->store);
    rules_free(&r->rules);
}

/* ---- accounts ---- */

static struct replay_account *account_get(struct replay *r, struct view name)
{
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
    view_cut(&line, '\t');
    struct replay_account *a = account_get(r, name);
    if (!a)
        return MSA_ENOMEM;
    a->is_labelled = true;
    a->is_abused = is_abused;
    if (is_abused)
        parse_seconds(view_cut(&line, '\t'), &a->abused_since_ms);
    return MSA_OK;
}

static int trace_line(struct replay *r, struct view line)
{
    struct trace_event t;
    if (trace_parse_json(line, &t) == MSA_OK)
        return replay_event(r, &t);
    r->bad_line_count++;
    return MSA_OK;
}

static int each_line(struct replay *r, FILE *in, line_fn *fn)
{
    int err = MSA_OK;
    char *line = malloc(LINE_MAX_BYTES);
    if (!line)
        return MSA_ENOMEM;
    while (err == MSA_OK && fgets(line, LINE_MAX_BYTES, in)) {
        size_t n = strlen(line);
        if (n > 0 && line[n - 1] == '\n')
            n--;
        err = fn(r, view_of(line, n));
    }
    if (err == MSA_OK && ferror(in))
        err = MSA_EIO;
    free(line);
    return err;
}

int replay_read_accounts(struct replay *r, FILE *in)
{
    return each_line(r, in, account_line);
}

int replay_read_labels(struct replay *r, FILE *in)
{
    return each_line(r, in, label_line);
}

int replay_read_trace(struct replay *r, FILE *in)
{
    return each_line(r, in, trace_line);
}

/* ---- events ---- */

static bool is_lawful_now(const struct replay_account *a, const struct trace_event *t)
{
    return !a->is_abused || t->at_ms < a->abused_since_ms;
}

/* A rule counts once for each account that it acted on. */
static int tally(struct replay *r, const struct rule *rule,
                 const struct replay_account *a, const struct trace_event *t)
{
    size_t position = (size_t)(rule - r->rules->rules);
    struct replay_tally *sum = &r->tallies[position];
    struct acted_pair *pair = malloc(sizeof *pair);
    if (!pair)
        return MSA_ENOMEM;
    *pair = (struct acted_pair){.key = {position, a->id}};
    pair->entry.key = view_of((const char *)pair->key, sizeof pair->key);
    int err = table_insert(&r->acted, &pair->entry);
    sum->events++;
    if (err < 0) {
        free(pair);
        return err == MSA_EEXIST ? MSA_OK : err;
    }
    if (is_lawful_now(a, t))
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
                        struct replay_account *a, const struct trace_event *t)
{
    int err = MSA_OK;
    for (unsigned i = 0; i < v->reason_count && err == MSA_OK; i++)
        err = tally(r, v->reasons[i].rule, a, t);
    if ((v->actions & THEN_SUSPEND) && a->suspended_ms == 0) {
        a->suspended_ms = t->at_ms;
        a->suspended_by = suspending_rule(v);
    }
    if (t->kind == TRACE_LOGIN_FAILED)
        return err; /* whose password was wrong has been refused nothing */
    a->refused_count += !verdict_is_pass(v);
    a->delayed_count += (v->actions & THEN_DELAY) != 0;
    return err;
}

static int decide(struct replay *r, const struct trace_event *t, enum event_kind kind,
                  struct replay_account *a, bool *passed_out)
{
    struct verdict v;
    uint16_t country = country_code(view_cstr(t->country));
    struct event e = {
        .kind = kind,
        .at_ms = t->at_ms,
        .account = a->id,
        .account_class = VIEW_LIT("default"),
        .account_age_ms = a->created_ms == INT64_MIN ? -1 : t->at_ms - a->created_ms,
        .is_home = country == COUNTRY_NONE || rules_is_home(r->config, country),
        .ip = t->ip,
        .place = {.country = country},
        .protocol = kind == EVENT_MAILBOX ? VIEW_LIT("imap") : VIEW_LIT("smtp"),
        .wrong_password = t->wrong_password,
        .tried_account_hash = a->id,
        .recipients = t->recipients,
        .bytes = t->bytes,
    };
    int err = engine_decide(r->rules, r->store, &e, &v);
    *passed_out = verdict_is_pass(&v);
    return err < 0 ? err : note_verdict(r, &v, a, t);
}

/* A message is a transaction, its recipients, and its content. */
static int submit(struct replay *r, const struct trace_event *t, struct replay_account *a)
{
    static const enum event_kind steps[] = {EVENT_TRANSACTION, EVENT_MESSAGE,
                                            EVENT_CONTENT};
    bool passed = true;
    int err = MSA_OK;
    for (size_t i = 0; i < 3 && passed && err == MSA_OK; i++)
        err = decide(r, t, steps[i], a, &passed);
    if (!passed) {
        a->messages_prevented++;
    } else if (!a->is_abused || t->at_ms >= a->abused_since_ms) {
        a->messages_through++;
        a->recipients_through += t->recipients;
    }
    return err;
}

int replay_event(struct replay *r, const struct trace_event *t)
{
    static const enum event_kind kinds[] = {[TRACE_LOGIN] = EVENT_LOGIN,
                                            [TRACE_LOGIN_FAILED] = EVENT_LOGIN_FAILED,
                                            [TRACE_MAILBOX] = EVENT_MAILBOX};
    bool passed;
    struct replay_account *a = account_get(r, view_cstr(t->account));
    if (!a)
        return MSA_ENOMEM;
    r->event_count++;
    if (a->suspended_ms != 0) {
        a->messages_prevented += t->kind == TRACE_SUBMIT;
        return MSA_OK;
    }
    return t->kind == TRACE_SUBMIT ? submit(r, t, a)
                                   : decide(r, t, kinds[t->kind], a, &passed);
}
