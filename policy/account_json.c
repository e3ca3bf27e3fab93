#include "policy/account_change.h"

#include "policy/senders.h"

const char *const account_overseas_words[] = {"default", "allow", "block", NULL};
const char *const account_consent_words[] = {"default", "yes", "no", NULL};
const char *const account_language_words[] = {"default", "ja", "en", NULL};

static json_t *text_json(struct view v)
{
    return json_stringn(v.n > 0 ? v.p : "", v.n);
}

static json_t *country_json(uint16_t country)
{
    char text[3];
    country_text(country, text);
    return json_string(text);
}

static json_t *homes_json(const struct account *a)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < a->home_count; i++)
        json_array_append_new(list, country_json(a->homes[i]));
    return list;
}

static json_t *exceptions_json(const struct account *a)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < a->exception_count; i++) {
        const struct account_exception *e = &a->exceptions[i];
        json_t *one = json_object();
        if (e->country != COUNTRY_NONE)
            json_object_set_new(one, "country", country_json(e->country));
        if (e->from_ms > 0)
            json_object_set_new(one, "from_ms", json_integer(e->from_ms));
        if (e->until_ms > 0)
            json_object_set_new(one, "until_ms", json_integer(e->until_ms));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *limits_json(const struct account *a)
{
    json_t *all = json_object();
    for (unsigned i = 0; i < a->override_count; i++) {
        char name[ACCOUNT_NAME_MAX + 1];
        uint32_t limit = a->overrides[i].limit;
        view_to_cstr(a->override_rules[i], name, sizeof name);
        json_object_set_new(all, name,
                            limit == UINT32_MAX ? json_string("off") : json_integer(limit));
    }
    return all;
}

static json_t *senders_json(const struct account *a)
{
    json_t *list = json_array();
    struct view rest = a->senders, one;
    while (senders_next(&rest, &one))
        json_array_append_new(list, text_json(one));
    return list;
}

json_t *account_json(const struct account *a, const struct config *config)
{
    return json_pack(
        "{s:o, s:I, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:o, s:I}", "login",
        text_json(a->login), "id", (json_int_t)a->id, "class", text_json(a->class_name), "overseas",
        account_overseas_words[a->overseas], "overseas_blocked", account_is_blocked_overseas(a, config),
        "home", homes_json(a), "exceptions", exceptions_json(a), "limits", limits_json(a),
        "senders", senders_json(a), "consent", account_consent_words[a->consent], "notice_language",
        account_language_words[a->language], "notice_address", text_json(a->notice_address),
        "normalize_newlines", a->normalizes_newlines, "note", text_json(a->note), "changed_ms",
        (json_int_t)a->changed_ms);
}
