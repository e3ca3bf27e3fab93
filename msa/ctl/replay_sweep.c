#include "msa/ctl/replay_sweep.h"

#include <inttypes.h>

#include "msa/base/err.h"
#include "policy/rules.h"

int sweep_parse(struct view text, struct sweep *out)
{
    uint64_t from, to, step = 1;
    struct view what = view_cut(&text, '=');
    struct view suffix = VIEW_LIT(".limit");
    if (!view_has_suffix_nocase(what, suffix) ||
        !view_to_cstr(view_slice(what, 0, what.n - suffix.n), out->rule,
                      sizeof out->rule))
        return MSA_EINVAL;
    struct view range = view_cut(&text, '/');
    struct view first = view_cut(&range, '.');
    if (!view_parse_u64(first, UINT32_MAX - 1, &from) || range.n == 0 ||
        range.p[0] != '.' ||
        !view_parse_u64(view_slice(range, 1, range.n), UINT32_MAX - 1, &to) ||
        to < from ||
        (text.n > 0 && (!view_parse_u64(text, UINT32_MAX, &step) || step == 0)))
        return MSA_EINVAL;
    out->from = (uint32_t)from;
    out->to = (uint32_t)to;
    out->step = (uint32_t)step;
    return (to - from) / step < SWEEP_ROWS_MAX ? MSA_OK : MSA_ETOOBIG;
}

static const struct replay_tally *tally_of(const struct replay *r, struct view name)
{
    for (unsigned i = 0; i < r->rules->rule_count; i++)
        if (view_eq(r->rules->rules[i].name, name))
            return &r->tallies[i];
    return NULL;
}

static int run_one(struct replay *r, const struct sweep *s, struct sweep_row *row)
{
    struct view name = view_cstr(s->rule);
    if (!rules_set_limit(r->rules, name, row->limit))
        return MSA_ENOENT;
    int err = replay_restart(r);
    if (err == MSA_OK)
        err = replay_steps(r);
    if (err == MSA_OK)
        err = replay_summarize(r, &row->summary);
    if (err == MSA_OK)
        row->rule = *tally_of(r, name);
    return err;
}

int sweep_run(struct replay *r, const struct sweep *s, sweep_progress_fn *progress,
              void *arg, struct sweep_result *out)
{
    unsigned total = (s->to - s->from) / s->step + 1;
    out->sweep = *s;
    for (out->row_count = 0; out->row_count < total; out->row_count++) {
        struct sweep_row *row = &out->rows[out->row_count];
        row->limit = s->from + out->row_count * s->step;
        progress(out->row_count, total, arg);
        int err = run_one(r, s, row);
        if (err < 0)
            return err;
    }
    progress(total, total, arg);
    return MSA_OK;
}

uint32_t sweep_row_troubled(const struct sweep_row *row)
{
    const struct replay_summary *s = &row->summary;
    /* Who is suspended has been refused, too, unless it was at a sign-in that nobody
     * waits for. */
    return s->lawful_suspended_count > s->lawful_refused_count ? s->lawful_suspended_count
                                                               : s->lawful_refused_count;
}

void sweep_print(const struct sweep_result *s, FILE *out)
{
    fprintf(out, "\n%s.limit\n%8s %12s %12s %12s %12s %12s %12s %12s\n", s->sweep.rule,
            "limit", "abused", "recipients", "lawful", "lawful", "lawful",
            "by rule:", "by rule:");
    fprintf(out, "%8s %12s %12s %12s %12s %12s %12s %12s\n", "", "suspended", "median",
            "suspended", "refused", "delayed", "abused", "lawful");
    for (unsigned i = 0; i < s->row_count; i++) {
        const struct sweep_row *row = &s->rows[i];
        fprintf(out,
                "%8" PRIu32 " %12" PRIu32 " %12" PRIu32 " %12" PRIu32 " %12" PRIu32
                " %12" PRIu32 " %12" PRIu32 " %12" PRIu32 "\n",
                row->limit, row->summary.abused_stopped_count,
                row->summary.median_recipients_through,
                row->summary.lawful_suspended_count, row->summary.lawful_refused_count,
                row->summary.lawful_delayed_count, row->rule.abused_accounts,
                row->rule.lawful_accounts);
    }
}

json_t *sweep_json(const struct sweep_result *s)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < s->row_count; i++) {
        const struct sweep_row *row = &s->rows[i];
        json_array_append_new(
            rows,
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "limit",
                      (json_int_t)row->limit, "abused_accounts",
                      (json_int_t)row->summary.abused_count, "abused_suspended",
                      (json_int_t)row->summary.abused_stopped_count,
                      "median_recipients_through",
                      (json_int_t)row->summary.median_recipients_through,
                      "lawful_accounts", (json_int_t)row->summary.lawful_count,
                      "lawful_suspended", (json_int_t)row->summary.lawful_suspended_count,
                      "lawful_refused", (json_int_t)row->summary.lawful_refused_count,
                      "lawful_delayed", (json_int_t)row->summary.lawful_delayed_count,
                      "rule_abused", (json_int_t)row->rule.abused_accounts, "rule_lawful",
                      (json_int_t)row->rule.lawful_accounts));
    }
    return json_pack("{s:s, s:o}", "rule", s->sweep.rule, "rows", rows);
}
