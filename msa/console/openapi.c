/* The OpenAPI 3.1 document of the API, from the table that dispatches it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/console/api_call.h"
#include "msa/console/problem.h"

/* ---- types ---- */

static json_t *words_json(const char *words)
{
    json_t *list = json_array();
    struct view rest = view_cstr(words);
    while (rest.n > 0) {
        struct view one = view_cut(&rest, '|');
        if (one.n > 0)
            json_array_append_new(list, json_stringn(one.p, one.n));
    }
    return list;
}

static json_t *text_schema(const struct api_field *f, int64_t min, int64_t max)
{
    json_t *o = json_pack("{s:s}", "type", "string");
    if (f->words)
        json_object_set_new(o, "enum", words_json(f->words));
    else
        json_object_update_new(o, json_pack("{s:I, s:I}", "minLength", (json_int_t)min, "maxLength",
                                            (json_int_t)max));
    return o;
}

static json_t *list_schema(json_t *items, int64_t max)
{
    return json_pack("{s:s, s:o, s:I}", "type", "array", "items", items, "maxItems", (json_int_t)max);
}

static json_t *schema_of(const struct api_field *f)
{
    switch (f->type) {
    case API_TEXT: return text_schema(f, f->min, f->max);
    case API_NUMBER:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)f->min, "maximum",
                         (json_int_t)f->max);
    case API_FLAG: return json_pack("{s:s}", "type", "boolean");
    case API_TEXTS: return list_schema(text_schema(f, 1, API_VALUE_MAX), f->max);
    case API_OBJECT: return json_pack("{s:s}", "type", "object");
    case API_OBJECTS: return list_schema(json_pack("{s:s}", "type", "object"), f->max);
    case API_ANY: return json_pack("{s:[s, s, s]}", "type", "string", "number", "null");
    }
    return NULL;
}

static json_t *described(const struct api_field *f)
{
    json_t *o = schema_of(f);
    json_object_set_new(o, "description", json_string(f->doc));
    if (f->flags & API_SECRET)
        json_object_set_new(o, "writeOnly", json_true());
    return o;
}

/* ---- one operation ---- */

/* "get_accounts_login_settings" */
static json_t *operation_id(const struct api_route *route)
{
    char text[128];
    size_t n = 0;
    snprintf(text, sizeof text, "%s%s", http_method_name(route->method), route->path + sizeof API_PREFIX - 1);
    for (size_t i = 0; text[i]; i++) {
        char c = ascii_lower(text[i]);
        if (c == '{' || c == '}')
            continue;
        text[n++] = (char)(c == '/' || c == '-' || c == '.' ? '_' : c);
    }
    return json_stringn(text, n);
}

static bool is_in_query(const struct api_route *route)
{
    return route->method == HTTP_GET || route->method == HTTP_DELETE;
}

static json_t *parameter(const char *name, const char *in, bool is_required, json_t *schema, const char *doc)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:s}", "name", name, "in", in, "required", (int)is_required, "schema",
                     schema, "description", doc);
}

static json_t *path_parameter(struct view name)
{
    static const struct {
        const char *name, *doc;
    } docs[] = {{"login", "a login name; `me` for a customer's own"},
                {"id", "as the list that names it says"},
                {"ip", "an IPv4 or IPv6 address"}};
    char text[32];
    const char *doc = "";
    (void)view_to_cstr(name, text, sizeof text);
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++)
        if (strcmp(docs[i].name, text) == 0)
            doc = docs[i].doc;
    return parameter(text, "path", true,
                     json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength", API_VALUE_MAX),
                     doc);
}

static json_t *parameters_of(const struct api_route *route)
{
    json_t *list = json_array();
    struct view rest = view_cstr(route->path);
    while (rest.n > 0) {
        struct view part = view_cut(&rest, '/');
        if (part.n > 2 && part.p[0] == '{')
            json_array_append_new(list, path_parameter(view_slice(part, 1, part.n - 1)));
    }
    for (const struct api_field *f = route->fields; is_in_query(route) && f && f->name; f++)
        json_array_append_new(list, parameter(f->name, "query", (f->flags & API_REQUIRED) != 0, schema_of(f),
                                              f->doc));
    return list;
}

