/* Names of roles and scopes, and what follows from the table. */
#include "msa/console/api.h"

static const struct {
    unsigned who;
    const char *name;
} whos[] = {
    {WHO_OPERATOR, "operator"}, {WHO_SUPPORT, "support"}, {WHO_PORTAL, "portal"},
    {WHO_CUSTOMER, "customer"}, {WHO_ANYBODY, "anybody"},
};

const char *api_who_name(unsigned who)
{
    for (size_t i = 0; i < sizeof whos / sizeof whos[0]; i++)
        if (whos[i].who == who)
            return whos[i].name;
    return "nobody";
}

unsigned api_who_named(struct view name)
{
    for (size_t i = 0; i < 3; i++)
        if (view_eq(view_cstr(whos[i].name), name))
            return whos[i].who;
    return 0;
}

static const char *const scope_names[SCOPE_COUNT] = {
#define X(name, text) [SCOPE_##name] = text,
    API_SCOPES(X)
#undef X
};

const char *api_scope_name(enum api_scope scope)
{
    return scope_names[scope] ? scope_names[scope] : "";
}

enum api_scope api_scope_named(struct view name)
{
    for (unsigned i = 1; i < SCOPE_COUNT; i++)
        if (view_eq(view_cstr(scope_names[i]), name))
            return (enum api_scope)i;
    return SCOPE_NONE;
}

/* Those that only msactl asks for. */
static bool is_change_without_route(struct view op)
{
    static const char *const names[] = {"score.forget", "score.learn", "score.train"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (view_eq(view_cstr(names[i]), op))
            return true;
    return false;
}

bool api_op_is_change(struct view op)
{
    for (size_t i = 0; i < api_route_count; i++)
        if (api_routes[i].op && api_routes[i].method != HTTP_GET &&
            view_eq(view_cstr(api_routes[i].op), op))
            return true;
    return is_change_without_route(op);
}
