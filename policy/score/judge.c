/* Whether each rule holds for a message, one after the other: a rule may ask for those before it. What costs something
 * (folding the text, decoding fields, finding phrases) is done once for all of them. */
#include <stdlib.h>

#include "msa/base/err.h"
#include "policy/score/fold.h"
#include "policy/score/pattern.h"
#include "policy/score/rules_private.h"
#include "policy/score/traits.h"

#define VALUE_BYTES_MAX     1024 /* of a field; what stands behind it is not looked at */
#define VALUES_PER_NAME_MAX 4
#define VALUES_MAX          256
#define VALUES_BYTES_MAX    (VALUES_MAX * 2 * VALUE_BYTES_MAX)

struct value {
    uint16_t name;
    uint32_t plain_offset, plain_bytes; /* in `values`: decoded … */
    uint32_t folded_bytes;              /* … and folded, right behind */
};

struct judging {
    const struct score_rules *rules;
    const struct document *document;
    const struct score_subject *subject;
    uint32_t facts;
    unsigned link_hosts;
    struct buf values_text;
    struct value values[VALUES_MAX];
    unsigned value_count;
    struct phrase_hits hits; /* in subject and text */
    struct buf *scratch;
    bool holds[CONFIG_SCORE_RULES_MAX];
};

/* ---- header fields ---- */

static struct view folded_value(const struct judging *j, const struct value *v)
{
    size_t at = v->plain_offset + v->plain_bytes;
    return view_slice(buf_view(&j->values_text), at, at + v->folded_bytes);
}

static struct view plain_value(const struct judging *j, unsigned name)
{
    for (unsigned i = 0; i < j->value_count; i++)
        if (j->values[i].name == name)
            return view_slice(buf_view(&j->values_text), j->values[i].plain_offset,
                              j->values[i].plain_offset + j->values[i].plain_bytes);
    return VIEW_EMPTY;
}

static int add_value(struct judging *j, unsigned name, const struct document_field *field)
{
    struct buf decoded;
    size_t begin = buf_len(&j->values_text);
    buf_init(&decoded, VALUE_BYTES_MAX);
    int err = document_decode(j->subject->reader, field->value, &decoded);
    struct view plain = buf_view(&decoded);
    if (err != MSA_ENOMEM)
        err = buf_add(&j->values_text, plain);
    if (err == MSA_OK)
        err = fold_add(&j->values_text, plain);
    if (err == MSA_OK)
        j->values[j->value_count++] = (struct value){
            .name = (uint16_t)name,
            .plain_offset = (uint32_t)begin,
            .plain_bytes = (uint32_t)plain.n,
            .folded_bytes = (uint32_t)(buf_len(&j->values_text) - begin - plain.n),
        };
    buf_fini(&decoded);
    return err;
}

static int read_fields(struct judging *j)
{
    int err = MSA_OK;
    for (unsigned n = 0; n < j->rules->field_name_count; n++) {
        const struct document_field *f = NULL;
        for (unsigned k = 0; k < VALUES_PER_NAME_MAX && j->value_count < VALUES_MAX; k++) {
            f = document_field(j->document, j->rules->field_names[n], f);
            if (!f)
                break;
            err = add_value(j, n, f);
            if (err < 0)
                return err;
        }
    }
    return MSA_OK;
}

static unsigned occurrences(const struct judging *j, struct view name)
{
    unsigned count = 0;
    const struct document_field *f = document_field(j->document, name, NULL);
    for (; f && count < 2; count++)
        f = document_field(j->document, name, f);
    return count;
}

static bool is_missing(const struct judging *j, const struct texts *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (occurrences(j, names->items[i]) > 0)
            return false;
    return true;
}

static bool is_present(const struct judging *j, const struct texts *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (occurrences(j, names->items[i]) == 0)
            return false;
    return true;
}

static bool is_repeated(const struct judging *j, const struct texts *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (occurrences(j, names->items[i]) > 1)
            return true;
    return names->count == 0;
}

/* ---- texts ---- */

static bool matches_one(const struct texts *patterns, struct view folded)
{
    for (uint32_t i = 0; i < patterns->count; i++)
        if (pattern_matches(patterns->items[i], folded))
            return true;
    return false;
}

/* What is not folded yet: a name of a file, a charset. Hosts are small letters already. */
static bool matches_raw(const struct judging *j, const struct texts *patterns, struct view text)
{
    text = view_slice(text, 0, VALUE_BYTES_MAX);
    buf_reset(j->scratch);
    return text.n > 0 && fold_add(j->scratch, text) == MSA_OK &&
           matches_one(patterns, buf_view(j->scratch));
}

static bool is_in(const struct numbers *list, unsigned number)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i] == number)
            return true;
    return false;
}

static bool field_matches(const struct judging *j, const struct score_rule *r)
{
    if (r->matches.count == 0)
        return true;
    for (unsigned i = 0; i < j->value_count; i++)
        if (is_in(&r->fields, j->values[i].name) &&
            matches_one(&r->matches, folded_value(j, &j->values[i])))
            return true;
    return false;
}

