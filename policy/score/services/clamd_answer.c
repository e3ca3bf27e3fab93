#include "policy/score/services/clamd_answer.h"

static bool take_suffix(struct view *v, struct view suffix)
{
    if (v->n < suffix.n || !view_eq(view_slice(*v, v->n - suffix.n, v->n), suffix))
        return false;
    v->n -= suffix.n;
    return true;
}

static bool take_prefix(struct view *v, struct view prefix)
{
    if (!view_has_prefix(*v, prefix))
        return false;
    *v = view_slice(*v, prefix.n, v->n);
    return true;
}

/* "INSTREAM size limit exceeded. ERROR", without a "stream: " before it. */
static enum clamd_result parse_error(struct view text, struct view *name_out)
{
    *name_out = view_trim(text);
    return view_has_prefix(text, VIEW_LIT("INSTREAM size limit exceeded")) ? CLAMD_TOO_BIG
                                                                           : CLAMD_ERROR;
}

enum clamd_result clamd_answer_parse(struct view text, struct view *name_out)
{
    size_t n = view_find(text, '\0');
    *name_out = VIEW_EMPTY;
    if (n == text.n)
        return text.n >= CLAMD_ANSWER_MAX_BYTES ? CLAMD_RUBBISH : CLAMD_MORE;
    if (n + 1 != text.n) /* it was asked one thing */
        return CLAMD_RUBBISH;
    text.n = n;
    if (take_suffix(&text, VIEW_LIT(" ERROR")))
        return parse_error(text, name_out);
    if (!take_prefix(&text, VIEW_LIT("stream: ")))
        return CLAMD_RUBBISH;
    if (view_eq(text, VIEW_LIT("OK")))
        return CLAMD_CLEAN;
    if (!take_suffix(&text, VIEW_LIT(" FOUND")) || view_trim(text).n == 0)
        return CLAMD_RUBBISH;
    *name_out = view_trim(text);
    return CLAMD_FOUND;
}
