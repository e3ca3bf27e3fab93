/* Makes the rules ready: names become numbers, patterns are folded, phrases go into one automaton. How they are judged stands in
 * judge.c. */
#include <stdlib.h>

#include "msa/base/err.h"
#include "policy/score/fold.h"
#include "policy/score/rules_private.h"

#define ARENA_BYTES_MAX (16u << 20) /* the text of a configuration is 8 MiB at most */

struct making {
    struct score_rules *rules;
    const struct config *config;
    bool is_failed; /* out of memory */
};

static void *take(struct making *m, size_t bytes)
{
    void *p = arena_alloc(&m->rules->arena, bytes ? bytes : 1);
    m->is_failed |= !p;
    return p;
}

static struct view keep(struct making *m, struct view text)
{
    struct view kept = arena_copy(&m->rules->arena, text);
    m->is_failed |= kept.n != text.n;
    return kept;
}

static struct view keep_folded(struct making *m, struct view text)
{
    struct buf folded;
    buf_init(&folded, text.n + 1);
    m->is_failed |= fold_add(&folded, text) < 0;
    struct view kept = keep(m, buf_view(&folded));
    buf_fini(&folded);
    return kept;
}

typedef struct view keep_fn(struct making *m, struct view text);

static struct texts keep_texts(struct making *m, const struct config_strings *from, keep_fn *fn)
{
    struct view *items = take(m, from->count * sizeof *items);
    for (uint32_t i = 0; items && i < from->count; i++)
        items[i] = fn(m, view_cstr(from->items[i]));
    return (struct texts){items, items ? from->count : 0};
}

/* ---- names that become numbers ---- */

typedef int number_fn(struct making *m, struct view text); /* negative: there is none */

static struct numbers number(struct making *m, const struct config_strings *from, number_fn *fn)
{
    uint32_t count = 0;
    uint16_t *items = take(m, from->count * sizeof *items);
    for (uint32_t i = 0; items && i < from->count; i++) {
        int n = fn(m, view_cstr(from->items[i]));
        if (n >= 0)
            items[count++] = (uint16_t)n;
    }
    return (struct numbers){items, count};
}

/* Those behind the rule under way are not there yet. */
static int number_of_rule(struct making *m, struct view name)
{
    for (uint32_t i = 0; i < m->rules->count; i++)
        if (view_eq(m->rules->items[i].name, name))
            return (int)i;
    return MSA_EINVAL;
}

/* Beyond the maximum a field is not looked at. */
static int number_of_field(struct making *m, struct view name)
{
    struct score_rules *r = m->rules;
    for (uint32_t i = 0; i < r->field_name_count; i++)
        if (view_eq_nocase(r->field_names[i], name))
            return (int)i;
    if (r->field_name_count == FIELD_NAMES_MAX)
        return MSA_EFULL;
    r->field_names[r->field_name_count] = keep(m, name);
    return (int)r->field_name_count++;
}

static int number_of_phrase(struct making *m, struct view text)
{
    int n = phrases_add(m->rules->phrases, text);
    m->is_failed |= n == MSA_ENOMEM;
    return n;
}

/* ---- all of it ---- */

static void make_rule(struct making *m, const struct config_score_rule *from,
                      struct score_rule *out)
{
    *out = (struct score_rule){
        .name = keep(m, view_cstr(from->name)),
        .describe = keep(m, view_cstr(from->describe)),
        .add_milli = from->add_milli,
        .missing = keep_texts(m, &from->missing, keep),
        .present = keep_texts(m, &from->present, keep),
        .repeated = keep_texts(m, &from->repeated, keep),
        .fields = number(m, &from->field, number_of_field),
        .matches = keep_texts(m, &from->matches, keep_folded),
        .phrases = number(m, &from->phrases, number_of_phrase),
        .at_least = from->phrases.count > 0 ? from->at_least : 0,
        .fact = from->fact,
        .link = from->link,
        .link_host = keep_texts(m, &from->link_host, keep_folded),
        .attachment = keep_texts(m, &from->attachment, keep_folded),
        .media_type = keep_texts(m, &from->media_type, keep_folded),
        .charset = keep_texts(m, &from->charset, keep_folded),
        .min_links = from->min_links,
        .max_links = from->max_links,
        .min_recipients = from->min_recipients,
        .min_text_bytes = from->min_text_bytes,
        .max_text_bytes = from->max_text_bytes,
        .min_bytes = from->min_bytes,
        .max_bytes = from->max_bytes,
        .all = number(m, &from->all_of, number_of_rule),
        .any = number(m, &from->any_of, number_of_rule),
        .none = number(m, &from->none_of, number_of_rule),
    };
}

static void make_all(struct making *m)
{
    const struct config *config = m->config;
    struct score_rules *r = m->rules;
    (void)number_of_field(m, VIEW_LIT("Subject"));
    (void)number_of_field(m, VIEW_LIT("From"));
    (void)number_of_field(m, VIEW_LIT("Reply-To"));
    r->classifier_weight_milli = config->score.classifier_weight_milli;
    r->known_hosts = keep_texts(m, &config->score.known_hosts, keep);
    r->items = take(m, config->score_rule_count * sizeof *r->items);
    for (uint32_t i = 0; r->items && i < config->score_rule_count; i++) {
        make_rule(m, &config->score_rules[i], &r->items[i]);
        r->count++;
    }
    m->is_failed |= phrases_build(r->phrases) < 0;
}

struct score_rules *score_rules_new(const struct config *config)
{
    struct score_rules *r = calloc(1, sizeof *r);
    struct making m = {.rules = r, .config = config};
    if (!r)
        return NULL;
    atomic_init(&r->reference_count, 1);
    arena_init(&r->arena, ARENA_BYTES_MAX);
    r->phrases = phrases_new();
    if (r->phrases)
        make_all(&m);
    if (!r->phrases || m.is_failed)
        score_rules_unref(&r);
    return r;
}

struct score_rules *score_rules_ref(struct score_rules *r)
{
    atomic_fetch_add(&r->reference_count, 1);
    return r;
}

void score_rules_unref(struct score_rules **r)
{
    struct score_rules *rules = *r;
    *r = NULL;
    if (!rules || atomic_fetch_sub(&rules->reference_count, 1) > 1)
        return;
    phrases_free(&rules->phrases);
    arena_fini(&rules->arena);
    free(rules);
}

int32_t score_rules_classifier_weight_milli(const struct score_rules *r)
{
    return r->classifier_weight_milli;
}

const struct view *score_rules_known_hosts(const struct score_rules *r, uint32_t *count_out)
{
    *count_out = r->known_hosts.count;
    return r->known_hosts.items;
}
