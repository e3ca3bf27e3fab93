#include "policy/score/bayes.h"

#define REASONS_SHOWN_MAX 4

int32_t bayes_points_milli(int32_t score_milli, int32_t weight_milli)
{
    int64_t score = score_milli < 0 ? 0 : score_milli > MODEL_SCORE_MAX_MILLI ? MODEL_SCORE_MAX_MILLI : score_milli;
    int64_t points =
        score <= MODEL_THRESHOLD_MILLI
            ? BAYES_HAM_MILLI + score * (BAYES_THRESHOLD_MILLI - BAYES_HAM_MILLI) / MODEL_THRESHOLD_MILLI
            : BAYES_THRESHOLD_MILLI + (score - MODEL_THRESHOLD_MILLI) * (BAYES_MAX_MILLI - BAYES_THRESHOLD_MILLI) /
                                          (MODEL_SCORE_MAX_MILLI - MODEL_THRESHOLD_MILLI);
    return findings_bounded(points * weight_milli / 1000);
}

/* Only whole reasons: the text of a finding is bounded. */
static void add_reasons(const struct model_result *r, struct buf *text)
{
    for (unsigned i = 0; i < r->reason_count && i < REASONS_SHOWN_MAX; i++) {
        struct buf one;
        buf_init(&one, FEATURE_LABEL_BYTES + 32);
        buf_addf(&one, "%s%s %+.1f", i == 0 ? ": " : ", ", r->reasons[i].label, r->reasons[i].milli / 1000.0);
        if (buf_len(text) + buf_len(&one) < FINDING_TEXT_MAX)
            buf_add(text, buf_view(&one));
        buf_fini(&one);
    }
}

void bayes_add(const struct model_result *r, int32_t weight_milli, struct findings *out)
{
    struct buf text;
    buf_init(&text, FINDING_TEXT_MAX);
    buf_addf(&text, "By what was learnt, %.1f of 10, spam from 5 on", r->score_milli / 1000.0);
    add_reasons(r, &text);
    buf_add_cstr(&text, buf_len(&text) < FINDING_TEXT_MAX ? "." : "");
    findings_add(out, VIEW_LIT(BAYES_NAME), bayes_points_milli(r->score_milli, weight_milli), buf_view(&text));
    buf_fini(&text);
}
