/* A score as text for people: the sum, what it is made of, and by what other copies are known. */
#include <inttypes.h>

#include "msa/base/utf8.h"
#include "msa/ctl/json_at.h"
#include "msa/ctl/show.h"

static void add_findings(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *f;
    json_array_foreach(json_object_get(answer, "findings"), i, f) {
        buf_addf(out, "  %+8.2f  ", json_number_value(json_object_get(f, "points")));
        size_t begin = buf_len(out);
        utf8_add_clean(out, text_at(f, "name"));
        for (size_t n = buf_len(out) - begin; n < 24; n++)
            buf_add_char(out, ' ');
        buf_add_char(out, ' ');
        utf8_add_clean(out, text_at(f, "text"));
        buf_add_char(out, '\n');
    }
}

static void add_fingerprints(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *f;
    json_array_foreach(json_object_get(answer, "fingerprints"), i, f) {
        buf_add_cstr(out, i == 0 ? "  fingerprints:" : "");
        buf_add_char(out, ' ');
        utf8_add_clean(out, text_at(f, "number"));
        if (text_at(f, "domain").n > 0) {
            buf_add_cstr(out, " (");
            utf8_add_clean(out, text_at(f, "domain"));
            buf_add_char(out, ')');
        }
    }
    if (i > 0)
        buf_add_char(out, '\n');
}

static void add_remarks(const json_t *answer, struct buf *out)
{
    json_int_t bytes = json_integer_value(json_object_get(answer, "bytes"));
    json_int_t looked_at = json_integer_value(json_object_get(answer, "bytes_looked_at"));
    if (looked_at < bytes)
        buf_addf(out, "  only the first %" PRId64 " of %" PRId64 " bytes were looked at\n",
                 (int64_t)looked_at, (int64_t)bytes);
    if (json_is_true(json_object_get(answer, "cut")))
        buf_add_cstr(out, "  some text, parts or links were too much, and were not looked at\n");
    if (!view_eq(text_at(answer, "action"), VIEW_LIT("none")) && text_at(answer, "action").n > 0) {
        buf_add_cstr(out, "  a service insists on this: ");
        utf8_add_clean(out, text_at(answer, "action"));
        buf_add_char(out, '\n');
    }
    if (json_is_true(json_object_get(answer, "late")))
        buf_add_cstr(out, "  not everything answered within the deadline\n");
    if (json_is_false(json_object_get(answer, "scored")))
        buf_add_cstr(out, "  nothing answered: this is the neutral score\n");
}

void show_score(const json_t *answer, struct buf *out)
{
    utf8_add_clean(out, text_at(answer, "file"));
    buf_addf(out, ": score %.2f\n", json_number_value(json_object_get(answer, "score")));
    add_findings(answer, out);
    add_fingerprints(answer, out);
    add_remarks(answer, out);
}

static void add_share(struct buf *out, const json_t *model, const char *kind, const char *share, const char *what)
{
    buf_addf(out, "  %s: %" PRId64 ", of which %.1f%% %s\n", kind,
             (int64_t)json_integer_value(json_object_get(model, kind)),
             100 * json_number_value(json_object_get(model, share)), what);
}

void show_training(const json_t *answer, struct buf *out)
{
    const json_t *model = json_object_get(answer, "model");
    buf_addf(out, "%" PRId64 " messages: %" PRId64 " new, %" PRId64 " known as the other kind\n",
             (int64_t)json_integer_value(json_object_get(answer, "messages")),
             (int64_t)json_integer_value(json_object_get(answer, "added")),
             (int64_t)json_integer_value(json_object_get(answer, "changed")));
    int64_t outdated = (int64_t)json_integer_value(json_object_get(model, "outdated"));
    if (outdated > 0)
        buf_addf(out, "%" PRId64 " messages that another version of msad learnt do not count: learn them anew\n", outdated);
    if (json_is_false(json_object_get(model, "ok"))) {
        buf_add_cstr(out, "nothing changes in scores: ");
        utf8_add_clean(out, text_at(model, "detail"));
        buf_add_char(out, '\n');
        return;
    }
    buf_add_cstr(out, "model ");
    utf8_add_clean(out, text_at(model, "generation"));
    buf_add_cstr(out, " is in force; each message judged by what was learnt without it:\n");
    add_share(out, model, "ham", "ham_wrong", "would be taken for spam");
    add_share(out, model, "spam", "spam_caught", "would be caught");
}
