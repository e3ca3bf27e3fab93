#include "policy/score/services/rspamd_answer.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "msa/base/err.h"

#define SCORE_MAX   1000000.0
#define SYMBOLS_MAX 4096
#define FIELDS_MAX  64

/* ---- score and symbols ---- */

static bool take_milli(const json_t *number, int64_t *out)
{
    double n = json_is_number(number) ? json_number_value(number) : NAN;
    if (!(n >= -SCORE_MAX && n <= SCORE_MAX)) /* NaN is neither */
        return false;
    *out = (int64_t)llround(n * 1000);
    return true;
}

static int take_symbols(json_t *symbols, const struct config_rspamd *set, struct judgement *v)
{
    const char *name;
    json_t *symbol;
    int64_t milli;
    if (!symbols)
        return MSA_OK;
    if (!json_is_object(symbols) || json_object_size(symbols) > SYMBOLS_MAX)
        return MSA_EINVAL;
    json_object_foreach(symbols, name, symbol)
    {
        if (!take_milli(json_object_get(symbol, "score"), &milli))
            return MSA_EINVAL;
        judgement_find(v, set->common.name, view_cstr(name),
                     judgement_weigh(milli, set->common.weight_milli));
    }
    return MSA_OK;
}

/* ---- action ---- */

static bool find_act(const struct config_rspamd *set, const char *action,
                     enum config_service_act *out)
{
    const struct {
        const char *action;
        enum config_service_act act;
    } table[] = {
        {"no action", CONFIG_ACT_NONE},         {"greylist", set->on_greylist},
        {"add header", set->on_add_header},     {"rewrite subject", set->on_rewrite_subject},
        {"soft reject", set->on_soft_reject},   {"reject", set->on_reject},
        {"quarantine", CONFIG_ACT_HOLD},        {"discard", CONFIG_ACT_HOLD},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(action, table[i].action) != 0)
            continue;
        *out = table[i].act;
        return true;
    }
    *out = CONFIG_ACT_NONE;
    return action[0] != '\0'; /* one of the operator's own: the score counts */
}

static struct view reply_text(const json_t *root, enum config_service_act act)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(root, "messages"), "smtp_message"));
    if (text && text[0])
        return view_cstr(text);
    return act == CONFIG_ACT_DEFER ? VIEW_LIT("try again later") : VIEW_LIT("message looks like spam");
}

/* ---- header fields ---- */

static void add_field(struct judgement *v, const char *name, const json_t *value, unsigned *left_out)
{
    const char *text = json_string_value(
        json_is_object(value) ? json_object_get(value, "value") : value);
    struct buf spaced;
    if (!text) {
        ++*left_out;
        return;
    }
    buf_init(&spaced, JUDGEMENT_HEADER_MAX);
    buf_add_char(&spaced, ' ');
    buf_add_cstr(&spaced, text);
    if (buf_failed(&spaced) ||
        judgement_add_field(v, view_cstr(name), buf_view(&spaced), false) < 0)
        ++*left_out;
    buf_fini(&spaced);
}

/* A value is a string, an object with one, or a list of such. */
static void add_fields(struct judgement *v, const char *name, const json_t *value, unsigned *left_out)
{
    if (!json_is_array(value)) {
        add_field(v, name, value, left_out);
        return;
    }
    for (size_t i = 0; i < json_array_size(value) && i < FIELDS_MAX; i++)
        add_field(v, name, json_array_get(value, i), left_out);
}

static void take_header(json_t *root, struct judgement *v, unsigned *left_out)
{
    const char *name;
    json_t *milter = json_object_get(root, "milter"), *value;
    json_t *added = json_object_get(milter, "add_headers");
    unsigned count = 0;
    json_object_foreach(added, name, value)
    {
        if (count++ < FIELDS_MAX)
            add_fields(v, name, value, left_out);
        else
            ++*left_out;
    }
    value = json_object_get(root, "dkim-signature");
    if (value)
        add_fields(v, "DKIM-Signature", value, left_out);
}

static unsigned count_impossible(const json_t *root, const char *action)
{
    const json_t *milter = json_object_get(root, "milter");
    return (unsigned)json_object_size(json_object_get(milter, "remove_headers")) +
           (json_object_get(milter, "change_from") != NULL) +
           (json_object_get(milter, "add_rcpt") != NULL) +
           (json_object_get(milter, "del_rcpt") != NULL) + (strcmp(action, "rewrite subject") == 0);
}

/* ---- all of it ---- */

static int take(json_t *root, const struct config_rspamd *set, struct judgement *v, unsigned *left_out)
{
    int64_t milli;
    enum config_service_act act;
    const char *action = json_string_value(json_object_get(root, "action"));
    if (!action || !take_milli(json_object_get(root, "score"), &milli) ||
        !find_act(set, action, &act))
        return MSA_EINVAL;
    int err = take_symbols(json_object_get(root, "symbols"), set, v);
    if (err < 0)
        return err;
    judgement_score(v, judgement_weigh(milli, set->common.weight_milli));
    judgement_act(v, act, 0, reply_text(root, act));
    if (act == CONFIG_ACT_DEFER || act == CONFIG_ACT_HOLD || act == CONFIG_ACT_REFUSE)
        judgement_find(v, set->common.name, view_cstr(action), 0);
    if (set->add_headers)
        take_header(root, v, left_out);
    *left_out += count_impossible(root, action);
    return MSA_OK;
}

int rspamd_answer_take(struct view text, const struct config_rspamd *set, struct judgement *v,
                       unsigned *left_out)
{
    json_error_t error;
    *left_out = 0;
    if (text.n > RSPAMD_ANSWER_MAX_BYTES)
        return MSA_ETOOBIG;
    json_t *root = text.n > 0 ? json_loadb(text.p, text.n, 0, &error) : NULL;
    int err = json_is_object(root) ? take(root, set, v, left_out) : MSA_EINVAL;
    json_decref(root);
    return err;
}
