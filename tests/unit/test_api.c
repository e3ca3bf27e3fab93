/* The pure parts of the API: its table, paths, arguments, the document. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "msa/console/api_call.h"

TestSuite(api, .timeout = 20);

static struct api_match match_of(enum http_method method, const char *path)
{
    struct api_match m;
    api_match(method, view_cstr(path), &m);
    return m;
}

/* Every route finds itself, has an operation that is there or a function, and says who may. */
Test(api, the_table_is_whole)
{
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];
        cr_assert_eq(match_of(route->method, route->path).route, route, "%s", route->path);
        cr_assert(!route->op != !route->fn, "%s", route->path);
        if (route->op)
            cr_assert_not_null(console_op_find(view_cstr(route->op)), "%s", route->op);
        if (route->op)
            cr_assert_not(console_op_is_internal(console_op_find(view_cstr(route->op))), "%s", route->op);
        cr_assert(route->who != 0 && route->summary && route->tag, "%s", route->path);
        cr_assert(!(route->who & ~(unsigned)(WHO_ANYBODY | WHO_CUSTOMER)) || route->scope != SCOPE_NONE || route->fn,
                  "%s needs a scope", route->path);
        /* a customer's account is known by the path, so that it can be compared */
        if ((route->who & WHO_CUSTOMER) && route->op) {
            cr_assert(strstr(route->path, "/accounts/{login}") != NULL, "%s", route->path);
            cr_assert_not_null(route->shown, "%s", route->path);
        }
    }
}

