/* The types of values, and settings made of one value or of several. */
#include "msa/config/value.h"

#include <string.h>

#include "msa/base/assert.h"
#include "msa/config/settings_relay.h"

/* value_list_set writes any of these through the common shape. */
_Static_assert(sizeof(struct value_list) == sizeof(struct config_prefixes) &&
                   sizeof(struct value_list) == sizeof(struct config_endpoints) &&
                   sizeof(struct value_list) == sizeof(struct config_addresses) &&
                   sizeof(struct value_list) == sizeof(struct config_durations),
               "lists have one shape");

/* ---- words ----------------------------------------------------------------------------------- */

bool value_find_word(const struct schema_word *words, struct view text, uint32_t *value_out)
{
    for (; words && words->text; words++) {
        if (view_eq(text, view_cstr(words->text))) {
            *value_out = words->value;
            return true;
        }
    }
    return false;
}

const char *value_word(const struct schema_word *words, uint32_t value)
{
    for (; words && words->text; words++)
        if (words->value == value)
            return words->text;
    return NULL;
}

static const struct schema_word bool_words[] = {{"no", false}, {"yes", true}, {NULL, 0}};

static bool parse_word(struct value_site *site, const struct schema_key *key,
                       const struct schema_word *words, const struct tree_word *word,
                       uint32_t *value_out)
{
    if (value_find_word(words, word->text, value_out))
        return true;
    struct suggest near = {.word = word->text};
    struct buf known;
    buf_init(&known, REPORT_TEXT_MAX);
    for (const struct schema_word *w = words; w->text; w++) {
        suggest_offer(&near, w->text);
        buf_addf(&known, "%s%s", w == words ? "" : w[1].text ? ", " : " or ", w->text);
    }
    report_add(site->errs, &word->at, "'%.*s' is no value of '%s', use %.*s%s",
               SHOWN(word->text), key->name, (int)buf_len(&known), buf_view(&known).p,
               suggest_text(&near));
    buf_fini(&known);
    return false;
}

static bool parse_bool(struct value_site *site, const struct schema_key *key,
                       const struct tree_word *word, void *out)
{
    uint32_t value = 0;
    if (!parse_word(site, key, bool_words, word, &value))
        return false;
    *(bool *)out = value != 0;
    return true;
}

static bool parse_choice(struct value_site *site, const struct schema_key *key,
                         const struct tree_word *word, void *out)
{
    return parse_word(site, key, key->words, word, out);
}

/* One word of several: its bit is added. */
static bool parse_choices(struct value_site *site, const struct schema_key *key,
                          const struct tree_word *word, void *out)
{
    uint32_t bit = 0;
    if (!parse_word(site, key, key->words, word, &bit))
        return false;
    *(uint32_t *)out |= bit;
    return true;
}

static void format_bool(const struct schema_key *key, const void *field, struct buf *out)
{
    (void)key;
    buf_add_cstr(out, value_word(bool_words, *(const bool *)field));
}

static void format_choice(const struct schema_key *key, const void *field, struct buf *out)
{
    const char *word = value_word(key->words, *(const uint32_t *)field);
    MSA_ASSERT(word != NULL);
    buf_add_cstr(out, word);
}

static void format_choices(const struct schema_key *key, const void *field, struct buf *out)
{
    uint32_t bits = *(const uint32_t *)field;
    const char *space = "";
    if (bits == 0) /* none of them: where that is possible, it has a word of its own */
        buf_add_cstr(out, value_word(key->words, 0));
    for (const struct schema_word *w = key->words; w->text; w++) {
        if (bits & w->value) {
            buf_addf(out, "%s%s", space, w->text);
            space = " ";
        }
    }
}

/* ---- the types ------------------------------------------------------------------------------- */

/* Choices are written through a uint32_t. */
_Static_assert(sizeof(enum config_handover) == sizeof(uint32_t), "enums are 32 bits wide");

