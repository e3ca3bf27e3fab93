#include "policy/account_change.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "msa/config/suggest.h"
#include "policy/engine/rule.h"
#include "policy/senders.h"

struct change {
    struct account *a;
    struct buf *senders;
    const struct config *config;
    char *detail;
};

static bool fail(struct change *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct change *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->detail, ACCOUNT_DETAIL_MAX, fmt, ap);
    va_end(ap);
    return false;
}

static struct view text_of(const json_t *value)
{
    return view_of(json_string_value(value), json_string_length(value));
}

/* ---- words ---- */

static bool find_word(struct change *c, const json_t *value, const char *key,
                      const char *const *words, unsigned *out)
{
    struct suggest near = {.word = text_of(value)};
    for (unsigned i = 0; words[i]; i++) {
        suggest_offer(&near, words[i]);
        if (json_is_string(value) && view_eq(text_of(value), view_cstr(words[i]))) {
            *out = i;
            return true;
        }
    }
    return fail(c, "'%s' is one of %s, %s, %s%s", key, words[0], words[1], words[2],
                suggest_text(&near));
}

static bool set_overseas(struct change *c, const json_t *value)
{
    unsigned n = 0;
    bool is_good = find_word(c, value, "overseas", account_overseas_words, &n);
    c->a->overseas = (enum account_overseas)n;
    return is_good;
}

static bool set_consent(struct change *c, const json_t *value)
{
    unsigned n = 0;
    bool is_good = find_word(c, value, "consent", account_consent_words, &n);
    c->a->consent = (enum account_consent)n;
    return is_good;
}

static bool set_language(struct change *c, const json_t *value)
{
    unsigned n = 0;
    bool is_good = find_word(c, value, "notice_language", account_language_words, &n);
    c->a->language = (enum account_language)n;
    return is_good;
}

static bool set_newlines(struct change *c, const json_t *value)
{
    c->a->normalizes_newlines = json_is_true(value);
    return json_is_boolean(value) || fail(c, "'normalize_newlines' is true or false");
}

/* ---- texts ---- */

static bool set_note(struct change *c, const json_t *value)
{
    c->a->note = text_of(value);
    return (json_is_string(value) && c->a->note.n <= ACCOUNT_NOTE_MAX) ||
           fail(c, "'note' is a text of at most %d bytes", ACCOUNT_NOTE_MAX);
}

static bool set_notice_address(struct change *c, const json_t *value)
{
    struct view text = text_of(value);
    size_t at = view_find(text, '@');
    c->a->notice_address = text;
    bool is_address = at > 0 && at + 1 < text.n && text.n <= ACCOUNT_ADDRESS_MAX &&
                      view_find(text, ' ') == text.n && view_find(text, '\n') == text.n &&
                      view_find(text, '\r') == text.n;
    return (json_is_string(value) && (text.n == 0 || is_address)) ||
           fail(c, "'notice_address' is a mail address, or empty for the login");
}

/* Whether `classes` name it; what they name is offered. */
static bool is_class_among(const struct config_strings *classes, struct suggest *near)
{
    bool is_there = false;
    for (uint32_t i = 0; i < classes->count; i++) {
        suggest_offer(near, classes->items[i]);
        is_there = is_there || view_eq(near->word, view_cstr(classes->items[i]));
    }
    return is_there;
}

/* A class that nothing speaks of would be a slip of the pen: it took the account out of its rules. */
static bool set_class(struct change *c, const json_t *value)
{
    struct suggest near = {.word = text_of(value)};
    c->a->class_name = near.word;
    if (!json_is_string(value))
        return fail(c, "'class' is a name, or empty for none");
    bool is_there = near.word.n == 0;
    for (uint32_t i = 0; i < c->config->rule_count; i++)
        is_there |= is_class_among(&c->config->rule[i].when.classes, &near);
    for (uint32_t i = 0; i < c->config->align_count; i++)
        is_there |= is_class_among(&c->config->align[i].when.classes, &near);
    for (uint32_t i = 0; i < c->config->route_count; i++)
        is_there |= is_class_among(&c->config->route[i].when.classes, &near);
    return (is_there && near.word.n <= ACCOUNT_NAME_MAX) ||
           fail(c, "no rule, align block or route speaks of the class '%.*s'%s", SHOWN(near.word),
                suggest_text(&near));
}

/* ---- countries ---- */

