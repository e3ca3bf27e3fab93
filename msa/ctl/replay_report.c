/* What replay found, in numbers and for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/ctl/replay_private.h"

/* ---- accounts in order ---- */

struct gathering {
    const struct replay_account **items;
    size_t count;
    bool (*is_wanted)(const struct replay *r, const struct replay_account *a);
    const struct replay *replay;
};

static void gather(struct table_entry *e, void *arg)
{
    struct gathering *g = arg;
    const struct replay_account *a = CONTAINER_OF(e, struct replay_account, entry);
    if (g->is_wanted(g->replay, a))
        g->items[g->count++] = a;
}

static const char *scenario_of(const struct replay_account *a)
{
    return a->scenario ? a->scenario : "-";
}

static int by_label_scenario_name(const void *a, const void *b)
{
    const struct replay_account *x = *(const struct replay_account *const *)a;
    const struct replay_account *y = *(const struct replay_account *const *)b;
    if (x->is_abused != y->is_abused)
        return x->is_abused ? -1 : 1;
    int order = strcmp(scenario_of(x), scenario_of(y));
    return order ? order : view_cmp(x->entry.key, y->entry.key);
}

int replay_accounts(struct replay *r, replay_is_wanted_fn *is_wanted,
                    struct replay_accounts *out)
{
    struct gathering g = {.is_wanted = is_wanted, .replay = r};
    g.items = calloc(r->accounts.count + 1, sizeof(struct replay_account *));
    if (!g.items)
        return MSA_ENOMEM;
    table_each(&r->accounts, gather, &g);
    qsort(g.items, g.count, sizeof(struct replay_account *), by_label_scenario_name);
    *out = (struct replay_accounts){.items = g.items, .count = g.count};
    return MSA_OK;
}

bool replay_is_judged(const struct replay *r, const struct replay_account *a)
{
    if (r->has_labels)
        return a->is_labelled;
    return a->name[0] != '\0' && (!r->has_list || a->is_listed);
}

bool replay_matters(const struct replay *r, const struct replay_account *a)
{
    return replay_is_judged(r, a) &&
           (a->is_abused || a->result.suspended_ms != 0 || a->result.refused_count > 0);
}

/* ---- the summary ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t replay_median(uint32_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_number);
    return count > 0 ? numbers[count / 2] : 0;
}

static void add_account(struct replay_summary *s, const struct replay_account *a)
{
    bool is_stopped = a->result.suspended_ms != 0;
    if (a->is_abused) {
        bool is_early = is_stopped && a->result.suspended_ms < a->abused_since_ms;
        s->abused_count++;
        s->abused_stopped_count += is_stopped && !is_early;
        s->lawful_suspended_count += is_early;
        return;
    }
    s->lawful_count++;
    s->lawful_suspended_count += is_stopped;
    s->lawful_refused_count += a->result.refused_count > 0;
    s->lawful_delayed_count += a->result.delayed_count > 0;
}

/* Of the accounts from `items` on; the median is of the abused ones. */
static int summarize(const struct replay_account *const *items, size_t count,
                     struct replay_summary *out)
{
    uint32_t *through = calloc(count + 1, sizeof *through);
    size_t through_count = 0;
    *out = (struct replay_summary){0};
    if (!through)
        return MSA_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        add_account(out, items[i]);
        if (items[i]->is_abused)
            through[through_count++] = items[i]->result.recipients_through;
    }
    out->median_recipients_through = replay_median(through, through_count);
    free(through);
    return MSA_OK;
}

int replay_summarize(struct replay *r, struct replay_summary *out)
{
    struct replay_accounts all;
    int err = replay_accounts(r, replay_is_judged, &all);
    if (err < 0)
        return err;
    err = summarize(all.items, all.count, out);
    free(all.items);
    return err;
}

/* ---- for people ---- */

