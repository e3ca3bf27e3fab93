#include "policy/engine/verdict.h"

#include <stddef.h>
#include <string.h>

void verdict_init(struct verdict *v)
{
    memset(v, 0, offsetof(struct verdict, reasons));
}

static void choose_pool(struct verdict *v, const struct rule *r)
{
    if (v->pool.n == 0 || view_cmp(r->name, v->pool_rule) < 0) {
        v->pool = r->pool;
        v->pool_rule = r->name;
    }
}

void verdict_fold(struct verdict *v, const struct rule *r, unsigned actions)
{
    if (r->is_shadow)
        return;
    v->actions |= actions;
    if ((actions & THEN_DELAY) && r->delay_ms > v->delay_ms)
        v->delay_ms = r->delay_ms;
    if (actions & THEN_SCORE)
        v->score_hundredths += r->score_hundredths;
    if ((actions & THEN_POOL) && r->pool.n > 0)
        choose_pool(v, r);
}

/* Negative: `a` is to be kept rather than `b`. The bits of enum rule_action ascend by
 * strictness. */
static int compare(const struct reason *a, const struct reason *b)
{
    if (a->is_shadow != b->is_shadow)
        return a->is_shadow ? 1 : -1;
    if (a->rule->actions != b->rule->actions)
        return a->rule->actions > b->rule->actions ? -1 : 1;
    return view_cmp(a->rule->name, b->rule->name);
}

void verdict_add_reason(struct verdict *v, const struct reason *reason)
{
    unsigned at = 0;
    while (at < v->reason_count && compare(&v->reasons[at], reason) <= 0)
        at++;
    if (at == REASONS_MAX)
        return;
    if (v->reason_count < REASONS_MAX)
        v->reason_count++;
    memmove(&v->reasons[at + 1], &v->reasons[at],
            (v->reason_count - at - 1) * sizeof v->reasons[0]);
    v->reasons[at] = *reason;
}