Test(api, paths_are_matched_by_their_parts)
{
    static const struct {
        const char *path;
        const char *value; /* NULL: nothing there */
    } cases[] = {
        {"/api/v1/accounts/taro@example.jp", "taro@example.jp"},
        {"/api/v1/accounts/taro%40example.jp", "taro@example.jp"},
        {"/api/v1/accounts/%E5%A4%AA%e9%83%8e@example.jp", "\xe5\xa4\xaa\xe9\x83\x8e@example.jp"},
        {"/api/v1/accounts/a+b@example.jp", "a+b@example.jp"},
        {"/api/v1/accounts/a%2Fb", "a/b"},
        {"/api/v1/accounts/..", ".."},
        {"/api/v1/accounts/", NULL},
        {"/api/v1/accounts//", NULL},
        {"/api/v1/accounts/a%00", NULL},
        {"/api/v1/accounts/a%0a", NULL},
        {"/api/v1/accounts/%ff", NULL},
        {"/api/v1/accounts/%4", NULL},
        {"/api/v1/accounts/%", NULL},
        {"/api/v1/accounts/%g0", NULL},
        {"/api/v1/accounts/a/", NULL},
        {"/api/v1/accounts/a/b", NULL},
        {"api/v1/accounts/a", NULL},
        {"", NULL},
        {"/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct api_match m = match_of(HTTP_GET, cases[i].path);
        cr_assert_eq(m.route == NULL, cases[i].value == NULL, "%s", cases[i].path);
        if (cases[i].value)
            cr_assert_str_eq(m.params[0].value, cases[i].value);
    }
    char longest[API_VALUE_MAX + 32];
    size_t n = (size_t)snprintf(longest, sizeof longest, "/api/v1/accounts/");
    memset(longest + n, 'a', API_VALUE_MAX);
    longest[n + API_VALUE_MAX] = '\0';
    cr_assert_not_null(match_of(HTTP_GET, longest).route);
    longest[n + API_VALUE_MAX] = 'a';
    longest[n + API_VALUE_MAX + 1] = '\0';
    cr_assert_null(match_of(HTTP_GET, longest).route);
}

Test(api, another_method_is_told_from_no_path)
{
    struct api_match m = match_of(HTTP_PATCH, "/api/v1/accounts");
    cr_assert(m.route == NULL && m.is_path);
    cr_assert_eq(m.methods, 1u << HTTP_GET | 1u << HTTP_POST);
    cr_assert_not(match_of(HTTP_PATCH, "/api/v1/account").is_path);
}

/* ---- arguments ---- */

static unsigned fault_of(enum http_method method, const char *path, unsigned who, const char *query, const char *body,
                         char member[64])
{
    struct api_match m = match_of(method, path);
    struct api_fault fault;
    json_t *args = api_args(&m, who, view_cstr(query), view_cstr(body), &fault);
    cr_assert_eq(args == NULL, fault.status != 0);
    json_decref(args);
    snprintf(member, 64, "%s", fault.member);
    return fault.status;
}

Test(api, arguments_are_held_to_the_table)
{
    static const struct {
        enum http_method method;
        const char *path, *query, *body;
        unsigned who, status;
        const char *member;
    } cases[] = {
        {HTTP_GET, "/accounts", "", "", WHO_OPERATOR, 0, ""},
        {HTTP_GET, "/accounts", "limit=5&cursor=a%40b", "", WHO_OPERATOR, 0, ""},
        {HTTP_GET, "/accounts", "&&limit=5&", "", WHO_OPERATOR, 0, ""},
        {HTTP_GET, "/accounts", "limit=5&limit=6", "", WHO_OPERATOR, 422, "limit"},
        {HTTP_GET, "/accounts", "limit", "", WHO_OPERATOR, 422, "limit"},
        {HTTP_GET, "/accounts", "=5", "", WHO_OPERATOR, 422, ""},
        {HTTP_GET, "/accounts", "x=5", "", WHO_OPERATOR, 422, "x"},
        {HTTP_GET, "/accounts", "", "{}", WHO_OPERATOR, 400, ""},
        {HTTP_POST, "/accounts/a/disable", "why=x", "{}", WHO_OPERATOR, 400, ""},
        {HTTP_POST, "/accounts/a/disable", "", "", WHO_OPERATOR, 422, "why"},
        {HTTP_POST, "/accounts/a/disable", "", "{\"why\":\"x\"}", WHO_OPERATOR, 0, ""},
        {HTTP_POST, "/accounts/a/disable", "", "{\"why\":\"x\",\"id\":1}", WHO_OPERATOR, 422, "id"},
        {HTTP_PATCH, "/accounts/a/settings", "", "{\"overseas\":\"block\"}", WHO_CUSTOMER, 0, ""},
        {HTTP_PATCH, "/accounts/a/settings", "", "{\"note\":\"x\"}", WHO_CUSTOMER, 403, "note"},
        {HTTP_PATCH, "/accounts/a/settings", "", "{\"login\":\"b\"}", WHO_CUSTOMER, 422, "login"},
        {HTTP_DELETE, "/queue/x", "why=because+so", "", WHO_SUPPORT, 0, ""},
        {HTTP_DELETE, "/queue/x", "", "", WHO_SUPPORT, 422, "why"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[64], member[64];
        snprintf(path, sizeof path, API_PREFIX "%s", cases[i].path);
        unsigned status = fault_of(cases[i].method, path, cases[i].who, cases[i].query, cases[i].body, member);
        cr_assert_eq(status, cases[i].status, "%zu: %u", i, status);
        cr_assert_str_eq(member, cases[i].member);
    }
}

Test(api, depth_is_counted_outside_of_strings)
{
    cr_assert_not(api_json_is_deep(VIEW_LIT("[[[]]]"), 3));
    cr_assert(api_json_is_deep(VIEW_LIT("[[[]]]"), 2));
    cr_assert(api_json_is_deep(VIEW_LIT("[{\"a\":[]}]"), 2));
    cr_assert_not(api_json_is_deep(VIEW_LIT("[\"[[[[\\\"[[[\"]"), 1));
    cr_assert_not(api_json_is_deep(VIEW_LIT("[][][][]"), 1));
    cr_assert_not(api_json_is_deep(VIEW_LIT("\"\\"), 0));
}

Test(api, the_document_has_every_route)
{
    json_t *document = openapi_document(), *paths = json_object_get(document, "paths");
    size_t count = 0;
    const char *key;
    json_t *path;
    json_object_foreach(paths, key, path) {
        count += json_object_size(path);
    }
    cr_assert_eq(count, api_route_count);
    json_decref(document);
}