static bool get_country(struct change *c, const json_t *value, uint16_t *out)
{
    *out = country_code(text_of(value));
    return *out != COUNTRY_NONE ||
           fail(c, "'%.*s' is not a country: write two letters (ISO 3166), such as JP",
                SHOWN(text_of(value)));
}

static bool set_home(struct change *c, const json_t *value)
{
    size_t i;
    const json_t *one;
    if (!json_is_array(value) || json_array_size(value) > ACCOUNT_HOMES_MAX)
        return fail(c, "'home' is a list of at most %d countries", ACCOUNT_HOMES_MAX);
    c->a->home_count = 0;
    json_array_foreach(value, i, one) {
        if (!get_country(c, one, &c->a->homes[i]))
            return false;
        c->a->home_count++;
    }
    return true;
}

static bool get_exception(struct change *c, json_t *value, struct account_exception *out)
{
    json_t *country = NULL;
    json_int_t from_ms = 0, until_ms = 0;
    *out = (struct account_exception){0};
    if (json_unpack_ex(value, NULL, JSON_STRICT, "{s?o, s?I, s?I}", "country", &country, "from_ms",
                       &from_ms, "until_ms", &until_ms) < 0 ||
        from_ms < 0 || until_ms < 0 || (until_ms > 0 && until_ms <= from_ms))
        return fail(c, "an exception has a country, or a time 'from_ms' to 'until_ms', or both");
    out->from_ms = from_ms;
    out->until_ms = until_ms;
    if (!country && until_ms == 0)
        return fail(c, "an exception for every country needs an end: else set 'overseas' to allow");
    return !country || get_country(c, country, &out->country);
}

static unsigned find_exception(const struct account *a, const struct account_exception *e)
{
    unsigned i = 0;
    while (i < a->exception_count &&
           (a->exceptions[i].country != e->country || a->exceptions[i].from_ms != e->from_ms ||
            a->exceptions[i].until_ms != e->until_ms))
        i++;
    return i;
}

static bool add_exceptions(struct change *c, const json_t *value)
{
    size_t i;
    json_t *one;
    struct account *a = c->a;
    json_array_foreach(value, i, one) {
        struct account_exception e;
        if (!get_exception(c, one, &e))
            return false;
        if (find_exception(a, &e) < a->exception_count)
            continue;
        if (a->exception_count == ACCOUNT_EXCEPTIONS_MAX)
            return fail(c, "an account has at most %d exceptions", ACCOUNT_EXCEPTIONS_MAX);
        a->exceptions[a->exception_count++] = e;
    }
    return json_is_array(value) || fail(c, "'exceptions' are a list");
}

static bool set_exceptions(struct change *c, const json_t *value)
{
    c->a->exception_count = 0;
    return add_exceptions(c, value);
}

static bool remove_exceptions(struct change *c, const json_t *value)
{
    size_t i;
    json_t *one;
    struct account *a = c->a;
    json_array_foreach(value, i, one) {
        struct account_exception e;
        if (!get_exception(c, one, &e))
            return false;
        unsigned at = find_exception(a, &e);
        if (at == a->exception_count)
            return fail(c, "the account has no such exception");
        a->exceptions[at] = a->exceptions[--a->exception_count];
    }
    return json_is_array(value) || fail(c, "'exceptions_remove' is a list");
}

/* ---- limits ---- */

static bool check_rule_name(struct change *c, const char *name)
{
    struct suggest near = {.word = view_cstr(name)};
    for (uint32_t i = 0; i < c->config->rule_count; i++) {
        suggest_offer(&near, c->config->rule[i].name);
        if (strcmp(c->config->rule[i].name, name) == 0)
            return true;
    }
    return fail(c, "there is no rule '%.60s'%s", name, suggest_text(&near));
}

static unsigned find_limit(const struct account *a, struct view rule)
{
    unsigned i = 0;
    while (i < a->override_count && !view_eq(a->override_rules[i], rule))
        i++;
    return i;
}

static void clear_limit(struct account *a, unsigned at)
{
    if (at == a->override_count)
        return;
    a->override_count--;
    a->override_rules[at] = a->override_rules[a->override_count];
    a->overrides[at] = a->overrides[a->override_count];
}

