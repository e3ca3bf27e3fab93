#include "msa/console/api.h"

#include <string.h>

#include "msa/base/utf8.h"

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

bool api_decode(struct view text, bool is_query, char *out, size_t out_size, size_t *n_out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            bool is_whole = i + 2 < text.n;
            int high = is_whole ? ascii_hex_value(text.p[i + 1]) : -1;
            int low = is_whole ? ascii_hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        if (is_control(c) || n + 1 >= out_size)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    *n_out = n;
    return utf8_is_valid(view_of(out, n));
}

/* One part of the path against one of the template. */
static bool match_part(struct view want, struct view part, struct api_match *m)
{
    if (want.n < 2 || want.p[0] != '{')
        return view_eq(want, part);
    if (part.n == 0 || m->param_count == API_PARAMS_MAX)
        return false;
    struct view name = view_slice(want, 1, want.n - 1);
    size_t at = m->param_count;
    if (!api_decode(part, false, m->params[at].value, sizeof m->params[at].value,
                    &m->params[at].value_bytes) ||
        m->params[at].value_bytes == 0)
        return false;
    m->params[at].name = name;
    m->param_count++;
    return true;
}

/* False leaves parameters in `m` that nobody looks at. */
static bool match_path(struct view want, struct view path, struct api_match *m)
{
    m->param_count = 0;
    while (want.n > 0 && path.n > 0) {
        if (!view_take_char(&want, '/') || !view_take_char(&path, '/'))
            return false;
        size_t want_n = view_find(want, '/'), path_n = view_find(path, '/');
        if (!match_part(view_slice(want, 0, want_n), view_slice(path, 0, path_n), m))
            return false;
        want = view_slice(want, want_n, want.n);
        path = view_slice(path, path_n, path.n);
    }
    return want.n == 0 && path.n == 0;
}

void api_match(enum http_method method, struct view path, struct api_match *out)
{
    struct api_match m = {0};
    *out = (struct api_match){0};
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route *route = &api_routes[i];
        if (!match_path(view_cstr(route->path), path, &m))
            continue;
        out->is_path = true;
        out->methods |= 1u << route->method;
        if (route->method != method || out->route)
            continue;
        unsigned methods = out->methods;
        *out = m;
        out->is_path = true;
        out->methods = methods;
        out->route = route;
    }
}
