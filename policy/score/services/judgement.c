#include "policy/score/services/judgement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"

#define FIELD_LINE_MAX 998 /* RFC 5322 §2.1.1 */

void judgement_init(struct judgement *v)
{
    v->is_scored = false;
    v->score_milli = 0;
    v->action = SCORE_ACTION_NONE;
    v->text[0] = '\0';
    v->finding_count = 0;
    buf_init(&v->header, JUDGEMENT_HEADER_MAX);
}

void judgement_fini(struct judgement *v)
{
    buf_fini(&v->header);
}

/* ---- score and findings ---- */

static int64_t bounded(int64_t milli)
{
    if (milli > JUDGEMENT_SCORE_MAX)
        return JUDGEMENT_SCORE_MAX;
    return milli < -JUDGEMENT_SCORE_MAX ? -JUDGEMENT_SCORE_MAX : milli;
}

int64_t judgement_weigh(int64_t milli, int32_t weight_milli)
{
    return bounded(bounded(milli) * weight_milli / 1000);
}

void judgement_score(struct judgement *v, int64_t milli)
{
    v->is_scored = true;
    v->score_milli = bounded(v->score_milli + bounded(milli));
}

static void copy_printable(char *to, size_t size, struct view from, char instead, char lowest)
{
    size_t n = from.n < size - 1 ? from.n : size - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = from.p[i] >= lowest && from.p[i] < 0x7f ? from.p[i] : instead;
    to[n] = '\0';
}

void judgement_find(struct judgement *v, const char *service, struct view rule, int64_t milli)
{
    struct service_finding f = {.milli = bounded(milli)};
    size_t at = v->finding_count;
    int n = snprintf(f.name, sizeof f.name, "%.63s/", service);
    copy_printable(f.name + n, sizeof f.name - (size_t)n, rule, '_', '!');
    while (at > 0 && llabs(v->findings[at - 1].milli) < llabs(f.milli))
        at--;
    if (at == JUDGEMENT_FINDINGS_MAX)
        return;
    if (v->finding_count < JUDGEMENT_FINDINGS_MAX)
        v->finding_count++;
    memmove(&v->findings[at + 1], &v->findings[at],
            (v->finding_count - at - 1) * sizeof v->findings[0]);
    v->findings[at] = f;
}

/* ---- actions ---- */

static enum score_action action_of(enum config_service_act act)
{
    switch (act) {
    case CONFIG_ACT_HOLD: return SCORE_ACTION_HOLD;
    case CONFIG_ACT_DEFER: return SCORE_ACTION_DEFER;
    case CONFIG_ACT_REFUSE: return SCORE_ACTION_REFUSE;
    case CONFIG_ACT_NONE:
    case CONFIG_ACT_SCORE: break;
    }
    return SCORE_ACTION_NONE;
}

int64_t judgement_act(struct judgement *v, enum config_service_act act, int32_t weight_milli,
                    struct view text)
{
    enum score_action action = action_of(act);
    if (act == CONFIG_ACT_SCORE) {
        judgement_score(v, weight_milli);
        return weight_milli;
    }
    if (action <= v->action)
        return 0;
    v->action = action;
    copy_printable(v->text, sizeof v->text, text, '?', ' ');
    return 0;
}

/* ---- header fields ---- */

static bool is_field_name(struct view name)
{
    if (name.n == 0 || name.n > 76)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 0x7f || name.p[i] == ':')
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One line of a value. A line of nothing but blanks would be an empty line to some readers. */
static void add_line(struct buf *out, struct view line, bool is_first)
{
    struct view shown = view_trim(line);
    if (shown.n == 0)
        return;
    if (!is_first)
        buf_add_cstr(out, is_blank(line.p[0]) ? "\r\n" : "\r\n\t");
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] >= ' ' ? line.p[i] != 0x7f : line.p[i] == '\t')
            buf_add_char(out, line.p[i]);
}

static bool has_long_line(struct view text)
{
    while (text.n > 0)
        if (view_cut(&text, '\n').n > FIELD_LINE_MAX + 1)
            return true;
    return false;
}

static void build_field(struct buf *field, struct view name, struct view value)
{
    bool is_first = true;
    buf_add(field, name);
    buf_add_char(field, ':');
    while (value.n > 0) {
        struct view line = view_cut(&value, '\n');
        while (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        add_line(field, line, is_first);
        is_first = false;
    }
    buf_add_cstr(field, "\r\n");
}

static int join(struct judgement *v, struct view field, bool at_top)
{
    struct buf *h = &v->header;
    if (buf_len(h) + field.n > JUDGEMENT_HEADER_MAX)
        return MSA_ETOOBIG;
    if (!at_top)
        return buf_add(h, field);
    struct buf both;
    buf_init(&both, JUDGEMENT_HEADER_MAX);
    buf_add(&both, field);
    buf_add(&both, buf_view(h));
    if (buf_failed(&both)) {
        buf_fini(&both);
        return MSA_ENOMEM;
    }
    buf_fini(h);
    *h = both;
    return MSA_OK;
}

int judgement_add_field(struct judgement *v, struct view name, struct view value, bool at_top)
{
    struct buf field;
    int err = MSA_EINVAL;
    if (!is_field_name(name))
        return err;
    buf_init(&field, JUDGEMENT_HEADER_MAX);
    build_field(&field, name, value);
    if (buf_failed(&field))
        err = MSA_ETOOBIG;
    else if (!has_long_line(buf_view(&field)))
        err = join(v, buf_view(&field), at_top);
    buf_fini(&field);
    return err;
}