static void print_account(const struct replay_account *a, FILE *out)
{
    const struct replay_result *result = &a->result;
    char when[24] = "never";
    struct view rule = result->suspended_by ? result->suspended_by->name : VIEW_LIT("-");
    time_t t = (time_t)(result->suspended_ms / 1000);
    struct tm tm;
    if (result->suspended_ms != 0)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    fprintf(out,
            "%-34s %-7s %-21s %-20.*s %6" PRIu32 " %6" PRIu32 " %9" PRIu32 " %7" PRIu32
            "\n",
            a->name, a->is_abused ? "abused" : "lawful", when, (int)rule.n, rule.p,
            result->messages_through, result->recipients_through,
            result->messages_prevented, result->refused_count);
}

static int print_accounts(struct replay *r, FILE *out)
{
    struct replay_accounts l;
    int err = replay_accounts(r, replay_matters, &l);
    if (err < 0)
        return err;
    fprintf(out, "%-34s %-7s %-21s %-20s %6s %6s %9s %7s\n", "account", "label",
            "suspended", "by", "mails", "rcpts", "prevented", "refused");
    for (size_t i = 0; i < l.count; i++)
        print_account(l.items[i], out);
    free(l.items);
    return MSA_OK;
}

static void print_scenario(const struct replay_account *first,
                           const struct replay_summary *s, FILE *out)
{
    char median_text[16] = "-";
    bool is_abused = first->is_abused;
    if (is_abused)
        snprintf(median_text, sizeof median_text, "%" PRIu32,
                 s->median_recipients_through);
    fprintf(out, "%-34s %-7s %9" PRIu32 " %9" PRIu32 " %8s %8" PRIu32 " %8" PRIu32 "\n",
            scenario_of(first), is_abused ? "abused" : "lawful",
            is_abused ? s->abused_count : s->lawful_count,
            is_abused ? s->abused_stopped_count : s->lawful_suspended_count, median_text,
            s->lawful_refused_count, s->lawful_delayed_count);
}

/* How many from `at` on are of one label and scenario. */
static size_t run_length(const struct replay_accounts *l, size_t at)
{
    const struct replay_account *first = l->items[at];
    size_t n = 1;
    while (at + n < l->count && l->items[at + n]->is_abused == first->is_abused &&
           strcmp(scenario_of(l->items[at + n]), scenario_of(first)) == 0)
        n++;
    return n;
}

static int print_scenarios(struct replay *r, FILE *out)
{
    struct replay_accounts l;
    struct replay_summary s;
    int err = r->has_labels ? replay_accounts(r, replay_is_judged, &l) : MSA_ENOENT;
    if (err < 0)
        return err == MSA_ENOENT ? MSA_OK : err;
    fprintf(out, "\n%-34s %-7s %9s %9s %8s %8s %8s\n", "scenario", "label", "accounts",
            "suspended", "median", "refused", "delayed");
    for (size_t at = 0, n; at < l.count && err == MSA_OK; at += n) {
        n = run_length(&l, at);
        err = summarize(l.items + at, n, &s);
        if (err == MSA_OK)
            print_scenario(l.items[at], &s, out);
    }
    free(l.items);
    return err;
}

static void print_summary(const struct replay *r, const struct replay_summary *s,
                          FILE *out)
{
    fprintf(out, "\n%" PRIu64 " events, %" PRIu64 " lines not understood\n",
            r->event_count, r->bad_line_count);
    if (r->has_labels)
        fprintf(out,
                "abused accounts: %" PRIu32 " of %" PRIu32
                " suspended; recipients let through, median: %" PRIu32 "\n",
                s->abused_stopped_count, s->abused_count, s->median_recipients_through);
    fprintf(out,
            "%s accounts: %" PRIu32 " of %" PRIu32 " suspended, %" PRIu32
            " refused or deferred anything, %" PRIu32 " delayed\n",
            r->has_labels ? "lawful" : "all", s->lawful_suspended_count, s->lawful_count,
            s->lawful_refused_count, s->lawful_delayed_count);
}

int replay_print(struct replay *r, FILE *out)
{
    struct replay_summary s;
    int err = replay_summarize(r, &s);
    if (err == MSA_OK)
        err = print_accounts(r, out);
    if (err == MSA_OK)
        err = print_scenarios(r, out);
    if (err == MSA_OK)
        err = replay_print_rules(r, out);
    if (err == MSA_OK)
        print_summary(r, &s, out);
    return err;
}
