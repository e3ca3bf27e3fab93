#include "policy/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS 60000
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * (int64_t)HOUR_MS)

struct answer answer_allow(void)
{
    return (struct answer){.verdict = VERDICT_ALLOW};
}

/* ---- words ---- */

static const char *used_up_name(enum rule_count count)
{
    switch (count) {
    case COUNT_MESSAGES:
        return "messages";
    case COUNT_RECIPIENTS:
        return "recipients";
    case COUNT_NEW_RECIPIENTS:
        return "new recipients";
    case COUNT_BYTES:
        return "KiB";
    case COUNT_SESSIONS:
        return "sessions at the same time";
    case COUNT_SENDING:
        return "messages at the same time";
    default:
        return NULL;
    }
}

/* " in an hour", " in 10 minutes"; nothing for what has no window. */
static void say_window(int64_t within_ms, char *out, size_t size)
{
    static const struct {
        int64_t ms;
        const char *one;
        const char *many;
    } units[] = {{DAY_MS, "a day", "days"},
                 {HOUR_MS, "an hour", "hours"},
                 {MINUTE_MS, "a minute", "minutes"},
                 {1000, "a second", "seconds"}};
    out[0] = '\0';
    for (size_t i = 0; within_ms > 0 && i < sizeof units / sizeof units[0]; i++) {
        if (within_ms % units[i].ms != 0)
            continue;
        if (within_ms == units[i].ms)
            snprintf(out, size, " in %s", units[i].one);
        else
            snprintf(out, size, " in %" PRId64 " %s", within_ms / units[i].ms,
                     units[i].many);
        return;
    }
}

void answer_say_limit(const struct reason *reason, char out[ANSWER_TEXT_MAX])
{
    char window[48];
    const char *what = used_up_name(reason->rule->count);
    out[0] = '\0';
    if (!what)
        return;
    say_window(reason->rule->within_ms, window, sizeof window);
    snprintf(out, ANSWER_TEXT_MAX, "at most %" PRIu32 " %s%s", reason->limit, what,
             window);
}

/* ---- verdict ---- */

#define SHUTTING (THEN_SUSPEND | THEN_LOCK | THEN_REFUSE | THEN_DEFER)

/* More in one message than the whole window has: to come again would not help. */
static bool is_hopeless(const struct reason *reason, const struct event *e)
{
    return reason->rule->count == COUNT_RECIPIENTS &&
           reason->rule->per != PER_DESTINATION &&
           e->recipients > (uint64_t)reason->limit + reason->rule->spare;
}

static enum policy_verdict verdict_of(const struct verdict *v, const struct event *e)
{
    if (v->actions & THEN_SUSPEND)
        return e->kind == EVENT_LOGIN || e->kind == EVENT_LOGIN_FAILED ? VERDICT_REFUSE
                                                                       : VERDICT_CLOSE;
    if (v->actions & (THEN_LOCK | THEN_REFUSE))
        return VERDICT_REFUSE;
    return v->actions & THEN_DEFER ? VERDICT_DEFER : VERDICT_ALLOW;
}

struct answer answer_of(const struct verdict *v, const struct event *e)
{
    struct answer a = {.verdict = verdict_of(v, e)};
    a.delay_ms = v->delay_ms < UINT32_MAX ? (uint32_t)v->delay_ms : UINT32_MAX;
    if (v->actions & THEN_SUSPEND)
        snprintf(a.text, sizeof a.text, ANSWER_SUSPENDED_TEXT);
    for (unsigned i = 0; i < v->reason_count && !(v->actions & THEN_SUSPEND); i++) {
        const struct reason *reason = &v->reasons[i];
        if (reason->is_shadow || !(reason->rule->actions & SHUTTING))
            continue;
        if (a.text[0] == '\0')
            answer_say_limit(reason, a.text);
        if (is_hopeless(reason, e))
            a.verdict = VERDICT_REFUSE;
    }
    return a;
}

void answer_fold(struct answer *to, const struct answer *other)
{
    if (other->delay_ms > to->delay_ms)
        to->delay_ms = other->delay_ms;
    if (other->verdict <= to->verdict)
        return;
    to->verdict = other->verdict;
    memcpy(to->text, other->text, sizeof to->text);
}
