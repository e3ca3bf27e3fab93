/* The arguments of a request, against what the table says of each. */
#include "msa/console/api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/utf8.h"

#define NUMBER_MAX INT64_C(9007199254740991) /* what every JSON reader keeps exactly: 2^53 - 1 */

static void fault_at(struct api_fault *f, unsigned status, struct view member, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void fault_at(struct api_fault *f, unsigned status, struct view member, const char *fmt, ...)
{
    va_list ap;
    f->status = status;
    (void)view_to_cstr(view_slice(member, 0, 32), f->member, sizeof f->member);
    if (!utf8_is_valid(view_cstr(f->member)))
        f->member[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(f->detail, sizeof f->detail, fmt, ap);
    va_end(ap);
}

static const struct api_field *find_field(const struct api_route *route, struct view name)
{
    for (const struct api_field *f = route->fields; f && f->name; f++)
        if (view_eq(view_cstr(f->name), name))
            return f;
    return NULL;
}

static bool is_word(const char *words, struct view text)
{
    struct view rest = view_cstr(words);
    while (rest.n > 0)
        if (view_eq(view_cut(&rest, '|'), text))
            return true;
    return false;
}

/* ---- one value ---- */

static bool is_text(const json_t *v, int64_t min, int64_t max)
{
    int64_t n = json_is_string(v) ? (int64_t)json_string_length(v) : -1;
    return n >= min && n <= max;
}

static bool check_texts(const json_t *v, const struct api_field *f)
{
    size_t i;
    const json_t *one;
    if (!json_is_array(v) || (int64_t)json_array_size(v) > f->max)
        return false;
    json_array_foreach(v, i, one) {
        struct view text = view_cstr(json_string_value(one));
        if (!is_text(one, 1, API_VALUE_MAX) || (f->words && !is_word(f->words, text)))
            return false;
    }
    return true;
}

static bool check_objects(const json_t *v, const struct api_field *f)
{
    size_t i;
    const json_t *one;
    if (!json_is_array(v) || (int64_t)json_array_size(v) > f->max)
        return false;
    json_array_foreach(v, i, one) {
        if (!json_is_object(one))
            return false;
    }
    return true;
}

static void say_what_it_is(const struct api_field *f, struct api_fault *fault)
{
    struct view name = view_cstr(f->name);
    switch (f->type) {
    case API_TEXT:
        if (f->words)
            fault_at(fault, 422, name, "'%s' is one of %s", f->name, f->words);
        else
            fault_at(fault, 422, name, "'%s' is a text of %" PRId64 " to %" PRId64 " octets", f->name,
                     f->min, f->max);
        return;
    case API_NUMBER:
        fault_at(fault, 422, name, "'%s' is a whole number, %" PRId64 " to %" PRId64, f->name, f->min,
                 f->max);
        return;
    case API_FLAG: fault_at(fault, 422, name, "'%s' is true or false", f->name); return;
    case API_TEXTS:
        fault_at(fault, 422, name, "'%s' is a list of at most %" PRId64 " texts%s%s", f->name, f->max,
                 f->words ? ", each one of " : "", f->words ? f->words : "");
        return;
    case API_OBJECT: fault_at(fault, 422, name, "'%s' is an object", f->name); return;
    case API_OBJECTS:
        fault_at(fault, 422, name, "'%s' is a list of at most %" PRId64 " objects", f->name, f->max);
        return;
    case API_ANY: fault_at(fault, 422, name, "'%s' is a text or a number", f->name); return;
    }
}

static bool is_as_said(const json_t *v, const struct api_field *f)
{
    switch (f->type) {
    case API_TEXT:
        return f->words ? json_is_string(v) && is_word(f->words, view_cstr(json_string_value(v)))
                        : is_text(v, f->min, f->max);
    case API_NUMBER:
        return json_is_integer(v) && json_integer_value(v) >= f->min && json_integer_value(v) <= f->max;
    case API_FLAG: return json_is_boolean(v);
    case API_TEXTS: return check_texts(v, f);
    case API_OBJECT: return json_is_object(v);
    case API_OBJECTS: return check_objects(v, f);
    case API_ANY: return json_is_string(v) || json_is_number(v) || json_is_null(v);
    }
    return false;
}

/* ---- all of them ---- */

static bool take(json_t *args, const struct api_route *route, unsigned who, struct view name, json_t *value,
                 struct api_fault *fault)
{
    const struct api_field *f = find_field(route, name);
    if (!f)
        fault_at(fault, 422, name, "this request has no member of that name");
    else if ((f->flags & API_NOT_CUSTOMER) && who == WHO_CUSTOMER)
        fault_at(fault, 403, name, "'%s' is not yours to set: ask the support desk", f->name);
    else if (!is_as_said(value, f))
        say_what_it_is(f, fault);
    else if (json_object_get(args, f->name))
        fault_at(fault, 422, name, "'%s' stands twice", f->name);
    else if (json_object_set(args, f->name, value) < 0)
        fault_at(fault, 503, name, "out of memory");
    return fault->status == 0;
}

static bool take_body(json_t *args, const struct api_route *route, unsigned who, struct view body,
                      struct api_fault *fault)
{
    json_error_t error;
    const char *key;
    json_t *value;
    if (api_json_is_deep(body, API_JSON_DEPTH_MAX)) {
        fault_at(fault, 400, VIEW_EMPTY, "the body is nested too deep");
        return false;
    }
    json_t *object = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        json_decref(object);
        /* error.text would quote what stands there, which may be a password. */
        fault_at(fault, 400, VIEW_EMPTY, "the body is to be one JSON object without doubles (line %d, column %d)",
                 error.line, error.column);
        return false;
    }
    json_object_foreach(object, key, value) {
        if (!take(args, route, who, view_cstr(key), value, fault))
            break;
    }
    json_decref(object);
    return fault->status == 0;
}

/* As text it may be any of the types that a query can say. */
static json_t *query_value(const struct api_field *f, struct view text)
{
    uint64_t n;
    if (f && f->type == API_NUMBER)
        return view_parse_u64(text, NUMBER_MAX, &n) ? json_integer((json_int_t)n) : json_null();
    if (f && f->type == API_FLAG)
        return view_eq(text, VIEW_LIT("true"))    ? json_true()
               : view_eq(text, VIEW_LIT("false")) ? json_false()
                                                  : json_null();
    return json_stringn(text.n ? text.p : "", text.n);
}

static bool take_query(json_t *args, const struct api_route *route, unsigned who, struct view query,
                       struct api_fault *fault)
{
    while (query.n > 0) {
        struct view pair = view_cut(&query, '&'), key = view_cut(&pair, '=');
        char name[64], text[1024];
        size_t name_bytes, text_bytes;
        if (key.n == 0 && pair.n == 0)
            continue;
        if (!api_decode(key, true, name, sizeof name, &name_bytes) ||
            !api_decode(pair, true, text, sizeof text, &text_bytes)) {
            fault_at(fault, 400, VIEW_EMPTY, "the query is not percent-encoded UTF-8, or too long");
            return false;
        }
        struct view found = view_of(name, name_bytes);
        json_t *value = query_value(find_field(route, found), view_of(text, text_bytes));
        bool is_taken = take(args, route, who, found, value, fault);
        json_decref(value);
        if (!is_taken)
            return false;
    }
    return true;
}

static bool has_required(const json_t *args, const struct api_route *route, unsigned who,
                         struct api_fault *fault)
{
    for (const struct api_field *f = route->fields; f && f->name; f++) {
        if (!(f->flags & API_REQUIRED) || json_object_get(args, f->name) ||
            ((f->flags & API_NOT_CUSTOMER) && who == WHO_CUSTOMER))
            continue;
        fault_at(fault, 422, view_cstr(f->name), "'%s' is missing: %s", f->name, f->doc);
        return false;
    }
    return true;
}

static bool is_in_query(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_DELETE;
}

json_t *api_args(const struct api_match *match, unsigned who, struct view query, struct view body,
                 struct api_fault *fault)
{
    const struct api_route *route = match->route;
    json_t *args = json_object();
    *fault = (struct api_fault){0};
    bool is_good = args != NULL;
    if (is_in_query(route->method) && body.n > 0) {
        fault_at(fault, 400, VIEW_EMPTY, "this request has no body");
        is_good = false;
    }
    if (is_good && is_in_query(route->method))
        is_good = take_query(args, route, who, query, fault);
    else if (is_good && query.n > 0)
        fault_at(fault, 400, VIEW_EMPTY, "this request has no query: its fields stand in the body");
    else if (is_good && body.n > 0)
        is_good = take_body(args, route, who, body, fault);
    is_good = is_good && fault->status == 0 && has_required(args, route, who, fault);
    for (size_t i = 0; is_good && i < match->param_count; i++) {
        char name[32];
        (void)view_to_cstr(match->params[i].name, name, sizeof name);
        json_object_set_new(args, name, json_stringn(match->params[i].value, match->params[i].value_bytes));
    }
    if (!is_good) {
        json_decref(args);
        if (fault->status == 0)
            fault_at(fault, 503, VIEW_EMPTY, "out of memory");
        return NULL;
    }
    return args;
}

bool api_json_is_deep(struct view text, unsigned depth_max)
{
    unsigned depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_string) {
            i += c == '\\';
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return true;
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        }
    }
    return false;
}
