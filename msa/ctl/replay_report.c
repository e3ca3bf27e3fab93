/* What replay found, in numbers and for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/ctl/replay.h"

/* ---- the summary ---- */

struct gathering {
    struct replay_summary *summary;
    uint32_t *through; /* of abused accounts */
    uint32_t through_count;
};

static void gather(struct table_entry *e, void *arg)
{
    struct gathering *g = arg;
    const struct replay_account *a = CONTAINER_OF(e, struct replay_account, entry);
    struct replay_summary *s = g->summary;
    bool is_stopped = a->suspended_ms != 0;
    if (a->is_abused) {
        bool is_early = is_stopped && a->suspended_ms < a->abused_since_ms;
        s->abused_count++;
        s->abused_stopped_count += is_stopped && !is_early;
        s->lawful_suspended_count += is_early;
        g->through[g->through_count++] = a->recipients_through;
        return;
    }
    s->lawful_count++;
    s->lawful_suspended_count += is_stopped;
    s->lawful_refused_count += a->refused_count > 0;
    s->lawful_delayed_count += a->delayed_count > 0;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int replay_summarize(struct replay *r, struct replay_summary *out)
{
    struct gathering g = {.summary = out};
    *out = (struct replay_summary){0};
    g.through = calloc(r->accounts.count + 1, sizeof *g.through);
    if (!g.through)
        return MSA_ENOMEM;
    table_each(&r->accounts, gather, &g);
    qsort(g.through, g.through_count, sizeof *g.through, by_number);
    out->median_recipients_through = g.through[g.through_count / 2];
    free(g.through);
    return MSA_OK;
}

/* ---- for people ---- */

static void print_rules(const struct replay *r, FILE *out)
{
    fprintf(out, "\n%-26s %8s %8s %10s  %s\n", "rule", "abused", "lawful", "events",
            "mode");
    for (unsigned i = 0; i < r->rules->rule_count; i++) {
        const struct replay_tally *t = &r->tallies[i];
        const struct rule *rule = &r->rules->rules[i];
        if (t->events > 0)
            fprintf(out, "%-26.*s %8" PRIu32 " %8" PRIu32 " %10" PRIu64 "  %s\n",
                    (int)rule->name.n, rule->name.p, t->abused_accounts,
                    t->lawful_accounts, t->events,
                    rule->is_shadow ? "shadow" : "enforce");
    }
}

struct account_list {
    const struct replay_account **items;
    size_t count;
};

static void list_if_it_matters(struct table_entry *e, void *arg)
{
    struct account_list *l = arg;
    const struct replay_account *a = CONTAINER_OF(e, struct replay_account, entry);
    if (a->is_abused || a->suspended_ms != 0 || a->refused_count > 0)
        l->items[l->count++] = a;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct replay_account *x = *(const struct replay_account *const *)a;
    const struct replay_account *y = *(const struct replay_account *const *)b;
    if (x->is_abused != y->is_abused)
        return x->is_abused ? -1 : 1;
    return view_cmp(x->entry.key, y->entry.key);
}

static void print_account(const struct replay_account *a, FILE *out)
{
    char when[24] = "never";
    struct view rule = a->suspended_by ? a->suspended_by->name : VIEW_LIT("-");
    time_t t = (time_t)(a->suspended_ms / 1000);
    struct tm tm;
    if (a->suspended_ms != 0)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    fprintf(out,
            "%-34s %-7s %-21s %-20.*s %6" PRIu32 " %6" PRIu32 " %9" PRIu32 " %7" PRIu32
            "\n",
            a->name, a->is_abused ? "abused" : "lawful", when, (int)rule.n, rule.p,
            a->messages_through, a->recipients_through, a->messages_prevented,
            a->refused_count);
}

static int print_accounts(struct replay *r, FILE *out)
{
    struct account_list l = {
        .items = calloc(r->accounts.count + 1, sizeof(struct replay_account *))};
    if (!l.items)
        return MSA_ENOMEM;
    table_each(&r->accounts, list_if_it_matters, &l);
    qsort(l.items, l.count, sizeof(struct replay_account *), by_kind_and_name);
    fprintf(out, "\n%-34s %-7s %-21s %-20s %6s %6s %9s %7s\n", "account", "label",
            "suspended", "by", "mails", "rcpts", "prevented", "refused");
    for (size_t i = 0; i < l.count; i++)
        print_account(l.items[i], out);
    free(l.items);
    return MSA_OK;
}

int replay_print(struct replay *r, FILE *out)
{
    struct replay_summary s;
    int err = replay_summarize(r, &s);
    if (err == MSA_OK)
        err = print_accounts(r, out);
    if (err < 0)
        return err;
    print_rules(r, out);
    fprintf(out,
            "\n%" PRIu64 " events of %zu accounts, %" PRIu64 " lines not understood\n"
            "abused accounts: %" PRIu32 " of %" PRIu32
            " suspended; recipients let through, median: %" PRIu32 "\n"
            "lawful accounts: %" PRIu32 " of %" PRIu32 " suspended, %" PRIu32
            " refused or deferred anything, %" PRIu32 " delayed\n",
            r->event_count, r->accounts.count, r->bad_line_count, s.abused_stopped_count,
            s.abused_count, s.median_recipients_through, s.lawful_suspended_count,
            s.lawful_count, s.lawful_refused_count, s.lawful_delayed_count);
    return MSA_OK;
}