static bool set_limit(struct change *c, struct view rule, uint32_t limit)
{
    struct account *a = c->a;
    unsigned at = find_limit(a, rule);
    if (at == ACCOUNT_OVERRIDES_MAX)
        return fail(c, "an account has at most %d limits of its own", ACCOUNT_OVERRIDES_MAX);
    a->override_rules[at] = rule;
    a->overrides[at] = (struct rule_override){rule_name_hash(rule), limit};
    a->override_count += at == a->override_count;
    return true;
}

static bool set_one_limit(struct change *c, const char *name, const json_t *value)
{
    struct view rule = view_cstr(name), word = text_of(value);
    json_int_t n = json_integer_value(value);
    if (json_is_string(value) && view_eq(word, VIEW_LIT("default"))) {
        clear_limit(c->a, find_limit(c->a, rule)); /* also of a rule that is no more */
        return true;
    }
    if (!check_rule_name(c, name))
        return false;
    if (json_is_string(value) && view_eq(word, VIEW_LIT("off")))
        return set_limit(c, rule, UINT32_MAX);
    if (json_is_integer(value) && n >= 0 && n < UINT32_MAX)
        return set_limit(c, rule, (uint32_t)n);
    return fail(c, "the limit of '%.60s' is a number, off or default", name);
}

static bool set_limits(struct change *c, const json_t *value)
{
    const char *rule;
    json_t *limit;
    json_object_foreach((json_t *)(uintptr_t)value, rule, limit) {
        if (!set_one_limit(c, rule, limit))
            return false;
    }
    return json_is_object(value) || fail(c, "'limits' has a member for each rule");
}

/* ---- senders ---- */

static bool change_senders(struct change *c, const json_t *value,
                           int (*fn)(struct buf *list, struct view pattern))
{
    size_t i;
    const json_t *one;
    json_array_foreach(value, i, one) {
        int err = fn(c->senders, text_of(one));
        if (err == MSA_OK)
            continue;
        return fail(c, "'%.*s' %s", SHOWN(text_of(one)),
                    err == MSA_EINVAL   ? "is no sender: write an address, @domain or .domain"
                    : err == MSA_ENOENT ? "is not among the account's senders"
                                        : "is one sender too many");
    }
    c->a->senders = buf_view(c->senders);
    return json_is_array(value) || fail(c, "senders are a list");
}

static bool add_senders(struct change *c, const json_t *value)
{
    return change_senders(c, value, senders_add);
}

static bool remove_senders(struct change *c, const json_t *value)
{
    return change_senders(c, value, senders_remove);
}

static bool set_senders(struct change *c, const json_t *value)
{
    buf_reset(c->senders);
    return change_senders(c, value, senders_add);
}

/* ---- all of them ---- */

/* In this order: what replaces a list comes before what adds to it. */
static const struct {
    const char *key;
    bool (*fn)(struct change *c, const json_t *value);
} members[] = {
    {"class", set_class},
    {"overseas", set_overseas},
    {"home", set_home},
    {"exceptions", set_exceptions},
    {"exceptions_remove", remove_exceptions},
    {"exceptions_add", add_exceptions},
    {"limits", set_limits},
    {"senders", set_senders},
    {"senders_remove", remove_senders},
    {"senders_add", add_senders},
    {"consent", set_consent},
    {"notice_language", set_language},
    {"notice_address", set_notice_address},
    {"normalize_newlines", set_newlines},
    {"note", set_note},
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])

static bool is_known(const char *key, const char *const *beside, struct suggest *near)
{
    for (size_t i = 0; beside[i]; i++)
        if (strcmp(beside[i], key) == 0)
            return true;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        suggest_offer(near, members[i].key);
        if (strcmp(members[i].key, key) == 0)
            return true;
    }
    return false;
}

int account_change(struct account *a, struct buf *senders, const json_t *args,
                   const char *const *beside, const struct config *config,
                   char detail[ACCOUNT_DETAIL_MAX])
{
    struct change c = {a, senders, config, detail};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)args, key, value) {
        struct suggest near = {.word = view_cstr(key)};
        if (!is_known(key, beside, &near)) {
            fail(&c, "there is no setting '%.40s'%s", key, suggest_text(&near));
            return MSA_EINVAL;
        }
    }
    buf_reset(senders);
    if (buf_add(senders, a->senders) < 0)
        return fail(&c, "out of memory") ? MSA_OK : MSA_EINVAL;
    a->senders = buf_view(senders);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        value = json_object_get(args, members[i].key);
        if (value && !members[i].fn(&c, value))
            return MSA_EINVAL;
    }
    return MSA_OK;
}