static bool has_phrases(const struct judging *j, const struct score_rule *r)
{
    const struct phrase_hits *hits = &j->hits;
    struct phrase_hits own = {{0}};
    uint32_t count = 0;
    if (r->fields.count > 0 && r->phrases.count > 0) {
        for (unsigned i = 0; i < j->value_count; i++)
            if (is_in(&r->fields, j->values[i].name))
                phrases_find(j->rules->phrases, folded_value(j, &j->values[i]), &own);
        hits = &own;
    }
    for (uint32_t i = 0; i < r->phrases.count; i++)
        count += (uint32_t)phrase_is_hit(hits, r->phrases.items[i]);
    return count >= r->at_least;
}

/* ---- parts and links ---- */

static bool has_link(const struct judging *j, const struct score_rule *r)
{
    if (r->link == 0 && r->link_host.count == 0)
        return true;
    for (size_t i = 0; i < j->document->link_count; i++) {
        const struct document_link *link = &j->document->links[i];
        if ((traits_of_link(link) & r->link) == r->link &&
            (r->link_host.count == 0 || matches_one(&r->link_host, link->host)))
            return true;
    }
    return false;
}

static bool has_part(const struct judging *j, const struct score_rule *r)
{
    if (r->attachment.count + r->media_type.count + r->charset.count == 0)
        return true;
    bool has_attachment = r->attachment.count == 0, has_type = r->media_type.count == 0,
         has_charset = r->charset.count == 0;
    for (size_t i = 0; i < j->document->part_count; i++) {
        const struct document_part *p = &j->document->parts[i];
        has_attachment = has_attachment || matches_raw(j, &r->attachment, p->file_name);
        has_type = has_type || matches_raw(j, &r->media_type, p->media_type);
        has_charset = has_charset || matches_raw(j, &r->charset, p->charset);
    }
    return has_attachment && has_type && has_charset;
}

/* ---- numbers ---- */

static bool is_within(uint64_t n, uint64_t least, uint64_t most)
{
    return n >= least && (most == 0 || n <= most);
}

static bool has_numbers(const struct judging *j, const struct score_rule *r)
{
    return is_within(j->link_hosts, r->max_links > 0 && r->min_links == 0 ? 1 : r->min_links,
                     r->max_links) &&
           is_within(j->document->text.n, r->min_text_bytes, r->max_text_bytes) &&
           is_within(j->document->message_bytes, r->min_bytes, r->max_bytes) &&
           j->subject->recipient_count >= r->min_recipients;
}

/* ---- other rules ---- */

static uint32_t count_holding(const struct judging *j, const struct numbers *rules)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rules->count; i++)
        count += j->holds[rules->items[i]];
    return count;
}

static bool has_rules(const struct judging *j, const struct score_rule *r)
{
    return count_holding(j, &r->all) == r->all.count &&
           (r->any.count == 0 || count_holding(j, &r->any) > 0) && count_holding(j, &r->none) == 0;
}

/* ---- all of it ---- */

/* What is cheap first. */
static bool holds(const struct judging *j, const struct score_rule *r)
{
    return (j->facts & r->fact) == r->fact && has_numbers(j, r) && has_rules(j, r) &&
           is_missing(j, &r->missing) && is_present(j, &r->present) &&
           is_repeated(j, &r->repeated) && field_matches(j, r) && has_phrases(j, r) &&
           has_part(j, r) && has_link(j, r);
}

static int find_phrases(struct judging *j)
{
    struct buf folded;
    struct view text = j->document->text;
    buf_init(&folded, text.n + 1);
    int err = fold_add(&folded, text);
    if (err == MSA_OK)
        phrases_find(j->rules->phrases, buf_view(&folded), &j->hits);
    buf_fini(&folded);
    for (unsigned i = 0; i < j->value_count; i++)
        if (j->values[i].name == FIELD_SUBJECT)
            phrases_find(j->rules->phrases, folded_value(j, &j->values[i]), &j->hits);
    return err;
}

static int gather(struct judging *j)
{
    int err = read_fields(j);
    const struct trait_fields fields = {
        .subject = plain_value(j, FIELD_SUBJECT),
        .from = plain_value(j, FIELD_FROM),
        .reply_to = plain_value(j, FIELD_REPLY_TO),
    };
    j->facts = traits_of(j->document, &fields);
    j->link_hosts = traits_link_hosts(j->document);
    return err < 0 ? err : find_phrases(j);
}

int score_rules_judge(const struct score_rules *rules, const struct score_subject *subject,
                      struct findings *out)
{
    struct judging *j = calloc(1, sizeof *j);
    struct buf scratch;
    if (!j)
        return MSA_ENOMEM;
    buf_init(&scratch, VALUE_BYTES_MAX);
    j->scratch = &scratch;
    j->rules = rules;
    j->document = subject->document;
    j->subject = subject;
    buf_init(&j->values_text, VALUES_BYTES_MAX);
    int err = gather(j);
    for (uint32_t i = 0; err == MSA_OK && i < rules->count; i++) {
        const struct score_rule *r = &rules->items[i];
        j->holds[i] = holds(j, r);
        if (j->holds[i] && r->add_milli != 0)
            findings_add(out, r->name, r->add_milli, r->describe);
    }
    buf_fini(&scratch);
    buf_fini(&j->values_text);
    free(j);
    return err;
}