const struct value_type value_types[SCHEMA_TYPE_COUNT] = {
    [SCHEMA_BOOL] = {"yes or no", "", sizeof(bool), parse_bool, format_bool},
    [SCHEMA_CHOICE] = {"a choice", "", sizeof(uint32_t), parse_choice, format_choice},
    [SCHEMA_CHOICES] = {"choices", "", sizeof(uint32_t), parse_choices, format_choices},
    [SCHEMA_COUNT] = {"a number", "digits only, such as 100", sizeof(uint32_t),
                      value_parse_count, value_format_count},
    [SCHEMA_SIZE] = {"a size", "bytes, or with K, M or G behind, such as 64K", sizeof(uint32_t),
                     value_parse_size, value_format_size},
    [SCHEMA_SIZE64] = {"a size", "bytes, or with K, M or G behind, such as 25M",
                       sizeof(uint64_t), value_parse_size64, value_format_size64},
    [SCHEMA_TIME] = {"a time", "a number with ms, s, m, h, d or w behind, such as 30s",
                     sizeof(int64_t), value_parse_time, value_format_time},
    [SCHEMA_DATE] = {"a date", "such as 2026-12-01 (from 00:00 UTC) or 2026-12-01T00:00:00+09:00",
                     sizeof(int64_t), value_parse_date, value_format_date},
    [SCHEMA_RATE] = {"a rate", "a number per time, such as 100/1h, or off",
                     sizeof(struct config_rate), value_parse_rate, value_format_rate},
    [SCHEMA_DECIMAL] = {"a decimal number", "such as -1.5", sizeof(int32_t),
                        value_parse_decimal, value_format_decimal},
    [SCHEMA_TEXT] = {"a text", "between \"quotes\" if it holds spaces", sizeof(char *),
                     value_parse_text, value_format_text},
    [SCHEMA_NAME] = {"a name", "up to 63 letters, digits, '-', '_' or '.'", sizeof(char *),
                     value_parse_name, value_format_text},
    [SCHEMA_DOMAIN] = {"a host name", "such as mx.example.jp, in ASCII", sizeof(char *),
                       value_parse_domain, value_format_text},
    [SCHEMA_PATH] = {"a path", "it begins with '/'", sizeof(char *), value_parse_path,
                     value_format_text},
    [SCHEMA_MAILBOX] = {"a mail address", "such as postmaster@example.jp", sizeof(char *),
                        value_parse_mailbox, value_format_text},
    [SCHEMA_SENDER] = {"a sender", "such as taro@example.jp, @example.jp or .example.jp", sizeof(char *),
                       value_parse_sender, value_format_text},
    [SCHEMA_HOST] = {"a host", "a name or address, such as mx.example.jp:25 or [2001:db8::1]:25",
                     sizeof(struct config_host), value_parse_host, value_format_host},
    [SCHEMA_ADDRESS] = {"an IP address", "such as 192.0.2.1 or 2001:db8::1",
                        sizeof(struct ipaddr), value_parse_address, value_format_address},
    [SCHEMA_PREFIX] = {"a network", "such as 10.0.0.0/8, with no bits behind its length",
                       sizeof(struct ipprefix), value_parse_prefix, value_format_prefix},
    [SCHEMA_ENDPOINT] = {"an address with port", "such as 192.0.2.1:587 or [2001:db8::1]:587",
                         sizeof(struct config_endpoint), value_parse_endpoint,
                         value_format_endpoint},
};

/* A secret is never quoted: messages end up in logs and on screens. */
static struct view shown_text(const struct schema_key *key, const struct tree_word *word)
{
    return key->flags & SCHEMA_SECRET ? VIEW_LIT("***") : word->text;
}

bool value_fail(struct value_site *site, const struct schema_key *key,
                const struct tree_word *word)
{
    const struct value_type *type = &value_types[key->type];
    struct suggest near = {.word = word->text};
    for (const struct schema_word *w = key->words; w && w->text; w++)
        suggest_offer(&near, w->text);
    struct view shown = shown_text(key, word);
    report_add(site->errs, &word->at, "'%.*s' is not %s: %s%s", SHOWN(shown), type->what,
               type->usage, suggest_text(&near));
    return false;
}

void value_format_bound(const struct schema_key *key, int64_t bound, struct buf *out)
{
    struct schema_key plain = {.type = key->type};
    uint32_t narrow = (uint32_t)bound;
    int32_t thousandths = (int32_t)bound;
    uint64_t wide = (uint64_t)bound;
    if (key->type == SCHEMA_TIME || key->type == SCHEMA_DATE || key->type == SCHEMA_SIZE64)
        value_types[key->type].format(&plain, &wide, out);
    else if (key->type == SCHEMA_DECIMAL)
        value_format_decimal(&plain, &thousandths, out);
    else if (key->type == SCHEMA_SIZE)
        value_format_size(&plain, &narrow, out);
    else
        value_format_count(&plain, &narrow, out);
}

bool value_fail_range(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word)
{
    struct buf range;
    buf_init(&range, REPORT_TEXT_MAX);
    if (key->type == SCHEMA_RATE) {
        buf_addf(&range, "1 to %lld in 1s to 31d", (long long)key->max);
    } else if (key->type > SCHEMA_DECIMAL) {
        buf_addf(&range, "at most %lld bytes",
                 (long long)(key->max > 0 ? key->max : SCHEMA_TEXT_MAX_BYTES));
    } else {
        value_format_bound(key, key->min, &range);
        buf_add_cstr(&range, " to ");
        value_format_bound(key, key->max, &range);
    }
    struct view shown = shown_text(key, word);
    report_add(site->errs, &word->at, "'%.*s' is out of range for '%s', use %.*s", SHOWN(shown),
               key->name, (int)buf_len(&range), buf_view(&range).p);
    buf_fini(&range);
    return false;
}