static json_t *body_of(const struct api_route *route)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct api_field *f = route->fields; f && f->name; f++) {
        json_object_set_new(properties, f->name, described(f));
        /* who may not give it does not have to */
        if ((f->flags & API_REQUIRED) && !((f->flags & API_NOT_CUSTOMER) && (route->who & WHO_CUSTOMER)))
            json_array_append_new(required, json_string(f->name));
    }
    bool is_required = json_array_size(required) > 0;
    return json_pack("{s:b, s:{s:{s:{s:s, s:o, s:o, s:b}}}}", "required", (int)is_required, "content",
                     "application/json", "schema", "type", "object", "properties", properties, "required", required,
                     "additionalProperties", 0);
}

static json_t *responses_of(const struct api_route *route)
{
    const char *type = strcmp(route->path, API_PREFIX "/events") == 0 ? "text/event-stream" : "application/json";
    return json_pack("{s:{s:s, s:{s:{s:{s:s}}}}, s:{s:s}}", "2XX", "description", "What was asked for", "content",
                     type, "schema", "type", type[0] == 't' ? "string" : "object", "default", "$ref",
                     "#/components/responses/Problem");
}

static json_t *roles_of(unsigned who)
{
    json_t *list = json_array();
    for (unsigned bit = WHO_OPERATOR; bit <= WHO_ANYBODY; bit <<= 1)
        if (who & bit)
            json_array_append_new(list, json_string(api_who_name(bit)));
    return list;
}

static json_t *operation(const struct api_route *route)
{
    json_t *o = json_pack("{s:o, s:s, s:[s], s:o, s:o, s:o}", "operationId", operation_id(route), "summary",
                          route->summary, "tags", route->tag, "parameters", parameters_of(route), "responses",
                          responses_of(route), "x-msad-roles", roles_of(route->who));
    if (o && route->fields && !is_in_query(route))
        json_object_set_new(o, "requestBody", body_of(route));
    if (o && route->scope != SCOPE_NONE)
        json_object_set_new(o, "x-msad-scope", json_string(api_scope_name(route->scope)));
    if (o && (route->who & WHO_ANYBODY))
        json_object_set_new(o, "security", json_array());
    return o;
}

/* ---- the document ---- */

static json_t *paths(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < api_route_count; i++) {
        char method[16];
        size_t n = 0;
        const char *name = http_method_name(api_routes[i].method);
        json_t *path = json_object_get(all, api_routes[i].path);
        if (!path) {
            path = json_object();
            json_object_set_new(all, api_routes[i].path, path);
        }
        for (; name[n] && n + 1 < sizeof method; n++)
            method[n] = ascii_lower(name[n]);
        method[n] = '\0';
        json_object_set_new(path, method, operation(&api_routes[i]));
    }
    return all;
}

static json_t *components(void)
{
    json_t *problem = json_pack("{s:s, s:[s, s], s:{s:{s:s, s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:s}}}", "type",
                                "object", "required", "type", "status", "properties", "type", "type", "string",
                                "format", "uri", "title", "type", "string", "status", "type", "integer", "detail",
                                "type", "string", "member", "type", "string", "description",
                                "which member of the request it is about");
    json_t *response = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description",
                                 "What went wrong (RFC 9457); `type` is stable, " PROBLEM_URN "…", "content",
                                 PROBLEM_TYPE, "schema", "$ref", "#/components/schemas/Problem");
    return json_pack("{s:{s:o}, s:{s:o}, s:{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}}", "schemas", "Problem", problem,
                     "responses", "Problem", response, "securitySchemes", "token", "type", "http", "scheme",
                     "bearer", "description", "made by POST /api/v1/tokens or msactl token add", "session", "type",
                     "apiKey", "in", "cookie", "name", CALLER_COOKIE, "description",
                     "made by POST /api/v1/session; changes carry its csrf_token in X-CSRF-Token");
}

json_t *openapi_document(void)
{
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:o, s:o, s:[{s:[]}, {s:[]}]}", "openapi", "3.1.0", "info", "title",
                     "msad", "version", MSA_VERSION, "description",
                     "Accounts, restrictions, queue and state of a mail submission server. Fields of GET and "
                     "DELETE stand in the query, all others in a JSON object; what is not named here is refused.",
                     "paths", paths(), "components", components(), "security", "token", "session");
}

void api_openapi(struct api_call *call)
{
    api_answer(call, 200, openapi_document());
}
