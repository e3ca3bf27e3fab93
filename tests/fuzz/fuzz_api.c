/* A request of the API: method, path, query and body, split at line feeds. Whatever comes in, what goes to a role is an
 * object whose members stand in the table, and each as the table says. */
#include <string.h>

#include "msa/console/api.h"
#include "tests/fuzz/fuzz.h"

static bool is_in_table(const struct api_match *m, const char *key)
{
    for (const struct api_field *f = m->route->fields; f && f->name; f++)
        if (strcmp(f->name, key) == 0)
            return true;
    for (size_t i = 0; i < m->param_count; i++)
        if (view_eq(m->params[i].name, view_cstr(key)))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view body = fuzz_view(data, size), method = view_cut(&body, '\n'), path = view_cut(&body, '\n');
    struct view query = view_cut(&body, '\n');
    struct api_match m;
    struct api_fault fault;
    const char *key;
    json_t *value;
    api_match(method.n ? (enum http_method)(method.p[0] % HTTP_OTHER) : HTTP_GET, path, &m);
    must(!m.route || m.is_path);
    if (!m.route)
        return 0;
    for (size_t i = 0; i < m.param_count; i++)
        must(strlen(m.params[i].value) == m.params[i].value_bytes && m.params[i].value_bytes > 0);
    json_t *args = api_args(&m, method.n > 1 ? WHO_CUSTOMER : WHO_OPERATOR, query, body, &fault);
    must((args == NULL) == (fault.status >= 400));
    json_object_foreach(args, key, value) {
        must(is_in_table(&m, key));
    }
    json_decref(args);
    return 0;
}