/* ---- a whole setting ------------------------------------------------------------------------- */

bool value_parse(struct value_site *site, const struct schema_key *key,
                 const struct tree_word *word, void *out)
{
    return !word->is_bad && value_types[key->type].parse(site, key, word, out);
}

static bool parse_list(struct value_site *site, const struct schema_key *key,
                       const struct tree_word *words, uint32_t count, void *field)
{
    const struct value_type *type = &value_types[key->type];
    char *items = arena_alloc(site->arena, type->bytes * count);
    if (!items) {
        site->is_out_of_memory = true;
        return false;
    }
    bool is_good = true;
    uint32_t n = 0;
    for (const struct tree_word *w = words; w; w = w->next, n++)
        is_good = value_parse(site, key, w, items + type->bytes * n) && is_good;
    struct value_list list = {.items = items, .count = count};
    if (is_good)
        memcpy(field, &list, sizeof list);
    return is_good;
}

static bool is_none(const struct tree_word *words)
{
    return !words->next && !words->is_quoted && view_eq(words->text, VIEW_LIT("none"));
}

/* A second value on a later line is most likely the next setting: a ';' was forgotten. */
static bool fail_count(struct value_site *site, const struct schema_key *key,
                       const struct tree_node *node)
{
    const struct value_type *type = &value_types[key->type];
    const struct tree_word *second = node->words ? node->words->next : NULL;
    if (!second)
        report_add(site->errs, &node->at, "'%s' needs a value: %s", key->name, type->what);
    else if (second->at.line > node->words->at.line)
        report_add(site->errs, &node->words->at, "';' is missing behind '%.*s'",
                   SHOWN(node->words->text));
    else
        report_add(site->errs, &second->at, "'%s' takes one value, this is another", key->name);
    return false;
}

static bool set_words(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *words, uint32_t count, void *field)
{
    bool is_good = true;
    if (key->flags & SCHEMA_LIST)
        return parse_list(site, key, words, count, field);
    if (key->type == SCHEMA_CHOICES)
        *(uint32_t *)field = 0; /* the default is there, and words only add bits */
    for (const struct tree_word *w = words; w; w = w->next)
        is_good = value_parse(site, key, w, field) && is_good;
    return is_good;
}

bool value_set(struct value_site *site, const struct schema_key *key,
               const struct tree_node *node, void *field)
{
    bool is_many = (key->flags & SCHEMA_LIST) || key->type == SCHEMA_CHOICES;
    if (node->word_count == 0 || (node->word_count > 1 && !is_many))
        return fail_count(site, key, node);
    if (node->word_count > SCHEMA_LIST_MAX) {
        report_add(site->errs, &node->at, "'%s' has more than %d values", key->name,
                   SCHEMA_LIST_MAX);
        return false;
    }
    if ((key->flags & SCHEMA_LIST) && is_none(node->words)) {
        if (!(key->flags & (SCHEMA_REQUIRED | SCHEMA_NONEMPTY)))
            return true;
        report_add(site->errs, &node->words->at, "'%s' needs at least one value: %s", key->name,
                   value_types[key->type].usage);
        return false;
    }
    return set_words(site, key, node->words, node->word_count, field);
}

#define DEFAULT_WORDS_MAX 128

bool value_set_default(struct value_site *site, const struct schema_key *key, void *field)
{
    static const struct place built_in = {.file = "default"};
    bool is_list = (key->flags & SCHEMA_LIST) || key->type == SCHEMA_CHOICES;
    struct view rest = view_cstr(key->initial);
    if (is_list && rest.n == 0)
        return true;
    struct tree_word words[DEFAULT_WORDS_MAX] = {{0}};
    uint32_t count = 0;
    do {
        MSA_ASSERT(count < DEFAULT_WORDS_MAX);
        struct view text = is_list ? view_cut(&rest, ' ') : rest;
        words[count] = (struct tree_word){.text = text, .at = built_in};
        if (count > 0)
            words[count - 1].next = &words[count];
        count++;
    } while (is_list && rest.n > 0);
    return set_words(site, key, words, count, field);
}

void value_format(const struct schema_key *key, const void *field, struct buf *out)
{
    const struct value_type *type = &value_types[key->type];
    if (!(key->flags & SCHEMA_LIST)) {
        type->format(key, field, out);
        return;
    }
    struct value_list list;
    memcpy(&list, field, sizeof list);
    if (list.count == 0)
        buf_add_cstr(out, "none");
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0)
            buf_add_char(out, ' ');
        type->format(key, (const char *)list.items + type->bytes * i, out);
    }
}
