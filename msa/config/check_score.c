/* Contradictions within the rules of the score. */
#include <string.h>

#include "msa/config/check.h"
#include "msa/config/private.h"

/* A rule before the one at `end`, so that nothing goes round in circles. */
static bool is_before(const struct config *cfg, uint32_t end, const char *name)
{
    for (uint32_t i = 0; i < end; i++)
        if (strcmp(cfg->score_rules[i].name, name) == 0)
            return true;
    return false;
}

static void check_names(const struct checker *c, uint32_t at, const struct config_strings *names)
{
    const struct config_score_rule *r = &c->cfg->score_rules[at];
    for (uint32_t i = 0; i < names->count; i++) {
        if (is_before(c->cfg, at, names->items[i]))
            continue;
        struct suggest near = {.word = view_cstr(names->items[i])};
        for (uint32_t k = 0; k < at; k++)
            suggest_offer(&near, c->cfg->score_rules[k].name);
        report_add(c->errs, check_place(c, names, r),
                   "score_rule '%s' asks for '%s': there is no such rule before it%s", r->name,
                   names->items[i], suggest_text(&near));
    }
}

static bool has_condition(const struct config_score_rule *r)
{
    return r->missing.count || r->present.count || r->repeated.count || r->matches.count ||
           r->phrases.count || r->fact || r->link || r->link_host.count || r->attachment.count ||
           r->media_type.count || r->charset.count || r->min_links || r->max_links ||
           r->min_recipients || r->min_text_bytes || r->max_text_bytes || r->min_bytes ||
           r->max_bytes || r->all_of.count || r->any_of.count || r->none_of.count;
}

static void check_sense(const struct checker *c, const struct config_score_rule *r)
{
    if (!has_condition(r))
        report_add(c->errs, check_place(c, r, r),
                   "score_rule '%s' asks for nothing, and would hold for every message", r->name);
    if (r->matches.count > 0 && r->field.count == 0)
        report_add(c->errs, check_place(c, &r->matches, r),
                   "'matches' needs 'field', the header fields that it is about: field Subject;");
    if (r->field.count > 0 && r->matches.count == 0 && r->phrases.count == 0)
        report_add(c->errs, check_place(c, &r->field, r),
                   "'field' needs 'matches' or 'phrases' beside it; 'present' asks whether it is there");
    if (r->at_least > 1 && r->at_least > r->phrases.count)
        report_add(c->errs, check_place(c, &r->at_least, r),
                   "score_rule '%s' can never hold: it has only %u phrases", r->name,
                   r->phrases.count);
    if (r->add_milli != 0 && r->describe[0] == '\0')
        report_add(c->errs, check_place(c, r, r),
                   "score_rule '%s' needs 'describe': the support desk has to say what it has seen",
                   r->name);
}

static void check_range(const struct checker *c, const struct config_score_rule *r,
                        const void *field, uint64_t least, uint64_t most, const char *what)
{
    if (most > 0 && least > most)
        report_add(c->errs, check_place(c, field, r), "'min_%s' may not be more than 'max_%s'", what,
                   what);
}

void check_score(const struct checker *c)
{
    for (uint32_t i = 0; i < c->cfg->score_rule_count; i++) {
        const struct config_score_rule *r = &c->cfg->score_rules[i];
        check_sense(c, r);
        check_range(c, r, &r->min_links, r->min_links, r->max_links, "links");
        check_range(c, r, &r->min_text_bytes, r->min_text_bytes, r->max_text_bytes, "text");
        check_range(c, r, &r->min_bytes, r->min_bytes, r->max_bytes, "size");
        check_names(c, i, &r->all_of);
        check_names(c, i, &r->any_of);
        check_names(c, i, &r->none_of);
    }
}
