/* What replay found, rule by rule: whom it acted on, how soon, and what got through
 * before. */
#include <inttypes.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/ctl/replay_private.h"

/* ---- numbers ---- */

struct gathering {
    const struct replay *replay;
    unsigned position;
    size_t count;
    uint32_t *seconds, *messages, *recipients; /* one block */
};

static uint32_t seconds_since(int64_t begin_ms, int64_t at_ms)
{
    int64_t s = (at_ms - begin_ms) / 1000;
    return s < 0 ? 0 : s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static void gather(struct table_entry *e, void *arg)
{
    struct gathering *g = arg;
    const struct replay_acted *acted = CONTAINER_OF(e, struct replay_acted, entry);
    if (acted->key[0] != g->position || !acted->is_abuse)
        return;
    g->seconds[g->count] = seconds_since(acted->account->abused_since_ms, acted->at_ms);
    g->messages[g->count] = acted->messages_through;
    g->recipients[g->count++] = acted->recipients_through;
}

static void count_stops(struct table_entry *e, void *arg)
{
    struct replay_rule_summary *out = arg;
    const struct replay_account *a = CONTAINER_OF(e, struct replay_account, entry);
    if (a->result.suspended_by != out->rule || !replay_is_judged(out->replay, a))
        return;
    if (a->is_abused && a->result.suspended_ms >= a->abused_since_ms)
        out->abused_stopped_count++;
    else
        out->lawful_stopped_count++;
}

int replay_rule_summarize(struct replay *r, unsigned position,
                          struct replay_rule_summary *out)
{
    struct gathering g = {.replay = r, .position = position};
    *out = (struct replay_rule_summary){.rule = &r->rules->rules[position], .replay = r};
    size_t room = r->acted.count + 1;
    g.seconds = calloc(3 * room, sizeof *g.seconds);
    if (!g.seconds)
        return MSA_ENOMEM;
    g.messages = g.seconds + room;
    g.recipients = g.messages + room;
    table_each(&r->acted, gather, &g);
    table_each(&r->accounts, count_stops, out);
    out->median_seconds = replay_median(g.seconds, g.count);
    out->median_messages = replay_median(g.messages, g.count);
    out->median_recipients = replay_median(g.recipients, g.count);
    free(g.seconds);
    return MSA_OK;
}

/* ---- for people ---- */

static const char *strictest(const struct rule *r)
{
    static const struct {
        unsigned action;
        const char *name;
    } names[] = {{THEN_SUSPEND, "suspend"}, {THEN_LOCK, "lock"}, {THEN_REFUSE, "refuse"},
                 {THEN_DEFER, "defer"},     {THEN_HOLD, "hold"}, {THEN_DELAY, "delay"},
                 {THEN_ALIGN, "align"},     {THEN_POOL, "pool"}, {THEN_SCORE, "score"},
                 {THEN_NOTIFY, "notify"},   {THEN_SIGN, "sign"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (r->actions & names[i].action)
            return names[i].name;
    return "-";
}

/* "3d04h", "2h07m", "12s". */
static void print_time(uint32_t seconds, char *out, size_t size)
{
    uint32_t minutes = seconds / 60, hours = minutes / 60;
    if (hours >= 24)
        snprintf(out, size, "%" PRIu32 "d%02" PRIu32 "h", hours / 24, hours % 24);
    else if (minutes >= 60)
        snprintf(out, size, "%" PRIu32 "h%02" PRIu32 "m", hours, minutes % 60);
    else if (seconds >= 60)
        snprintf(out, size, "%" PRIu32 "m%02" PRIu32 "s", minutes, seconds % 60);
    else
        snprintf(out, size, "%" PRIu32 "s", seconds);
}

static void print_rule(const struct replay_rule_summary *s, const struct replay_tally *t,
                       FILE *out)
{
    char after[24] = "-", mails[16] = "-", recipients[16] = "-";
    if (t->abused_accounts > 0) {
        print_time(s->median_seconds, after, sizeof after);
        snprintf(mails, sizeof mails, "%" PRIu32, s->median_messages);
        snprintf(recipients, sizeof recipients, "%" PRIu32, s->median_recipients);
    }
    fprintf(out,
            "%-26.*s %-8s %7" PRIu32 " %7" PRIu32 " %8s %6s %6s %7" PRIu32 " %7" PRIu32
            " %10" PRIu64 "  %s\n",
            (int)s->rule->name.n, s->rule->name.p, strictest(s->rule), t->abused_accounts,
            s->abused_stopped_count, after, mails, recipients, t->lawful_accounts,
            s->lawful_stopped_count, t->events, s->rule->is_shadow ? "shadow" : "");
}

int replay_print_rules(struct replay *r, FILE *out)
{
    struct replay_rule_summary s;
    fprintf(out,
            "\nBy rule: accounts that it acted on, and of them those that it stopped "
            "first; until it acted on\nthe abused ones, the medians of the time, and "
            "of mails and recipients that got through.\n");
    fprintf(out, "%-26s %-8s %7s %7s %8s %6s %6s %7s %7s %10s  %s\n", "rule", "then",
            "abused", "stopped", "after", "mails", "rcpts", "lawful", "stopped", "events",
            "mode");
    for (unsigned i = 0; i < r->rules->rule_count; i++) {
        if (r->tallies[i].events == 0)
            continue;
        if (replay_rule_summarize(r, i, &s) < 0)
            return MSA_ENOMEM;
        print_rule(&s, &r->tallies[i], out);
    }
    return MSA_OK;
}
